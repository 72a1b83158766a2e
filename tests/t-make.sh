#!/bin/sh
# shellcheck disable=SC2119
# The generated Makefile under a real make, with a dassie that only writes down how it is called: what make itself
# does with the flags, with an including Makefile, and with names that make or a shell could take for something else.

. "$(dirname "$0")/lib.sh"

# fake FOLDER: a dassie that moves refs as the real one does, logs to ./log, and fails a stage that is named in ./fail.
fake() {
	mkdir -p "$1"
	cat >"$1/stamp" <<'EOF'
#!/bin/sh
# Give the file the next tick of a clock of our own: the kernel's is too coarse for what is here to be told apart.
flock .clock sh -c 'echo x >>.clock; touch -d "@$((1700000000 + $(wc -l <.clock)))" "$1"' sh "$1"
EOF
	cat >"$1/dassie" <<'EOF'
#!/bin/sh
PATH=$(dirname "$0"):$PATH
echo "$*" >>log
for last; do :; done
case $1 in
scan)
	mkdir -p .dassie/refs
	[ -e .dassie/scan.mk ] || { echo '# scan' >.dassie/scan.mk && stamp .dassie/scan.mk; }
	for ref in $(cat ./*akefile ./*.mk 2>/dev/null | sed -n ':a;/\\$/{N;s/\\\n//;ba;};s/^DASSIE_LEAVES := //p'); do
		[ -e "$ref" ] || stamp "$ref"
	done
	if [ -e recompile ]; then
		rm recompile
		dassie-compile compile -q -o Makefile pipeline.yaml && stamp .dassie/scan.mk
	fi
	;;
stage)
	if [ -e fail ] && [ "$last" = "$(cat fail)" ]; then exit 1; fi
	case ${MAKEFLAGS%% *} in *-* | *=*) ;; *[nqt]*) exit 0 ;; esac
	stamp ".dassie/refs/$last.done"
	[ -e same ] || stamp ".dassie/refs/$last"
	;;
esac
EOF
	chmod +x "$1/stamp"
	chmod +x "$1/dassie"
}

write_spec() {
	cat >pipeline.yaml <<'EOF'
repos: {books: data/books}
pipelines:
  count:
    description: "costs $5 (100%), it's `free` #1: \"x\" \\"
    input: books/*
    run: 'true'
  total: {input: count/, run: 'true'}
  other: {input: books/, run: 'true'}
EOF
}

called() {
	grep -c "$1" log
}

fake "$T/fake bin"
project
write_spec
run dassie-compile compile
is "compiles" "$status" 0
like "says so" "$err" '^dassie: compiled 3 pipelines from pipeline.yaml: Makefile written$'
export DASSIE="$T/fake bin/dassie"

# make ARGUMENT...: with an empty log.
try() {
	: >log
	run make "$@"
}

try
is "make: status, with a blank in the program's path" "$status" 0
is "make: every stage once" "$(sed -n 's/^stage.* //p' log | sort | tr '\n' ' ')" "count other total "
like "make: the stage is told what make is" "$(cat log)" '^stage --make=make count$'
like "make: the scan is told the spec" "$(cat log)" '^scan -o Makefile pipeline.yaml$'
is "make: inputs before what reads them" "$(sed -n 's/^stage.* //p' log | grep -v other | tr '\n' ' ')" "count total "
try
is "nothing to do: no stage" "$(called stage)" 0
is "nothing to do: one scan" "$(called scan)" 1
try
is "nothing to do twice" "$(called stage)" 0

"$T/fake bin/stamp" .dassie/refs/books
try -n
is "-n: status" "$status" 0
like "-n: the scan runs" "$(cat log)" '^scan'
is "-n: no ref moved" "$(find .dassie/refs -type f -newer .dassie/refs/books | wc -l)" 0
try -t
is "-t: touches no ref" "$(find .dassie/refs -type f -newer .dassie/refs/books | wc -l)" 0
try -B
is "-B: every stage" "$(called '^stage')" 3
touch same
try -B count
is "-B of one: its stage alone" "$(sed -n 's/^stage.* //p' log | tr '\n' ' ')" "count "
rm same
"$T/fake bin/stamp" .dassie/refs/books
try count
is "make NAME: that pipeline alone" "$(sed -n 's/^stage.* //p' log | tr '\n' ' ')" "count "
rm -f .dassie/refs/count.done .dassie/refs/total.done .dassie/refs/other.done
try -j2
is "-j2: status" "$status" 0
is "-j2: every stage once" "$(called '^stage')" 3

rm -f .dassie/refs/*.done
echo count >fail
try
isnt "a failing stage: status" "$status" 0
ok "a failing stage: its ref stays" test -e .dassie/refs/count
is "a failing stage: downstream is not run" "$(called 'total$')" 0
try -k
is "-k: unrelated pipelines go on" "$(called 'other$')" 1
is "-k: downstream does not" "$(called 'total$')" 0
rm fail

try help
is "make help: status" "$status" 0
# shellcheck disable=SC2016,SC1003
is "make help: a description whole" "$(printf '%s\n' "$out" | sed -n 2p)" '  count  costs $5 (100%), it'"'"'s `free` #1: "x" \'
like "make help: a pipeline without one" "$out" '^  total  all of count at once$'

touch recompile
sed -i 's/^  other:.*/  more: {input: books\/, run: x}/' pipeline.yaml
try more
is "a recompiled Makefile is used at once" "$status" 0
is "… its new pipeline runs" "$(called 'more$')" 1
write_spec
run dassie-compile compile

# Removed by make: never.
project
write_spec
run dassie-compile compile -o books.mk
is "another name for the Makefile" "$status" 0
like "the scan is told it" "$(cat books.mk)" 'scan -o books.mk pipeline.yaml$'
cat >Makefile <<'EOF'
include books.mk
SHELL := /bin/false
.SHELLFLAGS := -o nonsense -c
.DELETE_ON_ERROR:
.ONESHELL:
.SUFFIXES: .x .y
mine: .dassie/refs/total
	@
theirs:
	@
EOF
echo "mine: report" >>Makefile
printf 'report: private SHELL := /bin/sh\nreport: private .SHELLFLAGS := -c\nreport:\n\t@echo reported\n' >>Makefile
try
is "included: the user's first target is the default" "$out" reported
is "included: status, whatever SHELL is there" "$status" 0
is "included: what it depends on is made" "$(sed -n 's/^stage.* //p' log | tr '\n' ' ')" "count total "
try all
isnt "included: no target 'all'" "$status" 0
try help
isnt "included: no target 'help'" "$status" 0
try count
isnt "included: no pipelines' names" "$status" 0
rm .dassie/refs/total.done
echo total >fail
try
ok ".DELETE_ON_ERROR: refs stay" test -e .dassie/refs/total -a -e .dassie/refs/count -a -e .dassie/scan.mk
rm fail
run make -pn
is "no variable but DASSIE…" "$(printf '%s\n' "$out" | sed -n "/^# makefile (from 'books.mk'/{n;s/ .*//p;}" | grep -cv '^DASSIE')" 0
is "… which are there" "$(printf '%s\n' "$out" | sed -n "/^# makefile (from 'books.mk'/{n;s/ .*//p;}" | grep -c '^DASSIE')" 5
printf 'first:\n\t@echo first\ninclude books.mk\n' >Makefile
sed -i '1i first: private SHELL := /bin/sh' Makefile
try
is "included last: the default goal stays" "$out" first
printf 'include books.mk\n' >Makefile
try
isnt "included alone: no goal of ours" "$status" 0

# Only the Makefile, as after a clone.
project
write_spec
run dassie-compile compile
rm -rf .dassie
try
is "a clone with a Makefile alone: status" "$status" 0
is "a clone with a Makefile alone: every stage" "$(called '^stage')" 3
run make -r -R -s
is "-rR: status" "$status" 0

# What is not ours is not overwritten.
project
write_spec
echo 'all:; @echo mine' >Makefile
run dassie-compile compile
is "a Makefile of the user's: status" "$status" 1
like "… says how" "$err" "'Makefile' was not written by dassie; --force overwrites it"
is "… stays" "$(cat Makefile)" 'all:; @echo mine'
ok "… and nothing else is written" test ! -e .dassie
run dassie-compile compile --force
is "--force: status" "$status" 0
like "--force: overwritten" "$(head -n 1 Makefile)" '^# generated by dassie '

# The command line.
project
run dassie-compile compile
is "no spec: usage" "$status" 2
like "no spec: says what to do" "$err" 'name the spec: dassie compile SPEC'
write_spec
mkdir specs
run dassie-compile compile
is "two specs: usage" "$status" 2
run dassie-compile compile --chekc
is "an unknown option: usage" "$status" 2
run dassie-compile compile nowhere.yaml
is "a spec that is not there: usage" "$status" 2
run dassie-compile compile --check pipeline.yaml
is "--check: status" "$status" 0
ok "--check: writes nothing" test ! -e Makefile -a ! -e .dassie
run dassie-compile compile specs
isnt "a folder without specs" "$status" 0
mv pipeline.yaml 'specs/b.yml'
cat >specs/a.json <<'EOF'
{"pipeline": {"name": "first"}, "transform": {"cmd": ["true"]}, "input": {"pfs": {"repo": "total", "glob": "/"}}}
EOF
echo 'not: [a spec' >specs/.hidden.yaml
run dassie-compile compile
is "a folder of specs: status" "$status" 0
like "a folder of specs: one graph" "$(cat Makefile)" '^#   books ──┬─▶ count ──▶ total ──▶ first$'
cp Makefile before
sed -i 's/other:/another:/' specs/b.yml
run dassie-compile compile -q
is "-q: told when something changed" "$err" "dassie: compiled 4 pipelines from specs: Makefile written"
ok "the settings of a pipeline that is gone are gone" test ! -e .dassie/steps/other.conf
run dassie-compile compile -q
is "-q: else silent" "$err" ""
sed -i 's/another:/another: {}/' specs/b.yml
cp Makefile before
run dassie-compile compile
is "an error: status" "$status" 1
same "an error: the Makefile stays" before Makefile
rm -rf specs
mv before kept
write_spec
# shellcheck disable=SC2016
odd='a "b" $c #d.yaml'
mv pipeline.yaml "$odd"
run dassie-compile compile "$odd"
is "a spec with an odd name: status" "$status" 0
: >log
run make
is "a spec with an odd name: make" "$status" 0
like "a spec with an odd name: as the scan gets it" "$(cat log)" '^scan -o Makefile a%20%22b%22%20%24c%20%23d.yaml$'

done_testing
