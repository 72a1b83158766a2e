#!/usr/bin/env perl
# An S3 server that checks signatures, for the tests: Ceph's gateway out of Debian's packages (ceph-mon, ceph-osd, radosgw,
# ceph-common), one monitor, one OSD in memory, on free ports of loopback.  About 1.5 s and 60 MiB.
#
#	eval "$(tests/s3server.pl DIR [OPTION...])"     start; DIR is made, and everything lies in it
#	tests/s3server.pl DIR stop                      end it, by process id (nothing is saved)
#	tests/s3server.pl --missing                     print what is not installed; status 1 if there is something
#
#	--tls             https as well, by a certificate for localhost, *.localhost and 127.0.0.1 from a CA of its own
#	--regions         two gateways, us-east-1 and eu-west-1: a bucket of the other region answers 301
#	--sts             AssumeRole, and a role to assume (then a wrong secret answers a bare AccessDenied)
#	--throttle        503 SlowDown as soon as two requests are there at once
#	--conf 'K = V'    one more line for the gateway's section of ceph.conf
#
# It prints, quoted for a shell, when the gateway answers:
#
#	S3_ENDPOINT S3_REGION                    http://127.0.0.1:PORT, us-east-1
#	S3_ENDPOINT2 S3_REGION2                  --regions: the gateway of eu-west-1
#	S3_ENDPOINT_TLS S3_CA                    --tls: https://localhost:PORT, and the CA's certificate
#	S3_ACCESS_KEY S3_SECRET_KEY S3_ARN       user dassie, who may do everything with his buckets
#	S3_ALT_ACCESS_KEY S3_ALT_SECRET_KEY S3_ALT_ARN    user alt, who may do nothing with those unless a bucket policy says so
#	S3_ROLE_ARN                              --sts: role 'writer', which dassie may assume and which may do everything
#	S3_PIDS                                  for `owned`
#
# The processes stay in the caller's process group.  SIGSTOP to the second of S3_PIDS (the OSD) makes a gateway that hangs,
# SIGKILL to the last one that refuses connections.  KMS: key testkey-1 exists, others do not.  Buckets, objects and bucket
# policies are made with tests/s3.pl.  What each option answers was tried with 16.2.15; error messages are always empty there.

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename;
use File::Path qw(make_path remove_tree);
use Getopt::Long;
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);

my @programs = qw(ceph-mon ceph-osd radosgw radosgw-admin ceph ceph-authtool monmaptool);
my %user = (
	dassie => [ "DASSIEACCESSKEY00001", "dassie/secret+with=odd&characters0000001" ],
	alt => [ "ALTACCESSKEY00000001", "altsecret0000000000000000000000000000001" ],
	system => [ "SYSTEMACCESSKEY00001", "systemsecret0000000000000000000000000001" ],
);
my %opt = (conf => []);
GetOptions(\%opt, "missing", "tls", "regions", "sts", "throttle", "conf=s@") or exit 2;
my @missing = grep { !which($_) } @programs, $opt{tls} ? "openssl" : ();
if ($opt{missing}) {
	print "@missing\n" if @missing;
	exit(@missing ? 1 : 0);
}
my ($dir, $verb) = (@ARGV, "start");
die "usage: s3server.pl DIR [--tls] [--regions] [--sts] [--throttle] [--conf 'K = V'] | DIR stop | --missing\n"
	unless defined $dir && $verb =~ /^(?:start|stop)$/;
make_path($dir);
$dir = abs_path($dir);
my $here = dirname(abs_path($0));
my $conf = "$dir/ceph.conf";
my $log = "$dir/start.log";
my @pids;

if ($verb eq "stop") {
	stop(split ' ', slurp("$dir/pids"));
	exit 0;
}
die "s3server: not installed: @missing\n" if @missing;
# Somebody may take a port between our look and the daemon's bind.
for my $try (1 .. 3) {
	my @said = eval { start() };
	if (@said) {
		print map { my ($k, $v) = @$_; $v =~ s/'/'\\''/g; "$k='$v'\n" } @said;
		exit 0;
	}
	warn $@;
	stop(@pids);
	@pids = ();
}
print STDERR slurp($log);
exit 3;

sub which {
	my ($program) = @_;
	return grep { -x "$_/$program" } split(/:/, $ENV{PATH}), "/usr/sbin", "/usr/bin";
}

sub slurp {
	open my $f, "<", $_[0] or return "";
	local $/;
	return scalar <$f>;
}

sub spit {
	my ($path, $text) = @_;
	open my $f, ">", $path or die "s3server: cannot write '$path': $!\n";
	print $f $text;
	close $f or die "s3server: cannot write '$path': $!\n";
}

sub stop {
	kill "KILL", @_ if @_;
	# Not our children, perhaps: seen to be gone by their ids.
	for (1 .. 200) {
		1 while waitpid(-1, 1) > 0;
		last unless grep { kill 0, $_ } @_;
		sleep 0.01;
	}
}

sub free_port {
	my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 1) or die "s3server: no free port: $!\n";
	return $s->sockport;
}

