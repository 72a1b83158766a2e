#!/bin/sh
# init, graph, doctor.
# shellcheck disable=SC2119  # project has an optional argument
. "$(dirname "$0")/lib.sh"

project
run dassie graph
is "graph without a project: the environment's fault" "$status" 3
run dassie init "a new one"
is "init" "$status" 0
like "says what is next" "$out" 'dassie compile.*make'
cd "a new one" || exit 1
ok "the starter compiles" dassie compile --strict
ran "and runs" 2 make -j2
is "to a result" "$(cat out/total/total)" 2
ok "why" dassie why out/total/total
is "git keeps neither state nor outputs" "$(cat .gitignore)" "$(printf '/.dassie/\n/out/')"
cksum pipeline.yaml .gitignore data/* >"$T/before"
run dassie init
is "a second time: refused" "$status" 1
like "with a sentence" "$err" "'pipeline.yaml' is here already: nothing was changed"
cksum pipeline.yaml .gitignore data/* >"$T/after"
same "nothing was" "$T/before" "$T/after"

project
mkdir data
echo "mine all mine" >data/own
printf '*.o\n/out/\nno newline' >.gitignore
printf 'all:\n\techo mine\n' >Makefile
run dassie init
is "init beside what is there" "$status" 0
like "a Makefile of ours is not in the way" "$out" 'compile -o pipelines.mk'
is ".gitignore: only what is missing is added" "$(cat .gitignore)" "$(printf '*.o\n/out/\nno newline\n/.dassie/')"
is "data is as it was" "$(ls data)" own
ok "compile" dassie compile -o pipelines.mk
ok "make" make -f pipelines.mk -j2
is "it reads what is there" "$(cat out/total/total)" 3
mkdir ro
chmod 0555 ro
if [ "$(id -u)" -ne 0 ]; then
	run dassie init ro
	is "a folder that cannot be written" "$status" 3
else
	skip "root writes everywhere" "a folder that cannot be written"
fi
printf 'pipelines: {one: {input: nosuch/*, run: "true"}}\n' >"$T/bad.yaml"
for verb in init graph doctor; do
	run dassie "$verb" --help
	is "$verb --help" "$status" 0
	run dassie "$verb" --no-such-option
	is "$verb with an unknown option" "$status" 2
	run dassie "$verb" too many
	is "$verb with too many arguments" "$status" 2
done

project
mkdir -p in a b
run dassie graph
is "graph before compile" "$status" 3
cat >pipeline.yaml <<'YAML'
repos: {a: a, b: b, lonely: in}
pipelines:
  left: {input: a/*, run: "true"}
  right: {input: {cross: [{pfs: {repo: a, glob: "/*"}}, {pfs: {repo: b, glob: "/"}}]}, run: "true"}
  join: {input: {cross: [{pfs: {repo: left, glob: "/"}}, {pfs: {repo: right, glob: "/"}}]}, run: "true"}
  last: {input: join/, run: "true"}
YAML
ok "compile" dassie compile
run dassie graph
is "graph" "$status" 0
is "as a tree" "$out" "a  a
├─ left
│  └─ join
│     └─ last
└─ right
   └─ join …
b  b
└─ right …
lonely  in"
run dassie graph --dot
like "dot: an edge" "$out" '"left" -> "join";'
if have dot; then
	ok "dot takes it" sh -c 'dassie graph --dot | dot -Tplain'
	like "svg" "$(dassie graph --svg)" '<svg'
else
	run dassie graph --svg
	is "svg without dot" "$status" 3
	like "says what is missing" "$err" 'graphviz'
fi
run dassie graph --mermaid
like "mermaid: a head" "$out" '^flowchart LR'
like "mermaid: as many edges" "$(printf '%s\n' "$out" | grep -c -e '-->')" '^6$'
is "json: as many edges" "$(dassie graph --json | perl -MJSON::PP -ne 'push @e, @{decode_json($_)->{read_by}}; END { print scalar @e }')" 6
cp "$T/bad.yaml" pipeline.yaml
run dassie compile
is "a broken spec" "$status" 1
before=$(find .dassie/steps Makefile -type f -exec cksum {} + | sort)
run dassie graph
is "graph of a broken spec" "$status" 1
like "it says what is wrong with it" "$err" 'pipeline.yaml:[0-9]+:[0-9]+: error'
like "and shows what was compiled last" "$out" 'join'
is "nothing changed" "$(find .dassie/steps Makefile -type f -exec cksum {} + | sort)" "$before"
printf 'repos: {a: a}\npipelines: {other: {input: a/*, run: "true"}}\n' >pipeline.yaml
is "graph of a spec that changed" "$(dassie graph 2>/dev/null)" "a  a
└─ other"
run dassie jobs othre
is "jobs of no pipeline" "$status" 2
like "it says so" "$err" "no pipeline 'othre'; did you mean 'other'"

# a folder of the same name
mkdir "$T/foreign" "$T/foreign/.dassie" && cd "$T/foreign" && echo mine >.dassie/notes
for verb in fsck "fsck --repair" "fsck --rebuild" gc "gc --run" graph status jobs export-state; do
	# Words are meant.
	# shellcheck disable=SC2086
	run dassie $verb
	is "a foreign folder: $verb" "$status" 3
	like "$verb says so" "$err" "'.dassie' here is not one that dassie made: nothing was changed"
	is "$verb: nothing changed" "$(find . | sort | tr '\n' ' ')" ". ./.dassie ./.dassie/notes "
done

# Fifty pipelines: a line an edge, and no line wider than a terminal.
project
mkdir in
{
	echo 'repos: {in: in}'
	echo 'pipelines:'
	echo '  p0: {input: in/*, run: "true"}'
	for i in $(seq 1 49); do
		echo "  p$i: {input: p$(((i - 1) / 3))/, run: \"true\"}"
	done
} >pipeline.yaml
ok "compile fifty" dassie compile
is "fifty: lines" "$(dassie graph | wc -l | tr -d ' ')" 51
is "fifty: narrow enough" "$(dassie graph | awk 'length > 79' | wc -l | tr -d ' ')" 0

# doctor
run dassie doctor
is "doctor" "$status" 0
like "make" "$out" '^ok +make +GNU Make [4-9]'
like "the helpers" "$out" '^ok +dassie-datum'
for what in /pfs disk reflinks clock timestamps git diff crontab dot; do
	like "$what" "$out" "^(ok|missing) +$what "
done
is "json: as many lines" "$(dassie doctor --json | perl -MJSON::PP -ne 'decode_json($_); $n++; END { print $n }')" \
	"$(printf '%s\n' "$out" | wc -l | tr -d ' ')"
is "it leaves nothing" "$(find . -name '.doctor*')" ""
mkdir "$T/bin"
printf '#!/bin/sh\necho "GNU Make 3.81"\n' >"$T/bin/make"
chmod +x "$T/bin/make"
PATH="$T/bin:$PATH"
run dassie doctor
is "an old make" "$status" 3
like "is named, with what is needed" "$out" '^NEEDED +make +GNU Make 3.81 is too old: 4.3'
printf '#!/bin/sh\necho "bmake"\n' >"$T/bin/make"
run dassie doctor
like "another make" "$out" 'not GNU make'
done_testing
