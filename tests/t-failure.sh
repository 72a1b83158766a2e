#!/bin/sh
# Failure is ordinary: limits that hold, retries that make sense.
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
echo 'trap : TERM; echo $$ >>pids; sleep 60; sleep 60' >stubborn.sh
step 'setsid sh -c "echo \$\$ >>pids; sh stubborn.sh; :" &
(setsid sh -c "(trap \"echo polite >polite; exit\" TERM; sleep 60 & wait) &" &)
sleep 60'
try tries 1 timeout 300
is "a tree that does not listen is killed" "$status" 1
while read -r pid; do
	not_ok "process $pid is gone" kill -0 "$pid"
done <pids
is "an orphan of another session got SIGTERM, and its time" "$(cat polite)" polite
is "nothing is left" "$(find .dassie/work -mindepth 1)" ""

# --- retries
# counting COMMAND: a step that counts its attempts in `n`, then does this.
counting() {
	step 'n=$(($(cat n 2>/dev/null || echo 0) + 1)); echo "$n" >n; '"$1"
}

fresh
counting 'echo "no row $n"; exit 1'
try tries 9
is "a failure that ends alike twice is not tried again" "$status:$(attempts):$(cat n)" 1:2:2
like "it says why" "$err" 'failed: exit status 1, the same way twice \(2 tries\)$'

fresh
counting 'no-such-command'
try tries 9
is "a missing command is tried once" "$status:$(attempts)" 1:1
like "its class" "$(fails)" '^class command%20not%20found$|^class command not found$'

fresh
counting 'echo "wget: unable to connect: Connection refused"; test "$n" -gt 3 && cp "$in" "$out/x"'
try tries 9
is "a network is tried until it works" "$status:$(cat n)" 0:4
is "the result has every attempt" "$(grep -c '^attempt ' "$(find .dassie/datums -type f)")" 4
is "each attempt has its log" "$(find .dassie/logs -type f | wc -l | tr -d ' ')" 4

fresh
echo two >data/b
step 'echo x >>order; cat "$in" >>order; test -e went-on || { touch went-on; exit 75; }'
try
is "others of the chunk come before a retry" "$status:$(tr '\n' ' ' <order)" "0:x one x two x one "

fresh
counting 'test "$n" = 2 || exit 75'
before=$(now_ms)
try delay 200
is "a retry waits no longer than the delay" "$status:$(($(now_ms) - before < 1000))" 0:1
like "the wait is told" "$err" 'attempt 1 of 3: exit status 75 \(temporary failure\); again'

# A signal ends a runner that waits.
fresh
step 'touch tried; exit 75'
"$mkplan" .dassie/plan/count.1 tries 9 delay 99999999 input in books data data each 0 >"$T/.plan"
dassie-datum .dassie/plan/count.1 "$(cut -d' ' -f1 "$T/.plan")" 1 2>/dev/null &
pid=$!
owned $pid
until [ -e tried ]; do sleep 0.01; done
sleep 0.05
kill -TERM $pid
wait $pid 2>/dev/null
is "a signal ends a runner that waits" $? 143
is "and nothing is left" "$(find .dassie/work -mindepth 1)" ""