sub answers {
	my ($port) = @_;
	my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $port, Timeout => 2) or return 0;
	print $s "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n";
	return (<$s> // "") =~ m{^HTTP/};
}

# A command that ends; its output goes to the log.
sub command {
	my $pid = fork // die "s3server: cannot fork: $!\n";
	become(@_) if $pid == 0;
	waitpid($pid, 0);
	return $? == 0;
}

sub must {
	command(@_) or die "s3server: failed: @_\n";
}

# A command that stays.
sub daemon {
	my $pid = fork // die "s3server: cannot fork: $!\n";
	become(@_) if $pid == 0;
	push @pids, $pid;
	spit("$dir/pids", "@pids\n");
	return $pid;
}

sub become {
	open STDIN, "<", "/dev/null";
	open STDOUT, ">>", $log;
	open STDERR, ">&", \*STDOUT;
	$ENV{PATH} .= ":/usr/sbin:/sbin";
	# rgw_frontends takes no path with a blank in it.
	chdir $dir;
	{ no warnings "exec"; exec { $_[0] } @_; }
	POSIX::_exit(127);
}

# until_answers PORT, PID: the gateway is ready, or dead.
sub until_answers {
	my ($port, $pid) = @_;
	my $end = time + 60;
	while (time < $end) {
		return if answers($port);
		die "s3server: the gateway ended; see '$dir'\n" if waitpid($pid, 1) == $pid;
		sleep 0.02;
	}
	die "s3server: the gateway does not answer; see '$dir'\n";
}

sub certificates {
	spit("$dir/san", "subjectAltName=DNS:localhost,DNS:*.localhost,IP:127.0.0.1\n");
	must(qw(openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj), "/CN=dassie test CA", "-keyout", "$dir/ca.key", "-out", "$dir/ca.pem");
	must(qw(openssl req -newkey rsa:2048 -nodes -subj /CN=localhost), "-keyout", "$dir/tls.key", "-out", "$dir/tls.csr");
	must(qw(openssl x509 -req -days 2 -set_serial 2), "-in", "$dir/tls.csr", "-CA", "$dir/ca.pem", "-CAkey", "$dir/ca.key", "-extfile", "$dir/san",
		"-out", "$dir/tls.crt");
}

sub write_conf {
	my ($monitor, $fsid, @gateways) = @_;
	my $sts = $opt{sts} ? "true" : "false";
	my $extra = join "\n", @{ $opt{conf} }, $opt{throttle} ? ("rgw_scheduler_type = throttler", "rgw_max_concurrent_requests = 1") : ();
	# Settings that cost time to find: ms_mon_client_mode (the gateway asks for encryption else, and hangs without keys),
	# and that a keyring must exist although nobody authenticates.
	my $text = <<"END";
[global]
fsid = $fsid
mon_host = v2:127.0.0.1:$monitor
mon_initial_members = a
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_msgr1 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
ms_mon_client_mode = crc
run_dir = $dir
admin_socket =
keyring = $dir/keyring
log_file = $dir/\$name.log
mon_cluster_log_file = $dir/cluster.log
crash_dir = $dir
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 10000
mon_data_avail_crit = 1
mon_data_avail_warn = 2
mon_clock_drift_allowed = 5
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
[mon.a]
mon_data = $dir/mon
[osd.0]
osd_data = $dir/osd
osd_objectstore = memstore
memstore_device_bytes = 8589934592
osd_class_load_list = *
osd_class_default_list = *
osd_memory_target = 939524096
osd_op_num_shards = 2
END
	for my $g (@gateways) {
		my $tls = $g->{tls} ? " ssl_endpoint=127.0.0.1:$g->{tls} ssl_certificate=tls.crt ssl_private_key=tls.key" : "";
		my $zone = $opt{regions} ? "rgw_realm = r\nrgw_zonegroup = $g->{region}\nrgw_zone = $g->{zone}\n" : "";
		$text .= <<"END";
[client.$g->{name}]
rgw_data = $dir/$g->{name}
rgw_frontends = beast endpoint=127.0.0.1:$g->{port}$tls tcp_nodelay=1
rgw_dns_name = localhost
rgw_thread_pool_size = 32
rgw_rados_pool_pg_num_min = 1
rgw_enable_usage_log = false
rgw_gc_obj_min_wait = 1
rgw_enable_quota_threads = false
rgw_enable_lc_threads = false
rgw_run_sync_thread = false
rgw_sts_key = abcdefghijklmnop
rgw_s3_auth_use_sts = $sts
rgw_crypt_require_ssl = false
rgw_crypt_s3_kms_backend = testing
rgw_crypt_s3_kms_encryption_keys = testkey-1=YmluCmJvb3N0CmJvb3N0LWJ1aWxkCmNlcGguY29uZgo=
$zone$extra
END
	}
	spit($conf, $text);
}

sub admin {
	must("radosgw-admin", "-c", $conf, "-n", "client.rgw", @_);
}

sub add_user {
	my ($name, @more) = @_;
	admin(qw(user create), "--uid=$name", "--display-name=$name", "--access-key=$user{$name}[0]", "--secret=$user{$name}[1]",
		'--caps=roles=*;users=*;buckets=*;user-policy=*', @more);
}

