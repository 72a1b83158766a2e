#!/bin/sh
# The datum runner by itself, on plans made by hand (tests/unit/mkplan.c), with views in .dassie/work/KEY, where a command can
# make most of a mess; t-view.sh is on the private /pfs.
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"

export DASSIE_PFS=0
mkplan=$DASSIE_BUILD/tests/unit/mkplan
[ -x "$mkplan" ] || skip_all "no $mkplan"

# fresh: a project with a source `data`.
fresh() {
	project
	mkdir -p .dassie/plan .dassie/commits data
}

# step TEXT: what the datums run.
step() {
	printf '%s\n' "$1" >step.sh
}

# plan WORD...: a plan of these; its first offset and its number of datums in $offset and $count.
plan() {
	rm -f .dassie/plan/count.1
	"$mkplan" .dassie/plan/count.1 "$@" >"$T/.plan" || echo "Bail out! mkplan"
	offset=$(head -n 1 "$T/.plan" | cut -d' ' -f1)
	count=$(wc -l <"$T/.plan" | tr -d ' ')
}

go() {
	run dassie-datum .dassie/plan/count.1 "$offset" "$count"
}

key() {
	sed -n "${1:-1}s/.* //p" "$T/.plan"
}

datum() {
	key "${1:-1}" | sed 's,^\(..\),.dassie/datums/\1/,'
}

# output PATH [N]: the bytes that datum N wrote there (a name without odd bytes).
output() {
	cat ".dassie/objects/$(sed -n "s,^output . [0-9]* \(..\)\([0-9a-f]*\) $1\$,\1/\2,p" "$(datum "${2:-1}")")"
}

fails() {
	find .dassie/datums -name '*.fail' 2>/dev/null | wc -l | tr -d ' '
}

# clean NAME: nothing is left of any attempt.
clean() {
	is "$1" "$(find .dassie/work .dassie/objects .dassie/datums .dassie/logs \( -path '.dassie/work/*' -o -name '*.tmp' \) -print 2>/dev/null)" ""
}

alive() {
	kill -0 "$1" 2>/dev/null && [ "$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null)" != Z ]
}

# A process that was killed needs a moment to be gone.
gone() {
	gone_n=0
	while alive "$1" && [ "$gone_n" -lt 100 ]; do sleep 0.05; gone_n=$((gone_n + 1)); done
	! alive "$1"
}

# --- what a command sees
fresh
echo one >data/a
echo two >'data/b c'
step 'cat "$in" >"$out/x"'
plan input in books data data each 0
go
is "two datums" "$status:$out$err" "0:"
is "both have results" "$(results)" 2
is "the first one's output" "$(output x)" one
is "the second one's output" "$(output x 2)" two
clean "nothing else is left"
is "empty logs are not kept" "$(find .dassie/logs -type f)" ""
like "the result says what it is" "$(cat "$(datum)")" '^label books:/a$'
like "and what went in" "$(cat "$(datum)")" '^input in books a f [0-9a-f]{64}$'
like "and how it went" "$(cat "$(datum)")" '^attempt [0-9]{19} [0-9]{19} 0 0 [0-9]+ [0-9]+ [0-9]+ 4 4 0$'
is "results are read-only" "$(stat -c %a "$(datum)")" 444
is "objects are read-only" "$(find .dassie/objects -type f ! -perm 444)" ""
step 'exit 9'
go
is "what has a result is not run" "$status" 0

fresh
mkdir -p data/sub/deep
echo x >data/sub/deep/f
echo y >data/g
step 'env >"$out/env"; pwd >"$out/pwd"; ls /proc/self/fd >"$out/fd"; cat >"$out/stdin"; umask >"$out/umask"
(cd "$PFS" && find . | LC_ALL=C sort) >"$out/tree"; readlink "$my_in" >"$out/link"; echo "$TMPDIR" >"$out/tmp"; ls -A "$TMPDIR" >>"$out/tmp"; echo "$0" >"$out/zero"'
plan input my-in books data data datum d match 0 sub/deep/f var CAP 'a b'
MAKEFLAGS=k LD_PRELOAD='' FOO=bar run dassie-datum .dassie/plan/count.1 "$offset" 1
is "a command with everything" "$status:$err" 0:
work=$PWD/.dassie/work/$(key)
env=$(output env)
for line in "my_in=$work/my-in/sub/deep/f" "out=$work/out" "PFS=$work" "TMPDIR=$work.tmp" \
	"PACH_DATUM_ID=$(key)" "PACH_JOB_ID=20261122T070000-1" "PACH_OUTPUT_COMMIT_ID=20261122T070000-1" "PPS_PIPELINE_NAME=count" \
	"DASSIE_PROJECT=$PWD" LC_ALL=C.UTF-8 TZ=UTC "CAP=a b" "PATH=$PATH"; do
	is "environment: ${line%%=*}" "$(printf '%s\n' "$env" | grep -Fx -e "$line")" "$line"
