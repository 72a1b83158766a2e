#!/bin/sh
# The step of pipeline 'p', compiled from its spec by dassie.
# By hand: DATA_PATH=… out=… sh FILE, with absolute paths
umask 022
CDPATH='' cd -- "${DASSIE_PROJECT:-$(dirname -- "$0")/../..}" || exit 126
export LC_ALL=C.UTF-8 TZ=UTC
export A='1'
export B='true'
export C='2024-01-01'
export E='1.10'
export G='NO'
export PFS='z'
export out='x'
exec env -- 'spark.driver=it'\''s' '/bin/bash' <<'STDIN'
echo $DATA_PATH $out
STDIN
#!/bin/sh
# The step of pipeline 'q', compiled from its spec by dassie.
# By hand: data=… out=… sh FILE, with absolute paths
umask 022
CDPATH='' cd -- "${DASSIE_PROJECT:-$(dirname -- "$0")/../..}" || exit 126
export LC_ALL=C.UTF-8 TZ=UTC
exec env -- 'a-b=c' 'sh' <<'STDIN'
env
STDIN
