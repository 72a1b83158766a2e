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
use File::Basename;
use File::Path qw(make_path remove_tree);
use Getopt::Long;
use lib dirname(__FILE__);
use Project;

my ($points, $every, $seed) = (10, 0, $ENV{DASSIE_SEED} // time ^ $$);
GetOptions("points=i" => \$points, "every=i" => \$every, "seed=i" => \$seed) or die;
my $what = shift // "one";
begin("faults", $seed);
my $killat = "$build/tests/unit/killat";
my ($fresh, $p) = ("$T/fresh", "$T/project");
print "# $what, seed $seed\n";

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
	sh($fresh, "dassie compile --quiet") == 0 or die said();
}

sub again { remove_tree($p); system("cp", "-a", $fresh, $p) == 0 or die; }

# A power cut: what is on the disk now, against what the newest syncfs had made durable.
sub cut {
	my ($synced) = @_;
	my ($old, $new) = (files($synced), files($p));
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
sh($p, "make -s -j2") == 0 or die said();
my $want = files("$p/out");
rename $p, "$T/right" or die;
again();
my $mode = $what eq "power" ? "copy" : $what;
if (sh($p, "'$killat' 0 one make -s -j2") == 125) { print "1..0 # SKIP no seccomp or ptrace here\n"; exit; }
my ($calls) = said() =~ /^(\d+)$/m or die said();
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
		$said = said();
		$note = "sync $sync and $ENV{KILLAT_THEN}, " . cut($synced);
	} else {
		my $rc = sh($p, "'$killat' $at $what make -s -j2");
		if ($rc == 77) { print "1..0 # SKIP calls are made to fail on x86-64 only\n"; exit; }
		$said = said();
		# Without a kill it has either failed or made the right tree.
		ok(0, "call $at: a run that says it is done has the wrong tree"), print map { "# $_\n" } split /\n/, $said
			if $what =~ /^(E|short)/ && $rc == 0 && !same(files("$p/out"), $want);
		$healed++ if $rc == 0 && $what =~ /^(E|short)/;
	}
	my %before = results($p);
	my $status = $what eq "power" ? make_rebooted() : sh($p, "make -s -j2");
	my $then = said();
	my %after = results($p);
	my @redone = $what eq "power" ? () : grep { ($after{$_} // "") ne $before{$_} } keys %before;
	my @wrong = differences(files("$p/out"), $want);
	my $fsck = $status == 0 && !@wrong ? sh($p, "dassie fsck") : 0;
	if ($status == 0 && !@wrong && !@redone && $fsck == 0) { $good++; next; }
	ok(0, "$what at call $at of $calls ($note): status $status, tree " . (@wrong ? "WRONG" : "right") . ", fsck $fsck, done again: " . @redone);
	print map { "# $_\n" } @wrong;
	print map { "# $_\n" } "then:", split(/\n/, $said), "and:", split(/\n/, $then), $fsck ? split(/\n/, said()) : ();
	last if failed() > 20;
}
ok($good > 0, sprintf "%s: %d of %d points, %d wrong%s", $what, $good, scalar @at, failed(), $healed ? ", $healed went on to a right tree" : "");
done();
