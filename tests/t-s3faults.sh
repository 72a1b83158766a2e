#!/bin/sh
# S3 as a source, of a server that misbehaves: what passes is tried again, what does not is told, and nothing wrong is ever believed.
# shellcheck disable=SC2119  # project without argument
. "$(dirname "$0")/lib.sh"

rules() {
	printf '%s\n' "$@" >"$EVIL/rules"
	: >"$EVIL/log"
}

# asked METHOD PATTERN: how many such requests there were since the last rules.
asked() {
	grep -c "^[0-9]* [0-9]* $1 [^ ]*$2" "$EVIL/log"
}

put() {
	printf '%s\n' "$2" | s3 put "$1" - ${3:+"$3"}
}

begin() {
	project
	cat >pipeline.yaml <<EOF
repos: {raw: {source: 's3://bkt/in', endpoint: $EVIL_ENDPOINT${1:+, $1}}}
pipelines:
  p: {input: raw/*, run: 'cp "\$raw" "\$out/"'}
EOF
	dassie compile || exit 1
}

# fetched NAME: make succeeds, and out/p is what the bucket holds.
comes() {
	run make
	is "$1" "$status" 0
	rm -rf "$T/want"
	rules ''
	s3 tree bkt/in "$T/want"
	same "$1: all of it, as it is" "$T/want" out/p
}

evils3
AWS_ACCESS_KEY_ID=EVILKEY AWS_SECRET_ACCESS_KEY=evil/secret+key
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
s3 mb bkt
for i in 1 2 3 4 5 6 7 8 9; do
	put "bkt/in/k$i" "content of $i"
done
odd='a b+c%41ä&<>"*'
put "bkt/in/$odd" odd
head -c 300000 /dev/urandom >"$T/large"
s3 put bkt/in/large "$T/large" "x-amz-checksum-sha256: $(openssl dgst -sha256 -binary "$T/large" | base64)"

begin
rules 'set page 4'
run make
is "pages of odd keys" "$status" 0
is "each object once" "$(asked GET '/bkt/in/')" 11
rules 'set page 4'
run make
is "a no-op is one listing, page by page" "$(asked GET 'list-type=2') $(asked GET '/bkt/in/')" "3 0"

begin
rules 'times=3 target=list-type status=503 code=SlowDown' 'times=4 target=/in/ status=500 code=InternalError' \
	'times=2 target=/in/k status=429 code=TooManyRequests answer="Retry-After: 1"'
comes "bursts"
begin
rules 'times=2 target=large cut=100000' 'times=1 target=large cut=50000 reset=0' 'times=2 target=k1 lost=1'
comes "answers that are cut off"
begin
rules 'times=1 target=large flip=1234' 'times=1 target=k2 flip=1'
comes "wrong bytes"
begin
rules 'target=large flip=1'
run make
is "always wrong: status" "$status" 2
like "always wrong: is told" "$err" "'large' does not arrive as it was uploaded"
not_ok "and never believed" test -e out/p
begin
rules 'times=1 target=list-type status=200 code=InternalError'
run make
is "a 200 with an error inside is no empty bucket" "$([ "$status" -ne 0 ] || cat out/p/k1)" "$([ "$status" -ne 0 ] || echo 'content of 1')"
begin
rules 'target=k4 status=403 code=AccessDenied message="no identity-based policy allows the s3:GetObject action"'
run make
like "one that is forbidden" "$err" 's3:GetObject'
like "is named" "$err" 'k4'

# who and when
begin
rules 'set skew 1300'
run make
is "a clock that is wrong" "$status" 0
like "is told" "$err" 'clock'
begin
rules 'set region eu-west-1'
run make
is "another region" "$status" 0
like "is told" "$err" 'eu-west-1'
begin 'region: eu-west-2'
rules 'set region eu-west-1' 'set redirect 1'
run make
is "and by a redirect" "$status" 0
like "is told what the spec says" "$err" 'repos.raw.region'

# Credentials that end while they are used: the next ones are asked for.
begin
rules ''
s3 iam AssumeRole RoleArn=arn:aws:iam::1:role/writer RoleSessionName=test >/dev/null
rules 'set revoked 2'
run env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY AWS_CONTAINER_CREDENTIALS_FULL_URI="$EVIL_ENDPOINT/container" \
	AWS_CONTAINER_AUTHORIZATION_TOKEN=container-token make
is "a token that ended" "$status" 0
begin
rules 'set revoked 1000'
run env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY AWS_CONTAINER_CREDENTIALS_FULL_URI="$EVIL_ENDPOINT/container" \
	AWS_CONTAINER_AUTHORIZATION_TOKEN=container-token make
like "and one that no other follows" "$err" 'ExpiredToken'

# Killed: what came is not asked for again.
begin
rules 'target=list-type status=403 code=AccessDenied'
run make
rules 'target=/in/k[5-9] hang=1'
dassie-net fetch raw 2>/dev/null &
pid=$!
i=0
while [ "$(grep -c '^file' .dassie/fetched/raw.part 2>/dev/null)" != 6 ] && [ "$i" -lt 300 ]; do
	i=$((i + 1))
	sleep 0.1
done
kill -KILL "$pid"
wait "$pid" 2>/dev/null
rules ''
run make
is "killed in the middle: the next goes on" "$status $(asked GET '/bkt/in/')" "0 5"
ok "and leaves nothing behind" test ! -e .dassie/fetched/raw.part
like "one object that is lost is fetched again" "$(rm -f .dassie/objects/*/*; make 2>&1)" "11 of 11 files fetched"
ok "the server has complained of nothing" test ! -s "$EVIL/errors"
done_testing
