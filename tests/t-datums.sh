#!/bin/sh
# dassie datums -f: which datums a spec would make.
# shellcheck disable=SC2016,SC2119
. "$(dirname "$0")/lib.sh"

project
mkdir -p 'r/a dir' && echo 1 >r/x1 && echo 2 >'r/a dir/y' && echo 3 >r/x2
cat >spec.yaml <<'SPEC'
repos: {r: r}
pipelines:
  each: {input: r/*, run: 'false'}
  pairs:
    input: {join: [{pfs: {repo: r, name: l, glob: "/(?)(?)", join_on: $2}}, {pfs: {repo: r, name: m, glob: "/(?)(?)", join_on: $2}}]}
    run: 'false'
  none: {input: r/nothing, run: 'false'}
  ticks: {input: {cross: [{cron: {name: tick, spec: "@daily"}}, r/]}, run: 'false'}
  after: {input: each/*, run: 'false'}
SPEC
run dassie datums -f spec.yaml each pairs
is "status" "$status" 0
is "a line a datum" "$out" "each  r:/a dir/
each  r:/x1
each  r:/x2
pairs  l:/x1 m:/x1
pairs  l:/x2 m:/x2"
is "nothing was run or written" "$(ls -A)" "r
spec.yaml"
run dassie datums -f spec.yaml none ticks
is "none: status" "$status" 0
is "none: nothing" "$out" ""
like "none: told" "$err" '^dassie: none: no datums'
like "ticks: told" "$err" "'ticks_tick' has no tick yet"
run dassie datums -f spec.yaml --json pairs
is "json" "$(echo "$out" | head -n 1)" \
	'{"pipeline":"pairs","inputs":[{"name":"l","repo":"r","path":"/x1","join_on":"1"},{"name":"m","repo":"r","path":"/x1","join_on":"1"}]}'
run dassie datums -f spec.yaml
is "a pipeline that never ran: status" "$status" 1
like "a pipeline that never ran: told" "$err" "repo 'each' has no commit yet"
run dassie datums -f spec.yaml nobody
is "no such pipeline" "$status" 2
run dassie datums -f nowhere.yaml
is "no such file" "$status" 2
echo 'pipelines: {x: {inptu: r/*}}' >bad.yaml
run dassie datums -f bad.yaml
is "errors: status" "$status" 1
like "errors: told" "$err" "did you mean 'input'"

echo 'x2' >r/.dassieignore
run dassie datums -f spec.yaml each
like "ignored: told before the first scan" "$err" 'what its .dassieignore leaves out is listed'
sed -i 's/false/true/' spec.yaml
mv spec.yaml pipeline.yaml
run dassie compile -q
run make
run dassie datums -f pipeline.yaml each after
is "after a make: its commits" "$out" "each  r:/a dir/
each  r:/x1"
run dassie datums each
is "without -f: the record" "$status" 0
like "help" "$(dassie datums -f x --help)" '^usage: dassie datums -f SPEC'

done_testing
