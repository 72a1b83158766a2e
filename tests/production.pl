#!/usr/bin/env perl
# Specs as an organisation has them after some years with Pachyderm: a thousand pipelines in layers over a few dozen
# sources, JSON and YAML, 1.x and 2.x, pretty and not, with everything that Kubernetes wanted to know.
#
#	tests/production.pl N [FOLDER]       writes FOLDER/specs/*, and small sources with data beside it
#
# The same N gives the same bytes.  Every command is sh over /pfs, so that a set not only compiles, but runs.

use strict;
use warnings;
use File::Path qw(make_path);
use JSON::PP ();

my ($n, $folder) = (@ARGV, ".");
die "usage: $0 N [FOLDER]\n" unless $n && $n =~ /^[1-9][0-9]*$/;
my $sources = 4 + int($n / 40);
my $state = 42;
my (@made, @layer);
my $json = JSON::PP->new->canonical->utf8;

sub dice {
	$state = ($state * 1103515245 + 12345) % 2147483648;
	return int($state / 65536) % $_[0];
}

sub pick {
	return $_[dice(scalar @_)];
}

sub put {
	my ($path, $text) = @_;
	open my $f, ">", "$folder/$path" or die "$path: $!\n";
	print $f $text;
	close $f or die "$path: $!\n";
}

# --- inputs ------------------------------------------------------------------------------------------------------

# A repo to read: mostly one of the last few layers, so that the graph is deep but not a line.
sub repo {
	return sprintf "source%02d", 1 + dice($sources) if !@made || dice(5) == 0;
	my $from = @made > 60 ? @made - 60 : 0;
	return $made[$from + dice(@made - $from)];
}

sub pfs {
	my ($name, %more) = @_;
	my $p = { name => $name, repo => repo(), glob => "/*/*", %more };
	$p->{branch} = "master" if dice(3) == 0;
	$p->{lazy} = JSON::PP::false if dice(4) == 0;
	$p->{empty_files} = JSON::PP::false if dice(6) == 0;
	return { pfs => $p };
}

my $copy = 'mkdir -p "$(dirname "/pfs/out/${in#/pfs/in/}")" && cat "$in" > "/pfs/out/${in#/pfs/in/}"';
my @kind = (
	[30, sub { (pfs("in"), $copy) }],
	[6, sub { (pfs("in", glob => pick("/(*)/(*)", "/{site1,site2,site3}/*", "/site[0-9]/*.txt", "*/*", "/*/*/", "/!(none)/*")), $copy) }],
	[8, sub { (pfs("in", glob => "/*"), 'mkdir -p "$(dirname "/pfs/out/${in#/pfs/}")" && cat $(find -L "$in" -type f | sort) > "/pfs/out/${in#/pfs/}.txt"') }],
	[14, sub { ({ cross => [pfs("in"), pfs("lookup", glob => "/")] }, "$copy && find -L /pfs/lookup -type f | wc -l >> \"/pfs/out/\${in#/pfs/in/}\"") }],
	[8, sub { ({ join => [pfs("in", glob => "/(*)/(*)", join_on => '$1-$2'), pfs("right", glob => "/(*)/(*)", joinOn => '$1-$2')] }, $copy) }],
	[6, sub { ({ join => [pfs("in", glob => "/(*)/(*)", join_on => '$1$2', outer_join => JSON::PP::true), pfs("right", glob => "/(*)/(*)", join_on => '$1$2')] }, $copy) }],
	[8, sub { ({ group => [pfs("in", glob => "/(*)/*", group_by => '$1'), pfs("other", glob => "/(*)/*", group_by => '$1')] },
		'd=/pfs/out/$(ls -d /pfs/in/* /pfs/other/* 2>/dev/null | head -n 1 | xargs basename); mkdir -p $d && find -L /pfs/in /pfs/other -type f 2>/dev/null | sort > $d/list') }],
	[6, sub { ({ union => [pfs("in"), pfs("two")] }, 'for i in in two; do if [ -d /pfs/$i ]; then mkdir -p /pfs/out/$i && cp /pfs/$i/*/* "/pfs/out/$i/$PACH_DATUM_ID"; fi; done') }],
	[5, sub { ({ cross => [pfs("set", glob => "/"), { union => [{ group => [pfs("in", glob => "/(*)/*", group_by => '$1')] },
		{ join => [pfs("left", glob => "/(*)/(*)", join_on => '$2'), pfs("right", glob => "/(*)/(*)", join_on => '$2')] }] }] },
		'mkdir -p /pfs/out/all && ls /pfs > /pfs/out/all/$PACH_DATUM_ID') }],
	[4, sub { ({ cross => [{ cron => { name => "tick", spec => pick('16 6 * * *', '@never', '@every 12h', '0 */4 * * 1-5'), overwrite => JSON::PP::true } }, pfs("in")] }, $copy) }],
	[2, sub { (pfs("in", branch => "staging", trigger => { branch => "master", cron_spec => "0 3 * * *" }), $copy) }],
	[3, sub { (pfs("in", empty_files => JSON::PP::true), 'mkdir -p /pfs/out/by && ln -s "$in" "/pfs/out/by/$(echo "${in#/pfs/in/}" | tr / -)"') }],
);
my $weights = 0;
$weights += $_->[0] for @kind;

