#!/bin/sh
# Pachyderm's semantics, as specs of Pachyderm written with /pfs show them: what a datum is, what is skipped, what is retried,
# what joins and groups give.  Commands that pachyderm's users wrote run as they are.
# shellcheck disable=SC2016,SC2119
. "$(dirname "$0")/lib.sh"
need_pfs

# spec NAME INPUT CMD LINE...: one pipeline as a document; INPUT is flow YAML, CMD a word or a list, LINEs are its stdin.
spec() {
	spec_name=$1 spec_input=$2 spec_cmd=$3
	shift 3
	echo "---"
	echo "pipeline: {name: $spec_name}"
	echo "input: $spec_input"
	echo "transform:"
	echo "  cmd: $spec_cmd"
	if [ $# -gt 0 ]; then
		echo "  stdin:"
		for spec_line in "$@"; do
			printf "    - '%s'\n" "$(printf %s "$spec_line" | sed "s/'/''/g")"
		done
	fi
}

# job PIPELINE FIELD: of its newest job.
job() {
	dassie jobs --json -n 1 "$1" | sed "s/.*\"$2\":\"\{0,1\}\([^,\"}]*\).*/\1/"
}

# counts PIPELINE: "processed skipped failed recovered"
counts() {
	echo "$(job "$1" processed) $(job "$1" skipped) $(job "$1" failed) $(job "$1" recovered)"
}

compiled() {
	run dassie compile -q
	is "${1:-compiles}" "$status" 0 || diag "$err"
}

repo_r() {
	project
	mkdir r && echo 1 >r/a && echo 2 >r/b
}

# a. What a datum is, and which of them run.
repo_r
spec p '{pfs: {repo: r, glob: "/*"}}' '[sh]' 'echo "$r" >/pfs/out/$(basename "$r")' >pipeline.yaml
compiled "a: compiles"
ran "a: two datums" 2 make
is "a: the variable" "$(cat out/p/a)" /pfs/r/a
ran "a: again" 0 make
echo 3 >r/a
ran "a: one changed" 1 make
is "a: one ran, one skipped" "$(counts p)" "1 1 0 0"
rm r/b
ran "a: one gone" 0 make
is "a: its output is gone" "$(ls out/p)" a
is "a: counts" "$(counts p)" "0 1 0 0"

# b, c. The whole repo as one datum; cmd is argv, stdin its lines.
repo_r
spec p '{pfs: {repo: r, glob: "/"}}' '["sh"]' 'echo $r >/pfs/out/name' 'cat /pfs/r/* > /pfs/out/x' >pipeline.yaml
compiled "b: compiles"
ran "b: one datum" 1 make
is "b: it sees all" "$(cat out/p/x)" "1
2"
is "c: the variable is the repo" "$(cat out/p/name)" /pfs/r
echo 3 >r/b
ran "b: any change reruns it" 1 make

# d. Attempts.
repo_r
spec two '{pfs: {repo: r, glob: "/a"}}' '[sh]' "echo x >>'$T/two'; test \$(wc -l <'$T/two') -eq 2 && cp \$r /pfs/out/" >pipeline.yaml
{
	echo "datum_tries: 2"
	spec one '{pfs: {repo: r, glob: "/a"}}' '[sh]' "echo x >>'$T/one'; test \$(wc -l <'$T/one') -eq 2"
	echo 'datum_tries: "1"'
	spec three '{pfs: {repo: r, glob: "/a"}}' '[sh]' "echo x >>'$T/three'; exit \$(wc -l <'$T/three')"
	echo "datumTries: 0"
} >>pipeline.yaml
compiled "d: compiles"
run make -k
is "d: tries 2" "$(wc -l <"$T/two" | tr -d ' ') $(job two state)" "2 success"
is "d: tries 1" "$(wc -l <"$T/one" | tr -d ' ') $(job one state)" "1 failure"
is "d: tries 0 are three" "$(wc -l <"$T/three" | tr -d ' ') $(job three state)" "3 failure"

# e. Exit codes that are success.
repo_r
spec p '{pfs: {repo: r, glob: "/*"}}' '[sh]' 'cp $r /pfs/out/' 'exit 3' >pipeline.yaml
echo "  acceptReturnCode: [3]" >>pipeline.yaml
compiled "e: compiles"
ran "e: exit 3 is accepted" 2 make
sed "s/acceptReturnCode: .*/acceptReturnCode: [$(seq -s, 3 60)]/" pipeline.yaml >long.yaml && mv long.yaml pipeline.yaml
ok "e: more codes than a line has fields" make
is "e: the output is kept" "$(cat out/p/b)" 2

# f. err_cmd makes a failed datum a recovered one: no output, and the next job tries it again.
repo_r
{
	spec p '{pfs: {repo: r, glob: "/*"}}' '["sh"]' 'test $r = /pfs/r/a && cp $r /pfs/out/ && exit; touch /pfs/out/left; false'
	printf '  err_cmd: ["true"]\ndatum_tries: 2\n'
	spec all '{pfs: {repo: r, glob: "/b"}}' '["false"]'
	printf '  errCmd: ["true"]\n'
} >pipeline.yaml
compiled "f: compiles"
run make
is "f: success" "$status $(job p state) $(job all state)" "0 success success" || diag "$err"
is "f: one recovered" "$(counts p)" "1 0 0 1"
is "f: recovered alone" "$(counts all)" "0 0 0 1"
is "f: only what succeeded is there" "$(ls out/p) $(find out/all -type f | wc -l | tr -d ' ')" "a 0"
ok "f: make has nothing to do" make -q
echo 3 >r/c
run make
is "f: the next job tries it again" "$(counts p)" "0 1 0 2"

# g, h. Two writers of one path.
repo_r
spec p '{pfs: {repo: r, glob: "/*"}}' '[sh]' 'cat $r >/pfs/out/same' >pipeline.yaml
compiled "g: compiles"
run make
is "g: two writers fail the job" "$status" 2
like "g: the path is told" "$err" "same"
echo "merge: concat" >>pipeline.yaml
ran "g: put together, nothing runs again" 0 make
is "g: in the order of the datums" "$(cat out/p/same)" "1
2"
spec p '{pfs: {repo: r, glob: "/*"}}' '[sh]' 'if [ $r = /pfs/r/a ]; then echo x >/pfs/out/x; else mkdir /pfs/out/x && echo y >/pfs/out/x/y; fi' >pipeline.yaml
run make
is "h: a file and a folder fail the job" "$status" 2

# i. A cross with nothing.
repo_r
mkdir empty
spec p '{cross: [{pfs: {repo: r, glob: "/*"}}, {pfs: {repo: empty, glob: "/*"}}]}' '["false"]' >pipeline.yaml
compiled "i: compiles"
ran "i: no datums" 0 make
is "i: success" "$(job p state) $(job p total)" "success 0"

# j. 6.7's vectors: fifty files.
project
mkdir f
i=0
while [ $i -lt 50 ]; do
	echo $i >"f/foo$i"
	i=$((i + 1))
done
tell='for i in a b; do [ ! -d /pfs/$i ] || echo $i $(cd /pfs/$i && ls | sed s/foo//); done >/pfs/out/$PACH_DATUM_ID'
vector() {
	spec "$1" "$2" '[sh]' "$tell"
}
{
	vector cross '{cross: [{pfs: {repo: f, name: a, glob: "/foo?1"}}, {pfs: {repo: f, name: b, glob: "/foo*2"}}]}'
	vector union '{union: [{pfs: {repo: f, name: a, glob: "/foo?1"}}, {pfs: {repo: f, name: b, glob: "/foo*2"}}]}'
	vector nothing '{pfs: {repo: f, name: a, glob: "!(**)"}}'
	vector nested-nothing '{cross: [{union: [{pfs: {repo: f, name: a, glob: "!(**)"}}]}, {pfs: {repo: f, name: b, glob: "/*"}}]}'
	vector join '{join: [{pfs: {repo: f, name: a, glob: "/foo(?)(?)", join_on: "$1$2"}}, {pfs: {repo: f, name: b, glob: "/foo(?)(?)", join_on: "$2$1"}}]}'
	vector outer '{join: [{pfs: {repo: f, name: a, glob: "/foo1(?)", join_on: $1, outer_join: true}}, {pfs: {repo: f, name: b, glob: "/foo(?)1", joinOn: $1, outerJoin: True}}]}'
	vector group '{group: [{pfs: {repo: f, name: a, glob: "/foo(?)(?)", group_by: "$1"}}]}'
	vector group2 '{group: [{pfs: {repo: f, name: a, glob: "/foo(?)(?)", group_by: "$1"}}, {pfs: {repo: f, name: b, glob: "/foo(?)(?)", group_by: "$2"}}]}'
	vector groupjoin '{group: [{join: [{pfs: {repo: f, name: a, glob: "/foo(?)(?)", join_on: "$1$2", group_by: "$1"}}, {pfs: {repo: f, name: b, glob: "/foo(?)(?)", join_on: "$2$1", group_by: "$2"}}]}]}'
	vector uniongroup '{union: [{pfs: {repo: f, name: a, glob: "/foo(?)(?)"}}, {group: [{pfs: {repo: f, name: b, glob: "/foo(?)(?)", group_by: "$2"}}]}]}'
} >pipeline.yaml
compiled "6.7: compiles"
run make -j2
is "6.7: make" "$status" 0 || diag "$err"
for v in cross=20 union=9 nothing=0 nested-nothing=0 join=16 outer=10 group=4 group2=10 groupjoin=4 uniongroup=50; do
	is "6.7: ${v%=*}: datums" "$(job "${v%=*}" total)" "${v#*=}"
done
all() {
	if [ -d "out/$1" ]; then find "out/$1" -type f -exec sh -c 'tr "\n" " " <"$1"; echo' sh {} \; | sort; fi
}
like "6.7: join" "$(all join)" '^a 12 b 21 $'
is "6.7: outer join: alone, there is neither folder nor variable" "$(all outer | tr '\n' '/')" \
	"a 10 /a 11 b 11 /a 12 b 21 /a 13 b 31 /a 14 b 41 /a 15 /a 16 /a 17 /a 18 /a 19 /"
like "6.7: group" "$(all group)" '^a 10 11 12 13 14 15 16 17 18 19 $'
like "6.7: group of two: key 0" "$(all group2)" '^b 10 20 30 40 $'
like "6.7: group of two: key 1" "$(all group2)" '^a 10 11 12 13 14 15 16 17 18 19 b 11 21 31 41 $'
like "6.7: group of two: key 5" "$(all group2)" '^b 15 25 35 45 $'
like "6.7: group of a join" "$(all groupjoin)" '^a 11 12 13 14 b 11 21 31 41 $'

# propagation_spec: a change of such an input alone starts nothing, and is seen by whatever starts for another reason.
repo_r
mkdir model && echo old >model/m
{
	spec up '{pfs: {repo: model, glob: /}}' '[sh]' 'sed s/^/made-/ </pfs/model/m >/pfs/out/m'
	spec p '{cross: [{pfs: {repo: r, glob: "/*"}}, {pfs: {repo: model, glob: /, propagation_spec: {never: true}}}, {pfs: {repo: up, glob: /, propagationSpec: {never: true}}}]}' \
		'[sh]' 'cat $r /pfs/model/m /pfs/up/m >/pfs/out/$(basename $r)'
	spec after '{pfs: {repo: p, glob: /}}' '[sh]' 'cat /pfs/p/* >/pfs/out/all'
} >pipeline.yaml
run dassie compile
is "never: compiles, without a word" "$status $err" "0 dassie: compiled 3 pipelines from pipeline.yaml: Makefile written"
ran "never: the first job runs, behind what it reads" 4 make -j4
echo new >model/m
ran "never: a change runs what it starts" 1 make
is "never: and nothing else" "$(cat out/after/all | tr '\n' ' ')" "1 old made-old 2 old made-old "
ok "never: up to date" make -q
like "never: status agrees" "$(dassie status)" 'up to date'
unlike "never: status names nothing stale" "$(dassie status)" 'stale'
is "never: the mark names what was planned from" "$(sed -n 's/^input model //p' .dassie/refs/p.done)" \
	"$(dassie log --json model | sed -n '2s/.*"commit":"\([0-9a-f]*\)".*/\1/p')"
echo 3 >r/c
ran "never: a job for another reason sees the newest" 4 make
is "never: all of it" "$(cat out/p/a out/p/c | tr '\n' ' ')" "1 new made-new 3 new made-new "
{
	spec p '{pfs: {repo: r, glob: "/*", propagation_spec: {never: true}}}' '[sh]' 'cp $r /pfs/out/'
} >pipeline.yaml
run dassie compile
like "never: an input must start it" "$err" "all inputs of 'p' say propagation_spec: {never: true}: it runs once"
ran "never: once" 3 make
echo 4 >r/d
ran "never: and no more" 0 make

# k. A cron input compiles, waits, and stands in nobody's way.
repo_r
{
	spec ticking '{cron: {name: tick, spec: "@every 1s", overwrite: true}}' '[sh]' 'touch /pfs/out/$(basename $tick)'
	spec both '{cross: [{cron: {name: tick, spec: "@never"}}, {pfs: {repo: r, glob: /}}]}' '[sh]' 'cp /pfs/r/* /pfs/out/'
	spec after '{pfs: {repo: ticking, glob: "/*"}}' '["true"]'
	spec other '{pfs: {repo: r, glob: "/*"}}' '[sh]' 'cp $r /pfs/out/'
} >pipeline.yaml
run dassie compile
is "k: compiles" "$status" 0
unlike "k: nothing is said of fields" "$err" 'note:'
ran "k: the others run" 2 make
is "k: without a tick there is no datum" "$(job ticking total) $(job both total) $(job after total)" "0 0 0"
ok "k: nothing to do" make -q
rm -rf .dassie/refs
ran "k: the state's refs are made again" 0 make

# k. Ticks are files named by their RFC 3339 times in UTC: with overwrite one datum each time, without all that were, done ones skipped.
project
{
	spec one '{cron: {name: tick, spec: "@every 1s", overwrite: true, missed: all, start: "2030-01-01T00:00:01Z"}}' '[sh]' 'basename $tick >/pfs/out/$(basename $tick)'
	spec all '{cron: {name: tick, spec: "@every 1s", missed: all, start: "2030-01-01T00:00:01Z"}}' '[sh]' 'basename $tick >/pfs/out/$(basename $tick)'
} >pipeline.yaml
compiled "k: ticks: compiles"
dassie cron fire --now 2030-01-01T00:00:00Z
dassie cron fire --now 2030-01-01T00:00:01Z
is "k: overwrite: one datum" "$(job one total) $(ls out/one)" "1 2030-01-01T00:00:01Z"
is "k: else one, too, of the first" "$(job all total) $(ls out/all)" "1 2030-01-01T00:00:01Z"
dassie cron fire --now 2030-01-01T00:00:03Z
is "k: overwrite: the newest alone" "$(job one total) $(ls out/one)" "1 2030-01-01T00:00:03Z"
is "k: else they gather, and those that ran are skipped" "$(job all total) $(job all processed) $(job all skipped)" "3 2 1"
is "k: names are times in UTC" "$(ls out/all | tr '\n' ' ')" "2030-01-01T00:00:01Z 2030-01-01T00:00:02Z 2030-01-01T00:00:03Z "

# r. Two crons in one pipeline: each ticks by its own schedule; by hand both do, at one time.
project
spec p '{cross: [{cron: {name: fast, spec: "*/10 * * * *", overwrite: true}}, {cron: {name: slow, spec: "0 * * * *", overwrite: true}}]}' '[sh]' \
	'echo $(basename $fast) $(basename $slow) >/pfs/out/both' >pipeline.yaml
compiled "r: compiles"
dassie cron fire --now 2030-01-01T00:05:00Z
dassie cron fire --now 2030-01-01T00:50:00Z
is "r: of one alone there is no datum yet" "$(job p total) $(ls out/p)" "0 "
dassie cron fire --now 2030-01-01T01:00:00Z
is "r: both ticked" "$(cat out/p/both)" "2030-01-01T01:00:00Z 2030-01-01T01:00:00Z"
dassie cron fire --now 2030-01-01T01:10:00Z
is "r: one ticks, the other stays" "$(cat out/p/both)" "2030-01-01T01:10:00Z 2030-01-01T01:00:00Z"
dassie tick --at 2030-01-01T01:15:00Z p
is "r: by hand both tick" "$(cat out/p/both)" "2030-01-01T01:15:00Z 2030-01-01T01:15:00Z"
is "r: in one job" "$(job p total)" 1

# l. Names: through a folder, a group and a link.
project
mkdir -p "r/a b"
long=$(printf '%0251d.txt' 7)
nl=$(printf 'new\nline')
for name in 'x y' '$x' 'h#sh' '100%' 'a:b' '*' "q'uote" 'd"ouble' 'back\slash' -dash "$nl" 'grün' "$long"; do
	echo "$name" >"r/a b/$name"
done
spec p '{pfs: {repo: r, glob: "/*/*"}}' '[sh]' 'cp -- "$r" /pfs/out/' >pipeline.yaml
spec q '{pfs: {repo: p, glob: "/"}}' '[sh]' 'cp -R -- "$p/." /pfs/out/' >>pipeline.yaml
compiled "l: compiles"
run make
is "l: make" "$status" 0 || diag "$err"
same "l: every name" "r/a b" out/q

# m. A link in the output to an input of which only names are shown.
repo_r
spec p '{pfs: {repo: r, glob: "/*", empty_files: true}}' '[sh]' 'test ! -s $r && mkdir /pfs/out/by && ln -s $r /pfs/out/by/$(basename $r)' >pipeline.yaml
compiled "m: compiles"
ran "m: runs" 2 make
is "m: the content itself" "$(cat out/p/by/a out/p/by/b)" "1
2"
ok "m: no link" test ! -h out/p/by/a
echo 3 >r/a
ran "m: a link is its content, so content counts" 1 make
is "m: and is taken anew" "$(cat out/p/by/a out/p/by/b)" "3
2"
spec q '{pfs: {repo: p, glob: /, empty_files: true}}' '[sh]' 'ln -s /pfs/p/by /pfs/out/again' >>pipeline.yaml
ran "m: a link to a folder of them" 1 make
same "m: is the folder" out/p/by out/q/again

# datum_batching: a loop that asks for one datum after the other is given one, and is ended when it asks again.
repo_r
{
	spec p '{pfs: {repo: r, glob: "/*"}}' '[bash]' 'echo started' 'while true; do' '  pachctl connect grpc://localhost:1650' \
		'  pachctl next datum' '  cp "$r" /pfs/out/' 'done'
	echo "  datum_batching: true"
	spec fails '{pfs: {repo: r, glob: "/*"}}' '[sh]' 'pachctl next datum' 'pachctl next datum --error "bad: $r"' 'sleep 100'
	echo "  datum_batching: true"
	echo "datum_tries: 1"
	spec ends '{pfs: {repo: r, glob: "/*"}}' '[sh, -c, "pachctl next datum && exit 3"]'
	echo "  datum_batching: true"
	echo "  accept_return_code: [3]"
} >pipeline.yaml
compiled "batching: compiles"
run make -k
is "batching: who asks again has done" "$(counts p)" "2 0 0 0"
same "batching: the output" r out/p
is "batching: a command that ends ends as ever" "$(counts ends)" "2 0 0 0"
is "batching: --error fails the datum" "$(counts fails)" "0 0 2 0"
like "batching: and says why" "$(dassie logs --failed fails 2>&1; dassie logs fails 2>&1)" "bad: /pfs/r/a"

# n, o. What is left running; stdin that nobody reads.
repo_r
spec p '{pfs: {repo: r, glob: "/a"}}' '[sh]' 'sleep 1000 & cp $r /pfs/out/' >pipeline.yaml
spec o '{pfs: {repo: r, glob: "/a"}}' '[cp, /pfs/r/a, /pfs/out/]' 'nobody' 'reads this' >>pipeline.yaml
compiled "n: compiles"
ran "n, o: both end" 2 timeout 60 make
is "o: the output" "$(cat out/o/a)" 1

# p. Slashes.
project
mkdir -p r/2019/01/02 && echo 1 >r/2019/01/02/x && echo 2 >r/daily_1.gz
spec deep '{pfs: {repo: r, glob: "/*/*/*/"}}' '[sh]' 'cp $r/x /pfs/out/' >pipeline.yaml
spec flat '{pfs: {repo: r, glob: "daily_*.gz"}}' '[sh]' 'cp $r /pfs/out/' >>pipeline.yaml
compiled "p: compiles"
ran "p: one each" 2 make
is "p: both" "$(cat out/deep/x out/flat/daily_1.gz)" "1
2"

# q. All forms of a file; the same pipelines come out.
project
mkdir r specs && echo 1 >r/a
printf '\357\273\277# with a byte order mark\r\n{\r\n\t"pipeline": {"name": "one"},\r\n\t"transform": {"cmd": ["cp", "/pfs/r/a", "/pfs/out/"],},\r\n\t"input": {"pfs": {"repo": "r", "glob": "/*"}}\r\n}\r\n{"pipeline":{"name":"two"},"transform":{"cmd":["cp","/pfs/one/a","/pfs/out/"]},"input":{"pfs":{"repo":"one","glob":"/"}}}\r\n' >specs/a.json
cat >specs/b.yml <<'SPEC'
$schema: https://example.org/schema.json
pipeline: {name: three}
transform: {cmd: [cp, /pfs/two/a, /pfs/out/]}
parallelismSpec: {constant: "4"}
enable_stats: True
datum_tries: "2"
resourceLimits: {memory: 1Gi, cpu: 0.5}
job_timeout: 1h30m
input: {pfs: {repo: two, glob: /, lazy: FALSE, emptyFiles: false, outer_join: null}}
---
- pipeline: {name: four}
  transform: {cmd: [cp, /pfs/three/a, /pfs/out/]}
  input: {atom: {repo: three, glob: /}}
- pipeline: {name: five}
  transform: {cmd: [cp, /pfs/four/a, /pfs/out/]}
  inputs: [{repo: {name: four}, glob: /}]
SPEC
run dassie compile specs
is "q: compiles" "$status" 0 || diag "$err"
ran "q: five pipelines in a row" 5 make
is "q: the last has the data of the first" "$(cat out/five/a)" 1
ran "q: nothing to do" 0 make

# s. Names in a union and in a cross.
repo_r
mkdir s && echo 3 >s/c
spec p '{union: [{pfs: {repo: r, name: in, glob: "/*"}}, {pfs: {repo: s, name: in, glob: "/*"}}]}' '[sh]' 'cp $in /pfs/out/' >pipeline.yaml
compiled "s: a union may share a name"
ran "s: three datums" 3 make
is "s: both branches" "$(cat out/p/*)" "1
2
3"
spec p '{cross: [{pfs: {repo: r, name: in, glob: "/*"}}, {pfs: {repo: s, name: in, glob: "/*"}}]}' '[sh]' 'cp $in /pfs/out/' >pipeline.yaml
run dassie compile
is "s: a cross may not" "$status" 1

# t. A changed command: the policy is that it is part of a datum's identity, and why says so.
repo_r
spec p '{pfs: {repo: r, glob: "/*"}}' '[sh]' 'cp $r /pfs/out/' >pipeline.yaml
compiled "t: compiles"
ran "t: runs" 2 make
spec p '{pfs: {repo: r, glob: "/*"}}' '[sh]' 'cp $r /pfs/out/ && :' >pipeline.yaml
run dassie status
ran "t: another command reruns" 2 make
run dassie why p
like "t: and it is told why" "$out$err" '[Ss]tep|command|spec'

# reprocess_spec: each job runs all its datums, and only jobs that there are.
repo_r
spec p '{pfs: {repo: r, glob: "/*"}}' '[sh]' 'cp $r /pfs/out/' >pipeline.yaml
echo "reprocess_spec: every_job" >>pipeline.yaml
compiled "every_job: compiles"
ran "every_job: runs" 2 make
ran "every_job: no job, no datum" 0 make
echo 3 >r/c
ran "every_job: all of them" 3 make

# Pachyderm's first example, with a program of the project in place of its image.
project
mkdir images
for i in liberty kitten; do echo "pixels of $i" >images/$i.png; done
cat >edges.py <<'PY'
import os
for dirpath, dirs, files in os.walk("/pfs/images"):
    for f in files:
        with open(os.path.join(dirpath, f)) as i, open(os.path.join("/pfs/out", os.path.splitext(f)[0] + ".edges"), "w") as o:
            o.write(i.read().upper())
PY
cat >pipeline.json <<'SPEC'
{
  "pipeline": {"name": "edges"},
  "description": "A pipeline that performs image edge detection by using the OpenCV library.",
  "transform": {"cmd": ["python3", "edges.py"], "image": "pachyderm/opencv:1.0"},
  "input": {"pfs": {"repo": "images", "glob": "/*"}}
}
{
  "pipeline": {"name": "montage"},
  "input": {"cross": [{"pfs": {"glob": "/", "repo": "images"}}, {"pfs": {"glob": "/", "repo": "edges"}}]},
  "transform": {"cmd": ["sh"], "stdin": ["cat $(find -L /pfs/images /pfs/edges -type f | sort) > /pfs/out/montage.png"]}
}
SPEC
compiled "edges: compiles"
ran "edges: two and one" 3 make -j2
like "edges: the montage" "$(cat out/montage/montage.png)" 'PIXELS OF KITTEN'

# A set whose sources are not there yet compiles.
project
spec p '{pfs: {repo: nowhere, glob: "/*"}}' '["true"]' >pipeline.yaml
run dassie compile
is "no folder: compiles" "$status" 0
like "no folder: a warning" "$err" "warning: pipeline 'p' reads the folder 'nowhere', which is not there"
run make
like "no folder: make says what is missing" "$err" "no directory 'nowhere'"

done_testing
