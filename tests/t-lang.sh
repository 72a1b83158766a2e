#!/bin/sh
# What the spec language has beyond Pachyderm's, at run time.
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"

# match: a regex makes datums, its captures are variables and part of the key.
project
for site in north south; do
	for year in 2019 2020; do
		mkdir -p "logs/$site" && echo "$site $year" >"logs/$site/$year-01.csv"
	done
	echo "$site" >"logs/$site.json"
done
cat >pipeline.yaml <<'SPEC'
repos: {logs: logs}
pipelines:
  year:
    input: logs ~ (?<site>[^/]+)/(?<year>\d{4})-\d\d\.csv
    run: echo "$site $year $logs" >"$out/$site-$year"
  join:
    input:
      join:
        - pfs: {repo: logs, match: '(?<site>[^/]+)/(?<year>\d{4}).*', join_on: $site}
        - pfs: {repo: logs, name: about, match: '^/(?<site>.*)\.json$', join_on: '${site}'}
    run: echo "$(cat "$about") $site $year" >"$out/$site-$year"
  group:
    input: {group: [{pfs: {repo: logs, match: '(?<site>[^/]+)/(?<year>\d{4})-(?<day>\d\d\d)?.*', group_by: $year}}]}
    run: 'echo "[$day]" >"$out/$year"; cat "$PFS"/logs/*/* >>"$out/$year"'
  folder:
    input: logs ~ (?<site>[^/]+)/
    run: ls "$logs" >"$out/$site"
SPEC
run dassie compile -q
is "match: compiles" "$status" 0 || diag "$err"
ran "match: datums" 12 make
is "match: captures" "$(sed "s: /.*/logs/: :" out/year/south-2020)" "south 2020 south/2020-01.csv"
is "match: joined on a name" "$(cat out/join/* | tr '\n' ' ')" "north north 2019 north north 2020 south south 2019 south south 2020 "
is "match: grouped by a name, an empty capture" "$(tr '\n' ' ' <out/group/2019)" "[] north 2019 south 2019 "
is "match: folders" "$(ls out/folder)" "north
south"
run dassie datums -f pipeline.yaml --json year
like "match: datums -f tells the captures" "$out" '"captures":\{"site":"north","year":"2019"\}'
sed 's/(?<year>\\d{4})-\\d\\d/(?<year>\\d{3}).*/' pipeline.yaml >p && mv p pipeline.yaml
ran "match: other captures, other datums" 4 make
run dassie glob --match logs '(?<x>.*)\.json'
is "glob --match" "$out" "/north.json
/south.json"
run dassie glob --match logs '(?<x>.*'
is "glob --match: no regex" "$status" 2
cat >pipeline.yaml <<'SPEC'
repos: {logs: logs}
pipelines:
  both:
    input: {cross: ['logs ~ (?<site>[^/]+)/.*', {pfs: {repo: logs, name: other, match: '(?<site>[^/]+)/.*'}}]}
    run: 'true'
SPEC
run make
is "match: two values of a capture in one datum" "$status" 2
like "match: it is told" "$err" "two inputs capture 'site', and in one datum it is 'north' and 'south'"

# params: -D changes them, make keeps what was given, and a value enters the step.
project
mkdir -p data inc && echo 1 >data/a && echo 2 >data/b
cat >pipeline.yaml <<'SPEC'
include: inc/common.yaml
repos: {data: data}
pipelines:
  p-${side}:
    foreach: {side: [left, right]}
    input: data/*
    run: |
      n=${data##*/}
      echo "${side} ${mode} ${days} $n" >"$out/$n"
SPEC
cat >inc/common.yaml <<'SPEC'
params:
  mode: {values: [fast, exact], default: fast}
  days: 7
SPEC
run dassie compile -D days=3
is "params: compiles" "$status" 0 || diag "$err"
ran "params: two pipelines of two datums" 4 make
is "params: the values" "$(cat out/p-left/a out/p-right/b)" "left fast 3 a
right fast 3 b"
ok "params: nothing to do" make -q
echo '# a comment' >>inc/common.yaml
ran "params: an included file is a spec: compiled again, the same" 0 make
like "params: make keeps -D" "$(cat .dassie/steps/p-left-*.sh)" 'left fast 3'
sed 's/default: fast/default: exact/' inc/common.yaml >p && mv p inc/common.yaml
ran "params: a default changed there" 4 make
is "params: the new value beside the kept one" "$(cat out/p-left/a)" "left exact 3 a"
ran "params: run -D" 4 dassie run -D days=5
is "params: run -D: the value" "$(cat out/p-left/a)" "left exact 5 a"
ran "params: it stays" 0 make
ran "params: the old value costs nothing" 0 dassie run -D days=3
run dassie run -D days=x
is "params: a value of the wrong type" "$status" 1
like "params: it is told" "$err" "-D days=x: param 'days' is a whole number, not 'x'"
run dassie compile -D dasy=3
like "params: no such param" "$err" "no param 'dasy'; did you mean 'days'"
run dassie compile -D days
is "params: no value" "$status" 2
run dassie datums -f pipeline.yaml -D days=4 p-left
is "params: datums -f" "$status $out" "0 p-left  data:/a
p-left  data:/b"
mv inc/common.yaml inc/gone.yaml
run make
is "params: an included file is gone" "$status" 2
like "params: it is told where it is included" "$err" "pipeline.yaml:1:10: error: cannot include 'inc/common.yaml': No such file"

