#!/bin/sh
# Limits that hold: datums at once, pools, tokens of make, memory; and retries where make has no jobserver.
# shellcheck disable=SC2016,SC2119
. "$(dirname "$0")/lib.sh"

# spec LINES…: pipelines of the project's `data`, and their Makefile.
spec() {
	{ printf 'repos: {data: data}\n'; cat; } >pipeline.yaml
	run dassie compile
	is "${1:-the spec} compiles without a note" "$status:$(printf '%s' "$err" | grep -c note)" 0:0
}

# most FILE: how many were there at once, by "+" at a start and "-" at an end.
most() {
	awk '/[+]/ { if (++n > m) m = n } /-/ { n-- } END { print m + 0 }' "$1"
}

# --- so many datums of a pipeline
project
fill 16
spec "workers" <<'SPEC'
pipelines:
  few:
    input: data/*
    workers: 2
    run: |
      echo + >>few.log; sleep 0.03; cp "$data" "$out/"; echo - >>few.log
  any:
    input: data/*
    run: |
      echo + >>any.log; sleep 0.03; cp "$data" "$out/"; echo - >>any.log
SPEC
run make -j6
is "parallelism_spec.constant: a job" "$status:$(results)" 0:32
is "no more than so many at once" "$(most few.log)" 2
ok "others are not bounded by it" test "$(most any.log)" -gt 2
rm -rf .dassie out ./*.log
dassie compile --quiet
run make -j few
is "nor with make -j without a number" "$status:$(most few.log)" 0:2

# A failing chunk does not hold up its lane, and what it left comes at the end.
rm -rf .dassie out ./*.log
spec "a lane" <<'SPEC'
pipelines:
  few:
    input: data/*
    workers: 2
    retry: {tries: 3, delay: 1ms}
    run: |
      echo "${data##*/}" >>order
      case $data in
      */1) echo "no: $(cat "$data")"; exit 1;;
      */2) test -e healed || { touch healed; exit 75; };;
      esac
      cp "$data" "$out/"
SPEC
run make -j6
is "a failed chunk ends no lane" "$((status > 0)):$(results)" 1:15
is "tries are what they were" "$(grep -c '^1$' order):$(grep -c '^2$' order)" 2:2
is "retries come after all others" "$(tail -n 2 order | sort | tr '\n' ' ')" "1 2 "
is "nothing is left of it" "$(find .dassie/plan -name '*.later')" ""

# --- no jobserver: the end of the pipeline's queue
rm -rf .dassie out order healed
spec "plain make" <<'SPEC'
pipelines:
  p:
    input: data/*
    retry: {tries: 3, delay: 1ms}
    run: |
      echo "${data##*/}" >>order
      case $data in */1) test -e healed || { touch healed; exit 75; };; esac
      cp "$data" "$out/"
SPEC
run make
is "without a jobserver" "$status:$(results):$(wc -l <order | tr -d ' ')" 0:16:17
is "a retry goes to the end of its pipeline's queue" "$(tail -n 1 order)" 1
is "both attempts are recorded" "$(dassie datums --json p | grep '"path":"1"' | grep -c '"tries":2')" 1
like "each with its class" "$(dassie logs --json p | grep '"attempt":1,"tries":2')" '"class":"temporary"'

