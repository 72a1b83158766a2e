# What the lints share: the files, and C text without its comments and strings.
package Lint;

use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename;
use Test::More ();

our @EXPORT = qw(@rooms $src $build sources text code clean);
our @rooms = qw(base compiler runtime);
our $src = $ENV{DASSIE_SRC} || dirname(dirname(dirname(abs_path(__FILE__))));
our $build = $ENV{DASSIE_BUILD} || "$src/build";

# Paths, relative to the tree, of files in these folders whose names match.
sub sources {
	my ($match, @dirs) = @_;
	my @found;
	for my $dir (@dirs) {
		opendir my $d, "$src/$dir" or next;
		push @found, map { "$dir/$_" } grep { $_ =~ $match } sort readdir $d;
	}
	return @found;
}

sub text {
	my ($file) = @_;
	open my $f, "<", $file =~ m{^/} ? $file : "$src/$file" or die "$file: $!\n";
	local $/;
	return scalar <$f>;
}

# Comments go, strings and characters become empty ones; lines stay where they are.
sub code {
	my ($text) = @_;
	$text =~ s{(/\*.*?\*/|//[^\n]*)|("(?:\\.|[^"\\\n])*")|('(?:\\.|[^'\\\n])*')}
		{defined $1 ? " " . ("\n" x ($1 =~ tr/\n//)) : defined $2 ? '""' : "' '"}gesx;
	return $text;
}

# One test: the list of complaints is empty.
sub clean {
	my ($name, @complaints) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	Test::More::ok(!@complaints, $name) or Test::More::diag(join "\n", @complaints);
}

1;
