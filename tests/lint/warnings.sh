#!/bin/sh
# No compiler here has a warning for any file.
. "$(dirname "$0")/../lib.sh"

flags='-std=gnu11 -Wall -Wextra -Wpedantic -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wwrite-strings'

# Flags and a list of names: word splitting is meant.
# shellcheck disable=SC2046,SC2086,SC2317
check_files() {
	find base compiler runtime tests/unit tests/bench -name '*.c' -print0 |
		xargs -0 -n 8 "$1" $flags -Werror -fsyntax-only -include "$DASSIE_BUILD/config.h" -DDASSIE_LIBEXEC='""' \
			$(pkg-config --cflags yaml-0.1 libpcre2-8 sqlite3 libcurl expat jansson libcrypto)
}

cd "$DASSIE_SRC" || exit 1
for compiler in gcc clang; do
	if have "$compiler"; then
		ok "$compiler has nothing to say" check_files "$compiler"
	else
		skip "no $compiler here" "$compiler has nothing to say"
	fi
done
done_testing
