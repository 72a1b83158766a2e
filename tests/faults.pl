#!/usr/bin/perl
# faults.pl WHAT [--points N | --every K] [--seed N]: runs of 50 datums that are disturbed at one point each; what they leave must never be
# believed when it is half done: the next make ends with the same tree as a run from nothing, and does no datum again
# whose result was in place.
#
#	one, all     SIGKILL of one process, of all, at a call that changes something on disk (tests/unit/killat.c)
#	EIO, ENOSPC  such a call fails; short: a write takes half
#	power        the lights go out (FAULTS_DEBUG=1 lists what is lost): of what was written after the newest syncfs each file is there, or its old self, empty, or cut
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename;
use File::Glob qw(:bsd_glob);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use Getopt::Long;

my ($points, $every, $seed) = (10, 0, $ENV{DASSIE_SEED} // time ^ $$);
GetOptions("points=i" => \$points, "every=i" => \$every, "seed=i" => \$seed) or die;
my $what = shift // "one";
srand $seed;
my $build = $ENV{DASSIE_BUILD} // abs_path(dirname(__FILE__) . "/../build");
my $killat = "$build/tests/unit/killat";
$ENV{PATH} = "$build:$ENV{PATH}";
delete @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS GNUMAKEFLAGS DASSIE DASSIE_DATUM)};
$ENV{ASAN_OPTIONS} = join ":", grep { defined } $ENV{ASAN_OPTIONS}, "detect_leaks=0";
my $T = tempdir("dassie faults.XXXXXX", TMPDIR => 1, CLEANUP => 1);
my ($fresh, $p) = ("$T/fresh", "$T/project");
my ($run, $failed) = (0, 0);
print "# $what, seed $seed\n";

sub ok {
	my ($good, $name) = @_;
	$run++;
	$failed++ unless $good;
	printf "%sok %d - %s\n", $good ? "" : "not ", $run, $name;
	return $good;
}

