#!/bin/sh
# https sources: fetched when they changed, asked for once a make, and what is known is kept when nobody answers.
. "$(dirname "$0")/lib.sh"

asked() {
	wc -l <"$EVIL/log" | tr -d ' '
}

rules() {
	printf '%s\n' 'set anonymous 1' "$@" >"$EVIL/rules"
}

evils3 'set anonymous 1'
s3 mb web
printf 'one\n' | s3 put web/a.csv -
printf 'two\n' | s3 put 'web/b c' -
project
cat >pipeline.yaml <<EOF
repos:
  web: [$EVIL_ENDPOINT/web/a.csv, '$EVIL_ENDPOINT/web/b%20c?x=1']
pipelines:
  p: {input: web/*, run: 'tr a-z A-Z <"\$web" >"\$out/\$(basename "\$web")"'}
EOF
ok "compiles" dassie compile
ran "a first make" 2 make
is "has its contents" "$(cat 'out/p/b c')" TWO
like "and says what it fetched" "$err" "source 'web': 2 of 2 files fetched"
before=$(asked)
ran "nothing changed" 0 make
is "one request a URL" "$(($(asked) - before))" 2
unlike "and nothing is said" "$err" fetched
like "why names URL and etag" "$(dassie why 'out/p/b c')" "source $EVIL_ENDPOINT/web/b%20c\?x=1, etag [0-9a-f]{32}, of "
printf 'ONE\n' | s3 put web/a.csv -
ran "make -n looks, and does nothing" 0 make -n
ran "one of them changed" 1 make
printf 'three and more\n' | s3 put web/a.csv -
ran "one of them changed" 1 make
is "and has its new contents" "$(cat out/p/a.csv)" 'THREE AND MORE'

# what goes wrong on its way
printf 'four and more\n' | s3 put web/a.csv -
rules 'times=1 status=503 code=SlowDown' 'times=1 cut=3' 'times=1 lost=1'
ran "bursts, cuts and resets" 1 make
is "do no harm" "$(cat out/p/a.csv)" 'FOUR AND MORE'
rules 'target=a.csv status=404 code=NoSuchKey'
run make
is "what is not there is an error" "$status" 2
like "that says so" "$err" "cannot fetch '$EVIL_ENDPOINT/web/a.csv': the server answers 404: it is not there; correct the URL"
like "and the way on" "$err" "DASSIE_OFFLINE=1"
is "and changes nothing" "$(cat out/p/a.csv)" 'FOUR AND MORE'
rules 'method=GET status=403 code=AccessDenied'
run make
like "nor does what is forbidden" "$err" 'netrc'
kill "$EVIL_PID"
run make
like "nor what cannot be reached" "$err" "cannot fetch '$EVIL_ENDPOINT/web/a.csv': "
ran "offline it is as it was" 0 env DASSIE_OFFLINE=1 make
ran "by dassie run, too" 0 dassie run --offline

project
cat >pipeline.yaml <<EOF
repos: {web: http://127.0.0.1:9/x}
pipelines:
  p: {input: web/*, run: 'true'}
EOF
ok "compiles" dassie compile
run env DASSIE_OFFLINE=1 make
like "what was never fetched cannot be offline" "$err" "source 'web' was never fetched"
done_testing
