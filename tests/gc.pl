#!/usr/bin/env perl
# gc at random moments beside running makes, kills and edits: nothing needed is gone, the tree equals a clean run, and
# after the last gc with everything quiet nothing is left that a project without a past would not have.
#
#	tests/gc.pl [--rounds N] [--seed S]

use strict;
use warnings;
use File::Basename;
use File::Path qw(make_path remove_tree);
use Getopt::Long;
use lib dirname(__FILE__);
use Project;
use Time::HiRes qw(sleep);

my ($rounds, $seed) = (30, time ^ $$ << 8);
GetOptions("rounds=i" => \$rounds, "seed=i" => \$seed) or exit 2;
$seed &= 0x3fffffff;
begin("gc", $seed);
my ($p, $clean) = ("$T/project", "$T/clean");
my $word = "a";
my %content;

print "# seed $seed\n";

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

# The whole of it: the make after a gc and the clean run agree.
sub converges {
	my ($name) = @_;
	my $status = ended(start($p, ">", "$T/said", "make", "-s", "-j2"));
	remove_tree($clean);
	set_up($clean);
	system("cd '$clean' && make -s -j2 >'$T/clean.said' 2>&1") == 0 or die "the clean run failed: " . slurp("$T/clean.said");
	ok($status == 0 && same(files("$p/out"), files("$clean/out")), $name, "status $status", said());
}

$content{"f$_"} = "$_\n" for 1 .. 12;
set_up($p);
ended(start($p, ">", "$T/said", "make", "-s", "-j2"));
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
	my $make = start($p, ">", "$T/make.said", "make", "-s", "-j2");
	sleep rand 0.25;
	my @keep = ("--keep-days=0", "--keep-jobs=" . (rand() < 0.7 ? 0 : int rand 3));
	my $gc = start($p, ">", "$T/gc.said", "dassie", "gc", "--run", @keep);
	my $killed = rand() < 0.2;
	my $gc_killed = rand() < 0.2;
	if ($killed || $gc_killed) {
		sleep rand 0.1;
		kill "KILL", $gc if $gc_killed;
		kill "KILL", -$make if $killed;
	}
	my ($made, $collected) = (ended($make), ended($gc));
	ok($killed || $made == 0, "round $round: make ends well beside gc", slurp("$T/make.said"));
	ok($gc_killed || $collected == 0, "round $round: and gc beside make", slurp("$T/gc.said"));
	converges("round $round: the tree of a clean run");
	if ($round % 5 == 0 || failed()) {
		my $status = ended(start($p, ">", "$T/fsck.said", "dassie", "fsck", "--out"));
		ok($status == 0, "round $round: sound", slurp("$T/fsck.said"));
	}
	last if failed();
}

# Nothing is left over, once all is quiet.
ended(start($p, ">", "$T/said", "make", "-s", "-j2"));
ok(ended(start($p, ">", "$T/gc.said", "dassie", "gc", "--run", "--keep-days=0", "--keep-jobs=0")) == 0, "a last gc", slurp("$T/gc.said"));
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
ok(!ended(start($p, ">", "$T/fsck.said", "dassie", "fsck", "--out")), "sound", slurp("$T/fsck.said"));
done();
