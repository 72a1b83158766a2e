#!/bin/sh
# dassie debug: a shell where the datum's command would be.
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"

project
mkdir data
echo 1 >data/a; echo 2 >data/b; echo 3 >"data/c d"
cat >pipeline.yaml <<'EOF'
repos: {data: data}
pipelines:
  count:
    input: data/*
    env: {GREETING: hello, QUOTED: "it's"}
    run: |
      env | grep -v -e '^_=' -e '^SHLVL=' -e '^PACH_JOB_ID=' -e '^PACH_OUTPUT_COMMIT_ID=' -e '^TMPDIR=' -e '^OLDPWD=' -e '^PACH_DATUM_ID=' | sort >"$out/env.$(basename "$data" | tr ' ' -)"
      pwd >"$out/pwd.$(basename "$data" | tr ' ' -)"
      umask >"$out/umask.$(basename "$data" | tr ' ' -)"
      [ "$(cat "$data")" != 2 ] || exit 5
  total:
    input: count/
    run: cat "$count"/* >"$out/t"
EOF
run dassie run -k
is "a datum fails" "$status" 1
key=$(printf '%s\n' "$err" | sed -n 's/^  rerun  dassie rerun //p')
like "the failure says how to look" "$err" "^  debug  dassie debug count $key\$"
find .dassie -type f ! -path '*/lock/*' ! -path '*/scan/*' ! -name clock -exec sha256sum {} + | sort >"$T/before"

# --- by key, by name, by file
for name in "$key" data:/b data/b /b b; do
	run dassie debug count "$name" -- sh -c 'cat "$data"'
	is "by '$name'" "$status$out" 02
done
run dassie debug count "data:/c d" -- sh -c 'cat "$data"; exit 7'
is "a name with a blank; the command's exit status" "$status$out" 73
run dassie debug count data:/a -- sh -c 'echo "$GREETING $(ls "$PFS")"'
is "a datum that did not fail: its environment, nothing but its input" "$out" "hello data
out"

# --- exactly what the command has
step=$(ls .dassie/steps/count-*.sh)
run dassie debug count data:/a -- sh -c 'sh "$1"; cat "$out/env.a" "$out/pwd.a" "$out/umask.a"' sh "$step"
is "the step runs there" "$status" 0
seen=$out
sed -i 's/!= 2 /!= 9 /' pipeline.yaml
run dassie run
# Where there is no /pfs the two have views of their own.
view() { sed 's:/\.dassie/[a-z]*/[0-9a-f]*:/VIEW:'; }
is "the environment, folder and umask are those of the step" "$(printf '%s\n' "$seen" | view)" \
	"$(cat out/count/env.a out/count/pwd.a out/count/umask.a | view)"

# --- nothing is kept
run dassie debug count data:/a -- sh -c 'echo wrong >"$out/x"; echo y >"$TMPDIR/y"; kill -KILL $$'
is "a command that is killed" "$status" 137
run dassie debug count data:/a -- sh -c 'echo wrong >"$out/x"'
is "its output is thrown away" "$(find .dassie/debug .dassie/plan .dassie/work -mindepth 1 2>/dev/null | grep -e debug/ -e debug- -e work/)" ""
ran "and never a result" 0 dassie run
run dassie fsck
is "the state is sound" "$status" 0

# --- what reads a pipeline's output
run dassie debug total / -- sh -c 'ls "$count" | wc -l; echo more >>"$count/pwd.a" || echo no'
like "nobody can write to a result" "$out" no
run env DASSIE_PFS=0 dassie debug total / -- sh -c 'ls "$count" | wc -l; echo more >>"$count/pwd.a" || echo no'
if [ "$(id -u)" = 0 ]; then
	like "without a /pfs root can, and that is found" "$err" 'wrote|changed'
	like "with the way out" "$err" 'dassie fsck --repair'
	run dassie fsck --repair
else
	like "an ordinary user cannot without a /pfs" "$out" no
fi
run dassie run
run dassie fsck
is "the state is sound after that, too" "$status" 0

# --- a stop on the way
run dassie debug count data:/nowhere
is "no such datum" "$status" 2
like "says how to list them" "$err" "'count' has no datum 'data:/nowhere'; 'dassie datums count'"
run dassie debug cuont data:/a
is "no such pipeline" "$status" 2
like "did you mean" "$err" "did you mean 'count'"
run dassie debug count
is "no datum" "$status" 2
mkdir -p data/sub
echo 4 >data/sub/a
run dassie debug count a -- true
is "one of several: the exact path is meant" "$status" 0
run dassie debug count data:/sub/ -- sh -c 'cat "$data/a"'
is "what was never run" "$status$out" 04

# --- what was edited a moment ago, and a datum of yesterday
echo 22 >data/b
run dassie debug count data:/b -- sh -c 'cat "$data"'
is "what is shown is scanned anew" "$status$out" 022
run env DASSIE_PFS=0 dassie debug count data:/b -- sh -c 'echo 33 >"$DASSIE_PROJECT/data/b"'
like "an input that changed meanwhile is told" "$err" 'data:/b: '
run dassie debug count data:/b -- sh -c 'echo 44 >"$DASSIE_PROJECT/data/b"; cat "$data"'
is "a copy has not changed" "$out$err" 33
head -c 70000 /dev/zero >data/b
run dassie debug count data:/b -- sh -c 'echo >>"$DASSIE_PROJECT/data/b"'
like "a large one may have" "$err" "data:/b: its input 'data:/b' changed while the command ran"

# --- without namespaces
run env DASSIE_PFS=0 dassie debug count data:/a -- sh -c 'cat "$data"; echo "$PFS"'
like "without a /pfs it goes on" "$status:$out" '/.dassie/debug/[0-9]+$'
like "with the same input" "$out" '^1$'

# --- a shell
printf 'cat "$data"; echo "in $PWD"\nexit 3\n' >"$T/typed"
status=0
dassie debug count data:/a <"$T/typed" >"$T/out" 2>"$T/err" || status=$?
is "a shell takes what is typed" "$status" 3
like "in the project's folder" "$(cat "$T/out")" "^in $PWD\$"
like "it says how to run the step" "$(cat "$T/err")" "^  the step    sh $(ls .dassie/steps/count-*.sh)\$"
like "and that nothing is kept" "$(cat "$T/err")" 'thrown away'

# --- a killed debugger leaves nothing for long
dassie debug count data:/a -- sleep 60 &
pid=$!
owned $pid
i=0
while [ ! -d ".dassie/debug/$pid/out" ] && [ $i -lt 400 ]; do sleep 0.05; i=$((i + 1)); done
ok "nobody waits for it" timeout 20 dassie run
kill -KILL $pid
wait $pid 2>/dev/null
run dassie debug count data:/a -- true
is "the next one sweeps up" "$(find .dassie/debug -mindepth 1)" ""

done_testing
