#!/bin/sh
# Manual pages and completion: out of --help and the index, and in agreement with them.
# shellcheck disable=SC2119  # project has an optional argument
. "$(dirname "$0")/lib.sh"

verbs=$(dassie help --complete verbs)
is "every verb of the help is there" "$(dassie help | sed -n 's/^    \([a-z-]*\) .*/\1/p')" "$verbs"
is "the build makes a page of each" "$(sed -n 's/^MAN_VERBS = //p' "$DASSIE_SRC/Makefile.am" | tr ' ' '\n')" "$verbs"
is "and installs it" "$(grep -o 'man/dassie-[a-z-]*\.1' "$DASSIE_SRC/Makefile.am" | sort -u)" \
	"$(for v in $verbs; do echo "man/dassie-$v.1"; done | sort)"
run dassie help --man
is "dassie(1)" "$status" 0
for v in $verbs; do
	like "dassie(1) names $v" "$out" "dassie\\\\?-$v"
done
for v in $verbs; do
	dassie help --man "$v" >"$T/page"
	for option in $(dassie help --complete options "$v" | grep -v '^--help$'); do
		pattern=$(printf '%s' "$option" | sed 's/-/\\\\-/g')
		ok "$v $option is in its page" grep -q -e "$pattern" "$T/page"
	done
	if have groff; then
		is "$v: groff has no complaint" "$(groff -man -Tutf8 -ww "$T/page" 2>&1 >/dev/null)" ""
		like "$v: name and synopsis" "$(groff -man -Tutf8 -P-c -P-b -P-u "$T/page")" "dassie-$v - "
	fi
done
run dassie help --man nosuch
is "no such verb" "$status" 2
is "options: gc" "$(dassie help --complete options gc | tr '\n' ' ')" "-f --run --keep-days --keep-jobs --no-wait --json --help "

project
is "no project: no names, no words" "$(dassie help --complete pipelines 2>&1)" ""
mkdir books
cat >pipeline.yaml <<'YAML'
repos: {books: books}
pipelines:
  count: {input: books/*, run: "true"}
  total: {input: count/, run: "true"}
YAML
ok "compile" dassie compile
is "pipelines" "$(dassie help --complete pipelines | tr '\n' ' ')" "count total "
is "repos" "$(dassie help --complete repos | tr '\n' ' ')" "count total books "

# completes WORD...: what bash offers for the last of them.
completes() {
	bash -c '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _dassie; printf "%s " "${COMPREPLY[@]}"' \
		"$DASSIE_SRC/completion/dassie.bash" dassie "$@"
}
if have bash; then
	is "bash: a verb" "$(completes gr)" "graph "
	is "bash: after -C" "$(completes -C . 'do')" "doctor "
	is "bash: a pipeline" "$(completes run co)" "count "
	is "bash: a repo" "$(completes ls b)" "books "
	is "bash: an option" "$(completes gc --keep-d)" "--keep-days "
	is "bash: files where a file is meant" "$(completes why x)" " "
else
	skip "no bash" "completion"
fi
if have zsh; then
	ok "zsh: syntax" zsh -n "$DASSIE_SRC/completion/_dassie"
else
	skip "no zsh" "zsh: syntax"
fi
if have fish; then
	ok "fish: syntax" fish -n "$DASSIE_SRC/completion/dassie.fish"
else
	skip "no fish" "fish: syntax"
fi
done_testing
