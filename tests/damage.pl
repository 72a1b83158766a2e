#!/usr/bin/env perl
# A damaged state folder: random bytes over random places of all its files, then `dassie fsck --repair`, then make:
# the tree must be that of a clean run, and the make after it a no-op.
#
#	tests/damage.pl [--rounds N] [--bytes N] [--seed S] [-v]
#
# Round k of a call has seed S+k; `--rounds 1 --seed X` does one again.  Prints TAP.  Programs: DASSIE_BUILD.

use strict;
use warnings;
use File::Basename;
use File::Find;
use File::Path qw(remove_tree);
use Getopt::Long;
use lib dirname(__FILE__);
use Project;

my ($rounds, $bytes, $seed, $verbose) = (3, 1_000_000, time ^ $$ << 8, 0);
GetOptions("rounds=i" => \$rounds, "bytes=i" => \$bytes, "seed=i" => \$seed, "v" => \$verbose) or exit 2;
$seed &= 0x3fffffff;
begin("damage", $seed);
my $files = 60;

sub run {
	my ($dir, @argv) = @_;
	my $status = system "sh", "-c", 'cd "$1" && shift && exec "$@" >"$0" 2>&1 </dev/null', "$T/said", $dir, @argv;
	my $said = slurp("$T/said");
	print map { "# $_\n" } "\$ @argv  -> " . ($status >> 8), split /\n/, $said if $verbose;
	return $status >> 8 || $status;
}

sub project {
	my ($dir) = @_;
	put("$dir/in/$_", join "", map { "$_ " . ($_ * $_ % 977) . "\n" } $_ .. $_ + 2_000) for 1 .. $files;
	put("$dir/pipeline.yaml", <<'SPEC');
repos: {in: in}
pipelines:
  each:
    input: in/*
    run: tac "$in" >"$out/$(basename "$in")"
  all:
    input: each/
    run: cat "$each"/* >"$out/all"
SPEC
}

# Kind and bytes of everything that is shown.
sub tree {
	my ($dir) = @_;
	my @all;
	find({ no_chdir => 1, wanted => sub { push @all, substr($_, length $dir) . " " . (-d $_ ? "d" : unpack "%32C*", slurp($_)) } }, $dir) if -d $dir;
	return join "\n", sort @all;
}

sub state_files {
	my ($dir) = @_;
	my @all;
	find({ no_chdir => 1, wanted => sub { push @all, $_ if -f $_ && -s _ } }, "$dir/.dassie");
	return sort @all;
}

# Runs of random bytes, each somewhere in all the bytes there are; here and there a file is cut short or goes.
sub damage {
	my ($dir) = @_;
	my @files = state_files($dir);
	my $left = $bytes;
	chmod 0644, @files;
	while ($left > 0) {
		my $path = $files[rand @files];
		my $size = -s $path or next;
		my $n = 1 + int rand($size < 4096 ? $size : 4096);
		my $at = int rand $size;
		open my $f, "+<", $path or die "$path: $!";
		if (rand() < 0.02) {
			truncate $f, $at;
		} else {
			seek $f, $at, 0;
			print $f join "", map { chr int rand 256 } 1 .. $n;
		}
		close $f or die "$path: $!";
		unlink $path if rand() < 0.01;
		$left -= $n;
	}
}

sub play {
	my ($s, $want) = @_;
	my $p = "$T/project $s";
	srand $s;
	project($p);
	run($p, "dassie", "compile", "--quiet") == 0 && run($p, "make", "-s", "-j2") == 0 or return "the first make failed";
	damage($p);
	run($p, "dassie", "fsck", "--repair") <= 1 or return "fsck --repair failed: " . slurp("$T/said");
	run($p, "make", "-s", "-j2") == 0 or return "make failed: " . slurp("$T/said");
	tree("$p/out") eq $want or return "the tree is not that of a clean run";
	run($p, "make", "-s", "-q") == 0 or return "make -q says that a make is needed";
	run($p, "dassie", "fsck") == 0 or return "fsck still finds something: " . slurp("$T/said");
	remove_tree($p);
	return undef;
}

print "# seed $seed: $rounds rounds of $bytes bytes\n";
project("$T/clean");
run("$T/clean", "dassie", "compile", "--quiet") == 0 && run("$T/clean", "make", "-s", "-j2") == 0 or die "the clean run failed\n";
my $want = tree("$T/clean/out");
for my $k (0 .. $rounds - 1) {
	my $why = play($seed + $k, $want);
	ok(!defined $why, "damage of seed " . ($seed + $k), $why // ());
}
done();
