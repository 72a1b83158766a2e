#!/bin/sh
# Every shell script is clean under shellcheck: the project's own, and those that the compiler makes (whose inputs come from
# the runner: SC2154; and never are their output: SC2094).
. "$(dirname "$0")/../lib.sh"

have shellcheck || skip_all "no shellcheck"

cd "$DASSIE_SRC" || exit 1
find . \( -name '.?*' ! -name .ci -o -name 'build*' -o -name '_*' -o -name 'configure*' -o -path ./tests/spec \) -prune -o -type f -print | while read -r file; do
	case $file in
	*.sh) echo "$file" ;;
	*) case $(head -c 64 "$file" | head -n 1 | tr -d '\0') in
		'#!'*/sh | '#!'*/sh\ * | '#!'*[/\ ]bash*) echo "$file" ;;
		esac ;;
	esac
done >"$T/scripts"
ok "scripts were found" test "$(wc -l <"$T/scripts")" -gt 5
while read -r file; do
	ok "$file" shellcheck -s "$(head -n 1 "$file" | grep -q bash && echo bash || echo sh)" "$file"
done <"$T/scripts"

for example in examples/*/; do
	name=$(basename "$example")
	cp -R "$DASSIE_SRC/examples/$name" "$T/$name"
	cd "$T/$name" || exit 1
	ok "$name compiles" dassie compile
	for step in .dassie/steps/*.sh; do
		ok "$name: $(basename "$step")" shellcheck -s sh -e SC2094,SC2154 "$step"
	done
	cd "$DASSIE_SRC" || exit 1
done
done_testing
