#!/usr/bin/env perl
# SIGKILL of any one process of a running make, or of all, at random moments: the next make converges to the same tree
# and repeats no datum whose result was in place.
#
#	tests/kill.pl [--rounds N] [--seed S]

use strict;
use warnings;
use File::Basename;
use File::Path qw(make_path remove_tree);
use Getopt::Long;
use lib dirname(__FILE__);
use Project;
use Time::HiRes qw(sleep);

my ($rounds, $seed) = (50, time ^ $$ << 8);
GetOptions("rounds=i" => \$rounds, "seed=i" => \$seed) or exit 2;
$seed &= 0x3fffffff;
begin("kill", $seed);
my ($p, $clean) = ("$T/project", "$T/clean");
my %content;

print "# seed $seed\n";

sub set_up {
	my ($dir) = @_;
	make_path("$dir/in");
	put("$dir/in/$_", $content{$_}) for keys %content;
	put("$dir/pipeline.yaml", <<'EOF');
repos: {in: in}
pipelines:
  one:
    input: in/*
    retry: {tries: 99, delay: 30ms}
    run: |
      test "$(($(od -An -N1 -tu1 /dev/urandom) % 8))" != 0 || exit 75
      cat "$in" > "$out/${in##*/}"
      sleep 0.01
      cksum < "$in" > "$out/${in##*/}.sum"
  two:
    input: one/*.sum
    cpu: 2
    run: cat "$one" "$one" > "$out/${one##*/}"
  all:
    input: two/
    run: cat "$two"/* > "$out/all"
EOF
	system("cd '$dir' && dassie compile --quiet") == 0 or die "compile";
}

# Only make's own processes and a stage, which lends for its runners, may take tokens of a killed one along.
sub holds_others {
	my @names = map { slurp("/proc/$_/cmdline") } @_;
	return grep { /^(make|[^\0]*\0stage\0)/ || m{^[^\0]*/make\0} } @names;
}

sub integrity {
	my $answer = `sqlite3 '$p/.dassie/provenance.db' 'PRAGMA integrity_check' 2>&1`;
	return $? != 0 && $answer eq "" ? "no sqlite3" : $answer;
}

$content{"f$_"} = "$_\n" for 1 .. 20;
set_up($p);
for my $round (1 .. $rounds) {
	my $new = int rand 4 ? 1 + int rand 8 : 20;
	for (1 .. $new) {
		my $k = "f" . (1 + int rand 20);
		$content{$k} = int(rand 1e6) . "\n";
		put("$p/in/$k", $content{$k});
	}
	my $pid = start($p, ">", "$T/said", "make", "-s", "-j2");
	sleep rand 0.3;
	my @all = descendants($pid);
	my $one = int rand 2;
	my @victims = $one ? $all[rand @all] : @all;
	my $takes_along = !$one || holds_others(@victims);
	kill "KILL", @victims;
	if (int rand 2) { $takes_along = 1; kill "KILL", $pid; }
	waitpid $pid, 0;
	my $lost = !$takes_along && said() =~ /INTERNAL/;
	my %before = results($p);
	my $again = start($p, ">", "$T/said", "make", "-s", "-j2");
	waitpid $again, 0;
	my $status = $?;
	my %after = results($p);
	my @redone = grep { ($after{$_} // "") ne $before{$_} } keys %before;
	remove_tree($clean);
	set_up($clean);
	system("cd '$clean' && make -s -j2 >'$T/clean.said' 2>&1") == 0 or die "the clean run failed";
	my @wrong = differences(files("$p/out"), files("$clean/out"));
	my $whole = -e "$p/.dassie/provenance.db" ? integrity() : "ok";
	$lost ||= said() =~ /INTERNAL/;
	my $good = $status == 0 && !@redone && !@wrong && !$lost && $whole =~ /^(ok|no sqlite3)$/;
	ok($good, sprintf "round %d: %s, %d results were in place", $round, $one ? "one process of " . @all : "all " . @all . " processes",
		scalar keys %before) or print map { "# $_\n" } "status $status", "database: $whole", $lost ? "a token is lost" : (), "done again: @redone", @wrong, split /\n/, said();
}
ok(system("cd '$p' && dassie fsck >'$T/said' 2>&1") == 0, "fsck finds nothing wrong") or print "# ", said();
# What a runner left that was killed behind its last result goes when its pipeline runs again.
put("$p/in/$_", "last") for keys %content;
ok(ended(start($p, ">", "$T/said", "make", "-s", "-j2")) == 0, "a last make", said());
ok(!kids("$p/.dassie/work"), "nothing is left in .dassie/work") or print "# ", join(" ", kids("$p/.dassie/work")), "\n";
done();
