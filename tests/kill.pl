#!/usr/bin/env perl
# SIGKILL of any one process of a running make, or of all, at random moments: the next make converges to the same tree
# and repeats no datum whose result was in place.
#
#	tests/kill.pl [--rounds N] [--seed S]

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename;
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use Getopt::Long;
use POSIX qw(setpgid);
use Time::HiRes qw(sleep);

my ($rounds, $seed) = (50, time ^ $$ << 8);
GetOptions("rounds=i" => \$rounds, "seed=i" => \$seed) or exit 2;
$seed &= 0x3fffffff;
srand $seed;
my $build = $ENV{DASSIE_BUILD} || dirname(dirname(abs_path($0))) . "/build";
$ENV{PATH} = "$build:$ENV{PATH}";
delete @ENV{grep { /^(?:MAKE|MFLAGS|DASSIE_RUN)/ } keys %ENV};
# The leak check at exit runs in a process of its own; one that is killed leaves its parent spinning.
$ENV{ASAN_OPTIONS} = join ":", grep { defined } $ENV{ASAN_OPTIONS}, "detect_leaks=0";
my $T = tempdir("dassie kill.XXXXXX", TMPDIR => 1, CLEANUP => 1);
my ($p, $clean) = ("$T/project", "$T/clean");
my ($run, $failed) = (0, 0);
my %content;

print "# seed $seed\n";

sub ok {
	my ($good, $name) = @_;
	$run++;
	$failed++ unless $good;
	printf "%sok %d - %s\n", $good ? "" : "not ", $run, $name;
	return $good;
}

sub put {
	my ($path, $text) = @_;
	open my $f, ">", $path or die "$path: $!";
	print $f $text;
	close $f or die;
}

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

sub kids { opendir my $d, $_[0] or return (); return map { "$_[0]/$_" } grep { !/^\.\.?$/ } readdir $d; }

sub results {
	my %have;
	for my $f (map { kids($_) } kids("$p/.dassie/datums")) {
		next if basename($f) =~ /\./;
		my @s = stat $f or next;
		$have{$f} = "$s[1] $s[9]";
	}
	return %have;
}

sub tree {
	my ($dir) = @_;
	my $t = "";
	for my $f (sort { $a cmp $b } kids($dir)) {
		if (-d $f) { $t .= tree($f); next; }
		open my $h, "<", $f or die;
		local $/;
		$t .= substr($f, index($f, "/out/")) . "=" . <$h> . "\n";
	}
	return $t;
}

sub differences {
	my ($have, $want) = map { my %h = map { $_ => 1 } split /\n/; \%h } @_;
	return (map { "only here:  $_" } sort grep { !$want->{$_} } keys %$have), (map { "only clean: $_" } sort grep { !$have->{$_} } keys %$want);
}

sub descendants {
	my (%kids, @all);
	for my $stat (map { "$_/stat" } grep { m{/\d+$} } kids("/proc")) {
		open my $f, "<", $stat or next;
		push @{$kids{$2}}, $1 if (<$f> // "") =~ /^(\d+) .*\) \S (\d+) /s;
	}
	my @todo = @_;
	while (@todo) {
		my $pid = shift @todo;
		push @all, $pid;
		push @todo, @{$kids{$pid} || []};
	}
	return @all;
}

sub make_start {
	my $pid = fork // die;
	if ($pid == 0) {
		setpgid(0, 0);
		chdir $p;
		open STDIN, "<", "/dev/null";
		open STDOUT, ">", "$T/said";
		open STDERR, ">&", \*STDOUT;
		{ no warnings "exec"; exec "make", "-s", "-j2"; }
		POSIX::_exit(127);
	}
	return $pid;
}

# Only make's own processes and a stage, which lends for its runners, may take tokens of a killed one along.
sub holds_others {
	my @names = map { open my $f, "<", "/proc/$_/cmdline" or (); local $/; <$f> // "" } @_;
	return grep { /^(make|[^\0]*\0stage\0)/ || m{^[^\0]*/make\0} } @names;
}

sub integrity {
	my $answer = `sqlite3 '$p/.dassie/provenance.db' 'PRAGMA integrity_check' 2>&1`;
	return $? != 0 && $answer eq "" ? "no sqlite3" : $answer;
}

sub said { open my $f, "<", "$T/said" or return ""; local $/; return <$f> // ""; }

$content{"f$_"} = "$_\n" for 1 .. 20;
set_up($p);
for my $round (1 .. $rounds) {
	my $new = int rand 4 ? 1 + int rand 8 : 20;
	for (1 .. $new) {
		my $k = "f" . (1 + int rand 20);
		$content{$k} = int(rand 1e6) . "\n";
		put("$p/in/$k", $content{$k});
	}
	my $pid = make_start();
	sleep rand 0.3;
	my @all = descendants($pid);
	my $one = int rand 2;
	my @victims = $one ? $all[rand @all] : @all;
	my $takes_along = !$one || holds_others(@victims);
	kill "KILL", @victims;
	if (int rand 2) { $takes_along = 1; kill "KILL", $pid; }
	waitpid $pid, 0;
	my $lost = !$takes_along && said() =~ /INTERNAL/;
	my %before = results();
	my $again = make_start();
	waitpid $again, 0;
	my $status = $?;
	my %after = results();
	my @redone = grep { ($after{$_} // "") ne $before{$_} } keys %before;
	remove_tree($clean);
	set_up($clean);
	system("cd '$clean' && make -s -j2 >'$T/clean.said' 2>&1") == 0 or die "the clean run failed";
	my @wrong = differences(tree("$p/out"), tree("$clean/out"));
	my $whole = -e "$p/.dassie/provenance.db" ? integrity() : "ok";
	$lost ||= said() =~ /INTERNAL/;
	my $good = $status == 0 && !@redone && !@wrong && !$lost && $whole =~ /^(ok|no sqlite3)$/;
	ok($good, sprintf "round %d: %s, %d results were in place", $round, $one ? "one process of " . @all : "all " . @all . " processes",
		scalar keys %before) or print map { "# $_\n" } "status $status", "database: $whole", $lost ? "a token is lost" : (), "done again: @redone", @wrong, split /\n/, said();
}
ok(system("cd '$p' && dassie fsck >'$T/said' 2>&1") == 0, "fsck finds nothing wrong") or print "# ", said();
ok(!kids("$p/.dassie/work"), "nothing is left in .dassie/work") or print "# ", join(" ", kids("$p/.dassie/work")), "\n";
print "1..$run\n";
exit($failed ? 1 : 0);
