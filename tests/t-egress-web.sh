#!/bin/sh
# Pushing outputs to a web server by PUT: one of the tests' own, on loopback, that sometimes says no.
# shellcheck disable=SC2119  # project has an optional argument
. "$(dirname "$0")/lib.sh"

have jq || skip_all "no jq"
no_aws

# Each request is a line 'METHOD PATH TYPE' in "$T/log", each body a file in "$T/files" by its encoded path; "$T/say" holds statuses to
# be given out first, one a line.
cat >"$T/server.pl" <<'EOF2'
use strict;
use warnings;
use IO::Socket::INET;
my ($t) = @ARGV;
my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 16) or die "listen: $!";
open my $p, ">", "$t/port.new" or die;
print $p $server->sockport;
close $p;
rename "$t/port.new", "$t/port";
mkdir "$t/files";
while (my $c = $server->accept) {
	while (defined(my $first = <$c>)) {
		my ($method, $path) = split " ", $first;
		my %h;
		while (defined(my $line = <$c>)) {
			$line =~ s/\r?\n$//;
			last if $line eq "";
			my ($k, $v) = split /:\s*/, $line, 2;
			$h{lc $k} = $v;
		}
		print $c "HTTP/1.1 100 Continue\r\n\r\n" if ($h{expect} // "") =~ /100/;
		my $body = "";
		read $c, $body, $h{"content-length"} if $h{"content-length"};
		my $status = $method eq "DELETE" ? 204 : 201;
		if (open my $s, "<", "$t/say") {
			my @say = <$s>;
			close $s;
			if (@say) {
				chomp($status = shift @say);
				open my $o, ">", "$t/say" or die;
				print $o @say;
				close $o;
			}
		}
		open my $l, ">>", "$t/log" or die;
		print $l "$method $path " . ($h{"content-type"} // "-") . " $status\n";
		close $l;
		(my $name = $path) =~ s{/}{|}g;
		if ($status < 300 && $method eq "PUT") {
			open my $f, ">", "$t/files/$name" or die;
			print $f $body;
			close $f;
		} elsif ($status < 300) {
			unlink "$t/files/$name";
		}
		print $c "HTTP/1.1 $status x\r\nContent-Length: 0\r\n\r\n";
	}
}
EOF2
perl "$T/server.pl" "$T" &
owned $!
n=0
while [ ! -e "$T/port" ] && [ $n -lt 500 ]; do
	sleep 0.02
	n=$((n + 1))
done
port=$(cat "$T/port")

project
mkdir -p src/d
printf 1 >src/a.csv
printf 22 >"src/d/b #?ä"
: >src/empty
cat >pipeline.yaml <<EOF2
repos: {src: src}
pipelines:
  copy: {input: src/, run: 'cp -r "\$src"/. "\$out"', egress: {url: "http://127.0.0.1:$port/up/here", delete: true, concurrency: 1}}
EOF2
dassie compile >/dev/null 2>&1
run make
is "make pushes" "$status" 0
is "each file is put, the manifest last" "$(cut -d' ' -f1-3 "$T/log")" "PUT /up/here/a.csv text/csv
PUT /up/here/d/b%20%23%3F%C3%A4 application/octet-stream
PUT /up/here/empty application/octet-stream
PUT /up/here/.dassie-copy.json application/json"
is "whole" "$(cat "$T/files/|up|here|d|b%20%23%3F%C3%A4")" 22
: >"$T/log"
run dassie egress
is "again: nothing is sent" "$status$(cat "$T/log")" 0
rm src/a.csv
printf 333 >src/empty
printf '503\n429\n' >"$T/say"
run make
is "a server that is busy for a moment" "$status" 0
is "is asked again; what is gone is removed last" "$(cut -d' ' -f1,2,4 "$T/log")" "PUT /up/here/empty 503
PUT /up/here/empty 429
PUT /up/here/empty 201
PUT /up/here/.dassie-copy.json 201
DELETE /up/here/a.csv 204"
printf 4 >src/empty
printf '403\n' >"$T/say"
run make
isnt "one that says no: make fails" "$status" 0
like "egress failed, and why" "$err" "cannot put 'empty' to http://127.0.0.1:$port/up/here/: the server says 403"
run make
is "then it is tried again" "$status" 0
is "and there" "$(cat "$T/files/|up|here|empty")" 4
sed -i "s/$port/1/" pipeline.yaml
run make
isnt "nobody there: make fails" "$status" 0
like "it says what could not be reached" "$err" 'cannot put .* to http://127.0.0.1:1/up/here/: cannot connect'
done_testing
