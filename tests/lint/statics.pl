#!/usr/bin/env perl
# A function or variable that only one file uses is static.  What a unit test uses counts as used.
use strict;
use warnings;
use File::Basename;
use lib dirname(__FILE__);
use Lint;
use Test::More;

my @objects = grep { -e $_ } map { s/\.c$/.o/r } map { "$build/$_" } sources(qr/\.c$/, @rooms, "tests/unit");
plan skip_all => "no objects in '$build'" unless @objects;
my $nm = $ENV{NM} || "nm";
my (%defined, %used);
for my $object (@objects) {
	open my $f, "-|", $nm, "-P", "-g", $object or plan skip_all => "no nm";
	while (<$f>) {
		my ($name, $type) = split " ";
		if ($type eq "U") {
			$used{$name}{$object} = 1;
		} elsif ($type =~ /^[TDBRVWC]$/) {
			$defined{$name} = $object;
		}
	}
	close $f or die "nm $object failed\n";
}
# Names that the compiler, not the source, made.
my @alone = grep { $_ ne "main" && !/^(?:__odr_asan|__asan|_?_?start_|DW\.ref)/ && !$used{$_} } sort keys %defined;
cmp_ok(scalar keys %defined, ">", 20, "functions were found");
clean("what one file uses alone is static", map { my $o = $defined{$_}; $o =~ s{^\Q$build\E/}{}; "$_ in $o" } @alone);
done_testing();
