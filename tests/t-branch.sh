#!/bin/sh
# Branches: output_branch, heads moved by hand, triggers.  Pachyderm's deferred processing, with make.
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"
need_pfs

copy() {
	echo "---"
	echo "pipeline: {name: $1}"
	echo "input: {pfs: {glob: \"/*\", name: in, $2}}"
	echo "transform: {cmd: [sh], stdin: ['cat \$in > /pfs/out/\$(basename \$in)']}"
	[ $# -lt 3 ] || echo "$3"
}

head_of() {
	dassie branch --json "${1%@*}" | sed -n "s/.*\"branch\":\"${1#*@}\".*\"head\":\"\([0-9a-f]*\)\".*/\1/p"
}

# Deferred processing: what a pipeline writes to staging is seen when master is moved.
project
mkdir src && echo 1 >src/a
{
	copy p 'repo: src' 'output_branch: staging'
	copy q 'repo: p'
	copy r 'repo: p, branch: staging'
} >pipeline.yaml
run dassie compile
is "compiles" "$status" 0 || diag "$err"
like "what nobody moves is told" "$err" "the branch 'master' of 'p' is empty until 'dassie branch p@master --head COMMIT'"
ran "staging moves, master does not" 2 make
is "who reads staging has it" "$(cat out/r/a)" 1
ok "who reads master has nothing" test ! -e out/q/a
ok "nothing to do" make -q
run dassie branch p@master --head staging
is "master is moved" "$status" 0 || diag "$err"
like "who reads it is told" "$err" 'make updates what reads it: q'
not_ok "make has to look" make -q
ran "it runs" 1 make
is "the data is there" "$(cat out/q/a)" 1
run dassie compile
unlike "a head is there: no warning" "$err" 'is empty until'
echo 2 >src/a
ran "staging moves again" 2 make
is "master stayed" "$(cat out/q/a)" 1
run dassie branch p@master --head staging^
like "an older one" "$err" 'is already'
run dassie branch p@master --head staging
ran "master moves to what is known" 1 make
is "the new data" "$(cat out/q/a)" 2
run dassie branch p@master --head "$(dassie log --json p | sed -n '2s/.*"commit":"\([0-9a-f]\{12\}\).*/\1/p')"
is "back by a commit's id" "$status" 0 || diag "$err"
ran "back costs nothing" 0 make
is "the old data" "$(cat out/q/a)" 1
run dassie ls p@master
is "ls of a branch" "$status $out" "0 a"
run dassie cat p@staging:a
is "cat of the branch that the pipeline writes" "$out" 2
run dassie ls p@nothere
is "no such branch" "$status" 2
like "it is told" "$err" "no commit or branch 'nothere'"

# A lost or copied state heals.
rm .dassie/refs/q.done
ran "a lost mark" 0 make
cp -R . "$T/copied" && cd "$T/copied" || exit 1
touch .dassie/refs/*
ran "a copy, touched" 0 make
is "the branch is as it was" "$(cat out/q/a)" 1

# A source's branch keeps what it points at, whatever becomes of the folder.
project
mkdir src && echo 1 >src/a
copy dev 'repo: src, branch: dev' >pipeline.yaml
run dassie compile
ran "an empty branch" 0 make
run dassie branch src@dev --head master
is "made" "$status" 0 || diag "$err"
rm src/a && echo 2 >src/b
ran "the old content, although it is gone from the folder" 1 make
is "it is the old one" "$(ls out/dev)" a
run dassie why out/dev/a
like "why knows the source" "$out" 'source src'
run dassie gc --run
run dassie fsck
is "gc keeps it" "$status" 0 || diag "$out$err"
run dassie branch src@master --head dev
is "a source's own branch cannot be moved" "$status" 2
run dassie branch src@dev --delete
is "a branch that is read cannot be removed" "$status" 2
run dassie branch src@other --head dev
run dassie branch src@other --delete
is "another can" "$status" 0 || diag "$err"
run dassie branch src@other --delete
is "once" "$status" 2
run dassie branch nowhere@x --head y
is "no such repo" "$status" 2
run dassie branch src@x --head feed
is "no such commit" "$status" 2

# Triggers: so many commits, so many bytes, both; of sources and of pipelines.
project
mkdir src && echo 1 >src/a
{
	copy two 'repo: src, trigger: {commits: 2}'
	copy big 'repo: src, trigger: {size: 1K}'
	copy both 'repo: src, branch: slow, trigger: {commits: 2, size: 1K, all: true}'
	copy after 'repo: two, trigger: {commits: 2}'
	copy chain 'repo: src, branch: slower, trigger: {branch: slow, commits: 1}'
} >pipeline.yaml
run dassie compile
is "triggers: compiles" "$status" 0 || diag "$err"
ran "triggers: one commit is not enough" 0 make
ok "triggers: nothing to do" make -q
ran "triggers: looking again is no commit" 0 make
echo 2 >src/b
ran "triggers: two commits" 2 make
is "triggers: what follows the output has one" "$(dassie branch --json two | grep -c after-trigger-1)" 1
ok "triggers: and waits" test ! -e out/after/a
echo 3 >src/c
echo 4 >src/c
ran "triggers: one more, counted anew" 0 make
head -c 2000 /dev/zero | tr '\0' x >src/d
# big: all four; two: c and d are new; both and chain: all four; after: the first two of its own.
ran "triggers: a commit and size" 18 make
is "triggers: big" "$(ls out/big | wc -l | tr -d ' ')" 4
is "triggers: chain" "$(ls out/chain | wc -l | tr -d ' ')" 4
is "triggers: of a pipeline's output" "$(ls out/after | wc -l | tr -d ' ')" 4
is "triggers: heads" "$(head_of src@slow)" "$(head_of src@slower)"
run dassie branch src
like "triggers: are listed" "$out" 'src@slow .* follows src: 2 commits and 1.0 kB'
like "triggers: those of a chain" "$out" 'src@slower .* follows src@slow: 1 commits'
ok "triggers: nothing more to do" make -q

# Incremental equals clean: the same heads from a run that was killed before the stage had told the trigger.
rm -f .dassie/branches/*
ran "triggers: without its counts" 0 make

# Times: not more often than that, and at that time; both also when time has gone by and no commit came.
project
mkdir src && echo 1 >src/a
{
	copy hourly 'repo: src, branch: hourly, trigger: {rate_limit_spec: "@every 1h"}'
	copy daily 'repo: src, branch: daily, trigger: {cron_spec: "@every 1h"}'
	copy both 'repo: src, branch: both, trigger: {rate_limit_spec: "@every 1h", commits: 2, all: true}'
	copy never 'repo: src, branch: never, trigger: {cron_spec: "@never"}'
} >pipeline.yaml
run dassie compile
is "times: compiles" "$status" 0 || diag "$err"
# ago HOURS BRANCH: as if its head had moved so long ago.
ago() {
	perl -pi -e 's/^asof (\d+)/"asof " . ($1 - '"$1"' * 3600 * 1000000000)/e' ".dassie/refs/src@$2"
}
ran "times: the first is not too often, but it is not yet time" 1 make
is "times: hourly" "$(ls out/hourly)" a
echo 2 >src/b
ran "times: too soon but for the first, with its second commit" 2 make
for b in hourly daily both never; do ago 2 $b; done
ran "times: two hours later, without a new commit" 3 make
is "times: which" "$(ls out/hourly out/daily out/both | tr '\n' ' ')" "out/both: a b  out/daily: a b  out/hourly: a b "
ok "times: never" test ! -e out/never/a
ran "times: nothing more" 0 make
ok "times: up to date" make -q

# A trigger that moves a source's master says where the source's commits go: to the branch that is followed.
project
mkdir src && echo 1 >src/a
{
	copy day 'repo: src, branch: master, trigger: {branch: staging, commits: 2}'
	copy now 'repo: src, branch: staging'
} >pipeline.yaml
run dassie compile
is "staging: compiles, without a word" "$status $err" "0 dassie: compiled 2 pipelines from pipeline.yaml: Makefile written"
ran "staging: who reads it sees each commit" 1 make
ok "staging: master has none yet" test ! -e out/day/a
like "staging: the list" "$(dassie branch src)" 'src@staging .* what the source has'
echo 2 >src/b
ran "staging: the second commit moves master" 3 make
is "staging: both" "$(ls out/day out/now | tr '\n' ' ')" "out/day: a b  out/now: a b "
run dassie branch src@staging --head master
is "staging: only make moves it" "$status" 2
echo 3 >src/c
ran "staging: the third does not" 1 make
run dassie branch src@master --head staging
is "staging: by hand" "$status" 0 || diag "$err"
ran "staging: what was moved by hand" 1 make
run dassie ls src@master
is "staging: master is no name of the newest" "$(echo "$out" | grep -c .)" 3

# What is no trigger.
project
mkdir src
{
	copy a 'repo: src, trigger: {}'
	copy b 'repo: i, branch: master, trigger: {branch: dev, commits: 1}'
	copy c 'repo: src, branch: master, trigger: {branch: master, commits: 1}'
	copy d 'repo: src, branch: y, trigger: {branch: z, commits: 1}'
	copy e 'repo: src, branch: z, trigger: {branch: y, commits: 1}'
	copy f 'repo: src, branch: w, trigger: {commits: 1}'
	copy g 'repo: src, branch: w, trigger: {commits: 2}'
	copy h 'repo: src, branch: a b'
	copy i 'repo: src'
	copy j 'repo: src' 'output_branch: a/b'
} >pipeline.yaml
run dassie compile
is "no triggers: status" "$status" 1
like "no condition" "$err" "a trigger says when the branch moves"
like "on the branch of the commits" "$err" "the commits of 'i' go to its branch 'master', so no trigger can move that; leave 'branch' out, or write 'output_branch: dev' in 'i'"
like "a circle" "$err" "branches that follow each other in a circle"
like "two triggers" "$err" "the branch 'src@w' has another trigger in another input"
like "no branch's name" "$err" "'a b' cannot be a branch's name"
like "no output branch's name" "$err" "'a/b' cannot be a branch's name"

done_testing
