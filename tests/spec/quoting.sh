#!/bin/sh
# The step of pipeline 'backslash-end', compiled from its spec by dassie.
# By hand: data=… out=… sh FILE, with absolute paths
umask 022
CDPATH='' cd -- "${DASSIE_PROJECT:-$(dirname -- "$0")/../..}" || exit 126
export LC_ALL=C.UTF-8 TZ=UTC
set -eu
printf '%s\n' "$data"
#!/bin/sh
# The step of pipeline 'q', compiled from its spec by dassie.
# By hand: data=… out=… sh FILE, with absolute paths
umask 022
CDPATH='' cd -- "${DASSIE_PROJECT:-$(dirname -- "$0")/../..}" || exit 126
export LC_ALL=C.UTF-8 TZ=UTC
export A='it'\''s $HOME `x` \ "q"'
export EMPTY=''
export N='5'
export NL='a
b'
export TZ='Europe/Berlin'
CDPATH='' cd -- 'with blank/it'\''s' || exit 126
exec 'python3' '-c' 'print('\''$x'\'', "y")
print(2)' '' 'a b' <<'STDIN_'
STDIN
$(not run) `nor this`
  it's \ kept
STDIN_
