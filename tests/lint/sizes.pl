#!/usr/bin/env perl
# Functions of at most 100 lines, files of at most 700.  A table (an initialiser) is no function.
use strict;
use warnings;
use File::Basename;
use lib dirname(__FILE__);
use Lint;
use Test::More;

my ($max_function, $max_file) = (100, 700);
my (@functions, @files, $n);

for my $file (sources(qr/\.[ch]$/, @rooms, "tests/unit", "tests/bench", "tests/fuzz")) {
	my @lines = split /\n/, text($file), -1;
	push @files, sprintf "%s has %d lines", $file, $#lines if $#lines > $max_file;
	my ($name, $start) = ("", 0);
	for my $i (0 .. $#lines) {
		$name = $1 if $lines[$i] =~ /^(?:[a-z_].*\W)?(\w+)\(/;
		$start = $i if $lines[$i] =~ /^\{/;
		if ($lines[$i] =~ /^\}/ && $lines[$start] =~ /^\{/) {
			$n++;
			my $length = $i - $start + 1;
			push @functions, "$file: $name() has $length lines" if $length > $max_function;
			$start = $i;
		}
	}
}
cmp_ok($n, ">", 100, "functions were found");
clean("no function is longer than $max_function lines", @functions);
clean("no file is longer than $max_file lines", @files);
done_testing();
