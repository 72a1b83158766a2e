#!/usr/bin/env perl
# gc at random moments beside running makes, kills and edits: nothing needed is gone, the tree equals a clean run, and
# after the last gc with everything quiet nothing is left that a project without a past would not have.
#
#	tests/gc.pl [--rounds N] [--seed S]

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename;
use File::Find;
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use Getopt::Long;
use POSIX qw(setpgid);
use Time::HiRes qw(sleep);

my ($rounds, $seed) = (30, time ^ $$ << 8);
GetOptions("rounds=i" => \$rounds, "seed=i" => \$seed) or exit 2;
$seed &= 0x3fffffff;
srand $seed;
my $build = $ENV{DASSIE_BUILD} || dirname(dirname(abs_path($0))) . "/build";
$ENV{PATH} = "$build:$ENV{PATH}";
delete @ENV{grep { /^(?:MAKE|MFLAGS|DASSIE_RUN)/ } keys %ENV};
my $T = tempdir("dassie gc.XXXXXX", TMPDIR => 1, CLEANUP => 1);
my ($p, $clean) = ("$T/project", "$T/clean");
my ($run, $failed, $word) = (0, 0, "a");
my %content;

print "# seed $seed\n";

sub ok {
	my ($good, $name, @why) = @_;
	$run++;
	$failed++ unless $good;
	printf "%sok %d - %s\n", $good ? "" : "not ", $run, $name;
	print map { "# $_\n" } map { split /\n/ } @why unless $good;
	return $good;
}

sub put {
	my ($path, $text) = @_;
	open my $f, ">", $path or die "$path: $!";
	print $f $text;
	close $f or die;
}

sub get { open my $f, "<", $_[0] or return ""; local $/; return <$f> // ""; }

sub spec {
	my ($dir) = @_;
	put("$dir/pipeline.yaml", <<"EOF");
repos: {in: in}
pipelines:
  one:
    input: in/*
    run: |
      echo "$word \${in##*/}"
      cat "\$in" > "\$out/\${in##*/}"
      sleep 0.01
      cksum < "\$in" > "\$out/\${in##*/}.sum"
  two:
    input: one/*.sum
    run: cat "\$one" "\$one" > "\$out/\${one##*/}"
  all:
    input: two/
    run: cat "\$two"/* > "\$out/all"
EOF
}

sub set_up {
	my ($dir) = @_;
	make_path("$dir/in");
	put("$dir/in/$_", $content{$_}) for keys %content;
	spec($dir);
	system("cd '$dir' && dassie compile --quiet") == 0 or die "compile";
}

sub start {
	my ($said, @command) = @_;
	my $pid = fork // die;
	if ($pid == 0) {
		setpgid(0, 0);
		chdir $p;
		open STDIN, "<", "/dev/null";
		open STDOUT, ">", $said;
		open STDERR, ">&", \*STDOUT;
		{ no warnings "exec"; exec @command; }
		POSIX::_exit(127);
	}
	return $pid;
}

sub ended { waitpid $_[0], 0; return $?; }

sub files {
	my ($dir, $content) = @_;
	my %have;
	find({ no_chdir => 1, wanted => sub { $have{substr $_, length $dir} = $content ? get($_) : 1 if -f && !-l } }, $dir) if -d $dir;
	return \%have;
}

sub same {
	my ($a, $b) = @_;
	return join(" ", map { "$_=$a->{$_}" } sort keys %$a) eq join(" ", map { "$_=$b->{$_}" } sort keys %$b);
}

# The whole of it: the make after a gc and the clean run agree.
sub converges {
	my ($name) = @_;
	my $status = ended(start("$T/said", "make", "-s", "-j2"));
	remove_tree($clean);
	set_up($clean);
	system("cd '$clean' && make -s -j2 >'$T/clean.said' 2>&1") == 0 or die "the clean run failed: " . get("$T/clean.said");
	ok($status == 0 && same(files("$p/out", 1), files("$clean/out", 1)), $name, "status $status", get("$T/said"));
}

$content{"f$_"} = "$_\n" for 1 .. 12;
set_up($p);
ended(start("$T/said", "make", "-s", "-j2"));
for my $round (1 .. $rounds) {
	for (1 .. 1 + int rand 4) {
		my $k = "f" . (1 + int rand 12);
		$content{$k} = int(rand 6) . "\n";
		put("$p/in/$k", $content{$k});
	}
	if (rand() < 0.2) {
		$word = chr(97 + int rand 3);
		spec($p);
	}
	my $make = start("$T/make.said", "make", "-s", "-j2");
	sleep rand 0.25;
	my @keep = ("--keep-days=0", "--keep-jobs=" . (rand() < 0.7 ? 0 : int rand 3));
	my $gc = start("$T/gc.said", "dassie", "gc", "--run", @keep);
	my $killed = rand() < 0.2;
	my $gc_killed = rand() < 0.2;
	if ($killed || $gc_killed) {
		sleep rand 0.1;
		kill "KILL", $gc if $gc_killed;
		kill "KILL", -$make if $killed;
	}
	my ($made, $collected) = (ended($make), ended($gc));
	ok($killed || $made == 0, "round $round: make ends well beside gc", get("$T/make.said"));
	ok($gc_killed || $collected == 0, "round $round: and gc beside make", get("$T/gc.said"));
	converges("round $round: the tree of a clean run");
	if ($round % 5 == 0 || $failed) {
		my $status = ended(start("$T/fsck.said", "dassie", "fsck", "--out"));
		ok($status == 0, "round $round: sound", get("$T/fsck.said"));
	}
	last if $failed;
}

# Nothing is left over, once all is quiet.
ended(start("$T/said", "make", "-s", "-j2"));
ok(ended(start("$T/gc.said", "dassie", "gc", "--run", "--keep-days=0", "--keep-jobs=0")) == 0, "a last gc", get("$T/gc.said"));
for my $dir (qw(objects datums)) {
	my ($got, $want) = map { [sort keys %{files("$_/.dassie/$dir")}] } $p, $clean;
	ok("@$got" eq "@$want", "$dir: just those of a clean run", "got " . @$got . ", want " . @$want);
}
my $left = files("$p/.dassie");
my @tmp = grep { /\.tmp$/ || m{^/work/} } keys %$left;
ok(!@tmp, "no temporary file, no view", @tmp);
my %jobs;
m{^/plan/(\w+)\.([0-9a-f]{16})} and $jobs{$1}{$2} = 1 for keys %$left;
ok(!(grep { keys %{$jobs{$_}} > 1 } keys %jobs), "one plan a pipeline at most");
converges("and nothing is missing");
ok(!ended(start("$T/fsck.said", "dassie", "fsck", "--out")), "sound", get("$T/fsck.said"));
print "1..$run\n";
exit($failed ? 1 : 0);
