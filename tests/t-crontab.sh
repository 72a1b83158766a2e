#!/bin/sh
# dassie cron install, remove, list, entry: against a crontab(1) of the test's own, which can be made to fail in every way.
# shellcheck disable=SC2119  # project has an optional argument
. "$(dirname "$0")/lib.sh"

HOME=$T/home
export HOME
unset XDG_CONFIG_HOME AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
mkdir "$HOME" "$T/bin"
tab=$T/tab
cat >"$T/bin/crontab" <<'SH'
#!/bin/sh
# $TAB is the crontab; $MODE what is wrong with it.
echo "$*" >>"$TAB.calls"
case $MODE in
denied) echo "You (joe) are not allowed to use this program (crontab)" >&2; echo "See crontab(1) for more information" >&2; exit 1 ;;
unreadable) echo "crontabs/joe/: fopen: Permission denied" >&2; exit 1 ;;
esac
case $1 in
-l)
	[ -e "$TAB" ] || { echo "no crontab for joe" >&2; exit 1; }
	cat "$TAB"
	# Somebody else writes a line after each of the first two readings.
	if [ "$MODE" = race ] && [ "$(grep -c '^-l' "$TAB.calls")" -le 2 ]; then echo "# another's line" >>"$TAB"; fi
	if [ "$MODE" = storm ]; then echo "# one more" >>"$TAB"; fi
	;;
-)
	case $MODE in
	readonly) echo "crontabs/tmp.x: mkstemp: Read-only file system" >&2; exit 1 ;;
	bad) echo '"-":1: bad minute' >&2; echo "errors in crontab file, can't install." >&2; exit 1 ;;
	forgetful) cat >/dev/null; exit 0 ;;
	strict)
		cat >"$TAB.new"
		[ -z "$(tail -c 1 "$TAB.new")" ] || { echo "new crontab file is missing newline before EOF, can't install." >&2; exit 1; }
		mv "$TAB.new" "$TAB"
		exit 0
		;;
	esac
	cat >"$TAB.new" && mv "$TAB.new" "$TAB"
	;;
*) exit 99 ;;
esac
SH
chmod +x "$T/bin/crontab"
PATH=$T/bin:$PATH
TAB=$tab
MODE=
export PATH TAB MODE

