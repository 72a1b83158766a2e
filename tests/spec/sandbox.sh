#!/bin/sh
# The step of pipeline 'long', compiled from its spec by dassie.
# By hand: short=… out=… sh FILE, with absolute paths
umask 022
CDPATH='' cd -- "${DASSIE_PROJECT:-$(dirname -- "$0")/../..}" || exit 126
export LC_ALL=C.UTF-8 TZ=UTC
# sandbox: strict
exec 'true'
#!/bin/sh
# The step of pipeline 'open', compiled from its spec by dassie.
# By hand: short=… out=… sh FILE, with absolute paths
umask 022
CDPATH='' cd -- "${DASSIE_PROJECT:-$(dirname -- "$0")/../..}" || exit 126
export LC_ALL=C.UTF-8 TZ=UTC
exec 'true'
#!/bin/sh
# The step of pipeline 'short', compiled from its spec by dassie.
# By hand: in=… out=… sh FILE, with absolute paths
umask 022
CDPATH='' cd -- "${DASSIE_PROJECT:-$(dirname -- "$0")/../..}" || exit 126
export LC_ALL=C.UTF-8 TZ=UTC
# sandbox: strict
CDPATH='' cd -- 'lib' || exit 126
set -eu
python3 a.py "$in" >"$out/x"