sub input {
	my $at = dice($weights);
	for my $k (@kind) {
		return $k->[1]->() if $at < $k->[0];
		$at -= $k->[0];
	}
}

# --- a pipeline --------------------------------------------------------------------------------------------------

sub pipeline {
	my ($i) = @_;
	my $name = sprintf "%s_%s-%04d", pick("temp", "wind", "rain", "soil", "par"), pick("calibrate", "convert", "qaqc", "stats", "publish", "group"), $i;
	my ($input, $line) = input();
	my $p = {
		pipeline => { name => $name },
		description => "Step $i: " . pick("regularises the time stamps of a day", "filters by location and date", "merges the flags of all sites"),
		transform => {
			image => "registry.example.org/team/$name:v1." . dice(40),
			cmd => pick(["sh"], ["/bin/sh"], ["sh", "-e"]),
			stdin => ["#!/bin/sh", "set -eu", $line],
			env => { LOG_LEVEL => pick("INFO", "DEBUG"), OUT_PATH => "/pfs/out", PARALLELIZATION_INTERNAL => "1", RELATIVE_PATH_INDEX => "" . (1 + dice(5)) },
		},
		input => $input,
		parallelism_spec => { constant => pick(1, "1", 4, "10") },
		resource_requests => { memory => pick("64M", "1Gi", "600M", "1.5G"), cpu => pick(0.1, 1, 2.2) },
		resource_limits => { memory => "2G", cpu => 1.5 },
	};
	$p->{enable_stats} = JSON::PP::true if dice(4) == 0;
	$p->{standby} = JSON::PP::true if dice(5) == 0;
	$p->{autoscaling} = JSON::PP::true if dice(2);
	$p->{datum_tries} = pick(1, 2, "3") if dice(4) == 0;
	$p->{datum_timeout} = pick("30s", "10m", "1h30m") if dice(5) == 0;
	$p->{job_timeout} = "24h" if dice(6) == 0;
	$p->{datum_set_spec} = { number => pick(1, "10") } if dice(4) == 0;
	$p->{scheduling_spec} = { node_selector => { "cloud.example.org/pool" => "batch" } } if dice(2);
	$p->{pod_patch} = '[{"op": "replace", "path": "/containers/0/imagePullPolicy", "value": "Always"}]' if dice(8) == 0;
	$p->{metadata} = { labels => { team => "data" }, annotations => { owner => "a", costs => "4711" } } if dice(3) == 0;
	$p->{output_branch} = "master" if dice(6) == 0;
	$p->{egress} = { URL => "s3://bucket/dir/$name" } if dice(20) == 0;
	if (dice(6) == 0) {
		for my $field (grep { /_/ } keys %$p) {
			(my $camel = $field) =~ s/_(.)/\u$1/g;
			$p->{$camel} = delete $p->{$field};
		}
	}
	push @layer, $name;
	return $p;
}

sub yaml_text {
	my ($v) = @_;
	return $v ? "true" : "false" if ref $v;
	return $v if $v =~ /^-?[0-9]+(\.[0-9]+)?$/ || ($v =~ /^[a-z][a-z0-9_.-]*$/i && $v !~ /^(true|false|yes|no|on|off|y|n|null)$/i);
	(my $q = $v) =~ s/'/''/g;
	return "'$q'";
}

sub yaml {
	my ($v, $in) = @_;
	my $pad = "  " x $in;
	return join "", map { "$pad$_:" . (ref $v->{$_} eq "HASH" || ref $v->{$_} eq "ARRAY" ? "\n" . yaml($v->{$_}, $in + 1) : " " . yaml_text($v->{$_}) . "\n") } sort keys %$v
		if ref $v eq "HASH";
	return join "", map {
		my $t = ref $_ eq "HASH" ? yaml($_, $in + 1) : $pad . "  " . yaml_text($_) . "\n";
		$t =~ s/^$pad  /$pad- /;
		$t;
	} @$v;
}

sub text_of {
	my ($p, $i) = @_;
	return "---\n" . yaml($p, 0), "yaml" if $i % 3;
	return $json->pretty(0)->encode($p) . "\n", "json" if $i % 2;
	(my $t = $json->pretty(1)->encode($p)) =~ s/^( +)/"\t" x (length($1) \/ 3)/gme;
	return $t, "json";
}

make_path("$folder/specs");
for my $s (1 .. $sources) {
	for my $site (1 .. 2) {
		my $dir = sprintf "source%02d/site%d", $s, $site;
		make_path("$folder/$dir");
		put("$dir/day$_.txt", "$s $site $_\n") for 1 .. 2;
	}
}
for (my $i = 1; $i <= $n;) {
	my ($text, $ext) = text_of(pipeline($i), $i);
	my $file = sprintf "specs/p%04d.%s", $i++, $ext;
	# Some files hold several.
	while ($i <= $n && $i % 7 == 0 && $ext eq "yaml") {
		$text .= "---\n" . yaml(pipeline($i++), 0);
	}
	put($file, $text);
	push @made, splice @layer if @layer >= 12;
}
