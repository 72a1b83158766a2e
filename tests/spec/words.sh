#!/bin/sh
# The step of pipeline 'p', compiled from its spec by dassie.
# By hand: in=… out=… sh FILE, with absolute paths
umask 022
CDPATH='' cd -- "${DASSIE_PROJECT:-$(dirname -- "$0")/../..}" || exit 126
export LC_ALL=C.UTF-8 TZ=UTC
export D='2024-01-01'
export E='1e3'
export T='12:30:45'
export Y='0x1F'
export Z='007'
export n='y'
export no='NO'
export off='on'
export on='off'
export true='false'
export y='n'
export yes='no'
true
