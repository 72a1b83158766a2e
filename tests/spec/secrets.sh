#!/bin/sh
# The step of pipeline 'long', compiled from its spec by dassie.
# By hand: in=… TOKEN=… K=… out=… sh FILE, with absolute paths
umask 022
CDPATH='' cd -- "${DASSIE_PROJECT:-$(dirname -- "$0")/../..}" || exit 126
export LC_ALL=C.UTF-8 TZ=UTC
# $TOKEN is the secret 'api', key 'token.txt'
# $K is the secret 'aws', key 'k'
# /secrets/aws has the keys of the secret 'aws'
cat $in
#!/bin/sh
# The step of pipeline 'one', compiled from its spec by dassie.
# By hand: in=… out=… sh FILE, with absolute paths
umask 022
CDPATH='' cd -- "${DASSIE_PROJECT:-$(dirname -- "$0")/../..}" || exit 126
export LC_ALL=C.UTF-8 TZ=UTC
# /s has the keys of the secret 'api'
exec 'true'
#!/bin/sh
# The step of pipeline 'short', compiled from its spec by dassie.
# By hand: in=… TOKEN=… out=… sh FILE, with absolute paths
umask 022
CDPATH='' cd -- "${DASSIE_PROJECT:-$(dirname -- "$0")/../..}" || exit 126
export LC_ALL=C.UTF-8 TZ=UTC
# $TOKEN is the secret 'api', key 'token'
# /root/.aws has the keys of the secret 'aws'
set -eu
fetch "$TOKEN" >"$out/x"
