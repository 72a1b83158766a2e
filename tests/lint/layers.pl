#!/usr/bin/env perl
# Who may include whom: rooms, ranks inside a room (the file ranks), and the headers of the libraries.
use strict;
use warnings;
use File::Basename;
use lib dirname(__FILE__);
use Lint;
use Test::More;

# Header of a library, and the only files that may include it.
my %confined = (
	"yaml.h" => qr{^compiler/\w+\.c$},
	"pcre2.h" => qr{^compiler/(?:glob|pattern)\.c$},
	"curl/curl.h" => qr{^runtime/http\.c$},
	"expat.h" => qr{^runtime/xml\.c$},
	"jansson.h" => qr{^runtime/jsonin\.c$},
	"sqlite3.h" => qr{^runtime/(?:provenance|query|ledger|measure|migrations)\.c$},
	"openssl/" => qr{^base/(?:sha256|md5)\.c$},
);
my %alone = map { $_ => 1 } qw(yaml.h curl/curl.h expat.h jansson.h);
# Beyond the contract of three: what a type that stands in a struct or prototype by value needs.
my %in_headers = map { $_ => 1 } qw(stdbool.h stddef.h stdint.h stdarg.h sys/types.h pthread.h);

# "room: names" lines from the top down; a file includes only what stands on a lower line, and its own header.
my (%rank, %listed);
for (split /\n/, text("tests/lint/ranks")) {
	next if /^\s*(#|$)/;
	my ($room, $names) = /^(\w+):\s*(.*)$/ or die "ranks: what is '$_'?\n";
	$listed{$room}++;
	$rank{"$room/$_"} = $listed{$room} for split " ", $names;
}

# "x" is x.c and x.h, unless one of them stands somewhere by its full name.
sub rank_of {
	my ($file) = @_;
	return $rank{$file} // $rank{$file =~ s{\.[ch]$}{}r};
}

my (@rooms_broken, @ranks_broken, @confined_broken, @headers_broken, @unranked, %users, %seen);
for my $file (sources(qr/\.[ch]$/, @rooms)) {
	my $room = dirname($file);
	my ($self) = $file =~ m{^(.*)\.[ch]$};
	$seen{$self} = $seen{$file} = 1;
	my $rank = rank_of($file);
	push @unranked, "$file is not in tests/lint/ranks" if !defined $rank;
	my $text = text($file);
	$text =~ s{/\*.*?\*/}{}gs;
	for my $line (split /\n/, $text) {
		if (my ($own) = $line =~ /^\s*#\s*include\s*"([^"]+)"/) {
			my $path = $own =~ m{^\.\./(\w+/[^/]+)$} ? $1 : "$room/$own";
			my $other = dirname($path);
			push @rooms_broken, "$file includes $own" unless $other eq $room || $other eq "base" && -e "$src/$path";
			(my $unit = $path) =~ s/\.h$//;
			next if $other ne $room || $unit eq $self;
			push @ranks_broken, "$file includes $own, which does not stand below it in tests/lint/ranks"
				if defined $rank && (rank_of($path) // 0) <= $rank;
		} elsif (my ($system) = $line =~ /^\s*#\s*include\s*<([^>]+)>/) {
			push @headers_broken, "$file includes <$system>" if $file =~ /\.h$/ && !$in_headers{$system};
			for my $header (sort keys %confined) {
				next if index($system, $header) != 0;
				push @confined_broken, "$file includes <$system>" unless $file =~ $confined{$header};
				$users{$header}{$file} = 1;
			}
		}
	}
	if ($file =~ /\.h$/) {
		(my $guard = uc $file) =~ s/\W/_/g;
		push @headers_broken, "$file has no guard $guard" unless $text =~ /^#ifndef $guard\n#define $guard\n/m;
	}
}
for my $header (sort keys %alone) {
	my @files = sort keys %{$users{$header} || {}};
	push @confined_broken, "<$header> is included by " . join(", ", @files) if @files > 1;
}
push @unranked, map { "tests/lint/ranks names $_, which is not there" } grep { !$seen{$_} } sort keys %rank;

clean("base includes only base, a half only itself and base", @rooms_broken);
clean("every file has a rank", @unranked);
clean("inside a room includes point down", @ranks_broken);
clean("a library's header is included where it belongs", @confined_broken);
clean("headers: a guard, and only those that give types", @headers_broken);
done_testing();