# begin [NAME]: a project that can be installed.
begin() {
	project "$@"
	mkdir books
	echo 1 >books/a
	cat >pipeline.yaml <<-'YAML'
		repos: {books: books}
		pipelines:
		  count:
		    schedule: "0 3 * * *"
		    input: books/*
		    run: cp "$books" "$out"
	YAML
	dassie compile 2>/dev/null || exit 1
}

# fires: the crontab's one command for this project, as cron would start it.
fires() {
	command=$(grep -v '^#' "$tab" | sed -n 's/^\* \* \* \* \* //p')
	(cd / && env -i HOME=/ LOGNAME=joe PATH=/usr/bin:/bin SHELL=/bin/sh ${ASAN_OPTIONS:+"ASAN_OPTIONS=$ASAN_OPTIONS"} sh -c "$command")
}

# --- in and out ---

begin
run dassie cron install --print
is "--print" "$status" 0
like "--print shows the entry" "$out" '^\* \* \* \* \* .*/dassie cron entry /'
ok "--print changes nothing" test ! -e "$tab" -a ! -e .dassie/cron
printed=$out
run dassie cron install
is "install, where there is no crontab" "$status" 0
is "what is there is what was printed" "$(cat "$tab")" "$printed"
like "it says so" "$err" 'installed in the crontab'
: >"$tab.calls"
cp "$tab" "$T/before"
run dassie cron install
same "a second time changes nothing" "$tab" "$T/before"
is "and writes nothing" "$(grep -c '^-$' "$tab.calls")" 0
like "and says so" "$err" 'already'
run dassie cron list
like "list" "$out" "$(basename "$PWD").* crontab +ok"
mkdir -p sub/folder
cd sub/folder || exit 1
run dassie cron remove
is "remove, from a folder below" "$status" 0
is "nothing is left" "$(cat "$tab")" ""
run dassie cron remove
is "remove again" "$status" 0
like "there was nothing" "$err" 'nothing to remove'
cd ../.. || exit 1
ok "what the entry needed is gone too" test ! -e .dassie/cron/environment

cp pipeline.yaml "$T/spec"
grep -v schedule "$T/spec" >pipeline.yaml
run dassie cron install
is "a spec without a schedule" "$status" 3
like "is told" "$err" "no pipeline here has a cron input or a schedule"
is "and nothing is installed" "$(cat "$tab")" ""
echo 'pipelines: {x: {inputt: books/}}' >pipeline.yaml
run dassie cron install
is "a spec that does not compile" "$status" 3
like "is told" "$err" "inputt.*|does not compile"
cp "$T/spec" pipeline.yaml
run dassie cron status
like "status knows the spec of now" "$out" "^count +0 3 \\* \\* \\* +- +- +20.* 03:00:00Z"

sed 's/0 3 /15 4 /' "$T/spec" >pipeline.yaml
like "next knows the spec of now" "$(dassie cron next -n 1 2>/dev/null)" "04:15:00Z +count"
cp "$T/spec" pipeline.yaml

# --- other lines ---

awk 'BEGIN { for (i = 0; i < 1000; i++) printf "%s%d %d * * * echo %d \\%% \"x\" # %c%s\n", i % 7 ? "" : "\t  ", i % 60, i % 24, i, 128 + i % 128, i % 3 ? "" : " \r" }' >"$tab"
cp "$tab" "$T/foreign"
run dassie cron install
is "install among 1,000 lines" "$status" 0
head -n 1000 "$tab" >"$T/head"
same "which stay, byte for byte" "$T/head" "$T/foreign"
run dassie cron remove
same "and after remove all is as it was" "$tab" "$T/foreign"
for text in 'MAILTO=joe\n1 1 * * * x\n' '1 1 * * * x' '' '\n' 'a\r\nb\r\n' '# BEGIN dassie /other\n# END dassie /other\n'; do
	# shellcheck disable=SC2059  # it is a format
	printf "$text" >"$tab"
	cp "$tab" "$T/foreign"
	dassie cron install 2>/dev/null
	isnt "in: '$text'" "$(cat "$tab")" "$(cat "$T/foreign")"
	ok "the lines before are the same" cmp -n "$(wc -c <"$T/foreign")" "$tab" "$T/foreign"
	dassie cron remove 2>/dev/null
	same "out: '$text'" "$tab" "$T/foreign"
done
printf '1 1 * * * x' >"$tab"
MODE=strict
run dassie cron install
is "a crontab(1) that wants an end of the last line" "$status" 0
is "gets one" "$(head -n 1 "$tab")" "1 1 * * * x"
dassie cron remove 2>/dev/null
is "and the line stays" "$(cat "$tab")" "1 1 * * * x"
MODE=

# --- status ---

rm -f "$tab"
run dassie cron status
is "status without an entry" "$status" 3
like "the way to one" "$out" "entry +none: 'dassie cron install'"
dassie cron install 2>/dev/null
like "status with one" "$(dassie cron status)" "entry +in the crontab, every minute"
like "never called" "$(dassie cron status)" "called +never yet"
sed 's/^\*/#*/' "$tab" >"$T/off"
cp "$T/off" "$tab"
like "somebody put a '#' before it" "$(dassie cron status)" "'#' before it"
like "list says so, too" "$(dassie cron list)" "crontab +off"
dassie cron install 2>/dev/null
is "install mends it" "$(grep -c '^\* .*cron entry' "$tab")" 1
sed 's,/[^ ]*dassie cron,/old/dassie cron,' "$tab" >"$T/off"
cp "$T/off" "$tab"
like "another dassie" "$(dassie cron status)" "not as it would be made now"
is "--json" "$(dassie cron status --json | grep -c '"entry":"outdated"')" 1
dassie cron remove 2>/dev/null

# --- several projects ---

rm -f "$tab"
one=$PWD
dassie cron install 2>/dev/null
begin
two=$PWD
dassie cron install 2>/dev/null
is "a block a project" "$(grep -c '^# BEGIN dassie ' "$tab")" 2
cd "$one" || exit 1
ln -s "$one" "$T/link"
run dassie -C "$T/link" cron install
is "by a link it is the same project" "$(grep -c '^# BEGIN dassie ' "$tab")" 2
dassie cron remove 2>/dev/null
is "only the other's is left" "$(grep -c '^\*' "$tab")" 1
ok "and it is the other's" grep -q "$(basename "$two" | sed 's/ /=20/g')" "$tab"
dassie cron install 2>/dev/null
mv "$two" "$T/moved"
run dassie cron list
like "list: a project whose folder is gone" "$out" "$(basename "$two") +crontab +gone"
is "list --json" "$(dassie cron list --json | grep -c '"state":"gone"')" 1
cd "$T/moved" || exit 1
run dassie cron install
like "a folder that was moved takes its entry with it" "$err" "former name"
is "which is not left behind" "$(grep -c '^# BEGIN dassie ' "$tab")" 2
run dassie cron list
unlike "nothing is gone" "$out" gone
cd "$one" || exit 1
rm -rf "$T/moved"
run dassie cron remove "$T/moved"
is "what is gone can be removed" "$status" 0
is "and is" "$(grep -c '^\*' "$tab")" 1
dassie cron remove 2>/dev/null

# --- odd names; what the entry does ---

try_name() {
	rm -f "$tab"
	begin "$1"
	set -- "$(printf %s "$1" | tr '\n' '_')"
	dassie cron install 2>/dev/null
	is "'$1': three lines" "$(wc -l <"$tab" | tr -d ' ')" 3
	run fires
	is "'$1': the entry, as cron starts it" "$status" 0
	is "'$1': prints nothing" "$out$err" ""
	run dassie cron list
	like "'$1': list" "$out" 'crontab +ok +just now'
	dassie cron remove 2>/dev/null
	is "'$1': remove" "$(cat "$tab")" ""
}
try_name "a b  c"
try_name "100% of %s \\%"
try_name "it's \"quoted\" #1 \$HOME \`id\` ; & | <x>"
try_name "$(printf 'new\nline\ttab')"
try_name "$(printf 'b\303\274cher \377\376 \302\240')"
try_name "a -n =3D !"

# --- the environment ---

rm -f "$tab"
begin
ONE_MORE=x dassie cron install --env ONE_MORE 2>/dev/null
run dassie cron install --env NOT_SET_AT_ALL
is "--env with a variable that is not set" "$status" 3
like "says which" "$err" "'NOT_SET_AT_ALL' is not set"
ok "the environment of before stays" grep -q '^set ONE_MORE x' .dassie/cron/environment
same_secret=$(AWS_SECRET_ACCESS_KEY=geheim dassie cron install 2>&1)
like "a secret in the shell is told" "$same_secret" 'AWS_SECRET_ACCESS_KEY: set here'
ok "and not kept" sh -c '! grep -rq geheim .dassie "$1"' x "$tab"

# --- what fails is told once, and logged ---

rm -f "$tab"
begin
dassie cron install 2>/dev/null
run fires
is "a call that works" "$status$out$err" 0
echo 'pipelines: {x: {inputt: books/}}' >pipeline.yaml
run fires
isnt "a spec that does not compile" "$status" 0
like "is mailed: what it was" "$err" "inputt"
like "and where the rest is" "$err" "\.dassie/cron/log"
ok "the log has it" grep -q inputt .dassie/cron/log
run fires
is "the same again a minute later is not" "$err" ""
isnt "but the call fails as before" "$status" 0
echo 'pipelines: {x: {inputtt: books/}}' >pipeline.yaml
run fires
like "something else is" "$err" "inputtt"
head -c 1100000 /dev/zero | tr '\0' x | fold -w 100 >>.dassie/cron/log
cp .dassie/cron/log .dassie/cron/log.1
cp .dassie/cron/log .dassie/cron/log.2
fires >/dev/null 2>&1
ok "the log is kept short" test "$(wc -c <.dassie/cron/log)" -lt 100000
is "with two before it" "$(find .dassie/cron -name 'log*' | wc -l | tr -d ' ')" 3
rm -rf .dassie
run fires
isnt "the state folder is gone" "$status" 126
here=$PWD
cd "$T" || exit 1
rm -rf "$here"
run fires
is "the project is gone: failure" "$status" 3
case $(date +%M) in
00) ;;
*) is "without a mail a minute" "$err" "" ;;
esac

