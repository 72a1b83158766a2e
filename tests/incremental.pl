#!/usr/bin/env perl
# incremental equals clean: after any sequence of edits, make gives the same tree as a run from nothing, and the
# make after it is a no-op.  Random edit scripts, each from its own seed:
#
#	tests/incremental.pl [--scripts N] [--seed S] [--steps N] [-v]
#
# Script k of a call has seed S+k; `--scripts 1 --seed X` plays one again.  Prints TAP.  Programs: DASSIE_BUILD.

use strict;
use warnings;
use Errno;
use Fcntl qw(:flock);
use File::Basename;
use File::Path qw(make_path remove_tree);
use Getopt::Long;
use lib dirname(__FILE__);
use Project;
use Time::HiRes qw(sleep);

my ($scripts, $seed, $steps, $verbose) = (100, time ^ $$ << 8, 9, 0);
GetOptions("scripts=i" => \$scripts, "seed=i" => \$seed, "steps=i" => \$steps, "v" => \$verbose) or exit 2;
$seed &= 0x3fffffff;

my $faketime = (grep { -x "$_/faketime" } split /:/, $ENV{PATH})[0];
begin("incremental", $seed);
my ($p, %state, @history, @log);
our $clock;

# Names that hurt, and plain ones.
my @names = ("a", "b.txt", "two words", "c#d", 'e$f', "g%h", "i:j", "k*l", "m'n", "o\"p", "-q", "r\\s", "t~u", "v\tw",
	"x\ny", "z;[1]", "\xff\xfe", "deep/er", "deep/est", "other/one");

sub pick { $_[rand @_] }

# The whole of what a person edits: files of two sources, the code, the spec's parameters.
sub write_all {
	my ($dir, $s) = @_;
	remove_tree("$dir/src", "$dir/cfg");
	make_path("$dir/src", "$dir/cfg");
	put("$dir/src/$_", $s->{src}{$_}) for keys %{$s->{src}};
	put("$dir/cfg/$_", $s->{cfg}{$_}) for keys %{$s->{cfg}};
	put("$dir/up.sh", $s->{code});
	put("$dir/pipeline.yaml", spec($s));
}

sub spec {
	my ($s) = @_;
	return <<"EOF";
repos:
  src: src
  cfg: cfg
pipelines:
  up:
    input: src/*
    code: [up.sh]
    run: sh ./up.sh "\$src" "\$out" $s->{a}
  few:
    input: up/*
    run: |
      for f in \$(find -L "\$up" -type f | wc -l); do echo \$((f % 3)); done > "\$out/\$(basename "\$up" | wc -c)"
    merge: concat
  pair:
    input: {cross: [src/*, cfg/*]}
    run: |
      name="\$(basename "\$src")+\$(basename "\$cfg")"
      { cat "\$cfg"; find -L "\$src" -type f -exec cat {} +; } | cksum > "\$out/\$name"
  total:
    input: {cross: [up/, few/$s->{g}]}
    run: |
      LC_ALL=C find -L "\$up" -type f -exec cksum {} + | sed "s:\$PFS::" | sort > "\$out/all $s->{b}"
      LC_ALL=C find -L "\$few" -type f -exec cat {} + | sort > "\$out/few.\$(basename "\$few")"
    tries: 1
  last:
    input: total/
    run: |
      mkdir -p "\$out/sub"
      cat "\$total"/* | cksum | tr 0-9 a-j | cut -c 1-$s->{c} > "\$out/sub/sum"
EOF
}

sub code {
	my ($n) = @_;
	return <<"EOF";
# version $n
if [ -d "\$1" ]; then name=\$1; else name=\$1; fi
if grep -qR FAIL "\$1"; then echo "told to fail" >&2; exit 3; fi
base=\${name##*/}
find -L "\$1" -type f -exec cat {} + | LC_ALL=C sort | tr a-c $n | head -c 20 > "\$2/\$base.\$3"
EOF
}

sub fresh {
	my %s = (a => "one", b => 1, c => 1, g => "*", code => code("x-z"), src => {}, cfg => { one => "1\n", two => "2\n" });
	$s{src}{$_} = pick("a\n", "b\n", "ab\n", "", "cc\n") for grep { rand() < 0.4 } @names;
	return %s;
}

sub copy_state {
	my ($s) = @_;
	return { %$s, src => { %{$s->{src}} }, cfg => { %{$s->{cfg}} } };
}

# A faketime that was killed leaves a semaphore named by its pid, and one that gets this pid later fails.
sub sweep_faketime {
	for my $path (glob "/dev/shm/faketime_shm_* /dev/shm/sem.faketime_sem_*") {
		my ($pid) = $path =~ /_(\d+)$/ or next;
		unlink $path unless kill(0, $pid) || $!{EPERM};
	}
}

sub command {
	my (@argv) = @_;
	return @argv unless $clock;
	sweep_faketime();
	return ("faketime", "-f", $clock, @argv);
}

