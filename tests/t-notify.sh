#!/bin/sh
# notify: alerts by webhook and mail, on failure, recovery and long runs; what hangs, and what must stay secret.
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"

for p in http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY; do
	unset "$p"
done

# A server that keeps every body in a file of its own: /hook answers ok, /hang never, /bad 500, others what smtp says.
cat >"$T/server.pl" <<'EOF'
use strict; use warnings; use IO::Socket::INET; use JSON::PP;
my ($dir, $kind) = @ARGV;
my $l = IO::Socket::INET->new(Listen => 16, LocalAddr => "127.0.0.1") or die;
open my $p, ">", "$dir/$kind.port.tmp"; print $p $l->sockport; close $p; rename "$dir/$kind.port.tmp", "$dir/$kind.port";
my $n = 0;
$SIG{CHLD} = "IGNORE";
while (my $c = $l->accept) {
	$n++;
	next if fork;
	$c->autoflush(1);
	if ($kind eq "smtp") {
		print $c "220 test ESMTP\r\n";
		my ($data, $text) = (0, "");
		while (<$c>) {
			if ($data) {
				if (/^\.\r?$/) { $data = 0; open my $f, ">", "$dir/mail.$n.tmp"; print $f $text; close $f; rename "$dir/mail.$n.tmp", "$dir/mail.$n"; print $c "250 ok\r\n"; next }
				$text .= $_; next;
			}
			if (/^EHLO/i) { print $c "250-test\r\n250 8BITMIME\r\n" }
			elsif (/^DATA/i) { $data = 1; print $c "354 go on\r\n" }
			elsif (/^QUIT/i) { print $c "221 bye\r\n"; last }
			else { $text .= "> $_" if /^(MAIL|RCPT)/i; print $c "250 ok\r\n" }
		}
		exit;
	}
	my $first = <$c> // exit; my $len = 0;
	while (<$c>) { last if /^\r?$/; $len = $1 if /^content-length: (\d+)/i }
	read $c, my $body, $len;
	my $path = (split / /, $first)[1];
	open my $f, ">", "$dir/web.$n.tmp"; print $f "$path\n$body"; close $f; rename "$dir/web.$n.tmp", "$dir/web.$n";
	if ($path =~ m{^/hang}) { sleep 60; exit }
	my $status = $path =~ m{^/bad} ? "500 no" : "200 ok";
	print $c "HTTP/1.1 $status\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
	exit;
}
EOF
mkdir "$T/got"
for kind in web smtp; do
	perl "$T/server.pl" "$T/got" "$kind" &
	owned $!
	i=0
	while [ ! -e "$T/got/$kind.port" ] && [ $i -lt 400 ]; do sleep 0.05; i=$((i + 1)); done
done
web=http://127.0.0.1:$(cat "$T/got/web.port")
smtp=smtp://127.0.0.1:$(cat "$T/got/smtp.port")

got() {
	find "$T/got" -name "$1.[0-9]*" ! -name '*.tmp' | wc -l | tr -d ' '
}

forget() {
	rm -f "$T"/got/web.[0-9]* "$T"/got/mail.[0-9]*
}

# JSON that one message of the web has: its value of a path like failed.0.pipeline.
json() {
	sed 1d "$T"/got/web.[0-9]* | perl -MJSON::PP -e '
		my $v = decode_json(do { local $/; <STDIN> });
		for (split /\./, $ARGV[0]) { $v = ref $v eq "ARRAY" ? $v->[$_] : $v->{$_} }
		print ref $v eq "ARRAY" ? scalar @$v : $v // "null"' "$1"
}

