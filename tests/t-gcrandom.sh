#!/bin/sh
# DASSIE_GCS rounds of gc at random moments beside makes (30; a fifth under sanitizers).
set -eu
n=${DASSIE_GCS:-30}
[ "${DASSIE_ASAN:-0}" = 0 ] || n=$((n / 5))
exec perl "$(dirname "$0")/gc.pl" --rounds "$n" ${DASSIE_SEED:+--seed "$DASSIE_SEED"}
