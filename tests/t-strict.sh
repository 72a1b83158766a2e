#!/bin/sh
# sandbox: strict: of the project a command finds its inputs and code alone; what it missed is told by name.
# As whoever runs the test and, if that is root, as an ordinary user.
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"

# A leak sanitizer cannot work in what is traced.
traced() {
	ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" strace "$@"
}

# as COMMAND...: by $who, whose the project is.
as() {
	if [ "$who" = user ]; then
		chown -R 65534:65534 .
		setpriv --reuid 65534 --regid 65534 --clear-groups env HOME="$PWD" "$@"
	else
		"$@"
	fi
}

# spec SETTING: a strict pipeline whose lines are on stdin.
spec() {
	printf 'repos: {data: data}\npipelines:\n  p:\n    tries: 1\n    input: {pfs: {repo: data, glob: "/[ab]"}}\n    sandbox: strict\n%s\n    run: |\n' "${1:+    $1}"
	sed 's/^/      /'
}

# files: what the project has.
files() {
	git init -q . 2>/dev/null
	mkdir data lib tools
	echo 1 >data/a
	echo 2 >data/b
	echo k=1 >data/params.csv
	echo top >settings.ini
	echo blank >'a b.txt'
	echo 'echo lib' >lib/l.sh
	echo 'x = 5' >tools/helper.py
	printf 'import sys\nsys.dont_write_bytecode = True\nimport helper\nprint(helper.x)\n' >tools/main.py
}

# fails NAME LINE WANT [SETTINGS]: the step fails, and the failure says why.
fails() {
	printf '%s\n' "$2" | spec "${4:-}" >pipeline.yaml
	run as dassie run
	like "$who: $1" "$status: $(printf '%s\n' "$err" | grep -m 1 'datum data:/a failed')" "^1: .*$3"
}

