#!/bin/sh
# Incremental equals clean: DASSIE_SCRIPTS random edit scripts (100; a quarter under sanitizers), DASSIE_SEED to play again.
set -eu
n=${DASSIE_SCRIPTS:-100}
[ "${DASSIE_ASAN:-0}" = 0 ] || n=$((n / 4))
exec perl "$(dirname "$0")/incremental.pl" --scripts "$n" ${DASSIE_SEED:+--seed "$DASSIE_SEED"}