# --- pools, of several pipelines and two runs
project
fill 8
spec "pools" <<'SPEC'
pools: {gpu: 1, db: 3}
pipelines:
  a: &p
    input: data/*
    pool: gpu
    run: |
      echo + >>gpu.log; echo + >>db.log; sleep 0.02; cp "$data" "$out/"; echo - >>gpu.log; echo - >>db.log
  b:
    input: data/*
    pools: {db: 2, gpu: 1}
    run: |
      echo + >>gpu.log; sleep 0.02; cp "$data" "$out/"; echo - >>gpu.log
  c:
    input: data/*
    pool: [db]
    run: |
      echo + >>c.log; sleep 0.02; cp "$data" "$out/"; echo - >>c.log
SPEC
timeout 120 make -j4 a c >/dev/null 2>one.err &
pid=$!
owned $pid
run timeout 120 make -j4 b c
wait $pid
is "two makes with pools" "$?:$status:$(results)" 0:0:24
is "one place of a pool is one datum, in all runs" "$(most gpu.log)" 1
ok "three places are at most three" test "$(most c.log)" -le 3
is "both make find their tokens" "$(cat one.err "$T/.err" | grep -c INTERNAL)" 0

# A killed holder frees its place; while a pool is waited for, the slot is somebody else's.
project
fill 30
spec "a held pool" <<'SPEC'
pools: {gpu: 1}
pipelines:
  stuck:
    input: data/1
    pool: gpu
    run: cp "$data" "$out/"
  free:
    input: data/*
    run: cp "$data" "$out/"
SPEC
mkdir -p .dassie/pools
touch .dassie/pools/gpu.0
flock .dassie/pools/gpu.0 sleep 600 &
pid=$!
until ! flock -n .dassie/pools/gpu.0 true; do sleep 0.01; done
holder=$(pgrep -P $pid) || holder=$pid
owned $pid "$holder"
timeout 120 make -j1 stuck >/dev/null 2>&1 &
waiting=$!
owned $waiting
timeout 120 make -j2 stuck free >/dev/null 2>two.err &
make=$!
owned $make
until [ "$(find out/free -type f 2>/dev/null | wc -l)" -ge 30 ]; do sleep 0.02; done
is "others go on while a pool is waited for" "$(find out/free -type f | wc -l | tr -d ' '):$(ls out/stuck 2>/dev/null)" 30:
kill -KILL $pid "$holder" 2>/dev/null
wait $make
is "a killed holder frees its place" "$?:$(cat out/stuck/*)" 0:1
wait $waiting
is "make finds its tokens" "$?:$(grep -c INTERNAL two.err)" 0:0

# --- tokens
project
fill 8
spec "cpu" <<'SPEC'
pipelines:
  wide:
    input: data/*
    cpu: 3
    run: |
      echo + >>wide.log; sleep 0.02; cp "$data" "$out/"; echo - >>wide.log
  wide2:
    input: data/*
    resource_limits: {cpu: 2.5}
    run: |
      echo + >>wide.log; sleep 0.02; cp "$data" "$out/"; echo - >>wide.log
  wide3:
    input: data/*
    cpu: 4
    run: |
      echo + >>wide.log; sleep 0.02; cp "$data" "$out/"; echo - >>wide.log
  thin:
    input: data/*
    run: cp "$data" "$out/"
SPEC
run timeout 60 make -j4
is "many that take several tokens" "$status:$(results)" 0:32
is "of four, two times three are not there" "$(most wide.log)" 1
unlike "make finds its tokens" "$err" INTERNAL
rm -rf .dassie out
dassie compile --quiet
run timeout 60 make -j2
is "more cpus than -j" "$status:$(results)" 0:32
like "are told" "$err" '^dassie: wide: a datum asks for 3 cpus, make runs 2 jobs at once: it gets them all$'

# A killed runner's tokens are put back by its stage, whatever it held.
project
fill 6
spec "cpu under kill" <<'SPEC'
pipelines:
  wide:
    input: data/*
    cpu: 3
    retry: {tries: 9, delay: 100ms}
    run: |
      echo "$data" >>tried; sleep 0.1; test -e "x.${data##*/}" || { touch "x.${data##*/}"; exit 75; }; cp "$data" "$out/"
  thin:
    input: data/*
    run: sleep 0.05; cp "$data" "$out/"
SPEC
timeout 120 make -j4 -k >/dev/null 2>make.err &
pid=$!
owned $pid
for round in 1 3 5 7; do
	until [ "$(cat tried 2>/dev/null | wc -l)" -ge "$round" ] || ! kill -0 $pid 2>/dev/null; do sleep 0.01; done
	runner=$(pgrep -n -f "dassie-datum [.]dassie/plan/wide[.]") && kill -KILL "$runner" && echo x >>killed
done
wait $pid
ok "runners were killed" test "$(wc -l <killed)" -gt 1
is "no token is lost and none is too many" "$(grep -c INTERNAL make.err)" 0
run make -j4
is "and the next make ends it" "$status:$(find out/wide -type f | wc -l | tr -d ' ')" 0:6

# Ended by a signal.
project
fill 6
spec "cpu under TERM" <<'SPEC'
pipelines:
  wide:
    input: data/*
    cpu: 2
    run: touch began; sleep 30
  wide2:
    input: data/*
    cpu: 2
    run: touch began; sleep 30
SPEC
make -j3 >/dev/null 2>make.err &
pid=$!
owned $pid
until [ -e began ]; do sleep 0.01; done
kill -TERM $pid
wait $pid
is "make that is ended" "$?:$(grep -c INTERNAL make.err)" 143:0
is "leaves no process" "$(pgrep -f "dassie-datum [.]dassie/plan/wide2?[.]$(sed -n 's/^job //p' .dassie/plan/wide.open)")" ""

# --- what takes longest comes first
project
fill 9
spec "times" <<'SPEC'
pipelines:
  p:
    input: data/*
    salt: one
    run: |
      echo "${data##*/}" >>order
      test "${data##*/}" != 7 || sleep 0.3
      test "${data##*/}" != 5 || sleep 0.1
      cp "$data" "$out/"