spec() {
	cat >pipeline.yaml <<-EOF
	notify: $1
	repos: {data: data}
	pipelines:
	  count:
	    input: data/*
	    run: |
	      [ -e "\$DASSIE_PROJECT/fixed" ] || [ "\$(cat "\$data")" != 2 ] || exit 4
	      cat "\$data" >"\$out/\$(basename "\$data")"
	  other:
	    input: data/
	    run: |
	      [ -e "\$DASSIE_PROJECT/fixed" ] || exit 5
	      ls "\$data" >"\$out/n"
	  total:
	    input: count/
	    run: cat "\$count"/* >"\$out/t"
	EOF
}

fresh() {
	project
	forget
	mkdir data
	echo 1 >data/a; echo 2 >data/b
	spec "$1"
}

# --- one digest a run, "recovered" told too
fresh "{webhook: [$web/hook/s3cr3t]}"
run dassie run -k
is "the run's own exit status" "$status" 1
is "one message for two failures" "$(got web)" 1
like "text, as Slack shows it" "$(json text)" '^dassie: 2 failed on .* in .*a project'
like "which pipeline, how many datums" "$(json text)" '^count failed: 1 of 2 datums$'
like "which datum, and why" "$(json text)" '^  data:/b: exit status 4, the same way twice$'
like "what to do" "$(json text)" '^    dassie rerun [0-9a-f]{8}$'
is "the same for machines" "$(json failed) $(json failed.0.pipeline) $(json failed.0.first.0.label) $(json recovered)" "2 count data:/b 0"
unlike "the address is not printed" "$err" s3cr3t
is "nor anywhere in the state but where it is needed" "$(grep -rl s3cr3t .dassie Makefile | tr '\n' ' ')" ".dassie/notify "
is "which is nobody else's to read" "$(stat -c %a .dassie/notify)" 600
forget
run dassie run -k
like "failing still" "$(json text)" '^count failed: .* \(failing since 20'
forget
touch fixed
run dassie run
is "recovered: status" "$status" 0
is "one message" "$(got web) $(json failed) $(json recovered)" "1 0 2"
like "says so" "$(json text)" '^count recovered \(it had failed since 20'
forget
run dassie run
echo 3 >data/c
run dassie run
is "nothing is told where all is well" "$(got web)" 0

# --- back to what was before: no job runs, and yet it is well again
rm fixed
echo 2 >data/d
run dassie run
rm data/d
forget
run dassie run
is "recovered without a job" "$status $(json recovered.0.pipeline)" "0 count"

# --- secrets by reference
fresh "{webhook: 'env:HOOK', mail: ops@example.org, smtp: 'file:smtp.secret', from: dassie@example.org}"
echo "$smtp" >smtp.secret
run env HOOK="$web/hook/top5ecret" dassie run
is "a webhook out of the environment" "$(got web)" 1
is "its name is all that is kept" "$(grep -rl -e top5ecret -e "$smtp" .dassie Makefile)" ""
mail=$(cat "$T"/got/mail.[0-9]* | tr -d '\r')
like "a mail by SMTP, out of a file" "$mail" '^Subject: dassie: 2 failed on '
like "to whom" "$mail" '^> RCPT TO:<ops@example.org>'
like "from whom" "$mail" '^From: dassie <dassie@example.org>$'
like "its text" "$mail" '^count failed: 1 of 2 datums$'
rm smtp.secret
run dassie run
like "no such variable: a line" "$err" '^dassie: notify: webhook env:HOOK: the variable is not set here'
like "no such file: a line" "$err" '^dassie: notify: smtp file:smtp.secret: there is no such file'
is "and the run's own status" "$status" 1

# --- sendmail
fresh "ops@example.org"
cat >"$T/sendmail" <<-EOF
	#!/bin/sh
	echo "\$*" >"$T/args"
	cat >"$T/mail"
EOF
chmod +x "$T/sendmail"
run env DASSIE_SENDMAIL="$T/sendmail" dassie run
like "sendmail gets it" "$(cat "$T/mail")" '^Subject: dassie: 2 failed on '
like "with the address" "$(cat "$T/args")" '^-i -f .* -- ops@example.org$'
run env DASSIE_SENDMAIL=/bin/false dassie run
like "one that fails is told" "$err" '^dassie: notify: sendmail failed \(status 1\)'
is "the run's own status" "$status" 1

# --- ticks alert as runs do, and one that fails does not stop the next
project
cat >pipeline.yaml <<'SPEC'
notify: ops@example.org
pipelines:
  hourly:
    input: {cron: {name: tick, spec: "0 * * * *", start: "2030-01-01T00:30:00Z"}}
    tries: 1
    run: test -e "$PWD/fine"; touch "$out/$(basename "$tick")"
SPEC
dassie compile --quiet
rm -f "$T/mail"
run env DASSIE_SENDMAIL="$T/sendmail" dassie cron fire --now 2030-01-01T01:00:10Z
is "a tick that fails" "$status" 1
like "alerts" "$(cat "$T/mail")" "^hourly failed: 1 of 1 datums"
touch fine
run env DASSIE_SENDMAIL="$T/sendmail" dassie cron fire --now 2030-01-01T02:00:10Z
is "the next one runs, with what the first left undone" "$status:$(ls out/hourly | wc -l | tr -d ' ')" 0:2
like "and tells of the recovery" "$(cat "$T/mail")" "^hourly recovered "
is "the ledger has both" "$(dassie cron history --json | grep -cE "\"state\":\"(failure|success)\"")" 2

# --- what does not answer
fresh "{webhook: [$web/hang, $web/bad, $web/hook, 'http://127.0.0.1:1/x']}"
before=$(date +%s)
run dassie run
ok "a webhook that hangs does not hold it up for long" test $(($(date +%s) - before)) -lt 20
like "it is told in a line" "$err" "^dassie: notify: webhook $web did not answer within 8 s; the run is not affected\$"
like "so is a bad answer" "$err" "^dassie: notify: webhook $web answered with status 500"
like "and nobody there" "$err" "^dassie: notify: webhook http://127.0.0.1:1: "
is "the others were told" "$(grep -l '^/hook' "$T"/got/web.[0-9]* | wc -l | tr -d ' ')" 1
is "the run's own status" "$status" 1

# --- per pipeline
fresh "{webhook: $web/all}"
sed -i "s|^  other:|  other:\n    notify: {webhook: $web/mine, on: failure}|; s|^  total:|  total:\n    notify: {when: []}|" pipeline.yaml
run dassie run -k
is "each by its own way" "$(head -qn 1 "$T"/got/web.[0-9]* | sort | tr '\n' ' ')" "/all /mine "
forget
touch fixed
run dassie run
is "a recovery only where it is wanted" "$(head -qn 1 "$T"/got/web.[0-9]* | sort | tr '\n' ' ')" "/all "

# --- a long run, told while it runs
fresh "{webhook: $web/hook, long: 1s}"
touch fixed
sed -i 's/^      cat "$data" >/      i=0; while [ ! -e "$DASSIE_PROJECT\/go" ] \&\& [ $i -lt 400 ]; do sleep 0.05; i=$((i + 1)); done; cat "$data" >/' pipeline.yaml
dassie run >"$T/out" 2>"$T/err" &
pid=$!
owned $pid
i=0
while [ "$(got web)" = 0 ] && [ $i -lt 400 ]; do sleep 0.05; i=$((i + 1)); done
touch go
wait $pid
is "told while it ran, once" "$? $(got web) $(json long.0.pipeline)" "0 1 count"
like "for how long" "$(json text)" '^count has been running for [0-9.]+ s'

# --- the spec
project
mkdir data
wrong() {
	spec "$2"
	run dassie compile --check
	is "$1: status" "$status" 1
	like "$1: $3" "$err" "$3"
}
wrong "no address" "{mail: [nobody]}" "'nobody' is no mail address"
wrong "an address with an option" "{mail: ['-oQ/tmp@x']}" "is no mail address"
wrong "a scheme" "{webhook: 'ftp://x/y'}" "a webhook 'ftp://x/y' is none"
wrong "a reference to nothing" "{webhook: 'env:'}" "names nothing"
wrong "a word" "{mail: a@b, on: [failures]}" "'when' of notify is a list of failure, recovery and long"
wrong "a field" "{mail: a@b, wehbook: 'env:X'}" "did you mean 'webhook'"
wrong "smtp" "{mail: a@b, smtp: host}" "smtp 'host' is none"
wrong "long" "{mail: a@b, long: 10ms}" "'long' of notify is a duration from 1s on"
spec "{webhook: 'https://hooks.example.org/T0/B0/xyz'}"
run dassie compile --check
is "a secret in the spec is only a warning" "$status" 0
like "which says the way out" "$err" 'write env:VARIABLE or file:PATH'
spec "{webhook: 'env:HOOK'}"
run dassie compile --print-spec
printf '%s\n' "$out" >"$T/long.yaml"
run dassie compile --check "$T/long.yaml"
is "the long form is a spec" "$status$(grep -c env:HOOK "$T/long.yaml")" 01

done_testing