done
commit=$(sed -n 's/^input my-in books \([0-9a-f]*\) .*/\1/p' .dassie/plan/count.1)
is "environment: commit" "$(printf '%s\n' "$env" | grep -Fx "my_in_COMMIT=$commit")" "my_in_COMMIT=$commit"
unlike "nothing else is passed" "$env" '^(FOO|MAKEFLAGS|LD_PRELOAD)='
is "the project is the current directory" "$(output pwd)" "$PWD"
is "no other descriptors" "$(output fd | tr '\n' ' ')" "0 1 2 3 "
is "stdin is empty" "$(output stdin)" ""
is "umask" "$(output umask)" 0022
is "the view" "$(output tree | tr '\n' ' ')" ". ./my-in ./my-in/sub ./my-in/sub/deep ./my-in/sub/deep/f ./out ./out/env ./out/fd ./out/pwd ./out/stdin ./out/tree ./out/umask "
is "a source's file is a link to it" "$(output link)" "$PWD/data/sub/deep/f"
is "TMPDIR is there and empty" "$(output tmp)" "$work.tmp"
is "the step's name" "$(output zero)" step.sh
clean "nothing else is left"

step 'echo "${in#"$PFS"}" >"$out/in"; find "$PFS/in" -type f -o -type l | wc -l >"$out/n"; cat "$PFS/in/g" >"$out/g"'
plan salt 2 input in books data data datum d match 0 ''
go
is "the root of a repo" "$status:$(output in):$(output n | tr -d ' ')" "0:/in:2"
step 'echo "${in#"$PFS"}" >"$out/in"; cat "$in/deep/f" >"$out/f"; test ! -e "$PFS/in/g"'
plan salt 3 input in books data data datum d match 0 sub
go
is "a directory" "$status:$(output in):$(output f)" "0:/in/sub:x"
step 'cat "$PFS/in/g" "$PFS/in/sub/deep/f" >"$out/x"; echo "${in#"$PFS"}" >"$out/in"'
plan salt 4 input in books data data datum d match 0 sub match 0 g match 0 sub/deep/f
go
is "several matches, one file in two of them" "$status:$(output x | tr '\n' ' '):$(output in)" "0:y x :/in/sub/deep/f"
step 'find "$PFS/in" -type f -empty | wc -l >"$out/n"'
plan salt 5 input in books data data datum d empty 0 ''
go
is "names only" "$status:$(output n | tr -d ' ')" 0:2

# --- failures
fresh
echo one >data/a
step 'echo "a $TMPDIR" | sed "s/.*/text/"; date +%N | tr 0-9 a-j; i=0; while [ $i -lt 12 ]; do i=$((i + 1)); echo "line $i"; done; printf "esc \033[31m\n"; exit 2'
plan input in books data data each 0
go
is "a failing command" "$status" 1
is "it has no result but a failure" "$(results):$(fails)" 0:1
like "the failure has all attempts" "$(grep -c ^attempt "$(datum).fail")" '^3$'
like "attempts that are repeated are told" "$err" '^dassie: count: datum books:/a: attempt 1 of 3: exit status 2; again$'
like "the failure is told" "$err" '^dassie: count: datum books:/a failed: exit status 2 \(3 tries\)$'
is "in one line: the rest is told at the end of the job" "$(printf '%s\n' "$err" | wc -l | tr -d ' ')" 3
is "a log is there" "$(head -n 1 "$(find .dassie/logs -name '*.3')")" text
is "a log an attempt" "$(find .dassie/logs -type f | wc -l | tr -d ' ')" 3
clean "nothing else is left"
step 'test -e again || { touch again; exit 7; }; echo good >"$out/x"'
go
is "success at the second attempt" "$status:$(output x):$(grep -c ^attempt "$(datum)")" 0:good:2
is "the failure is gone" "$(fails)" 0

