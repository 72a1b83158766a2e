#!/bin/sh
# DASSIE_KILLS rounds of SIGKILL at random moments (50; a fifth under sanitizers).
set -eu
n=${DASSIE_KILLS:-50}
[ "${DASSIE_ASAN:-0}" = 0 ] || n=$((n / 5))
exec perl "$(dirname "$0")/kill.pl" --rounds "$n" ${DASSIE_SEED:+--seed "$DASSIE_SEED"}
