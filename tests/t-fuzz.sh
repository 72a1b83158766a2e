#!/bin/sh
# Fuzz targets (tests/fuzz): the kept inputs, some made of them, and, in the sanitized pass, a short run with libFuzzer where clang
# has it.  DASSIE_FUZZ=SECONDS: so long for each target, in any pass.
. "$(dirname "$0")/lib.sh"

project
for target in cron files glob ignore journal makeflags names spec web; do
	"$DASSIE_BUILD/tests/fuzz/$target" -mutate="${DASSIE_MUTATE:-5}" "$DASSIE_SRC/tests/fuzz/corpus/$target" >"$T/said" 2>&1
	status=$?
	is "$target: the kept inputs and what is made of them ($(tail -n 1 "$T/said"))" "$status" 0
	[ "$status" = 0 ] || { diag "$(cat "$T/said")"; diag "$(od -c broken-input)"; }
done

if [ "${DASSIE_ASAN:-0}" != 1 ] && [ -z "${DASSIE_FUZZ:-}" ]; then
	skip "libFuzzer runs in the sanitized pass, or with DASSIE_FUZZ=SECONDS"
elif ! sh "$DASSIE_SRC/tests/fuzz/run" -c; then
	skip "no clang with libFuzzer here"
else
	# Reports are to go to the log of the target; leaks count.
	unset ASAN_OPTIONS UBSAN_OPTIONS
	FUZZ_BUILD=$(dirname "$DASSIE_BUILD")/build-fuzz
	export FUZZ_BUILD
	# shellcheck disable=SC2086
	run sh "$DASSIE_SRC/tests/fuzz/run" ${DASSIE_FUZZ:+-s "$DASSIE_FUZZ"} ${DASSIE_FUZZ:--n 1000}
	is "libFuzzer finds nothing" "$status" 0
	diag "$out"
	[ "$status" = 0 ] || diag "$err"
fi
done_testing