for case in '127:no-such-command:command not found' '126:./data/a:not executable' '1:kill -SEGV $$:killed by SIGSEGV' \
	'1:sh -c "kill -9 \$\$"; exit 137:exit status 137 \(SIGKILL\)' '1:rm -rf "$out":the command removed or replaced \$out' \
	'1:rm -rf "$out"; ln -s "$DASSIE_PROJECT/data" "$out":the command removed or replaced \$out' \
	'1:mv "$PFS" "$DASSIE_PROJECT/x"; ln -s "$DASSIE_PROJECT/x" "$PFS"; exit 1:exit status 1' ; do
	command=${case#*:}
	step "${command%:*}"
	plan salt "$case" tries 1 input in books data data each 0
	go
	like "failure: ${command##*:}" "$status:$err" "^1:.*${command##*:}"
	clean "nothing is left of it"
done
is "the sources are still there" "$(cat data/a)" one
rm -rf x
step 'echo x >"$out/x"; exit 3'
plan salt accepted accept 3 accept 4 input in books data data each 0
go
is "an accepted exit status" "$status:$(output x)" 0:x
like "is recorded" "$(grep ^attempt "$(datum)")" '^attempt [0-9]+ [0-9]+ 3 0 '

fresh
for i in 1 2 3 4 5; do echo $i >data/$i; done
step 'set -e; read -r n <"$in"; test "$n" != 3; echo "$n" >"$out/$n"'
plan tries 1 input in books data data each 0
go
is "the others go on" "$status:$(results):$(fails)" 1:4:1

# --- the next datum's view is as clean as the first one's
fresh
for i in 1 2 3 4 5 6 7 8; do
	mkdir -p data/d$i
	echo $i >data/d$i/f
done
echo 9 >data/f
step 'tree=$(find "$PFS" "$TMPDIR" ! -type l | sed "s,.*/work/[0-9a-f]*,," | LC_ALL=C sort | tr "\n" " ")
printf %s "$tree" >"$out/tree"
stat -c %a "$PFS" "$PFS/in" "$out" "$TMPDIR" | tr "\n" " " >>"$out/tree"
read -r n <"$in"
case $n in
1) mkdir "$out/deep"; echo x >"$out/deep/x"; touch "$TMPDIR/t" ;;
2) touch "$PFS/junk" "$PFS/in/junk" ;;
3) chmod 700 "$PFS/in" "$TMPDIR" ;;
4) rm -rf "$PFS/in"; ln -s "$DASSIE_PROJECT/data" "$PFS/in" ;;
5) rm -rf "$TMPDIR"; mkdir "$PFS/in/d5/more" ;;
6) mkdir -p "$TMPDIR/a/b"; chmod 0 "$TMPDIR/a"; mkdir "$out/empty"; chmod 555 "$PFS/in/d6" "$PFS/in" "$PFS" ;;
7) rm "$in" ;;
esac'
plan input in books data data each 0
go
is "nine that make a mess" "$status:$err:$(results)" 0::9
for i in 1 2 3 4 5 6 7 8; do
	is "the view of datum $i" "$(output tree $i)" " .tmp /in /in/d$i /out 755 755 755 755 "
done
is "the view of a file at the top" "$(output tree 9)" " .tmp /in /out 755 755 755 755 "
clean "nothing else is left"
is "and the sources are as they were" "$(cat data/d*/f data/f | tr -d '\n')" 123456789

# --- names
fresh
perl -e 'for (1..255) { next if chr eq "/" || chr eq "."; open my $f, ">", "data/".chr or die; print $f "byte $_\n"; close $f }
	for ("-rf", "a\nb", " ", "a b ", "\$(x)", "..a", "x" x 255, "%00", "%-", "\xff\xfe\xc3") { open my $f, ">", "data/$_" or die; print $f "name $_\n"; close $f }' || exit 1
files=$(find data -type f -print0 | tr -dc '\0' | wc -c | tr -d ' ')
step 'cp -- "$in" "$out/"; mkdir "$out/sub"; cp -- "$in" "$out/sub/"'
plan input in books data data each 0
go
is "every byte in names" "$status:$err:$(results)" "0::$files"
is "no output is missing" "$(cat .dassie/datums/*/* | grep -c '^output f [0-9]* [0-9a-f]* ')" $((2 * files))
is "objects are the files" "$(find .dassie/objects -type f -exec sha256sum {} + | cut -d' ' -f1 | sort)" \
	"$(find data -type f -exec sha256sum {} + | sed 's/^\\//' | cut -d' ' -f1 | sort)"
