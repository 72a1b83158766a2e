#!/usr/bin/env perl
# A misbehaving S3 of the tests' own, and doubles of what hands out credentials.  It checks signatures, payload hashes and
# checksums as AWS does (no other server within reach checks checksums), keeps everything in memory, and breaks what it is told to.
#
#	eval "$(tests/evils3.pl DIR ['RULE'...])"      start; prints EVIL_ENDPOINT, EVIL_PID and, for tests/s3.pl, S3_...
#
# DIR/rules holds the rules, one a line; it is read again whenever it changed, and counts start again then.
# DIR/log gets a line a request: number, connection, method, target, status, bytes of body, number of the rule or -.
# DIR/heads gets its headers: number, 'name: value', in the order of arrival.
#
# A rule is a list of words KEY=VALUE, quoted as for a shell; the first one that fits and is not used up is taken.
#   when   method=RE  target=RE (path and query as sent)  has='name: RE'  skip=N (pass the first N by)  times=N (then never again)
#   then   status=N code=WORD message=TEXT    this answer instead (status=200 too: an error inside a 200); answer='name: value', repeatable
#          reset=N      the connection is reset after N bytes of the request's body
#          lost=1       the request is done, its answer lost by a reset
#          cut=N        the answer ends after N bytes of its body, whatever its length says; reset as well with reset=0
#          flip=N       byte N of the answer's body is another one
#          slow=S       the answer comes S seconds late; hang=1: never
#   set NAME VALUE:
#          region R     where all buckets are: other scopes get 400 AuthorizationHeaderMalformed; with 'set redirect 1', 301 without a body
#          skew S       the server's clock is S seconds ahead: 403 RequestTimeTooSkewed over 900
#          page N       keys a page of a listing;  versions 1: objects have version ids;  life S: how long new credentials last
#          age S        uploads are S seconds older than they are
#          revoked N    tokens up to the Nth are expired: 400 ExpiredToken;  anonymous 1: requests without a signature may read
#
# Users: EVILKEY (secret 'evil/secret+key').  Temporary ones, each with the next token: IMDSv2 below /latest (role 'machine'), a
# container's at /container (Authorization: 'container-token'), STS at / (AssumeRole, AssumeRoleWithWebIdentity, GetCallerIdentity),
# SSO at /federation/credentials.

use strict;
use warnings;
use Digest::MD5 qw(md5 md5_hex);
use Digest::SHA qw(hmac_sha256 hmac_sha256_hex sha256 sha256_hex);
use File::Path qw(make_path);
use IO::Select;
use IO::Socket::INET;
use MIME::Base64 qw(encode_base64);
use POSIX qw(strftime);
use Socket qw(SOL_SOCKET SO_LINGER);
use Text::ParseWords qw(shellwords);
use Time::HiRes qw(time);

my ($dir, @rules) = @ARGV;
die "usage: evils3.pl DIR ['RULE'...]\n" unless defined $dir;
make_path($dir);
my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 64) or die "evils3: no free port: $!\n";
my $endpoint = "http://127.0.0.1:" . $server->sockport;
spit("rules", map { "$_\n" } @rules);
spit($_) for qw(log heads);
my $child = fork // die "evils3: cannot fork: $!\n";
if ($child) {
	print "EVIL_ENDPOINT='$endpoint'\nEVIL_PID='$child'\nS3_ENDPOINT='$endpoint'\nS3_REGION='us-east-1'\n";
	print "S3_ACCESS_KEY='EVILKEY'\nS3_SECRET_KEY='evil/secret+key'\n";
	exit 0;
}
open STDIN, "<", "/dev/null";
open STDOUT, ">", "/dev/null";
open STDERR, ">>", "$dir/errors";
$SIG{PIPE} = "IGNORE";

