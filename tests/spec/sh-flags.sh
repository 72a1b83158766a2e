#!/bin/sh
# The step of pipeline 'argument', compiled from its spec by dassie.
# By hand: s=… out=… sh FILE, with absolute paths
umask 022
CDPATH='' cd -- "${DASSIE_PROJECT:-$(dirname -- "$0")/../..}" || exit 126
export LC_ALL=C.UTF-8 TZ=UTC
exec 'sh' '-c' 'echo "$1"' 'x' 'it'\''s'
#!/bin/sh
# The step of pipeline 'bash', compiled from its spec by dassie.
# By hand: s=… out=… sh FILE, with absolute paths
umask 022
CDPATH='' cd -- "${DASSIE_PROJECT:-$(dirname -- "$0")/../..}" || exit 126
export LC_ALL=C.UTF-8 TZ=UTC
exec 'bash' '-euo' 'pipefail' <<'STDIN__'
a=(1 2)
STDIN
STDIN_
STDIN__
#!/bin/sh
# The step of pipeline 'flags', compiled from its spec by dassie.
# By hand: s=… out=… sh FILE, with absolute paths
umask 022
CDPATH='' cd -- "${DASSIE_PROJECT:-$(dirname -- "$0")/../..}" || exit 126
export LC_ALL=C.UTF-8 TZ=UTC
set -e
set -u
true
#!/bin/sh
# The step of pipeline 'plain', compiled from its spec by dassie.
# By hand: s=… out=… sh FILE, with absolute paths
umask 022
CDPATH='' cd -- "${DASSIE_PROJECT:-$(dirname -- "$0")/../..}" || exit 126
export LC_ALL=C.UTF-8 TZ=UTC
false
echo on