step 'cp -R "$PFS/in/." "$out"'
plan salt all input in books data data datum all match 0 ''
go
is "all of them in one datum" "$status:$err:$(grep -c ^output "$(datum)")" "0::$files"
ok "outputs are sorted" perl -ne '
	if (s/^output f [0-9]+ [0-9a-f]+ //) { chomp; s/%([0-9A-F]{2})/chr hex $1/ge; $n++ && $last ge $_ and die "$_ after $last"; $last = $_ }
	END { $n > 250 or die "only $n" }' "$(datum)"

# --- outputs
fresh
echo source >data/a
mkdir -p data/tree/sub local
echo 1 >data/tree/1
echo 2 >data/tree/sub/2
echo local >local/file
step 'ln -s "$in" "$out/input"; ln -s "$DASSIE_PROJECT/local/file" "$out/local"; ln -s "$DASSIE_PROJECT/data/tree" "$out/tree"
echo own >"$out/own"; ln -s own "$out/own-link"; mkdir "$out/d" "$out/empty"; echo deep >"$out/d/deep"; ln -s d "$out/d-link"
ln "$out/own" "$out/own-hard"; printf "#!/bin/sh\necho ran" >"$out/prog"; chmod 755 "$out/prog"; : >"$out/zero"; echo hidden >"$out/secret"; chmod 0 "$out/secret"
mkdir "$out/closed"; echo c >"$out/closed/c"; chmod 0 "$out/closed"'
plan input in books data data datum d match 0 a
go
is "links and modes" "$status:$err" 0:
is "what came of them" "$(sed -n 's/^output \(.\) \([0-9]*\) [0-9a-f]* /\1 \2 /p' "$(datum)" | tr '\n' ',')" \
	"f 2 closed/c,f 5 d-link/deep,f 5 d/deep,f 7 input,f 6 local,f 4 own,f 4 own-hard,f 4 own-link,x 18 prog,f 7 secret,f 2 tree/1,f 2 tree/sub/2,f 0 zero,"
is "a link's content" "$(output input):$(output local):$(output own-link):$(output d-link/deep):$(output tree/sub/2)" source:local:own:deep:2
is "the sources are as they were" "$(cat data/a local/file):$(stat -c %a:%h data/a)" "source
local:644:1"
clean "nothing else is left"
n=0
for case in 'ln -s /nowhere/x "$out/bad"|symlink to nothing' 'ln -s bad "$out/bad"|leads back to itself' 'mkdir "$out/d"; ln -s .. "$out/d/bad"|leads back to itself' \
	'mkfifo "$out/bad"|named pipe' 'ln -s /dev/null "$out/bad"|neither a file nor a directory'; do
	n=$((n + 1))
	step "${case%|*}"
	plan salt $n tries 1 input in books data data datum d match 0 a
	go
	like "output: ${case#*|}" "$status:$err" "^1:.*output '(d/)?bad' .*${case#*|}"
	clean "nothing is left of it"
done
step 'head -c 40000000 /dev/zero | tr "\0" x >"$out/big"'
plan salt big input in books data data datum d match 0 a
go
is "a big output" "$status:$(sed -n 's/^output //p' "$(datum)")" "0:f 40000000 $(head -c 40000000 /dev/zero | tr '\0' x | sha256sum | cut -d' ' -f1) big"

# --- objects as inputs
fresh
mkdir made
echo object >made/o
printf '#!/bin/sh\necho ran\n' >made/p
chmod 755 made/p
step 'cat "$in/o" >"$out/x"; "$in/p" >"$out/y"; stat -c "%h %a" "$in/o" "$in/p" | tr "\n" " " >"$out/z"; ln -s "$in/o" "$out/link"; ln "$in/o" "$out/hard"'
plan input in made - made datum d match 0 ''
go
is "objects" "$status:$err" 0:
is "are hard links, executable ones copies" "$(output x):$(output y):$(output z):$(output link):$(output hard)" "object:ran:2 444 1 555 :object:object"
is "the store is as it was" "$(find .dassie/objects -type f ! -perm 444; find .dassie/objects -type f -links +1)" ""
step 'chmod u+w "$in/o"; echo bad >"$in/o"; echo x >"$out/x"'
plan salt w input in made - made datum d match 0 ''
go
like "writing to one is found" "$status:$err" "^1:.*the command wrote to its input 'made:/o'"
like "and the way out is told" "$err" 'dassie fsck --repair'
is "the damaged object is gone" "$(grep -rl bad .dassie/objects)" ""
go
like "a missing object" "$status:$err" "^3:.*object '[^']*' of 'made:/o' is not there: .*fsck --repair"
clean "nothing is left of it"

# --- sources that change
fresh
echo one >data/a
step 'echo more >>"$in"; echo x >"$out/x"'
plan input in books data data each 0
go
like "writing to a source is found" "$status:$err" "^1:.*the command wrote to its input 'books:/a'"
unlike "and not tried again" "$err" '; again$'
go
like "a source that changed" "$status:$err" "^1:.*'books:/a' has changed since the scan: run make again"
is "is not run" "$(grep -c ^attempt "$(datum).fail")" 0
rm data/a
go
like "a source that is gone" "$status:$err" "^1:.*'books:/a' is gone since the scan"
echo one >data/a
step 'cat "$in" >"$out/x"'
go
is "the same bytes again are the same" "$status:$(output x)" 0:one
step 'touch "$in"; cat "$in" >"$out/x"'
plan salt t asof 1 input in books data data each 0
go
is "a command that touches it did not change it" "$status:$err" 0:
echo two >data/a
touch -d '2001-01-01' data/a
plan salt u asof 1 input in books data data each 0
echo six >data/a
touch -d '2001-01-01' data/a
go
like "size and time the same, but too fresh to be believed" "$status:$err" "^1:.*'books:/a' has changed"
echo two >data/a
touch -d '2001-01-01' data/a
plan salt w asof "$(date -d '2 days' +%s)000000000" input in books data data each 0
echo six >data/a
touch -d '2001-01-01' data/a
go
like "a scan by a clock that was set back since is not believed" "$status:$err" "^1:.*'books:/a' has changed"
chmod 755 data/a
plan salt v input in books data data each 0
chmod 644 data/a
go
like "the executable bit counts" "$status:$err" "^1:.*'books:/a' has changed"

# --- what a command leaves behind
fresh
echo one >data/a
step 'sleep 1000 & echo $! >pid1; setsid sleep 1000 & echo $! >pid2; (setsid sh -c "sleep 1000 & echo \$! >pid3; sleep 1000") & while [ ! -s pid3 ]; do :; done
echo done >"$out/x"'
plan input in books data data each 0
go
is "it does not wait for what was left behind" "$status:$err:$(output x)" 0::done
for n in 1 2 3; do
	ok "process $n is gone" gone "$(cat pid$n)"
done

# --- signals.  The command says through a pipe that it runs.
fresh
echo one >data/a
mkfifo ready
for number in 15 2 1 3; do
	case $number in 15) sig=TERM ;; 2) sig=INT ;; 1) sig=HUP ;; *) sig=QUIT ;; esac
	step 'trap "echo '$sig' >>got; exit 0" '$sig'; sleep 1000 & echo $! >pid; echo x >"$out/x"; echo ready >ready; wait'
	plan salt $sig input in books data data each 0
	rm -f got
	perl -e '$SIG{$_} = "DEFAULT" for qw(INT QUIT HUP TERM); exec @ARGV' dassie-datum .dassie/plan/count.1 "$offset" 1 2>err &
	pid=$!
	owned $pid
	read -r _ <ready
	kill -$sig $pid
	wait $pid
	is "SIG$sig: the runner dies by it" "$?" $((128 + number))
	is "SIG$sig: the command is told" "$(cat got)" $sig
	is "SIG$sig: no result, no failure" "$(results):$(fails):$(cat err)" 0:0:
	clean "SIG$sig: nothing is left"
	ok "SIG$sig: no process is left" gone "$(cat pid)"
