#!/bin/sh
# Failure is ordinary: limits that hold.
# shellcheck disable=SC2016,SC2119
. "$(dirname "$0")/lib.sh"

mkplan=$DASSIE_BUILD/tests/unit/mkplan
[ -x "$mkplan" ] || skip_all "no $mkplan"

fresh() {
	project
	mkdir -p .dassie/plan .dassie/commits data
	echo one >data/a
}

step() {
	printf '%s\n' "$1" >step.sh
}

# try WORD...: a plan with a datum a file of data, these words before it; and run it.
try() {
	rm -f .dassie/plan/count.1
	"$mkplan" .dassie/plan/count.1 "$@" input in books data data each 0 >"$T/.plan" || echo "Bail out! mkplan"
	run dassie-datum .dassie/plan/count.1 "$(head -n 1 "$T/.plan" | cut -d' ' -f1)" "$(wc -l <"$T/.plan" | tr -d ' ')"
}

fails() {
	find .dassie/datums -name '*.fail' -exec cat {} +
}

attempts() {
	fails | grep -c '^attempt '
}

alive() {
	kill -0 "$1" 2>/dev/null && [ "$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null)" != Z ]
}

now_ms() {
	echo $(($(date +%s%N) / 1000000))
}

# --- datum_timeout
fresh
step 'trap "echo caught; exit 7" TERM; sleep 60 & wait'
before=$(now_ms)
try tries 1 timeout 100
is "a command that takes too long fails" "$status" 1
is "at once, not after a grace" "$(($(now_ms) - before < 2000))" 1
like "its class" "$(fails)" '^class timeout$'
like "its sentence" "$err" ' failed: ended after 100ms, its datum_timeout \(1 try\)$'
is "SIGTERM came first" "$(cat "$(find .dassie/logs -type f)")" caught

fresh
step 'exit 0'
try timeout 60000
is "one that is quick enough succeeds" "$status$err" 0
step 'sleep 0.05; cat "$in" >"$out/x"'
try salt 2 timeout 60000
is "one that takes a little succeeds" "$status$err" 0

# What it started goes too: other sessions, orphans, those that do not listen.
fresh
step 'setsid sh -c "echo \$\$ >pid1; (trap \"\" TERM; echo \$\$ >pid2; sleep 60; sleep 60)" &
(setsid sh -c "(trap \"echo polite >polite; exit\" TERM; sleep 60 & wait) &" &)
sleep 60'
try tries 1 timeout 300
is "a tree that does not listen is killed" "$status" 1
for pid in $(cat pid1 pid2); do
	not_ok "process $pid is gone" kill -0 "$pid"
done
is "an orphan of another session got SIGTERM, and its time" "$(cat polite)" polite
is "nothing is left" "$(find .dassie/work -mindepth 1)" ""

# --- job_timeout
project
mkdir data
for i in 1 2 3 4 5 6; do echo "$i" >"data/$i"; done
cat >pipeline.yaml <<'SPEC'
repos: {data: data}
pipelines:
  slow:
    input: data/*
    job_timeout: 500ms
    run: |
      test "$(cat "$data")" = 1 || exec sleep 60
      cp "$data" "$out/"
SPEC
run dassie compile
is "limits compile without a note" "$status:$(printf '%s' "$err" | grep -c note)" 0:0
before=$(now_ms)
run make
is "a job that takes too long is ended" "$((status > 0)):$(($(now_ms) - before < 5000))" 1:1
like "it says so" "$err" "slow: it took longer than its job_timeout of 500ms: 1 of 6 datums have their result, which is kept"
like "its state" "$(dassie jobs --json)" '"state":"killed"'
like "its reason" "$(dassie jobs --json)" '"reason":"it took longer than its job_timeout of 500ms'
is "what was done is kept" "$(results)" 1
sed 's/exec sleep 60/:/' pipeline.yaml >new && mv new pipeline.yaml
ran "a job in time" 6 make
is "its output" "$(cat out/slow/* | tr '\n' ' ')" "1 2 3 4 5 6 "

done_testing