# The spec's own rules.
project
mkdir data
echo 1 >data/a
spec() {
	cat >pipeline.yaml <<-SPEC
	repos: {data: data}
	pipelines:
	  p:
	    input: data/*
	    retry: {tries: 5, delay: 10ms, factor: 1.5, max_delay: 20ms, $1}
	    run: |
	      n=\$((\$(cat n 2>/dev/null || echo 0) + 1)); echo "\$n" >n
	      $2
	SPEC
	rm -f n
}
spec "on: [9, '^lock(ed)? by \d+'], never: [SIGKILL]" 'echo "locked by 77"; exit 1'
run dassie compile
is "a retry block compiles" "$status:$(printf '%s' "$err" | grep -c note)" 0:0
run make
is "a pattern of 'on' is worth every try" "$(cat n)" 5
spec 'on: [9], never: ["corrupt"]' 'echo "the file is corrupt"; exit 9'
run make
is "'never' is stronger than 'on'" "$(cat n)" 1
like "and said" "$err" "failed: exit status 9, which 'never' lists \(1 try\)"
like "the class is in datums --json" "$(dassie datums --json p)" '"class":"exit status"'
spec 'never: ["^(a+)+$"]' 'printf %0100d 0 | tr 0 a; echo b; exit 1'
run make
is "a pattern that runs away is left out" "$(cat n)" 2
like "and told" "$err" "retry: pattern '.*' takes too many steps on '.dassie/logs/.*': left out"
cat >pipeline.yaml <<'SPEC'
repos: {data: data}
pipelines:
  p:
    input: data/*
    datum_tries: 2
    retry: {tries: 5, factor: 0.5, on: [0, SIGFOO, "(", ""], never: [300]}
    run: "true"
SPEC
run dassie compile --check
is "nonsense is refused" "$status:$(printf '%s\n' "$err" | grep -c ': error: ')" 1:7
like "a pattern with its place" "$err" "pipeline.yaml:6:[0-9]+: error: retry.on: pattern '\(': missing closing parenthesis"

# --- a waiting retry holds no slot
project
mkdir few many
for i in 1 2 3 4 5 6; do echo "$i" >"few/$i"; done
i=0
while [ $i -lt 200 ]; do
	echo "$i" >"many/$i"
	i=$((i + 1))
done
two() {
	cat >pipeline.yaml <<-SPEC
	repos: {few: few, many: many}
	pipelines:
	  bad:
	    input: few/*
	    job_timeout: $2
	    retry: {tries: 100, delay: 10s}
	    run: echo "\$few" >>tried; exit 75
	  quick:
	    input: many/*
	    salt: "$1"
	    run: sleep 0.01; cp "\$many" "\$out/"
	SPEC
	run dassie compile
}
# took: how long the newest job of quick took, ms.
took() {
	dassie jobs --json quick | head -n 1 | perl -MTime::Local -ne '
		sub ms { $_[0] =~ /(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)(\.\d+)?/; (timegm($6, $5, $4, $3, $2 - 1, $1) + ($7 || 0)) * 1000 }
		/"started":"([^"]+)"/ and $s = ms($1); /"finished":"([^"]+)"/ and printf "%d", ms($1) - $s'
}
# Machines are noisy, and other tests run beside this one: one round of six must do.
for round in 1 2 3 4 5 6; do
	two "alone $round" 4s
	run make -j2 quick
	alone=$(took)
	# Long enough for all of few to be tried, on a slow machine too.
	two "beside $round" "$((alone / 500 + 2))s"
	rm -f tried
	run make -j2 -k
	beside=$(took)
	[ $((beside * 10)) -gt $((alone * 11)) ] || break
done
is "a queue beside waiting retries is as quick as alone ($alone ms, $beside ms)" "$((beside * 10 <= alone * 11))" 1
like "while those were tried" "$(cat tried)" '/6$'
like "make finds all its tokens" "$(printf '%s' "$err" | grep -c INTERNAL)" '^0$'

# Killed while they have lent their tokens.
two killed 2s
rm -f tried
make -j3 -k >/dev/null 2>make.err &
pid=$!
owned $pid
for round in 1 2 3; do
	until [ "$(cat tried 2>/dev/null | wc -l)" -ge "$round" ]; do sleep 0.02; done
	sleep 0.05
	job=$(sed -n 's/^job //p' .dassie/plan/bad.open)
	runner=$(pgrep -o -f "dassie-datum [.]dassie/plan/bad[.]$job [0-9]") && kill -KILL "$runner" && echo x >>killed
done
wait $pid
is "three runners were killed" "$(wc -l <killed | tr -d " ")" 3
is "tokens that killed runners had lent are taken back" "$(grep -c INTERNAL make.err)" 0

# --- err_cmd
fresh
step 'echo "the step"; echo half >"$out/x"; exit 3'
printf '%s\n' 'echo "err_cmd sees $(cat "$in")"; echo no >"$out/y"' >err.sh
try tries 1 err err.sh
is "a recovered datum is no failure" "$status:$(results)" 0:0
like "it is told" "$err" '^dassie: count: datum books:/a recovered by err_cmd: exit status 3 \(1 try\)$'
like "its state" "$(fails)" '^state recovered$'
like "and its class" "$(fails)" '^class exit'
is "its log has both" "$(cat "$(find .dassie/logs -type f)")" "the step
err_cmd sees one"
is "no output is kept" "$(find .dassie/objects .dassie/work -mindepth 1 2>/dev/null)" ""
echo 'exit 4' >err.sh
try tries 1 err err.sh
is "an err_cmd that fails too" "$status" 1
like "is a failure" "$(fails)" '^state failed$'
try tries 1 err err.sh accept 4
is "accepted codes are err_cmd's too" "$status" 0
step 'cat "$in" >"$out/x"'
try err err.sh
is "one that works at last" "$status:$(results):$(fails)" 0:1:

project
mkdir data
for i in 1 2 3; do echo "$i" >"data/$i"; done
cat >pipeline.yaml <<'SPEC'
repos: {data: data}
pipelines:
  p:
    input: data/*
    datum_tries: 1
    err_cmd: [sh]
    err_stdin: ['test -e forgive']
    run: |
      echo "$data" >>ran
      case $data in */2) test -e healed;; esac
      cp "$data" "$out/"
  q:
    input: p/
    run: ls "$p" >"$out/list"
