#!/usr/bin/env perl
# A small S3 client of the tests' own, so that what dassie sends is looked at by somebody else's code.
#
#	tests/s3.pl mb BUCKET [REGION]                  make a bucket
#	tests/s3.pl put BUCKET/KEY [FILE|-] [HEADER...] put an object (an empty one, without a file); HEADER is 'name: value'
#	tests/s3.pl get BUCKET/KEY                      its bytes to stdout
#	tests/s3.pl head BUCKET/KEY                     its headers, sorted, one 'name: value' a line
#	tests/s3.pl rm BUCKET/KEY
#	tests/s3.pl ls BUCKET[/PREFIX]                  'SIZE ETAG KEY' a line, all pages, sorted; odd bytes of a key as %XX
#	tests/s3.pl tree BUCKET[/PREFIX] DIR            everything into a new folder (keys that a folder cannot hold are an error)
#	tests/s3.pl sums BUCKET[/PREFIX]                'SHA256 KEY' a line, of the bytes that are there
#	tests/s3.pl policy BUCKET JSON                  set the bucket's policy
#	tests/s3.pl iam ACTION NAME=VALUE...            a call of IAM or STS; prints the answer
#	tests/s3.pl METHOD /BUCKET/KEY?QUERY [FILE|-] [HEADER...]    any request; prints the answer's body
#
# In an argument a key is given as it is, byte for byte; in the last form it is already encoded.
# Environment: S3_ENDPOINT, S3_ACCESS_KEY, S3_SECRET_KEY, S3_REGION, S3_TOKEN.  Status 1, and the answer on stderr, for
# anything but 2xx.

use strict;
use warnings;
use Digest::SHA qw(hmac_sha256 hmac_sha256_hex sha256_hex);
use File::Basename;
use File::Path qw(make_path);
use HTTP::Tiny;
use POSIX qw(strftime);

my $endpoint = $ENV{S3_ENDPOINT} or die "s3: S3_ENDPOINT is not set\n";
my $region = $ENV{S3_REGION} || "us-east-1";
my $http = HTTP::Tiny->new(keep_alive => 1, max_redirect => 0, timeout => 60);
binmode STDOUT;

