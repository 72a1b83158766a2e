#!/bin/sh
# Nothing half-done is believed: kills, failing disks, full disks, a power cut, a state folder that goes away.
#
#	DASSIE_FAULTS=N tests/t-faults.sh      so many points of each kind (2 if not given)
#	DASSIE_FAULTS=all tests/t-faults.sh    every 13th call: a quarter of an hour for each kind
# shellcheck disable=SC2016,SC2119
. "$(dirname "$0")/lib.sh"

[ -x "$DASSIE_BUILD/tests/unit/killat" ] || skip_all "no tests/unit/killat: make check-programs"

# faults KIND
faults() {
	case ${DASSIE_FAULTS:-} in
	all) set -- "$1" --every 13 ;;
	*) set -- "$1" --points "${DASSIE_FAULTS:-2}" ;;
	esac
	perl "$DASSIE_SRC/tests/faults.pl" "$@" >"$T/faults.log" 2>&1 </dev/null
	faults_rc=$?
	if grep -q '^1\.\.0 # SKIP' "$T/faults.log"; then
		skip "$(sed -n 's/^1\.\.0 # SKIP //p' "$T/faults.log")" "$1"
	elif [ "$faults_rc" = 0 ]; then
		pass "$(sed -n '$!s/^ok [0-9]* - //p' "$T/faults.log" | tail -n 1) ($(sed -n 's/^# .*\(seed .*\)/\1/p' "$T/faults.log" | head -n 1))"
	else
		fail "$1"
		diag "$(tail -n 60 "$T/faults.log")"
	fi
}

for kind in one all EIO ENOSPC short power; do
	faults "$kind"
done

spec() {
	mkdir -p in
	i=0
	while [ $i -lt 50 ]; do
		i=$((i + 1))
		head -c 3000 /dev/zero | tr '\0' "$((i % 10))" >"in/f$i"
	done
	cat >pipeline.yaml <<-'SPEC'
	repos: {in: in}
	pipelines:
	  one:
	    input: in/*
	    run: cat "$in" "$in" "$in" >"$out/${in##*/}"
	  all:
	    input: one/
	    run: cat "$one"/* >"$out/all"
	SPEC
	dassie compile --quiet
}

sum() {
	find out -type f | sort | xargs cat | cksum
}

project clean
spec
make -s -j2 || echo "Bail out! a clean run fails"
right=$(sum)

# --- a full disk, a real one
cat >"$T/full.sh" <<'E2'
mount -t tmpfs -o size=32m none "$2" || exit 99
# What is left of it; a remount with another size is root's alone.
head -c "$((32 * 1024 * 1024 - $1 * 1024))" /dev/zero >"$2/ballast" || exit 99
cp -a pipeline.yaml in Makefile .dassie "$2/" && cd "$2" || exit 99
make -s -j2 >"$3/full.err" 2>&1
echo $? >"$3/full.status"
rm ballast
make -s -j2 >"$3/then.err" 2>&1
echo $? >"$3/then.status"
find out -type f | sort | xargs cat | cksum >"$3/then.sum"
dassie fsck >"$3/fsck.err" 2>&1
echo $? >"$3/fsck.status"
E2
in_space() {
	if [ "$(id -u)" = 0 ]; then
		unshare -m "$@"
	else
		unshare -Urm "$@"
	fi
}
for size in 400 700 1000; do
	project
	spec
	mkdir "$T/small"
	rm -f "$T"/*.status
	rc=0
	in_space sh "$T/full.sh" $size "$T/small" "$T" >/dev/null 2>&1 || rc=$?
	if [ $rc = 99 ] || [ ! -e "$T/then.status" ]; then
		skip "no tmpfs can be mounted" "a file system with $size kB"
	else
		is "a file system with $size kB is too full" "$(test "$(cat "$T/full.status")" -gt 0 && echo yes)" yes
		like "that is said" "$(cat "$T/full.err")" 'No space left on device|disk is full'
		unlike "not as a datum's failure" "$(cat "$T/full.err")" ' failed: '
		is "with room it is made" "$(cat "$T/then.status"):$(cat "$T/then.sum"):$(cat "$T/fsck.status")" "0:$right:0" || diag "$(cat "$T/then.err")"
	fi
	rmdir "$T/small"
done

# --- the state folder goes away
project
spec
sed 's,run: cat "$in",run: test "${in##*/}" != f30 || rm -rf .dassie; cat "$in",' pipeline.yaml >new && mv new pipeline.yaml
dassie compile --quiet
run timeout 60 make -s -j2
is "a run whose state is removed fails" "$((status > 0 && status != 124))" 1
spec
run timeout 60 make -s -j2
is "the next make begins anew" "$status:$(sum)" "0:$right"
ok "fsck" dassie fsck

done_testing