done
step 'trap "" TERM; echo $$ >pid; echo ready >ready; while :; do sleep 1; done'
plan salt deaf input in books data data each 0
dassie-datum .dassie/plan/count.1 "$offset" 1 2>err &
pid=$!
owned $pid
read -r _ <ready
kill -TERM $pid
kill -TERM $pid
wait $pid
is "a deaf command is killed" "$?" 143
ok "and gone" gone "$(cat pid)"
step 'kill -INT $$; echo x >"$out/x"'
plan salt ignored tries 1 input in books data data each 0
run sh -c 'trap "" INT QUIT PIPE; exec dassie-datum "$@"' sh .dassie/plan/count.1 "$offset" 1
like "ignored signals are not inherited" "$status:$err" '^1:.*killed by SIGINT'
rm -rf .dassie/datums

step 'sleep 1000 & echo $! >pid; echo half >"$out/half"; mkdir "$out/d"; chmod 0 "$out/d"; echo $$ >shell; echo ready >ready; wait'
plan salt kill input in books data data each 0
dassie-datum .dassie/plan/count.1 "$offset" 1 2>err &
pid=$!
owned $pid
read -r _ <ready
owned "$(cat pid)"
kill -KILL $pid
wait $pid
is "SIGKILL" "$?" 137
is "leaves no result" "$(results):$(fails)" 0:0
ok "but the folder" test -d ".dassie/work/$(key)"
step 'ls -A "$out" >"$out/ls"'
go
is "the next attempt begins from nothing" "$status:$err:$(output ls)" 0::ls
ok "what the killed one left is gone" gone "$(cat pid)"
ok "its shell too" gone "$(cat shell)"
clean "nothing else is left"

