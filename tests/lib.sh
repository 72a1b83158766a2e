# shellcheck shell=sh
# lib.sh: for tests of whole runs.  A test sources it first and ends with done_testing:
#
#	. "$(dirname "$0")/lib.sh"
#	project                                # a fresh folder with a blank in its name, now the current one
#	run dassie compile                     # sets $status, $out and $err
#	is "compile is done" "$status" 0
#	like "it says so" "$err" 'wrote'
#	ok "there is a Makefile" test -f Makefile
#	done_testing
#
# Programs come from DASSIE_BUILD (default: build/ of the tree).  Everything lies in $T and is gone at the end,
# unless DASSIE_KEEP is set.  Only processes that were named with `owned PID` are ended.

if [ -z "${DASSIE_SRC:-}" ]; then
	DASSIE_SRC=$(cd "$(dirname "$0")" && pwd) || exit 1
	while [ ! -e "$DASSIE_SRC/tests/lib.sh" ]; do
		[ "$DASSIE_SRC" != / ] || exit 1
		DASSIE_SRC=$(dirname "$DASSIE_SRC")
	done
fi
DASSIE_BUILD=${DASSIE_BUILD:-$DASSIE_SRC/build}
case $DASSIE_BUILD in
/*) ;;
*) DASSIE_BUILD=$PWD/$DASSIE_BUILD ;;
esac
export DASSIE_SRC DASSIE_BUILD
unset CDPATH DASSIE DASSIE_DATUM DASSIE_RUN DASSIE_PROJECT MAKEFLAGS MAKELEVEL MFLAGS GNUMAKEFLAGS NO_COLOR
PATH=$DASSIE_BUILD:$PATH
export PATH
umask 022

if [ ! -x "$DASSIE_BUILD/dassie" ]; then
	echo "Bail out! no dassie in '$DASSIE_BUILD'; ./bootstrap builds it"
	exit 1
fi

T=$(mktemp -d "${TMPDIR:-/tmp}/dassie test.XXXXXX") || exit 1
test_run=0
test_failed=0
test_projects=0
test_owned=
status=0
out=
err=

lib_cleanup() {
	for pid in $test_owned; do
		kill -KILL "$pid" 2>/dev/null
	done
	cd / || exit 1
	if [ -n "${DASSIE_KEEP:-}" ]; then
		echo "# kept: $T"
	elif grep -qsF " $(printf '%s' "$T" | sed 's/ /\\040/g')/" /proc/self/mountinfo; then
		# What it leads to would go, too.
		echo "# something is mounted below '$T': it stays"
	else
		chmod -R u+rwX "$T" 2>/dev/null
		rm -rf "$T"
	fi
}
trap lib_cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# owned PID...: end these processes with the test.
owned() {
	test_owned="$test_owned $*"
}

# project [NAME]: a new empty folder, and go there.
project() {
	test_projects=$((test_projects + 1))
	cd "$T" && mkdir "${1:-a project $test_projects}" && cd "${1:-a project $test_projects}" || exit 1
}

diag() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

pass() {
	test_run=$((test_run + 1))
	printf 'ok %d - %s\n' "$test_run" "$1"
}

fail() {
	test_run=$((test_run + 1))
	test_failed=$((test_failed + 1))
	printf 'not ok %d - %s\n' "$test_run" "$1"
	return 1
}

# skip REASON [NAME]: one test that cannot be made here.
skip() {
	test_run=$((test_run + 1))
	printf 'ok %d - %s # SKIP %s\n' "$test_run" "${2:-}" "$1"
}

skip_all() {
	printf '1..0 # SKIP %s\n' "$1"
	exit 0
}

# run COMMAND...: sets $status, and $out and $err without their last newlines.
run() {
	status=0
	"$@" >"$T/.out" 2>"$T/.err" </dev/null || status=$?
	out=$(cat "$T/.out")
	err=$(cat "$T/.err")
}

# ok NAME COMMAND...: it must succeed.
ok() {
	ok_name=$1
	shift
	if "$@" >"$T/.ok" 2>&1 </dev/null; then
		pass "$ok_name"
	else
		ok_status=$?
		fail "$ok_name"
		diag "status $ok_status of: $*"
		diag "$(tail -n 30 "$T/.ok")"
		return 1
	fi
}

# not_ok NAME COMMAND...: it must fail, and by its own decision: death by a signal or a missing command is never expected.
not_ok() {
	ok_name=$1
	shift
	ok_status=0
	"$@" >"$T/.ok" 2>&1 </dev/null || ok_status=$?
	if [ "$ok_status" -gt 0 ] && [ "$ok_status" -lt 126 ] && [ "$ok_status" -ne 99 ]; then
		pass "$ok_name"
	else
		fail "$ok_name"
		diag "status $ok_status of: $*"
		diag "$(tail -n 30 "$T/.ok")"
		return 1
	fi
}

# is NAME GOT WANT
is() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1"
		diag " got: $2"
		diag "want: $3"
		return 1
	fi
}

isnt() {
	if [ "$2" != "$3" ]; then
		pass "$1"
	else
		fail "$1"
		diag "both: $2"
		return 1
	fi
}

# like NAME TEXT PATTERN: an extended regular expression that some line of it must match.
like() {
	if printf '%s\n' "$2" | grep -Eq -e "$3"; then
		pass "$1"
	else
		fail "$1"
		diag "   got: $2"
		diag "wanted: $3"
		return 1
	fi
}

unlike() {
	if printf '%s\n' "$2" | grep -Eq -e "$3"; then
		fail "$1"
		diag "     got: $2"
		diag "unwanted: $3"
		return 1
	else
		pass "$1"
	fi
}

# says NAME WORDS...: each of these is in what the last `run` said, blanks squeezed.
says() {
	says_name=$1
	shift
	for says_words in "$@"; do
		if tr -s ' ' <"$T/.err" | grep -Fq -e "$says_words"; then
			pass "$says_name: $says_words"
		else
			fail "$says_name: $says_words"
			diag "$err"
		fi
	done
}

# refused NAME WORDS...: the last `run` failed by its own decision, and says this.
refused() {
	is "$1: fails" "$status" 1
	says "$@"
}

# fill N: a folder `data` of N files.
fill() {
	mkdir -p data
	fill_i=0
	while [ $fill_i -lt "$1" ]; do
		fill_i=$((fill_i + 1))
		echo "$fill_i" >"data/$fill_i"
	done
}

# same NAME FILE-OR-DIR FILE-OR-DIR: the same bytes.
same() {
	ok "$1" diff -r "$2" "$3"
}

# results: how many datums this project has done so far, ever.
results() {
	find .dassie/datums -type f ! -name '*.*' 2>/dev/null | wc -l | tr -d ' '
}

# ran NAME N COMMAND...: the command succeeds and does exactly N datums that were not done before.
ran() {
	ran_name=$1
	ran_want=$2
	shift 2
	ran_before=$(results)
	run "$@"
	ran_got=$(($(results) - ran_before))
	if [ "$status" -eq 0 ] && [ "$ran_got" -eq "$ran_want" ]; then
		pass "$ran_name"
	else
		fail "$ran_name"
		diag "status $status, $ran_got datums instead of $ran_want: $*"
		diag "$out"
		diag "$err"
		return 1
	fi
}

have() {
	command -v "$1" >/dev/null 2>&1
}

# Does this kernel, or the container around us, let commands see a /pfs?
have_pfs() {
	dassie doctor --json 2>/dev/null | grep -q '"what":"/pfs","state":"ok"'
}

# For a test whose specs name /pfs.
need_pfs() {
	have_pfs || skip_all "no namespaces here, so no /pfs"
}

# as_nobody COMMAND...: as an ordinary user, by root.
as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent "$@"
}

# Can that user run what was built?  In a home folder that is closed it cannot.
have_nobody() {
	[ "$(id -u)" = 0 ] && have setpriv && as_nobody dassie --version >/dev/null 2>&1
}

# May we mount, in a namespace of our own?
have_mounts() {
	[ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null
}

# s3server [OPTION...]: Ceph's gateway, ended with the test; sets and exports the S3_… of tests/s3server.pl, and forgets what AWS
# settings the caller has.  A test without it is skipped: ./bootstrap check installs it where it can.
s3server() {
	s3_missing=$("$DASSIE_SRC/tests/s3server.pl" --missing) || skip_all "not installed: $s3_missing"
	test_servers=$((${test_servers:-0} + 1))
	s3_said=$("$DASSIE_SRC/tests/s3server.pl" "$T/s3server $test_servers" "$@") || exit 1
	set -a
	eval "$s3_said"
	set +a
	# A list of process ids.
	# shellcheck disable=SC2086
	owned $S3_PIDS
	no_aws
}

# evils3 [RULE...]: the misbehaving server of tests/evils3.pl, with its rules; new ones go into the file "$EVIL/rules", what it was asked
# lies in "$EVIL/log" and "$EVIL/heads".
evils3() {
	test_servers=$((${test_servers:-0} + 1))
	EVIL="$T/evils3 $test_servers"
	evil_said=$("$DASSIE_SRC/tests/evils3.pl" "$EVIL" "$@") || exit 1
	set -a
	eval "$evil_said"
	set +a
	owned "$EVIL_PID"
	no_aws
}

# Nothing of the caller's own credentials and settings gets into a test, and nobody asks a cloud's metadata service.
no_aws() {
	for s3_name in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\)=.*/\1/p'); do
		unset "$s3_name"
	done
	unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
	AWS_CONFIG_FILE="$T/.aws-config" AWS_SHARED_CREDENTIALS_FILE="$T/.aws-credentials" AWS_EC2_METADATA_DISABLED=true
	export AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_EC2_METADATA_DISABLED
}

# s3 VERB...: the tests' own client, tests/s3.pl.
s3() {
	"$DASSIE_SRC/tests/s3.pl" "$@"
}

done_testing() {
	printf '1..%d\n' "$test_run"
	if [ "$test_failed" -gt 0 ] || [ "$test_run" -eq 0 ]; then
		exit 1
	fi
	exit 0
}