SPEC
run dassie compile
is "err_cmd compiles without a note" "$status:$(printf '%s' "$err" | grep -c note)" 0:0
run make
is "without forgiveness the job fails" "$((status > 0))" 1
touch forgive
run make
is "a job with a recovered datum succeeds" "$status" 0
is "its output is the others'" "$(cat out/p/* | tr '\n' ' '):$(tr '\n' ' ' <out/q/list)" "1 3 :1 3 "
like "it is counted" "$(dassie jobs --json p | head -n 1)" '"failed":0,"recovered":1'
like "and told" "$err" 'p: .*1 recovered: without output, to be tried again'
like "datums says which" "$(dassie datums --json p | grep recovered)" '"state":"recovered".*"path":"2"'
is "all datums of the job are listed" "$(dassie datums --json p | wc -l | tr -d ' ')" 3
rm ran
run make
is "nothing runs while nothing changes" "$status:$(cat ran 2>/dev/null)" 0:
echo 4 >data/4
run make
is "the next job tries it again" "$status:$(sed 's,.*/,,' ran | sort | tr '\n' ' ')" "0:2 4 "
rm ran
touch healed
echo 5 >data/5
run make
is "until it succeeds" "$status:$(sed 's,.*/,,' ran | sort | tr '\n' ' '):$(cat out/p/* | tr '\n' ' ')" "0:2 5 :1 2 3 4 5 "
rm ran
echo 6 >data/6
run make
is "then it is done" "$status:$(sed 's,.*/,,' ran | tr '\n' ' ')" "0:6 "

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
sed 's/exec sleep 60/:/; s/500ms/60s/' pipeline.yaml >new && mv new pipeline.yaml
ran "a job in time" 6 make
is "its output" "$(cat out/slow/* | tr '\n' ' ')" "1 2 3 4 5 6 "

# --- a runner that is killed behind its last result leaves its view, and no job that is open
project
mkdir in
echo 1 >in/a
cat >pipeline.yaml <<'SPEC'
repos: {in: in}
pipelines:
  each: {input: in/*, run: 'cp "$in" "$out/"'}
SPEC
dassie compile --quiet
ran "a job" 1 make
key=$(find .dassie/datums -type f | sed 's|.dassie/datums/||; s|/||')
mkdir -p ".dassie/work/$key/in" ".dassie/work/$key.tmp" .dassie/work/another
echo 2 >in/a
ran "the next one" 1 make
is "has swept" "$(ls .dassie/work)" another

# --- a stage that is killed takes its sub-make along: that one could wait for a token for ever
project
mkdir in
echo a >in/a
cat >pipeline.yaml <<'SPEC'
repos: {in: in}
pipelines:
  slow:
    input: in/*
    run: sleep 1000
SPEC
dassie compile --quiet
make -s -j2 >/dev/null 2>&1 &
owned $!
top=$!
# child PARENT WORDS: its child whose command line has these, once it is there.
child() {
	perl -e 'for (1 .. 400) {
		for my $dir (glob "/proc/[0-9]*") {
			open my $f, "<", "$dir/stat" or next;
			my ($pid, $ppid) = (<$f> // "") =~ /^(\d+) \(.*\) \S (\d+) /s or next;
			next unless $ppid == $ARGV[0] && open $f, "<", "$dir/cmdline";
			print($pid), exit if index((<$f> // "") =~ tr/\0/ /r, $ARGV[1]) >= 0;
		}
		select undef, undef, undef, 0.05;
	}' "$1" "$2"
}
stage=$(child "$top" "dassie stage")
sub=$(child "$stage" "make -f")
runner=$(child "$sub" dassie-datum)
owned "$sub"
owned "$runner"
kill -KILL "$stage"
n=0
while { kill -0 "$sub" || kill -0 "$runner"; } 2>/dev/null && [ "$n" -lt 400 ]; do
	sleep 0.05
	n=$((n + 1))
done
ok "after SIGKILL of a stage its sub-make ends, and its runner" test -n "$runner" -a "$n" -lt 400
done_testing