sub add_regions {
	my (@gateways) = @_;
	my @key = ("--access-key=$user{system}[0]", "--secret=$user{system}[1]");

	# Before the realm is there its names in the configuration would stop radosgw-admin itself.
	admin(qw(realm create --rgw-realm=r --default));
	for my $g (@gateways) {
		my @master = $g->{name} eq "rgw" ? qw(--master --default) : ();
		my $url = "--endpoints=http://127.0.0.1:$g->{port}";
		admin(qw(zonegroup create), "--rgw-zonegroup=$g->{region}", $url, @master);
		admin(qw(zone create), "--rgw-zonegroup=$g->{region}", "--rgw-zone=$g->{zone}", $url, @master, @key);
	}
	admin(qw(period update --commit));
}

sub start {
	my $fsid = "11111111-2222-3333-4444-555555555555";
	my $osd = "11111111-2222-3333-4444-000000000000";
	my $monitor = free_port();
	my @gateways = ({ name => "rgw", region => "us-east-1", zone => "use1" });
	push @gateways, { name => "rgw2", region => "eu-west-1", zone => "euw1" } if $opt{regions};
	for (@gateways) {
		$_->{port} = free_port();
		$_->{tls} = free_port() if $opt{tls};
	}
	remove_tree(map { "$dir/$_" } qw(mon osd rgw rgw2));
	make_path(map { "$dir/$_" } qw(mon osd rgw rgw2));
	spit($log, "");
	certificates() if $opt{tls};
	write_conf($monitor, $fsid, @gateways);
	must("ceph-authtool", "--create-keyring", "$dir/keyring", qw(--gen-key -n client.rgw));
	must(qw(monmaptool --create --clobber --fsid), $fsid, "--addv", "a", "[v2:127.0.0.1:$monitor]", "$dir/monmap");
	must("ceph-mon", "-c", $conf, qw(-i a --mkfs --monmap), "$dir/monmap");
	daemon("ceph-mon", "-f", "-c", $conf, qw(-i a));
	must("ceph", "-c", $conf, "--connect-timeout", "30", qw(osd new), $osd);
	must("ceph-osd", "-c", $conf, qw(-i 0 --mkfs --osd-uuid), $osd);
	daemon("ceph-osd", "-f", "-c", $conf, qw(-i 0 --osd-crush-initial-weight 1));
	if ($opt{regions}) {
		add_regions(@gateways);
		for my $g (@gateways) {
			# Metadata is not synchronised between the two: the same users are made in both.
			my @where = ("--rgw-realm=r", "--rgw-zonegroup=$g->{region}", "--rgw-zone=$g->{zone}", "--yes-i-really-mean-it");
			add_user("system", "--system", @where);
			add_user($_, @where) for qw(dassie alt);
		}
	} else {
		add_user($_) for qw(dassie alt);
	}
	for my $g (@gateways) {
		$g->{pid} = daemon("radosgw", "-f", "-c", $conf, "-n", "client.$g->{name}", $> == 0 ? qw(--setuser root --setgroup root) : ());
	}
	until_answers($_->{port}, $_->{pid}) for @gateways;
	return describe(@gateways);
}

sub describe {
	my @gateways = @_;
	my @said = ([ S3_ENDPOINT => "http://127.0.0.1:$gateways[0]{port}" ], [ S3_REGION => "us-east-1" ],
		[ S3_ACCESS_KEY => $user{dassie}[0] ], [ S3_SECRET_KEY => $user{dassie}[1] ], [ S3_ARN => "arn:aws:iam:::user/dassie" ],
		[ S3_ALT_ACCESS_KEY => $user{alt}[0] ], [ S3_ALT_SECRET_KEY => $user{alt}[1] ], [ S3_ALT_ARN => "arn:aws:iam:::user/alt" ],
		[ S3_PIDS => "@pids" ]);

	push @said, [ S3_ENDPOINT2 => "http://127.0.0.1:$gateways[1]{port}" ], [ S3_REGION2 => "eu-west-1" ] if $opt{regions};
	push @said, [ S3_ENDPOINT_TLS => "https://localhost:$gateways[0]{tls}" ], [ S3_CA => "$dir/ca.pem" ] if $opt{tls};
	push @said, [ S3_ROLE_ARN => make_role("http://127.0.0.1:$gateways[0]{port}") ] if $opt{sts};
	return @said;
}

sub make_role {
	my ($endpoint) = @_;
	my $trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam:::user/dassie"]},"Action":["sts:AssumeRole"]}]}';
	my $may = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":"arn:aws:s3:::*"}]}';

	local @ENV{qw(S3_ENDPOINT S3_ACCESS_KEY S3_SECRET_KEY S3_REGION)} = ($endpoint, @{ $user{dassie} }, "us-east-1");
	must($^X, "$here/s3.pl", "iam", "CreateRole", "RoleName=writer", "Path=/", "AssumeRolePolicyDocument=$trust");
	must($^X, "$here/s3.pl", "iam", "PutRolePolicy", "RoleName=writer", "PolicyName=all", "PolicyDocument=$may");
	return "arn:aws:iam:::role/writer";
}