# --- what a crontab(1) can refuse ---

rm -f "$tab"
begin
echo '1 1 * * * x' >"$tab"
cp "$tab" "$T/foreign"
refuses() {
	MODE=$1
	run dassie cron install
	MODE=
	is "$1: status" "$status" 3
	like "$1: it says why" "$err" "$2"
	like "$1: and the way out" "$err" "$3"
	same "$1: nothing has changed" "$tab" "$T/foreign"
	ok "$1: nor here" test ! -e .dassie/cron
}
refuses denied "not allowed" "cron.allow.*--systemd"
refuses unreadable "Permission denied" "--systemd"
refuses readonly "Read-only" "--systemd"
refuses bad "bad minute; errors in crontab file" "nothing was changed"
refuses forgetful "does not keep it" "crontab -l"
mv "$T/bin/crontab" "$T/bin/none"
# What the machine has must not be found either.
mkdir "$T/few"
for p in sh make env systemctl; do
	found=$(command -v "$p") && ln -s "$found" "$T/few/$p"
done
run env PATH="$DASSIE_BUILD:$T/few" dassie cron install
mv "$T/bin/none" "$T/bin/crontab"
is "no crontab(1): status" "$status" 3
like "no crontab(1): the way out" "$err" "no 'crontab' on this machine: install cron .*--systemd"