strict() {
	project
	files
	spec 'code: [lib/l.sh]' <<'RUN' >pipeline.yaml
[ "$(find . -type f)" = ./lib/l.sh ] && [ ! -e .git ] && [ ! -e .dassie ] && [ ! -e "$DASSIE_PROJECT/data" ]
sh lib/l.sh >"$out/${data##*/}"
[ "$(ls -A "$TMPDIR")" = "" ] && echo x >"$TMPDIR/x"
t=$(mktemp /tmp/strict.XXXXXX) && rm "$t"
for f in /usr/x /x new lib/l.sh "$data" /pfs/x "$DASSIE_PROJECT/data/a" "$HOME/x"; do ! (echo x >"$f") 2>/dev/null; done
echo x >/dev/null
[ "$(find /pfs -type f ! -path '/pfs/out/*')" = "$data" ]
RUN
	run as dassie run
	is "$who: what a strict step sees and may write" "$status:$(cat out/p/* 2>/dev/null | tr '\n' ' ')" "0:lib lib " || diag "$err"
	is "$who: nothing is left" "$(find .dassie/work -mindepth 1; grep -F "$PWD" /proc/self/mounts)" ""
	is "$who: the project is as it was" "$(cat data/a lib/l.sh; ls -A)" "1
echo lib
$(ls -A)"
	ran "$who: nothing to do" 0 as dassie run
	echo other >settings.ini
	echo y=6 >tools/helper.py
	ran "$who: what was not declared decides nothing" 0 as dassie run
	echo 'echo more' >lib/l.sh
	ran "$who: code does" 2 as dassie run
	sed -i 's/sandbox: strict/sandbox: none/' pipeline.yaml
	run as dassie run
	is "$who: without it the step is another one, which sees more" "$status" 1
	run as dassie debug p data:/a -- sh -c 'ls -A'
	like "$who: a debugger sees as much" "$out" settings.ini

	project
	files
	fails "a file below the project" 'f=settings; cat $f.ini' "'settings.ini' is in the project but neither input nor code of this step, so 'sandbox: strict' hides it: add it to 'code'"
	fails "by its whole path" 'f=settings; cat "$DASSIE_PROJECT/$f.ini"' "'settings.ini' is in the project but neither"
	fails "of another input's folder" 'cat data/params.csv' "'data/params.csv' is of the input 'data', which the step finds only below /pfs"
	fails "with a blank in it" 'f="a b"; cat "$f.txt"' "'a b.txt' is in the project but neither"
	fails "a module" 'python3 tools/main.py' "'tools/helper.py' is in the project but neither" 'code: [tools/main.py]'
	fails "below working_dir" 'f=helper; cat $f.py' "'tools/helper.py' is in the project but neither" 'working_dir: tools'
	fails "what is not said, but in the step" 'f=lib; cat $f/l.sh 2>/dev/null' 'failed: exit status 1 \(1 try\)'
	fails "… is told all the same" '[ -e data/params.csv ]' "'data/params.csv' is of the input 'data'"
	fails "writing to the project" 'echo x >new.txt' "sandbox: strict.*TMPDIR and /tmp"
	fails "writing elsewhere" 'touch /usr/strict' "'/usr/strict' cannot be written to: with 'sandbox: strict'"
	fails "writing to an input" 'sed -i s/1/2/ "$data"' "inputs are read-only \\('/pfs/data/"
	fails "a program that is not there is no file of ours" 'nowhere-to-be-found' 'command not found \(1 try\)'
	is "$who: the inputs are as they were" "$(cat data/a)" 1
	run as dassie debug p data:/a -- sh -c 'ls -A; ls -A /pfs'
	is "$who: a debugger sees what the step does" "$status:$(printf '%s' "$out" | tr '\n' ' ')" "0:data out"

	fails "running what is no program is another thing" '/pfs/data/*' "failed: exit status 126[^;]*\\(1 try\\)"
	# Without strict the hint on inputs is the same.
	printf 'repos: {data: data}\npipelines:\n  p:\n    tries: 1\n    input: {pfs: {repo: data, glob: "/[ab]"}}\n    run: mv "$data" "$out/"\n' >pipeline.yaml
	run as dassie run
	like "$who: mv out of an input" "$status: $err" "inputs are read-only \\('/pfs/data/a'\\): copy what is to change to .out or .TMPDIR, with cp instead of mv"
	sed -i 's/run: mv/run: ln/' pipeline.yaml
	run as dassie run
	like "$who: ln" "$status: $err" "inputs cannot be hard-linked .*use cp, or ln -s"

	# A step too long for an argument is read from its file.
	project
	files
	{
		echo ': <<STOP'
		head -c 200000 /dev/zero | tr '\0' x | fold -w 100
		echo
		echo STOP
		echo 'echo long >"$out/${data##*/}"; find . -type f >&2'
	} | spec "" >pipeline.yaml
	run as dassie run
	is "$who: a long step" "$status:$(cat out/p/*)" "0:long
long" || diag "$err"
}

project
files
echo true | spec "" | sed 's/strict/strickt/' >pipeline.yaml
run dassie compile
like "another word" "$status: $err" "'sandbox' is 'strict' or 'none', not 'strickt'"
cat >pipeline.yaml <<'SPEC'
pipeline: {name: p}
input: {pfs: {repo: data, glob: "/[ab]"}}
transform: {cmd: [sh], stdin: ['f=settings; cat $f.ini'], sandbox: strict}
datum_tries: 1
SPEC
run dassie compile --print-spec
like "the long form" "$out" 'sandbox: strict'
if have strace && strace -f -o /dev/null true; then
	run traced -f -o /dev/null -e trace=unshare -e inject=unshare:error=EPERM dassie run
	like "no namespaces: refused, with what to do" "$status: $err" "p: 'sandbox: strict' needs namespaces of its own.*doctor"
else
	skip "no strace" "no namespaces"
fi
unshare -Urm true 2>/dev/null || [ "$(id -u)" = 0 ] || { skip "no namespaces for us here" strict; done_testing; exit 0; }
run dassie run
if printf '%s\n' "$err" | grep -q 'needs namespaces'; then
	skip "no namespaces for us here" strict
	done_testing
	exit 0
fi
like "the long form fails likewise" "$status: $err" "'settings.ini' is in the project but neither"

who=me
strict
if [ "$(id -u)" = 0 ] && have setpriv && setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Urm true; then
	chmod 711 "$T"
	who=user
	strict
else
	skip "only for root" "an ordinary user"
fi
done_testing