# --- plans that do not fit
fresh
echo one >data/a
step 'echo x >"$out/x"'
plan input in books data data datum d match 0 a forge
go
like "a record that is not its key" "$status:$err" "^3:.*is not what its key says"
is "is not run" "$(results):$(fails)" 0:0
plan input in books data data each 0
run dassie-datum .dassie/plan/count.1 "$offset" 2
like "fewer datums than asked for" "$status:$(results):$err" "^3:1:.*has fewer datums"
run dassie-datum .dassie/plan/count.1 3 1
like "an offset in the head" "$status:$err" "^3:.*has no datum at 3"
run dassie-datum .dassie/plan/none 3 1
like "no plan" "$status:$err" "^3:dassie: there is no plan '.dassie/plan/none'"
run dassie-datum .dassie/plan/count.1
is "usage" "$status" 2
rm step.sh
plan salt 2 input in books data data each 0
go
like "no step" "$status:$err" "^3:dassie: step 'step.sh' is not there"
{
	echo ': <<EOF'
	head -c 200000 /dev/zero | tr '\0' '#' | fold -w 70
	printf '\nEOF\necho long >"$out/x"\n'
} >step.sh
go
is "a step too long for an argument" "$status:$err:$(output x)" 0::long

# --- a full disk, and an ordinary user
fresh
echo one >data/a
step 'head -c 3000000 /dev/zero >"$out/x"'
plan tries 1 input in books data data each 0
cp -R . "$T/full"
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	# shellcheck disable=SC2030
	full() {
		mkdir "$T/small"
		unshare -m sh -c 'mount -t tmpfs -o size=1m none "$1" && cp -R "$2/." "$1" && cd "$1" && shift 2 && dassie-datum "$@"; s=$?
			find .dassie/work .dassie/objects .dassie/datums -mindepth 1 ! -path ".dassie/*/??"; exit $s' sh "$T/small" "$T/full" .dassie/plan/count.1 "$offset" 1
	}
	run full
	like "a full disk" "$status:$err" "^3:.*books:/a.*the disk is full"
	is "leaves nothing" "$out" ""
else
	skip "only for root" "a full disk"
fi
if [ "$(id -u)" = 0 ] && have setpriv; then
	chmod 711 "$T"
	step 'mkdir -p "$out/a/b"; echo x >"$out/a/b/c"; chmod 0 "$out/a/b/c"; chmod 555 "$out/a/b"; chmod 0 "$out/a"; mkdir -p "$TMPDIR/x/y"; chmod 0 "$TMPDIR/x"; chmod 555 "$PFS/in" "$PFS"'
	plan salt user input in books data data each 0
	chown -R 65534:65534 .
	run setpriv --reuid=65534 --regid=65534 --clear-groups dassie-datum .dassie/plan/count.1 "$offset" 1
	is "an ordinary user" "$status:$err:$(output a/b/c)" 0::x
	clean "nothing is left"
else
	skip "only for root" "an ordinary user"
fi
done_testing
