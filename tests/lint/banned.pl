#!/usr/bin/env perl
# Calls that are not made, and marks of unfinished work.
use strict;
use warnings;
use File::Basename;
use lib dirname(__FILE__);
use Lint;
use Test::More;

my $calls = qr/\b(strcpy|strcat|strncat|stpcpy|sprintf|vsprintf|strtok|atoi|atol|atoll|atof|localtime|gmtime|ctime|asctime|system|popen|gets|tmpnam|mktemp|tempnam|alloca)\s*\(/;
my $marks = join "|", map { "$_->[0]$_->[1]" } ["TO", "DO"], ["FIX", "ME"], ["XX", "X"], ["HA", "CK"];
my (@calls, @marks);

for my $file (sources(qr/\.[ch]$/, @rooms, "tests/unit", "tests/bench", "tests/fuzz")) {
	my $n = 0;
	for (split /\n/, code(text($file))) {
		$n++;
		push @calls, "$file:$n: $1()" if $_ =~ $calls;
	}
}
my @all = grep { -f "$src/$_" && -T "$src/$_" } sources(qr/^[^.]/, @rooms, "tests", "tests/unit", "tests/lint", "tests/bench",
	"tests/fuzz", "specs", "."), sources(qr/^[^.]/, map { "examples/$_" } grep { !/^\./ } map { basename($_) } glob_dir("$src/examples"));
for my $file (grep { !m{^\./(?:configure|Makefile|aclocal|config)} || m{\.(?:ac|am)$} } @all) {
	my $n = 0;
	for (split /\n/, text($file)) {
		$n++;
		push @marks, "$file:$n: $_" if /\b(?:$marks)\b/ && !/XXX[.X]|\.XXX/;
	}
}
clean("no banned call", @calls);
clean("nothing is marked as unfinished", @marks);
done_testing();

sub glob_dir {
	my ($dir) = @_;
	opendir my $d, $dir or return ();
	return map { "$dir/$_" } sort readdir $d;
}
