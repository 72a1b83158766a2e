#!/bin/sh
# make install and uninstall, DESTDIR, a prefix with a blank, and programs that find each other where they were put.
. "$(dirname "$0")/lib.sh"

[ "${DASSIE_ASAN:-0}" = 0 ] || skip_all "the sanitized build is not installed"

make_here() {
	make -s -C "$DASSIE_BUILD" "$@"
}

files() {
	(cd "$1" && find . ! -type d | sort | tr '\n' ' ')
}

prefix=$(sed -n 's/^prefix = //p' "$DASSIE_BUILD/Makefile")
ok "install with DESTDIR" make_here install DESTDIR="$T/dest"
is "what was installed" "$(files "$T/dest$prefix" | tr ' ' '\n' | grep -v '^./share/man/man1/dassie-' | tr '\n' ' ')" \
	"./bin/dassie ./libexec/dassie/dassie-compile ./libexec/dassie/dassie-datum ./libexec/dassie/dassie-net ./share/bash-completion/completions/dassie \
./share/fish/vendor_completions.d/dassie.fish ./share/man/man1/dassie.1 ./share/man/man5/dassie-spec.5 \
./share/zsh/site-functions/_dassie "
is "a manual page a verb" "$(cd "$T/dest$prefix/share/man/man1" && printf '%s\n' dassie-* | sed 's/dassie-\(.*\)\.1/\1/')" \
	"$("$DASSIE_BUILD/dassie" help --complete verbs | sort)"
ok "uninstall with DESTDIR" make_here uninstall DESTDIR="$T/dest"
is "nothing is left" "$(files "$T/dest")" ""

ok "install under a prefix with a blank" make_here install prefix="$T/a prefix"
cp -R "$DASSIE_SRC/examples/wordcount" "$T/wordcount"
cd "$T/wordcount" || exit 1
PATH=$T/a\ prefix/bin:$(printf '%s' "$PATH" | tr ':' '\n' | grep -Fvx "$DASSIE_BUILD" | paste -sd: -)
is "dassie is the installed one" "$(command -v dassie)" "$T/a prefix/bin/dassie"
ok "it compiles" dassie compile
ran "it runs" 9 make -j2
like "its version" "$(dassie --version)" '^dassie [0-9]+\.[0-9]+'
ok "uninstall" make_here uninstall prefix="$T/a prefix"
is "nothing is left there" "$(files "$T/a prefix")" ""
done_testing
