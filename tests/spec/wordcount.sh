#!/bin/sh
# The step of pipeline 'count', compiled from its spec by dassie.
# By hand: books=… out=… sh FILE, with absolute paths
umask 022
CDPATH='' cd -- "${DASSIE_PROJECT:-$(dirname -- "$0")/../..}" || exit 126
export LC_ALL=C.UTF-8 TZ=UTC
set -eu
tr -cs '[:alpha:]' '\n' < "$books" | sort | uniq -c > "$out/$(basename "$books")"
#!/bin/sh
# The step of pipeline 'total', compiled from its spec by dassie.
# By hand: count=… out=… sh FILE, with absolute paths
umask 022
CDPATH='' cd -- "${DASSIE_PROJECT:-$(dirname -- "$0")/../..}" || exit 126
export LC_ALL=C.UTF-8 TZ=UTC
set -eu
awk -f total.awk "$count"/* > "$out/total.txt"