SPEC
run make
is "the first time nobody knows" "$status:$(tr -d '\n' <order)" 0:123456789
rm order
sed 's/salt: one/salt: two/' pipeline.yaml >new && mv new pipeline.yaml
dassie compile --quiet
run make
is "then what took longest comes first" "$status:$(tr -d '\n' <order | cut -c1-2)" 0:75

# --- memory
# memory HOW: with what this machine has, and by rlimit.
memory() {
	project
	fill 1
	spec "memory ($1)" <<-'SPEC'
	pipelines:
	  grows:
	    input: data/*
	    memory: 60M
	    on_oom: x2
	    datum_tries: 4
	    run: perl -e '$x = "a" x 80_000_000; print length $x' >"$out/n"
	  tree:
	    input: data/*
	    memory: 60M
	    datum_tries: 1
	    run: |
	      for i in 1 2 3 4; do perl -e '$x = "a" x 12_000_000; sleep 60' & done; sleep 0.3; wait; echo no >"$out/x"
	  fits:
	    input: data/*
	    memory: 120M
	    run: |
	      for i in 1 2 3; do perl -e '$x = "a" x 12_000_000; select undef, undef, undef, 0.2' & done; wait; echo yes >"$out/x"
	SPEC
	run make -j3 -k
	is "$1: what fits, and what fits in the end, is made" "$(cat out/fits/x):$(cat out/grows/n)" yes:80000000
	like "$1: the limit is raised" "$err" 'out of memory.* limit .*60M.*; the next try gets 120M; again$'
	like "$1: what held it is said" "$err" "^dassie: fits: an attempt may use 120M of memory, held by $2"
	like "$1: a tree that is too large together is ended" "$(dassie datums --json tree)" '"class":"out of memory"'
	like "$1: with its sentence" "$err" 'tree: datum data:/1 failed: out of memory: it used more than its limit of 60M'
	like "$1: the class of each attempt is recorded" "$(dassie logs --json grows)" '"attempt":1,.*"class":"out of memory"'
}
case $(id -u):$(dassie doctor 2>/dev/null | sed -n 's/.*memory limits *held by \(cgroup v[12]\).*/\1/p') in
*:cgroup*) memory "cgroup" "cgroup v[12]$" ;;
*) skip "no cgroup with a memory controller is ours" "limits held by a cgroup" ;;
esac
DASSIE_CGROUP=none
export DASSIE_CGROUP
memory "rlimit" "rlimit for each process and by looking at their sum"

done_testing