# include: folders, circles, what is included twice.
project
mkdir -p specs/parts data
cat >specs/a.yaml <<'SPEC'
include: [parts/p.yaml, b.yaml]
pipelines: {a: {input: data/*, run: 'echo ${n}'}}
SPEC
echo 'include: parts/p.yaml
pipelines: {b: {input: data/*, run: "echo ${n}"}}' >specs/b.yaml
echo 'params: {n: 1}
repos: {data: data}' >specs/parts/p.yaml
run dassie compile specs --print-spec
is "include: a folder" "$status" 0 || diag "$err"
is "include: once each" "$(echo "$out" | grep -c 'echo 1')" 2
echo 'include: ../a.yaml' >>specs/parts/p.yaml
run dassie compile specs
is "include: a circle" "$status" 1
like "include: its files" "$err" 'in a circle: specs/a.yaml -> specs/parts/p.yaml -> specs/a.yaml'

# Folders in folders.
project
mkdir -p specs/team-a/deep specs/.hidden data && echo 1 >data/x
one() {
	printf '%s\n' "pipeline: {name: $1}" 'input: {pfs: {repo: data, glob: "/*"}}' 'transform: {cmd: [sh], stdin: [cp "$data" "$out/"]}'
}
one a >specs/a.yaml
one b >specs/team-a/b.yml
one c | sed 's/^/# /' >specs/team-a/README.md
one d >specs/.hidden/d.yaml
ln -s .. specs/team-a/loop
run dassie compile specs
is "folders: compiles" "$status" 0 || diag "$err"
ran "folders: of subfolders, too, not what is hidden" 2 make
one e >specs/team-a/deep/e.yaml
ran "folders: a new spec in an old subfolder" 1 make
mkdir specs/team-b && one f >specs/team-b/f.yaml
ran "folders: a new subfolder" 1 make
ok "folders: nothing to do" make -q
rm -r specs/team-a/deep
run make
is "folders: one is gone" "$(grep -c '^## ' Makefile)" 3
mkdir empty
run dassie compile empty
isnt "folders: an empty one" "$status" 0

# What lies beside specs and is none is passed over, and told; a file that is named is meant.
project
mkdir specs data && echo 1 >data/x
one a >specs/a.yaml
printf '[\n\t{\n\t"site": "north", "from": "2023-03-09"\n\t}\n]' >specs/sites.json
printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n' >specs/secret.yaml
printf 'image: {repository: x}\nenv: {A: b}\nservice: {type: ClusterIP}\n' >specs/values.yaml
printf '{"name": "site", "description": "to include", "scripts": {}}' >specs/package.json
run dassie compile specs
is "beside: compiles" "$status" 0 || diag "$err"
like "beside: told" "$err" 'note: no specs, passed over: specs/package.json, specs/secret.yaml, specs/sites.json and 1 more'
ran "beside: runs" 1 make
ok "beside: nothing to do" make -q
run dassie compile specs/secret.yaml
like "beside: a secret by its name" "$err" 'specs/secret.yaml:1:1: error: this is a Secret of Kubernetes, no spec: leave it out'
run dassie compile --strict specs
is "beside: strict" "$status" 1
printf 'apiVersion: x/v1\nkind: Pipeline\nspec: {pipeline: {name: p}}\n' >specs/crd.yaml
run dassie compile specs
like "beside: what wraps a pipeline is meant" "$err" "a spec is what is under its 'spec'"

# Sanitizers take terabytes of addresses.
memory=500000
if ldd "$(command -v dassie-compile)" 2>/dev/null | grep -q libasan || [ "${DASSIE_ASAN:-0}" = 1 ]; then memory=unlimited; fi

# What a few bytes become is bounded.
project
{
	echo 'params:'
	echo '  p0: "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"'
	for i in 1 2 3 4 5 6 7 8; do
		p="\${p$((i - 1))}"
		echo "  p$i: \"$p$p$p$p$p$p$p$p$p$p$p$p$p$p$p$p\""
	done
	echo 'repos: {data: data}'
	echo 'pipelines: {x: {input: data/*, run: "echo ${p8}"}}'
} >pipeline.yaml
run sh -c 'ulimit -v "$0"; exec dassie compile' "$memory"
is "bombs: of params" "$status" 1
like "bombs: of params: told" "$err" "at most 4 MB a string"
cat >pipeline.yaml <<'SPEC'
repos: {data: data}
pipelines:
  x-${a}-${b}-${c}:
    matrix:
      a: &n ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19", "20", "21", "22"]
      b: *n
      c: *n
    input: data/*
    run: 'true'
SPEC
run dassie compile
like "bombs: of a matrix" "$err" "'matrix' makes more than 10000 pipelines"

# What is too large or too deep: a clear limit, in bounded memory.
project
mkdir data
limited() {
	run sh -c 'ulimit -v "$1"; exec dassie compile --check "$0"' "$2" "$memory"
	is "limits: $1: status" "$status" "$4"
	like "limits: $1" "$err" "$3"
}
perl -e 'print "a: ", "[" x 10000, "]" x 10000, "\n"' >deep.yaml
limited "10,000 lists deep" deep.yaml 'deep.yaml:1:203: error: nested more than 200 deep' 1
perl -e 'print "{\"a\":" x 10000, 1, "}" x 10000, "\n"' >deep.json
limited "10,000 maps deep in JSON" deep.json 'nested more than 200 deep' 1
perl -e 'for $i (0 .. 9999) { print " " x $i, "a:\n" }' >indent.yaml
limited "10,000 maps deep by indentation" indent.yaml 'nested more than 200 deep' 1
perl -e 'print "input: ", "{cross: [" x 60, "{pfs: {repo: data, glob: /}}", "]}" x 60, "\npipeline: {name: x}\ntransform: {cmd: [x]}\n"' >inputs.yaml
limited "inputs in inputs" inputs.yaml 'inputs nested more than 50 deep' 1
perl -e 'print "a: &a0 [x,x,x,x,x,x,x,x,x,x]\n"; for $i (1 .. 12) { $j = $i - 1; print "b$i: &a$i [", join(",", ("*a$j") x 10), "]\n" }' >bomb.yaml
limited "a bomb of aliases" bomb.yaml 'more than 4000000 values in a file, aliases followed' 1
perl -e 'print "a: &a0 {", join(", ", map { "k$_: v" } 0 .. 999), "}\n"; for $i (1 .. 150) { $j = $i - 1; print "b$i: &a$i {<<: [", join(",", ("*a$j") x 40), "]}\n" }' >merge.yaml
limited "a bomb of merge keys" merge.yaml "'<<' merges too much|more than 4000000 values" 1
perl -e '$l = "# " . "x" x 1021 . "\n"; print $l for 1 .. 103000' >big.yaml
limited "more than 100 MB" big.yaml "'big.yaml' is larger than 100 MB, which no spec is" 3
perl -e '$v = join ",", 0 .. 9998; print "repos: {data: data}\npipelines:\n"; print "  p$_-\${a}: {foreach: {a: [$v]}, input: data/*, run: \"true\"}\n" for 0 .. 99' >million.yaml
limited "a million pipelines" million.yaml "million.yaml:8:13: error: 'foreach' makes more than 50000 pipelines in all" 1
is "limits: a million pipelines: told once" "$(echo "$err" | grep -c 'error: \|more$')" 1
perl -e 'print "repos: {data: data}\npipelines:\n  p-\${a}: {foreach: {a: [", join(",", 0 .. 9999), "]}, input: data/*, run: \"true\"}\n"' >most.yaml
limited "ten thousand pipelines" most.yaml '10000 pipelines, no errors' 0
perl -e 'print "pipeline: {name: ", "x" x 10000000, "}\ntransform: {cmd: [x]}\ninput: {pfs: {repo: data, glob: /}}\n"' >name.yaml
limited "a name of 10 MB" name.yaml "x … x.*cannot be a pipeline's name: letters, digits" 1
perl -e 'print "pipeline: {name: p}\ntransform: {cmd: [sh], stdin: [\"", "x" x 10000000, "\"]}\ninput: {pfs: {repo: data, glob: /}}\n"' >line.yaml
limited "a line of 10 MB" line.yaml '1 pipeline, no errors' 0
one p | iconv -f UTF-8 -t UTF-16 >utf16.yaml
limited "UTF-16" utf16.yaml 'utf16.yaml:1:1: error: this is UTF-16 or UTF-32; save it as UTF-8' 1
{ one p; printf -- '---\n\357\273\277'; one q; } >marks.yaml
limited "a byte order mark in the middle" marks.yaml 'marks.yaml:5:1: error: a byte order mark in the middle' 1
one p | tr '\n' '\r' >cr.yaml
limited "lines that end in CR" cr.yaml '1 pipeline, no errors' 0
printf 'pipeline: {name: "a\0b"}\n' >nul.yaml
limited "a NUL byte" nul.yaml 'nul.yaml:1:20: error: control characters are not allowed' 1
echo 'include: big.yaml' >including.yaml
limited "more than 100 MB, included" including.yaml "cannot include 'big.yaml': .*larger than 100 MB" 1

# Jsonnet.
printf '// a template\nfunction(x) { pipeline: { name: x } }\n' >edges.jsonnet
run dassie compile edges.jsonnet
like "jsonnet" "$err" "edges.jsonnet:2:1: error: this is Jsonnet, a program that makes specs: run 'jsonnet'"
printf '# Edges\n\n```json\n{"pipeline": {"name": "edges"}}\n```\n' >README.md
run dassie compile README.md
like "markdown" "$err" 'README.md:1:1: error: this is Markdown: put what stands between its ``` lines into a file of its own'

done_testing