# Both of two that run at once say it in one place.
sub play_it {
	my ($dir, @argv) = @_;
	return start($dir, ">>", "$T/said", command(@argv));
}

sub run {
	my ($dir, @argv) = @_;
	put("$T/said", "");
	my $status = ended(play_it($dir, @argv));
	open my $f, "<", "$T/said";
	push @log, "\$ @argv  -> $status", map { chomp; "  $_" } <$f>;
	return $status;
}

sub n_results { my %have = results($p); return scalar keys %have; }

# A tree as one text: kind, mode and bytes of everything.
sub tree {
	my ($dir, $rel) = @_;
	my @all;
	for my $path (sort { $a cmp $b } kids($dir)) {
		my $name = "$rel/" . basename($path);
		if (-l $path || !-d $path) {
			open my $f, "<", $path or do { push @all, "$name unreadable"; next };
			local $/;
			push @all, sprintf "%s %o %s", $name, (stat $path)[2] & 0111, unpack("H*", <$f> // "");
		} else {
			push @all, tree($path, $name);
		}
	}
	return @all;
}

sub want_failure {
	return grep { /FAIL/ } values %{$state{src}};
}

sub same_as_clean {
	my $clean = "$T/clean";
	remove_tree($clean);
	make_path($clean);
	write_all($clean, \%state);
	local $clock;
	run($clean, "dassie", "compile", "--quiet") == 0 or return "compile of the clean project failed";
	run($clean, "make", "-s", "-j2") == 0 or return "clean make failed";
	my ($have, $want) = (join("\n", tree("$p/out", "")), join("\n", tree("$clean/out", "")));
	return undef if $have eq $want;
	my (%have, %want);
	$have{$_} = 1 for split /\n/, $have;
	$want{$_} = 1 for split /\n/, $want;
	return "the tree differs from a clean run's:\n" . join("\n",
		(map { "only incremental: $_" } sort grep { !$want{$_} } keys %have),
		(map { "only clean:       $_" } sort grep { !$have{$_} } keys %want));
}

sub check {
	my $status = run($p, "make", "-s", "-j2");
	if (want_failure()) {
		return $status ? undef : "make succeeded though a datum must fail";
	}
	return "make failed" if $status;
	my $before = n_results();
	my $stamp = join " ", map { (stat $_)[9] . "/" . (stat _)[7] } sort { $a cmp $b } kids("$p/.dassie/refs");
	return "make -q says that a make is needed" if run($p, "make", "-s", "-q");
	return "the make after it failed" if run($p, "make", "-s", "-j2");
	return "the make after it was not a no-op" if $before != n_results() ||
	    $stamp ne join " ", map { (stat $_)[9] . "/" . (stat _)[7] } sort { $a cmp $b } kids("$p/.dassie/refs");
	return same_as_clean();
}

my %step;
%step = (
	add => sub { $state{src}{pick(@names)} = pick("a\n", "b\n", "abc\n", "x" x 30, ""); },
	change => sub { my $n = pick(sort keys %{$state{src}}) // return $step{add}->(); $state{src}{$n} = pick("a\n", "c\n", "bb\n"); },
	same_size => sub { my $n = pick(sort keys %{$state{src}}) // return; $state{src}{$n} =~ tr/abc/bca/; },
	config => sub { $state{cfg}{pick("one", "two", "three")} = int(rand 3) . "\n"; },
	delete => sub { my $n = pick(sort keys %{$state{src}}) // return; delete $state{src}{$n}; },
	rename => sub {
		my ($from, $to) = (pick(sort keys %{$state{src}}) // return, pick(@names));
		$state{src}{$to} = delete $state{src}{$from};
	},
	spec => sub { $state{pick("a", "b", "c")} = 1 + int(rand 3); },
	glob => sub { $state{g} = $state{g} eq "*" ? "" : "*"; },
	code => sub { $state{code} = code(pick("x-z", "u-w", "d-f")); },
	fail => sub { $state{src}{pick(@names[0 .. 5])} = "FAIL\n"; },
);

# Writing only what changed, as an editor does; what did not change keeps its times.
sub apply {
	my ($old) = @_;
	for my $repo ("src", "cfg") {
		for my $n (keys %{$old->{$repo}}) {
			next if exists $state{$repo}{$n};
			unlink "$p/$repo/$n";
			rmdir dirname("$p/$repo/$n") if $n =~ m{/};
		}
		for my $n (keys %{$state{$repo}}) {
			put("$p/$repo/$n", $state{$repo}{$n})
				if !exists $old->{$repo}{$n} || $old->{$repo}{$n} ne $state{$repo}{$n};
		}
	}
	put("$p/up.sh", $state{code}) if $old->{code} ne $state{code};
	put("$p/pipeline.yaml", spec(\%state)) if spec($old) ne spec(\%state);
}

sub edit {
	my ($kind) = @_;
	my $old = copy_state(\%state);
	$step{$kind}->();
	apply($old);
}

sub touch_all {
	my $when = time + pick(0, -100000, 100000);
	utime $when, $when, map { "$p/src/$_" } keys %{$state{src}};
	utime $when, $when, "$p/pipeline.yaml", "$p/up.sh", kids("$p/.dassie/refs");
}

# What a killed make left running goes on for a moment, and holds its pipeline's lock; a project is not copied meanwhile.
sub settle {
	for my $path (kids("$p/.dassie/lock")) {
		open my $f, "<", $path or next;
		flock $f, LOCK_EX or die "flock: $!";
	}
}

sub move_project {
	my ($how) = @_;
	my $new = "$p.new";
	settle();
	if ($how eq "cp") {
		system("cp", "-r", $p, $new) == 0 or die "cp";
	} else {
		make_path($new);
		system("sh", "-c", 'tar -C "$1" -cf - . | tar -C "$2" -xf -', "sh", $p, $new) == 0 or die "tar";
	}
	remove_tree($p);
	rename $new, $p or die "rename: $!";
}

# Make and dassie, and a datum's shell.  What that shell has started is not ours to kill: a script that does not look at
# how a part of it ended (`a | b`, "$(a)" in a word) goes on with the half that it got, and that is what it made.
sub ours {
	return grep {
		my ($comm, $ppid) = (slurp("/proc/$_/stat") // "") =~ /^\d+ \((.*)\) \S (\d+) /s;
		defined $comm && ($comm =~ /^(?:make|faketime|dassie)/ || (slurp("/proc/$ppid/stat") // "") =~ /^\d+ \(dassie-datum/);
	} @_;
}

# SIGKILL of all, or of one process, at some moment of a run.
sub killed_run {
	my $pid = play_it($p, "make", "-s", "-j2");
	sleep rand 0.25;
	my @all = descendants($pid);
	my @one = ours(@all);
	kill "KILL", rand() < 0.5 || !@one ? @all : pick(@one);
	kill "KILL", $pid if rand() < 0.5;
	ended($pid);
}

sub two_runs {
	my $one = play_it($p, "make", "-s", "-j2");
	sleep rand 0.15;
	edit(pick("change", "add", "same_size", "config"));
	my $two = play_it($p, "make", "-s", "-j2");
	ended($_) for $one, $two;
}

sub interrupted {
	my $pid = play_it($p, "make", "-s", "-j2");
	sleep rand 0.2;
	kill pick("INT", "TERM"), -$pid;
	ended($pid);
}

# Each step: its name, and what it does; most edits are plain.
sub one_step {
	my ($old) = @_;
	my $dice = rand;
	if ($dice < 0.55) {
		my $kind = pick(sort keys %step);
		edit($kind);
		return $kind;
	}
	if ($dice < 0.62) { touch_all(); return "touch"; }
	if ($dice < 0.69 && @$old) {
		my $now = copy_state(\%state);
		%state = %{copy_state(pick(@$old))};
		apply($now);
		return "revert";
	}
	if ($dice < 0.74) { my $how = pick("cp", "tar"); move_project($how); return $how; }
	if ($dice < 0.80) { edit(pick("change", "add")); killed_run(); return "kill"; }
	if ($dice < 0.86) { edit(pick("change", "config")); interrupted(); return "interrupt"; }
	if ($dice < 0.93) { two_runs(); return "two"; }
	if ($dice < 0.96) { remove_tree("$p/out"); return "rm-out"; }
	$clock = $faketime ? pick(undef, "-3600s", "+3600s", "-5s", "+2d") : undef;
	return $clock ? "clock$clock" : "clock";
}

sub play {
	my ($s) = @_;
	srand $s;
	@history = @log = ();
	$clock = undef;
	$p = "$T/project $s";
	%state = fresh();
	write_all($p, \%state);
	run($p, "dassie", "compile", "--quiet") == 0 or return "compile failed";
	my @old = (copy_state(\%state));
	for (1 .. 1 + int rand $steps) {
		push @history, one_step(\@old);
		push @log, "== $history[-1]";
		if (rand() < 0.4) {
			my $why = check();
			return $why if defined $why;
			push @old, copy_state(\%state);
		} elsif (rand() < 0.7) {
			run($p, "make", "-s", pick("-j2", "-j3", "-k"));
		}
	}
	if (want_failure()) {
		my $old = copy_state(\%state);
		$state{src}{$_} =~ s/FAIL/fine/ for keys %{$state{src}};
		apply($old);
	}
	return check();
}

print "# seed $seed: $scripts scripts of about $steps steps\n";
for my $k (0 .. $scripts - 1) {
	my $why = play($seed + $k);
	ok(!defined $why, sprintf("script of seed %d: %s", $seed + $k, join(" ", @history)), $why // (), @log > 60 ? @log[-60 .. -1] : @log)
		or rename $p, "$T/../dassie-incremental-$$-$k" and print "# kept: $T/../dassie-incremental-$$-$k\n";
	settle();
	remove_tree($p) if -d $p;
}
done();