my %verb = (
	mb => sub {
		my ($bucket, $where) = @_;
		my $body = $where ? "<CreateBucketConfiguration><LocationConstraint>$where</LocationConstraint></CreateBucketConfiguration>" : "";
		request("PUT", "/$bucket", "", $body);
	},
	put => sub { my ($at, @rest) = @_; request("PUT", path_of($at), "", contents(\@rest), @rest) },
	get => sub { print request("GET", path_of($_[0]), "")->{content} },
	head => sub {
		my $h = request("HEAD", path_of($_[0]), "")->{headers};
		print map { "$_: $h->{$_}\n" } sort keys %$h;
	},
	rm => sub { request("DELETE", path_of($_[0]), "") },
	ls => sub { print map { "$_->{size} $_->{etag} " . shown($_->{key}) . "\n" } list($_[0]) },
	tree => sub { my ($at, $dir) = @_; tree($at, $dir) },
	sums => sub {
		my ($bucket) = split m{/}, $_[0];
		print map { sha256_hex(request("GET", path_of("$bucket/$_->{key}"), "")->{content}) . " " . shown($_->{key}) . "\n" } list($_[0]);
	},
	policy => sub { request("PUT", "/$_[0]", "policy=", $_[1]) },
	iam => sub {
		my ($action, @with) = @_;
		my $body = join "&", "Action=$action", map { my ($k, $v) = split /=/, $_, 2; "$k=" . encoded($v) } @with;
		print request("POST", "/", "", $body, "content-type: application/x-www-form-urlencoded")->{content};
	},
);
my $name = shift // "";
if ($verb{$name}) {
	$verb{$name}->(@ARGV);
} elsif ($name =~ /^[A-Z]+$/ && @ARGV) {
	my ($path, $query) = split /\?/, shift, 2;
	print request($name, $path, $query // "", contents(\@ARGV), @ARGV)->{content};
} else {
	die "s3: no '$name'; see the top of $0\n";
}

sub encoded {
	my ($s) = @_;
	$s =~ s/([^A-Za-z0-9_.~-])/sprintf "%%%02X", ord $1/ge;
	return $s;
}

sub path_of {
	return join "/", "", map { encoded($_) } split m{/}, $_[0], -1;
}

sub shown {
	my ($key) = @_;
	$key =~ s/([^!-\$&-~])/sprintf "%%%02X", ord $1/ge;
	return $key;
}

sub contents {
	my ($rest) = @_;
	return "" if !@$rest || $rest->[0] =~ /^[\w-]+: /;
	my $file = shift @$rest;
	my $f = \*STDIN;
	$file eq "-" or open $f, "<", $file or die "s3: cannot read '$file': $!\n";
	binmode $f;
	local $/;
	return scalar(<$f>) // "";
}

# Signature version 4, as docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html has it.
sub request {
	my ($method, $path, $query, $body, @headers) = @_;
	$body //= "";
	my ($host) = $endpoint =~ m{^https?://([^/]+)};
	my $date = strftime("%Y%m%dT%H%M%SZ", gmtime);
	my $day = substr $date, 0, 8;
	my $scope = "$day/$region/s3/aws4_request";
	my %h = ("x-amz-date" => $date, "x-amz-content-sha256" => sha256_hex($body), map { my ($k, $v) = split /: /, $_, 2; (lc $k, $v) } @headers);
	$h{"x-amz-security-token"} = $ENV{S3_TOKEN} if $ENV{S3_TOKEN};
	my %signed = (%h, host => $host);
	my $names = join ";", sort keys %signed;
	my $canonical_query = join "&", sort map { /=/ ? $_ : "$_=" } split /&/, $query;
	my $canonical = join "\n", $method, $path, $canonical_query, (map { "$_:$signed{$_}" } sort keys %signed), "", $names, $h{"x-amz-content-sha256"};
	my $key = "AWS4$ENV{S3_SECRET_KEY}";
	$key = hmac_sha256($_, $key) for $day, $region, "s3", "aws4_request";
	my $signature = hmac_sha256_hex("AWS4-HMAC-SHA256\n$date\n$scope\n" . sha256_hex($canonical), $key);
	$h{authorization} = "AWS4-HMAC-SHA256 Credential=$ENV{S3_ACCESS_KEY}/$scope,SignedHeaders=$names,Signature=$signature";
	my $answer = $http->request($method, $endpoint . $path . ($canonical_query ne "" ? "?$canonical_query" : ""), { headers => \%h, content => $body });
	if (!$answer->{success}) {
		my $h = $answer->{headers};
		print STDERR "s3: $method $path: $answer->{status} $answer->{reason}\n", map({ "$_: $h->{$_}\n" } sort keys %$h), $answer->{content}, "\n";
		exit 1;
	}
	return $answer;
}

sub text_of {
	my ($xml, $tag) = @_;
	my ($text) = $xml =~ m{<$tag>([^<]*)</$tag>} or return "";
	my %entity = (amp => "&", lt => "<", gt => ">", quot => '"', apos => "'", "#34" => '"', "#39" => "'");
	$text =~ s/&([\w#]+);/$entity{$1} \/\/ "&$1;"/ge;
	return $text;
}

sub list {
	my ($bucket, $prefix) = split m{/}, $_[0], 2;
	my ($more, @found) = ("");
	do {
		my $query = "encoding-type=url&list-type=2&prefix=" . encoded($prefix // "");
		$query = "continuation-token=" . encoded($more) . "&$query" if $more ne "";
		my $xml = request("GET", "/$bucket", $query)->{content};
		while ($xml =~ m{<Contents>(.*?)</Contents>}sg) {
			my $one = $1;
			(my $key = text_of($one, "Key")) =~ s/\+/ /g;
			$key =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
			(my $etag = text_of($one, "ETag")) =~ tr/"//d;
			push @found, { key => $key, size => text_of($one, "Size"), etag => $etag };
		}
		$more = text_of($xml, "IsTruncated") eq "true" ? text_of($xml, "NextContinuationToken") : "";
	} while ($more ne "");
	return sort { $a->{key} cmp $b->{key} } @found;
}

sub tree {
	my ($at, $dir) = @_;
	my ($bucket, $prefix) = split m{/}, $at, 2;
	for my $o (list($at)) {
		my $path = substr $o->{key}, length($prefix // "");
		$path =~ s{^/}{};
		die "s3: '$o->{key}' is no path\n" if $path =~ m{(?:^|/)(?:\.{0,2})(?:/|$)};
		make_path(dirname("$dir/$path"));
		open my $f, ">", "$dir/$path" or die "s3: cannot write '$dir/$path': $!\n";
		binmode $f;
		print $f request("GET", path_of("$bucket/$o->{key}"), "")->{content};
		close $f or die "s3: cannot write '$dir/$path': $!\n";
	}
}
