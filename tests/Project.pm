# What the random tests share (gc, kill, incremental, damage, faults): a project in a folder of their own, programs that are started and
# killed, trees that are compared, TAP.
package Project;

use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename;
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use POSIX qw(setpgid);

our @EXPORT = qw($T $build begin ok failed done put slurp said kids files same differences results descendants start ended);
our ($T, $build);          # folder of this test, gone at its end; where the programs lie
my ($run, $failed) = (0, 0);

# begin NAME, SEED: the seed counts from here on (also for the name of the folder).
sub begin {
	my ($name, $seed) = @_;
	srand $seed;
	$build = $ENV{DASSIE_BUILD} || dirname(dirname(abs_path(__FILE__))) . "/build";
	$ENV{PATH} = "$build:$ENV{PATH}";
	delete @ENV{grep { /^(?:MAKE|MFLAGS|GNUMAKEFLAGS|DASSIE$|DASSIE_RUN|DASSIE_DATUM)/ } keys %ENV};
	# The leak check at exit runs in a process of its own; one that is killed leaves its parent spinning.
	$ENV{ASAN_OPTIONS} = join ":", grep { defined } $ENV{ASAN_OPTIONS}, "detect_leaks=0";
	$T = tempdir("dassie $name.XXXXXX", TMPDIR => 1, CLEANUP => 1);
}

# --- TAP ---------------------------------------------------------------------------------------------------------

# ok GOOD, NAME, WHY…: what is to be told if it is not good.
sub ok {
	my ($good, $name, @why) = @_;
	$run++;
	$failed++ unless $good;
	printf "%sok %d - %s\n", $good ? "" : "not ", $run, $name;
	print map { "# $_\n" } map { split /\n/ } @why unless $good;
	return $good;
}

sub failed { return $failed; }

sub done {
	print "1..$run\n";
	exit($failed ? 1 : 0);
}

# --- files -------------------------------------------------------------------------------------------------------

sub put {
	my ($path, $text) = @_;
	make_path(dirname($path));
	open my $f, ">", $path or die "$path: $!";
	print $f $text;
	close $f or die "$path: $!";
}

# Nothing there is nothing in it.
sub slurp {
	open my $f, "<", $_[0] or return "";
	local $/;
	return <$f> // "";
}

# What the program that was started last has said.
sub said { return slurp("$T/said"); }

sub kids {
	opendir my $d, $_[0] or return ();
	return map { "$_[0]/$_" } grep { $_ ne "." && $_ ne ".." } readdir $d;
}

# Every file below a folder by its path from there: what is in it, or "-> TARGET" of a link.
sub files {
	my ($dir, $below, $to) = (@_, "", {});
	for my $path (kids("$dir$below")) {
		my $name = substr $path, length $dir;
		if (-l $path) { $to->{$name} = "-> " . readlink $path; }
		elsif (-d _) { files($dir, $name, $to); }
		else { $to->{$name} = slurp($path); }
	}
	return $to;
}

# A line for each path in which two such differ.
sub differences {
	my ($have, $want) = @_;
	return map { "$_: " . (!defined $have->{$_} ? "missing" : !defined $want->{$_} ? "too many" :
			length($have->{$_}) . " bytes, not the " . length($want->{$_}) . " of a clean run") }
		grep { ($have->{$_} // "\0") ne ($want->{$_} // "\0") } sort keys %{{ %$have, %$want }};
}

sub same { return !differences(@_); }

# The results of a project, by path: which file it is, and since when.
sub results {
	my ($dir) = @_;
	my %have;
	for my $f (map { kids($_) } kids("$dir/.dassie/datums")) {
		next if basename($f) =~ /\./;
		my @s = stat $f or next;
		$have{$f} = "$s[1] $s[9]";
	}
	return %have;
}

# --- processes ---------------------------------------------------------------------------------------------------

# start DIR, MODE, FILE, COMMAND…: in a process group of its own; what it says goes to the file, opened with this mode.
sub start {
	my ($dir, $mode, $file, @command) = @_;
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		setpgid(0, 0);
		chdir $dir or POSIX::_exit(126);
		open STDIN, "<", "/dev/null";
		open STDOUT, $mode, $file or POSIX::_exit(126);
		open STDERR, ">&", \*STDOUT;
		{ no warnings "exec"; exec @command; }
		POSIX::_exit(127);
	}
	setpgid($pid, $pid);
	return $pid;
}

sub ended { waitpid $_[0], 0; return $?; }

# These processes and all that came of them.
sub descendants {
	my (%kids, @all);
	for my $stat (map { "$_/stat" } grep { m{/\d+$} } kids("/proc")) {
		push @{$kids{$2}}, $1 if slurp($stat) =~ /^(\d+) .*\) \S (\d+) /s;
	}
	my @todo = @_;
	while (@todo) {
		my $pid = shift @todo;
		push @all, $pid;
		push @todo, @{$kids{$pid} || []};
	}
	return @all;
}

1;