my %secret = (EVILKEY => "evil/secret+key");
my %arn = (EVILKEY => "arn:aws:iam::123456789012:user/evil");
my (%object, %upload, %token, %set, %conn, @rule, %used);
my ($requests, $connections, $versions, $tokens, $uploads, $rules_seen) = (0, 0, 0, 0, 0, "");
my $select = IO::Select->new($server);
while (1) {
	my ($soonest) = sort { $a <=> $b } map { $_->{due} // () } values %conn;
	my $wait = defined $soonest ? $soonest - time : undef;
	for my $fh ($select->can_read(defined $wait && $wait < 0 ? 0 : $wait)) {
		if ($fh == $server) {
			my $new = $server->accept or next;
			$select->add($new);
			$conn{$new} = { fh => $new, in => "", id => ++$connections };
		} else {
			take_in($conn{$fh});
		}
	}
	for my $c (values %conn) {
		finish($c) if defined $c->{due} && $c->{due} <= time;
	}
}

sub spit {
	my ($name, @lines) = @_;
	open my $f, ">", "$dir/$name" or die "evils3: cannot write '$dir/$name': $!\n";
	print $f @lines;
	close $f;
}

sub note {
	my ($name, @lines) = @_;
	open my $f, ">>", "$dir/$name" or return;
	print $f @lines;
	close $f;
}

# --- connections ------------------------------------------------------------------------------------------------

sub drop {
	my ($c, $reset) = @_;
	setsockopt($c->{fh}, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0)) if $reset;
	$select->remove($c->{fh});
	delete $conn{ $c->{fh} };
	close $c->{fh};
}