: >"$tab.calls"
MODE=race
run dassie cron install
MODE=
is "somebody else writes meanwhile" "$status" 0
is "what he wrote is there" "$(grep -c "^# another's line" "$tab")" 2
is "the block too" "$(grep -c '^\* .*cron entry' "$tab")" 1
dassie cron remove 2>/dev/null
MODE=storm
run dassie cron install
MODE=
is "somebody writes all the time" "$status" 3
like "it is told" "$err" 'all the time'
cp "$T/foreign" "$tab"
for i in 1 2 3 4 5 6; do
	begin "many $i"
done
for i in 1 2 3 4 5 6; do
	dassie -C "$T/many $i" cron install 2>/dev/null &
done
wait
is "six at once: six blocks" "$(grep -c '^\* .*cron entry .*many=20' "$tab")" 6
is "the other line is there" "$(head -n 1 "$tab")" "1 1 * * * x"

# --- systemd ---

if have systemctl; then
	cp "$T/foreign" "$tab"
	begin "timer %n \$x"
	dassie cron install 2>/dev/null
	run dassie cron install --systemd
	is "--systemd" "$status" 0
	like "told what it needs" "$err" "login|linger"
	same "the crontab's block is taken out" "$tab" "$T/foreign"
	units=$HOME/.config/systemd/user
	is "a timer, a service, and what enables it" "$(find "$units" ! -type d | wc -l | tr -d ' ')" 3
	if have systemd-analyze; then
		is "systemd has no complaint" "$(systemd-analyze --user verify "$units"/*.timer 2>&1 | grep -i "$units")" ""
	fi
	run dassie cron list
	like "list" "$out" "timer .* systemd +ok"
	find "$units" -type f -exec cksum {} + >"$T/sums"
	run dassie cron install --systemd
	is "a second time changes nothing" "$(find "$units" -type f -exec cksum {} +)" "$(cat "$T/sums")"
	like "and says so" "$err" already
	dassie cron install 2>/dev/null
	is "back into the crontab" "$(find "$units" ! -type d | wc -l | tr -d ' ')" 0
	dassie cron install --systemd 2>/dev/null
	dassie cron remove 2>/dev/null
	is "remove" "$(find "$units" ! -type d | wc -l | tr -d ' ')" 0
else
	run dassie cron install --systemd
	is "--systemd without systemd" "$status" 3
	like "is told" "$err" "no systemd"
fi
done_testing