sub slurp { open my $f, "<", $_[0] or return ""; local $/; return <$f> // ""; }

sub put {
	my ($path, $text) = @_;
	open my $f, ">", $path or die "$path: $!";
	print $f $text;
	close $f or die;
}

sub sh {
	my ($dir, $command) = @_;
	return system("cd '$dir' && { $command; } >'$T/said' 2>&1 </dev/null") >> 8;
}

sub set_up {
	make_path("$fresh/in");
	put("$fresh/in/f$_", "$_\n" x $_) for 1 .. 50;
	put("$fresh/pipeline.yaml", <<'EOF');
repos: {in: in}
pipelines:
  one:
    input: in/*
    run: cat "$in" >"$out/${in##*/}"
  all:
    input: one/
    run: cat "$one"/* >"$out/all"
EOF
	sh($fresh, "dassie compile --quiet") == 0 or die slurp("$T/said");
}

sub again { remove_tree($p); system("cp", "-a", $fresh, $p) == 0 or die; }

# Every file below, by its path: its kind of identity, and what is in it.
sub files {
	my ($dir, $below, $to) = @_;
	opendir my $d, "$dir$below" or return $to;
	for my $e (sort grep { !/^\.\.?$/ } readdir $d) {
		my $f = "$below/$e";
		if (-l "$dir$f") { $to->{$f} = "-> " . readlink "$dir$f"; }
		elsif (-d _) { files($dir, $f, $to); }
		else { $to->{$f} = slurp("$dir$f"); }
	}
	return $to;
}

sub tree { my $t = files($_[0], "/out", {}); return join "\0", map { ($_, $t->{$_}) } sort keys %$t; }

sub differences {
	my ($have, $want) = (files($p, "/out", {}), files("$T/right", "/out", {}));
	return map { "$_: " . (!defined $have->{$_} ? "missing" : !defined $want->{$_} ? "too many" : length($have->{$_}) . " bytes, not " . length $want->{$_}) }
		grep { ($have->{$_} // "\0") ne ($want->{$_} // "\0") } sort keys %{{ %$have, %$want }};
}

sub results {
	my %have;
	for my $f (bsd_glob("$p/.dassie/datums/??/*")) {
		next if basename($f) =~ /\./;
		my @s = stat $f or next;
		$have{$f} = "$s[1] $s[9]";
	}
	return %have;
}
# A power cut: what is on the disk now, against what the newest syncfs had made durable.
sub cut {
	my ($synced) = @_;
	my ($old, $new) = (files($synced, "", {}), files($p, "", {}));
	my (%lost, @list);
	$lost{kept} = 0;
	for my $f (sort keys %{{ %$old, %$new }}) {
		# SQLite syncs what it has committed.
		next if $f =~ m{^/(in|pipeline\.yaml|\.dassie/provenance\.db)};
		next if defined $old->{$f} && defined $new->{$f} && $old->{$f} eq $new->{$f};
		my $how = (qw(kept old empty half))[rand 4];
		$lost{$how}++; push @list, "$f=$how";
		my ($to, $text) = ("$p$f", $new->{$f} // $old->{$f});
		next if $how eq "kept";
		if ($how eq "old" && !defined $old->{$f}) { unlink $to; next; }
		$text = $how eq "old" ? $old->{$f} : $how eq "empty" ? "" : substr($text, 0, length($text) / 2);
		next if $how ne "old" && !defined $new->{$f};
		make_path(dirname($to));
		my $mode = -e $to ? (stat _)[2] & 07777 : 0644;
		unlink $to;
		put($to, $text);
		chmod $mode, $to;
	}
	print map { "# $_\n" } @list if $ENV{FAULTS_DEBUG};
	return join ", ", map { "$lost{$_} $_" } sort keys %lost;
}

# make, as after a start of the machine: another boot id.
sub make_rebooted {
	put("$T/boot", sprintf("%08x-0000-4000-8000-000000000000\n", rand 0xffffffff));
	my $ns = $> == 0 ? "unshare -m" : "unshare -Urm";
	return sh($p, "$ns sh -c 'mount --bind \"\$1\" /proc/sys/kernel/random/boot_id && exec make -s -j2' sh '$T/boot'");
}

set_up();
system("cp", "-a", $fresh, $p) == 0 or die;
sh($p, "make -s -j2") == 0 or die slurp("$T/said");
my $want = tree($p);
rename $p, "$T/right" or die;
again();
my $mode = $what eq "power" ? "copy" : $what;
if (sh($p, "'$killat' 0 one make -s -j2") == 125) { print "1..0 # SKIP no seccomp or ptrace here\n"; exit; }
my ($calls) = slurp("$T/said") =~ /^(\d+)$/m or die slurp("$T/said");
if ($what eq "power" && sh("/", "unshare -m sh -c 'mount --bind /dev/null /proc/sys/kernel/random/boot_id' || unshare -Urm true") != 0) {
	print "1..0 # SKIP no mount namespace for another boot id\n";
	exit;
}
print "# $calls calls\n";
my @at = $every ? map { 1 + int(rand $every) + $_ * $every } 0 .. int($calls / $every) : map { 1 + int rand $calls } 1 .. $points;
my ($good, $redone_n, $healed) = (0, 0, 0);
for my $at (@at) {
	my ($said, $synced, $note) = ("", "$T/synced", "");
	again();
	if ($what eq "power") {
		remove_tree($synced);
		my $sync = int rand 5;      # after which sync; 0: before any
		local $ENV{KILLAT_COPY} = "cp -a . '$synced'";
		# The lights go out some calls later, or at the next sync, or when all is done.
		local $ENV{KILLAT_THEN} = int exp rand log $calls;
		sh($p, "'$killat' $sync copy make -s -j2");
		$said = slurp("$T/said");
		$note = "sync $sync and $ENV{KILLAT_THEN}, " . cut($synced);
	} else {
		my $rc = sh($p, "'$killat' $at $what make -s -j2");
		if ($rc == 77) { print "1..0 # SKIP calls are made to fail on x86-64 only\n"; exit; }
		$said = slurp("$T/said");
		# Without a kill it has either failed or made the right tree.
		ok(0, "call $at: a run that says it is done has the wrong tree"), print map { "# $_\n" } split /\n/, $said
			if $what =~ /^(E|short)/ && $rc == 0 && tree($p) ne $want;
		$healed++ if $rc == 0 && $what =~ /^(E|short)/;
	}
	my %before = results();
	my $status = $what eq "power" ? make_rebooted() : sh($p, "make -s -j2");
	my $then = slurp("$T/said");
	my %after = results();
	my @redone = $what eq "power" ? () : grep { ($after{$_} // "") ne $before{$_} } keys %before;
	my $tree = tree($p) eq $want;
	my $fsck = $status == 0 && $tree ? sh($p, "dassie fsck") : 0;
	if ($status == 0 && $tree && !@redone && $fsck == 0) { $good++; next; }
	ok(0, "$what at call $at of $calls ($note): status $status, tree " . ($tree ? "right" : "WRONG") . ", fsck $fsck, done again: " . @redone);
	print map { "# $_\n" } differences() unless $tree;
	print map { "# $_\n" } "then:", split(/\n/, $said), "and:", split(/\n/, $then), $fsck ? split(/\n/, slurp("$T/said")) : ();
	last if $failed > 20;
}
ok($good > 0, sprintf "%s: %d of %d points, %d wrong%s", $what, $good, scalar @at, $failed, $healed ? ", $healed went on to a right tree" : "");
print "1..$run\n";
exit($failed ? 1 : 0);
