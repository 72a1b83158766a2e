#!/bin/sh
# Which shared libraries each program needs: start-up time and the half it belongs to depend on it.
. "$(dirname "$0")/../lib.sh"

have readelf || skip_all "no readelf"

# links PROGRAM LIBRARY...: it needs each of them; links_not: none of them.
needed() {
	readelf -d "$DASSIE_BUILD/$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

links() {
	program=$1
	shift
	for library in "$@"; do
		like "$program links $library" "$(needed "$program")" "^lib${library}[.-]"
	done
}

links_not() {
	program=$1
	shift
	for library in "$@"; do
		unlike "$program does not link $library" "$(needed "$program")" "^lib${library}[.-]"
	done
}

links dassie sqlite3
links_not dassie curl expat jansson yaml pcre2
links dassie-compile yaml pcre2
links_not dassie-compile curl expat jansson sqlite3
links dassie-net curl expat jansson
links_not dassie-net sqlite3 yaml pcre2
links_not dassie-datum curl expat jansson sqlite3 yaml pcre2
# A function of ours that a library has, too, would be called by the library.  (A sanitizer's runtime is in the program, and is.)
if [ "${DASSIE_ASAN:-0}" != 1 ]; then
	for program in dassie dassie-compile dassie-net; do
		is "$program has no function that a library calls" \
			"$(readelf --dyn-syms -W "$DASSIE_BUILD/$program" | awk '$4 == "FUNC" && $5 == "GLOBAL" && $7 != "UND" && $7 != "Ndx" { print $8 }')" ""
	done
fi
if grep -q '^DATUM_STATIC = yes' "$DASSIE_BUILD/Makefile"; then
	is "dassie-datum is static" "$(needed dassie-datum)" ""
	links_not dassie-datum crypto
fi
done_testing
