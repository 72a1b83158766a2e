#!/usr/bin/env perl
# Makefile.am lists every file there is, and nothing that is not.
use strict;
use warnings;
use File::Basename;
use lib dirname(__FILE__);
use Lint;
use Test::More;

my $makefile = text("Makefile.am");
my %listed = map { $_ => 1 } $makefile =~ m{(?<![\w/.])((?:base|compiler|runtime|tests/unit|tests/fuzz)/[\w.-]+\.[ch])(?![\w.])}g;
$listed{"$_.c"} = 1 for $makefile =~ m{^\t(tests/unit/\w+)}mg;
my %there = map { $_ => 1 } sources(qr/\.[ch]$/, @rooms, "tests/unit", "tests/fuzz");
clean("every file is built", map { "$_ is not in Makefile.am" } grep { !$listed{$_} } sort keys %there);
clean("every listed file is there", map { "Makefile.am lists $_" } grep { !$there{$_} } sort keys %listed);
done_testing();