sub take_in {
	my ($c) = @_;
	my $n = sysread $c->{fh}, $c->{in}, 1 << 18, length $c->{in};
	return drop($c) unless $n;
	while (!defined $c->{due} && $conn{ $c->{fh} }) {
		read_head($c) or return unless $c->{req};
		my $r = $c->{req};
		my $reset = $r->{rule}{reset};
		return drop($c, 1) if defined $reset && !defined $r->{rule}{cut} && length $c->{in} >= ($reset < $r->{length} ? $reset : $r->{length});
		# Who asks before he sends gets his refusal at once.
		my $asked = defined $r->{rule}{status} && defined $r->{head}{expect};
		return if length $c->{in} < $r->{length} && !$asked;
		$r->{body} = substr $c->{in}, 0, $r->{length}, "";
		return if $r->{rule}{hang};
		$c->{due} = time + ($r->{rule}{slow} // 0);
		finish($c) unless $r->{rule}{slow};
	}
}

sub read_head {
	my ($c) = @_;
	$c->{in} =~ s/\A(.*?)\r\n\r\n//s or return 0;
	my ($first, @lines) = split /\r\n/, $1;
	my %r = (length => 0, n => ++$requests);
	($r{method}, $r{target}) = split / /, $first;
	for (@lines) {
		my ($name, $value) = split /:\s*/, $_, 2;
		$r{head}{ lc $name } = $value =~ s/\s+$//r;
		note("heads", "$r{n} " . lc($name) . ": $value\n");
	}
	$r{length} = $r{head}{"content-length"} // 0;
	($r{path}, $r{query}) = split /\?/, $r{target}, 2;
	$r{query} //= "";
	my ($virtual) = ($r{head}{host} // "") =~ /^(.+)\.localhost(?::\d+)?$/;
	(undef, $r{bucket}, $r{key}) = split m{/}, defined $virtual ? "/$virtual$r{path}" : $r{path}, 3;
	$_ = decoded($_ // "") for $r{bucket}, $r{key};
	$r{q} = { map { my ($k, $v) = split /=/, $_, 2; (decoded($k), decoded($v // "")) } split /&/, $r{query} };
	$r{rule} = rule_for(\%r);
	$c->{req} = \%r;
	syswrite $c->{fh}, "HTTP/1.1 100 Continue\r\n\r\n" if lc($r{head}{expect} // "") eq "100-continue" && !defined $r{rule}{status};
	return 1;
}

sub finish {
	my ($c) = @_;
	my $r = delete $c->{req};
	delete $c->{due};
	my $rule = $r->{rule};
	my $a = defined $rule->{status} ? failure($rule->{status}, $rule->{code} // "Evil", $rule->{message} // "") : answer($r);
	my ($status, $body, %head) = @$a;
	for (@{ $rule->{answer} || [] }) {
		$head{ lc $1 } = $2 if /^([^:]+):\s*(.*)/;
	}
	note("log", "$r->{n} $c->{id} $r->{method} $r->{target} $status $r->{length} " . ($rule->{number} // "-") . "\n");
	return drop($c, 1) if $rule->{lost};
	substr($body, $rule->{flip}, 1) ^= "\x01" if defined $rule->{flip} && length $body > $rule->{flip};
	my $length = $r->{method} eq "HEAD" ? $head{"content-length"} // length $body : length $body;
	delete $head{"content-length"};
	my $text = "HTTP/1.1 $status Evil\r\nDate: " . http_date(now()) . "\r\nx-amz-request-id: EVIL$r->{n}\r\nContent-Length: $length\r\n";
	$text .= "$_: $head{$_}\r\n" for sort keys %head;
	$text .= "\r\n";
	$body = "" if $r->{method} eq "HEAD" || $status == 304;
	$body = substr $body, 0, $rule->{cut} if defined $rule->{cut};
	send_all($c->{fh}, $text . $body);
	drop($c, defined $rule->{reset}) if defined $rule->{cut} || ($r->{head}{connection} // "") eq "close" || ($rule->{status} && $r->{length} > length $r->{body});
}

sub send_all {
	my ($fh, $text) = @_;
	while (length $text) {
		my $n = syswrite $fh, $text or return;
		substr $text, 0, $n, "";
	}
}

# --- rules ------------------------------------------------------------------------------------------------------

sub read_rules {
	open my $f, "<", "$dir/rules" or return;
	my $text = join "", <$f>;
	return if $text eq $rules_seen;
	$rules_seen = $text;
	(%set, %used) = ();
	@rule = ();
	for my $line (split /\n/, $text) {
		my @words = shellwords($line) or next;
		if ($words[0] eq "set") {
			$set{ $words[1] } = $words[2];
			next;
		}
		my %one = (number => @rule + 1, answer => []);
		for (@words) {
			my ($k, $v) = split /=/, $_, 2;
			$k eq "answer" ? push @{ $one{answer} }, $v : ($one{$k} = $v);
		}
		push @rule, \%one;
	}
}

sub rule_for {
	my ($r) = @_;
	read_rules();
	for my $rule (@rule) {
		next if defined $rule->{method} && $r->{method} !~ /^(?:$rule->{method})$/;
		next if defined $rule->{target} && $r->{target} !~ /$rule->{target}/;
		if (defined $rule->{has}) {
			my ($name, $value) = split /: /, $rule->{has}, 2;
			next unless ($r->{head}{ lc $name } // "") =~ /$value/ && defined $r->{head}{ lc $name };
		}
		my $seen = $used{ $rule->{number} }++;
		next if $seen < ($rule->{skip} // 0);
		next if defined $rule->{times} && $seen >= ($rule->{skip} // 0) + $rule->{times};
		return $rule;
	}
	return {};
}

# --- answers ----------------------------------------------------------------------------------------------------

# The server's own clock.
sub now { return time + ($set{skew} // 0) }
sub http_date { return strftime("%a, %d %b %Y %H:%M:%S GMT", gmtime $_[0]) }
sub iso_date { return strftime("%Y-%m-%dT%H:%M:%S.000Z", gmtime $_[0]) }
sub base64 { return encode_base64($_[0], "") }

sub decoded {
	my ($s) = @_;
	$s =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
	return $s;
}

sub escaped {
	my ($s) = @_;
	my %entity = ("&" => "&amp;", "<" => "&lt;", ">" => "&gt;", '"' => "&quot;", "'" => "&apos;");
	$s =~ s/([&<>"'])/$entity{$1}/g;
	return $s;
}

sub xml { return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" . $_[0] }

# failure STATUS, CODE, MESSAGE [, more XML [, header => value...]]
sub failure {
	my ($status, $code, $message, $more, %head) = @_;
	return [ $status, xml("<Error><Code>$code</Code><Message>" . escaped($message) . "</Message>" . ($more // "") . "<RequestId>EVIL$requests</RequestId></Error>"),
		"content-type" => "application/xml", %head ];
}

sub answer {
	my ($r) = @_;
	return metadata($r) if $r->{path} =~ m{^/(?:latest|container|federation)(?:/|$)};
	my $refused = refusal($r);
	return $refused if $refused;
	return sts($r) if $r->{method} eq "POST" && $r->{path} eq "/";
	return failure(400, "InvalidRequest", "no bucket") if $r->{bucket} eq "";
	return bucket($r) if $r->{key} eq "" && !exists $r->{q}{uploadId};
	return multipart($r) if exists $r->{q}{uploads} || exists $r->{q}{uploadId};
	my $method = { PUT => \&put, GET => \&get, HEAD => \&get, DELETE => \&remove }->{ $r->{method} };
	return $method ? $method->($r) : failure(405, "MethodNotAllowed", "");
}

# What is wrong with the signature, in the order of AWS.
sub refusal {
	my ($r) = @_;
	my $h = $r->{head};
	my ($id, $day, $region, $service, $names, $signature) =
	    ($h->{authorization} // "") =~ m{^AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]*)/([^/]*)/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$};
	if (!defined $id) {
		return undef if ($set{anonymous} || $r->{body} =~ /AssumeRoleWithWebIdentity/) && !defined $h->{authorization};
		my %where = $r->{method} eq "HEAD" && $r->{key} eq "" ? ("x-amz-bucket-region" => $set{region} // "us-east-1") : ();
		return failure(403, "AccessDenied", "Access Denied", "", %where);
	}
	return failure(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.") unless exists $secret{$id};
	return failure(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.",
		"<ServerTime>" . iso_date(now()) . "</ServerTime><MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds>")
	    if abs(seconds_of($h->{"x-amz-date"} // "") - now()) > 900;
	my $where = $set{region} // "us-east-1";
	if ($service eq "s3" && $region ne $where) {
		return failure(301, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint.",
			"<Endpoint>$r->{bucket}.s3.$where.amazonaws.com</Endpoint><Bucket>$r->{bucket}</Bucket>", "x-amz-bucket-region" => $where) if $set{redirect};
		return failure(400, "AuthorizationHeaderMalformed", "The authorization header is malformed; the region '$region' is wrong; expecting '$where'",
			"<Region>$where</Region>", "x-amz-bucket-region" => $where);
	}
	my %signed = map { $_ => 1 } split /;/, $names;
	my ($unsigned) = grep { (/^x-amz-/ || $_ eq "host") && !$signed{$_} } keys %$h;
	return failure(403, "AccessDenied", "There were headers present in the request which were not signed: $unsigned") if defined $unsigned;
	my $payload = $h->{"x-amz-content-sha256"} // ($service eq "s3" ? "" : sha256_hex($r->{body}));
	my $canonical = join "\n", $r->{method}, $r->{path}, (join "&", sort map { /=/ ? $_ : "$_=" } split /&/, $r->{query}),
	    (map { "$_:" . ($h->{$_} // "") =~ s/ +/ /gr } sort keys %signed), "", $names, $payload;
	my $text = "AWS4-HMAC-SHA256\n$h->{'x-amz-date'}\n$day/$region/$service/aws4_request\n" . sha256_hex($canonical);
	my $key = "AWS4$secret{$id}";
	$key = hmac_sha256($_, $key) for $day, $region, $service, "aws4_request";
	return failure(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.",
		"<StringToSign>" . escaped($text) . "</StringToSign><CanonicalRequest>" . escaped($canonical) . "</CanonicalRequest>")
	    if hmac_sha256_hex($text, $key) ne $signature;
	return failure(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
	    if $payload ne "UNSIGNED-PAYLOAD" && $payload ne sha256_hex($r->{body});
	return token_refusal($h->{"x-amz-security-token"}, $id);
}

sub token_refusal {
	my ($token, $id) = @_;
	return undef if !defined $token && $id eq "EVILKEY";
	my $t = $token{ $token // "" };
	return failure(400, "InvalidToken", "The provided token is malformed or otherwise invalid.") if !$t || $t->{id} ne $id;
	return failure(400, "ExpiredToken", "The provided token has expired.") if $t->{n} <= ($set{revoked} // 0) || $t->{expires} < now();
	return undef;
}

sub seconds_of {
	my ($y, $m, $d, $h, $min, $s) = $_[0] =~ /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/ or return 0;
	require Time::Local;
	return Time::Local::timegm($s, $min, $h, $d, $m - 1, $y);
}

# --- objects ----------------------------------------------------------------------------------------------------

# The checksums that came with a body, against it.
sub checksum_refusal {
	my ($r) = @_;
	my $h = $r->{head};
	return failure(400, "BadDigest", "The SHA256 you specified did not match the calculated checksum.")
	    if defined $h->{"x-amz-checksum-sha256"} && $h->{"x-amz-checksum-sha256"} ne base64(sha256($r->{body}));
	return failure(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")
	    if defined $h->{"content-md5"} && $h->{"content-md5"} ne base64(md5($r->{body}));
	return undef;
}

sub store {
	my ($r, $body, $etag, $checksum, $head) = @_;
	my %kept = map { $_ => $head->{$_} } grep { /^(?:x-amz-meta-|content-type$|cache-control$|x-amz-storage-class$|x-amz-server-side-encryption|x-amz-tagging$)/ } keys %$head;
	$object{ $r->{bucket} }{ $r->{key} } = { body => $body, etag => $etag, checksum => $checksum, head => \%kept, time => now(),
		version => $set{versions} ? "v" . ++$versions : undef };
	return version_of($object{ $r->{bucket} }{ $r->{key} });
}

sub version_of { return defined $_[0]{version} ? ("x-amz-version-id" => $_[0]{version}) : () }

sub put {
	my ($r) = @_;
	my $bad = checksum_refusal($r);
	return $bad if $bad;
	return failure(412, "PreconditionFailed", "") if ($r->{head}{"if-none-match"} // "") eq "*" && $object{ $r->{bucket} }{ $r->{key} };
	my $etag = md5_hex($r->{body});
	my $checksum = $r->{head}{"x-amz-checksum-sha256"};
	return [ 200, "", etag => "\"$etag\"", store($r, $r->{body}, $etag, $checksum, $r->{head}), defined $checksum ? ("x-amz-checksum-sha256" => $checksum) : () ];
}

sub get {
	my ($r) = @_;
	my $o = $object{ $r->{bucket} }{ $r->{key} } or return failure(404, "NoSuchKey", "The specified key does not exist.", "<Key>" . escaped($r->{key}) . "</Key>");
	my %head = (%{ $o->{head} }, etag => "\"$o->{etag}\"", "last-modified" => http_date($o->{time}), "accept-ranges" => "bytes", version_of($o));
	$head{"x-amz-checksum-sha256"} = $o->{checksum} if defined $o->{checksum} && ($r->{head}{"x-amz-checksum-mode"} // "") eq "ENABLED";
	$head{"content-length"} = length $o->{body};
	return [ 304, "", %head ] if ($r->{head}{"if-none-match"} // "") eq $head{etag};
	return failure(412, "PreconditionFailed", "") if defined $r->{head}{"if-match"} && $r->{head}{"if-match"} ne $head{etag};
	if (($r->{head}{range} // "") =~ /^bytes=(\d+)-(\d*)$/) {
		my $last = $2 eq "" || $2 >= length $o->{body} ? length($o->{body}) - 1 : $2;
		return failure(416, "InvalidRange", "") if $1 > $last;
		return [ 206, substr($o->{body}, $1, $last - $1 + 1), %head, "content-range" => "bytes $1-$last/" . length $o->{body} ];
	}
	return [ 200, $o->{body}, %head ];
}

sub remove {
	my ($r) = @_;
	delete $object{ $r->{bucket} }{ $r->{key} };
	return [ 204, "" ];
}

sub bucket {
	my ($r) = @_;
	my $where = $set{region} // "us-east-1";
	return remove_many($r) if exists $r->{q}{delete};
	return uploads_of($r) if exists $r->{q}{uploads};
	if ($r->{method} eq "PUT") {
		$object{ $r->{bucket} } ||= {};
		return [ 200, "" ];
	}
	return failure(404, "NoSuchBucket", "The specified bucket does not exist", "<BucketName>" . escaped($r->{bucket}) . "</BucketName>") unless $object{ $r->{bucket} };
	return [ 200, "", "x-amz-bucket-region" => $where ] if $r->{method} eq "HEAD";
	return [ 200, xml("<LocationConstraint>" . ($where eq "us-east-1" ? "" : $where) . "</LocationConstraint>") ] if exists $r->{q}{location};
	return list($r);
}

# With encoding-type=url as AWS has it: a blank is a plus.
sub list {
	my ($r) = @_;
	my $show = ($r->{q}{"encoding-type"} // "") eq "url"
	    ? sub { (my $k = $_[0]) =~ s/([^A-Za-z0-9_.\/~ *-])/sprintf "%%%02X", ord $1/ge; $k =~ tr/ /+/; $k }
	    : \&escaped;
	my $from = decoded($r->{q}{"continuation-token"} // "");
	my $max = $set{page} || $r->{q}{"max-keys"} || 1000;
	my $prefix = $r->{q}{prefix} // "";
	my $all = $object{ $r->{bucket} };
	my @keys = sort grep { index($_, $prefix) == 0 && $_ gt $from } keys %$all;
	my $more = @keys > $max ? (splice @keys, $max)[0] : undef;
	my $text = join "", map {
		my $o = $all->{$_};
		"<Contents><Key>" . $show->($_) . "</Key><LastModified>" . iso_date($o->{time}) . "</LastModified><ETag>&quot;$o->{etag}&quot;</ETag><Size>" . length($o->{body})
		    . "</Size><StorageClass>STANDARD</StorageClass></Contents>"
	} @keys;
	$text .= "<NextContinuationToken>" . encoded_token($keys[-1]) . "</NextContinuationToken>" if defined $more;
	return [ 200, xml("<ListBucketResult><Name>$r->{bucket}</Name><Prefix>" . $show->($prefix) . "</Prefix><KeyCount>" . @keys . "</KeyCount><IsTruncated>"
		. (defined $more ? "true" : "false") . "</IsTruncated>" . (($r->{q}{"encoding-type"} // "") eq "url" ? "<EncodingType>url</EncodingType>" : "") . "$text</ListBucketResult>"), "content-type" => "application/xml" ];
}

# A token that has to be escaped in a query: one that is copied blindly does not come back.
sub encoded_token {
	my ($k) = @_;
	$k =~ s/([^A-Za-z0-9])/sprintf "%%%02X", ord $1/ge;
	return $k;
}

sub unescaped {
	my ($s) = @_;
	my %entity = (amp => "&", lt => "<", gt => ">", quot => '"', apos => "'");
	$s =~ s/&(?:#x([0-9A-Fa-f]+)|#(\d+)|(\w+));/defined $1 ? chr hex $1 : defined $2 ? chr $2 : $entity{$3} \/\/ "?"/ge;
	return $s;
}

sub remove_many {
	my ($r) = @_;
	my $bad = checksum_refusal($r);
	return $bad if $bad;
	return failure(400, "InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
	    unless grep { /^(?:content-md5$|x-amz-checksum-)/ } keys %{ $r->{head} };
	my $text = "";
	while ($r->{body} =~ m{<Key>(.*?)</Key>}sg) {
		my $key = unescaped($1);
		delete $object{ $r->{bucket} }{$key};
		$text .= "<Deleted><Key>" . escaped($key) . "</Key></Deleted>";
	}
	return [ 200, xml("<DeleteResult>$text</DeleteResult>") ];
}

# --- multipart uploads ------------------------------------------------------------------------------------------

sub uploads_of {
	my ($r) = @_;
	my $text = join "", map {
		my $u = $upload{$_};
		"<Upload><Key>" . escaped($u->{key}) . "</Key><UploadId>$_</UploadId><Initiated>" . iso_date($u->{time}) . "</Initiated></Upload>"
	} grep { $upload{$_}{bucket} eq $r->{bucket} && index($upload{$_}{key}, $r->{q}{prefix} // "") == 0 } sort keys %upload;
	return [ 200, xml("<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>$text</ListMultipartUploadsResult>") ];
}

sub multipart {
	my ($r) = @_;
	my $id = $r->{q}{uploadId};
	if (!defined $id) {
		$id = "upload/" . ++$uploads . "+";
		$upload{$id} = { bucket => $r->{bucket}, key => $r->{key}, head => $r->{head}, part => {}, time => now() - ($set{age} // 0) };
		return [ 200, xml("<InitiateMultipartUploadResult><Bucket>$r->{bucket}</Bucket><Key>" . escaped($r->{key}) . "</Key><UploadId>$id</UploadId></InitiateMultipartUploadResult>") ];
	}
	my $u = $upload{$id};
	return failure(404, "NoSuchUpload", "The specified upload does not exist.") unless $u && $u->{key} eq $r->{key};
	if ($r->{method} eq "PUT") {
		my $bad = checksum_refusal($r);
		return $bad if $bad;
		my $p = $u->{part}{ $r->{q}{partNumber} } = { body => $r->{body}, etag => md5_hex($r->{body}), checksum => $r->{head}{"x-amz-checksum-sha256"} };
		return [ 200, "", etag => "\"$p->{etag}\"", defined $p->{checksum} ? ("x-amz-checksum-sha256" => $p->{checksum}) : () ];
	}
	if ($r->{method} eq "DELETE") {
		delete $upload{$id};
		return [ 204, "" ];
	}
	return complete($r, $u, $id) if $r->{method} eq "POST";
	my $text = join "", map {
		my $p = $u->{part}{$_};
		"<Part><PartNumber>$_</PartNumber><ETag>&quot;$p->{etag}&quot;</ETag><Size>" . length($p->{body}) . "</Size>"
		    . (defined $p->{checksum} ? "<ChecksumSHA256>$p->{checksum}</ChecksumSHA256>" : "") . "</Part>"
	} sort { $a <=> $b } keys %{ $u->{part} };
	return [ 200, xml("<ListPartsResult><IsTruncated>false</IsTruncated>$text</ListPartsResult>") ];
}

sub complete {
	my ($r, $u, $id) = @_;
	my ($body, $sums, $md5s, $n, $last) = ("", "", "", 0, 0);
	my @wanted = $r->{body} =~ m{<Part>(.*?)</Part>}sg;
	for my $xml (@wanted) {
		my ($number) = $xml =~ m{<PartNumber>(\d+)</PartNumber>};
		my ($etag) = unescaped($xml) =~ m{<ETag>"?([0-9a-f]+)"?</ETag>};
		my ($sum) = $xml =~ m{<ChecksumSHA256>([^<]*)</ChecksumSHA256>};
		my $p = $u->{part}{ $number // 0 };
		return failure(400, "InvalidPartOrder", "The list of parts was not in ascending order.") if ($number // 0) <= $last;
		return failure(400, "InvalidPart", "One or more of the specified parts could not be found.")
		    if !$p || ($etag // "") ne $p->{etag} || (defined $sum && $sum ne ($p->{checksum} // ""));
		return failure(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size") if ++$n < @wanted && length $p->{body} < 5 << 20;
		$last = $number;
		$body .= $p->{body};
		$md5s .= md5($p->{body});
		$sums .= sha256($p->{body});
	}
	return failure(400, "MalformedXML", "") unless $n;
	my $etag = md5_hex($md5s) . "-$n";
	my $checksum = ($u->{head}{"x-amz-checksum-algorithm"} // "") eq "SHA256" ? base64(sha256($sums)) . "-$n" : undef;
	return failure(400, "BadDigest", "The SHA256 you specified did not match the calculated checksum.")
	    if defined $checksum && defined $r->{head}{"x-amz-checksum-sha256"} && $r->{head}{"x-amz-checksum-sha256"} !~ /^\Q$checksum\E$|^\Q@{[ $checksum =~ s,-\d+$,,r ]}\E$/;
	delete $upload{$id};
	my @version = store({ bucket => $u->{bucket}, key => $u->{key} }, $body, $etag, $checksum, $u->{head});
	return [ 200, xml("<CompleteMultipartUploadResult><Key>" . escaped($u->{key}) . "</Key><ETag>&quot;$etag&quot;</ETag>"
		. (defined $checksum ? "<ChecksumSHA256>$checksum</ChecksumSHA256>" : "") . "</CompleteMultipartUploadResult>"), @version ];
}

# --- credentials ------------------------------------------------------------------------------------------------

# temporary ROLE: the next token's id, secret, token and end.
sub temporary {
	my ($role) = @_;
	my $n = ++$tokens;
	my ($id, $token) = ("ASIA$n", "token/$n+$role==");
	$secret{$id} = "temporary/secret$n";
	$arn{$id} = "arn:aws:sts::123456789012:assumed-role/$role/dassie";
	$token{$token} = { n => $n, id => $id, expires => now() + ($set{life} // 3600) };
	return ($id, $secret{$id}, $token, iso_date($token{$token}{expires}) =~ s/\.000Z/Z/r);
}

sub metadata {
	my ($r) = @_;
	my $json = sub { my ($id, $secret, $token, $end) = temporary($_[0]);
		[ 200, qq({"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"$id","SecretAccessKey":"$secret","Token":"$token","Expiration":"$end"}), "content-type" => "application/json" ] };
	if ($r->{path} =~ m{^/latest}) {
		return [ 200, "imds-token" ] if $r->{method} eq "PUT" && defined $r->{head}{"x-aws-ec2-metadata-token-ttl-seconds"};
		return [ 401, "" ] unless ($r->{head}{"x-aws-ec2-metadata-token"} // "") eq "imds-token";
		return [ 200, "machine" ] if $r->{path} =~ m{/security-credentials/?$};
		return $r->{path} =~ m{/security-credentials/machine$} ? $json->("machine") : [ 404, "" ];
	}
	if ($r->{path} =~ m{^/container}) {
		return [ 401, '{"code":"AuthorizationMissing"}' ] unless ($r->{head}{authorization} // "") eq "container-token";
		return $json->("container");
	}
	return [ 401, '{"message":"Session token not found or invalid"}' ] unless ($r->{head}{"x-amz-sso_bearer_token"} // "") eq "sso-token";
	my ($id, $secret, $token) = temporary("sso");
	return [ 200, qq({"roleCredentials":{"accessKeyId":"$id","secretAccessKey":"$secret","sessionToken":"$token","expiration":) . int((now() + 3600) * 1000) . "}}" ];
}

sub sts {
	my ($r) = @_;
	my %form = map { my ($k, $v) = split /=/, $_, 2; ($k, decoded($v // "")) } split /&/, $r->{body};
	my $action = $form{Action} // $r->{q}{Action} // "";
	if ($action eq "GetCallerIdentity") {
		my ($id) = ($r->{head}{authorization} // "") =~ m{Credential=([^/]+)/};
		return [ 200, xml("<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>$arn{$id}</Arn><UserId>U</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>") ];
	}
	return failure(400, "InvalidAction", "no action $action") unless $action =~ /^AssumeRole(?:WithWebIdentity)?$/;
	my ($role) = ($form{RoleArn} // "") =~ m{:role/(\w+)$} or return failure(400, "ValidationError", "no role");
	return failure(403, "AccessDenied", "User: $arn{EVILKEY} is not authorized to perform: sts:AssumeRole on resource: $form{RoleArn}")
	    if $role eq "forbidden" || ($action eq "AssumeRoleWithWebIdentity" && ($form{WebIdentityToken} // "") ne "web-token");
	my ($id, $secret, $token, $end) = temporary($role);
	return [ 200, xml("<${action}Response><${action}Result><Credentials><AccessKeyId>$id</AccessKeyId><SecretAccessKey>$secret</SecretAccessKey><SessionToken>$token</SessionToken>"
		. "<Expiration>$end</Expiration></Credentials></${action}Result></${action}Response>") ];
}
