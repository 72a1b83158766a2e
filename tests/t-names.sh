#!/bin/sh
# Every name that a file system can hold goes through every surface.
# shellcheck disable=SC2119  # project has an optional argument
. "$(dirname "$0")/lib.sh"

project
mkdir -p in
cat >names.pl <<'EOF'
use strict; use warnings;
# prints the nasty names, NUL-separated
my @n = ("plain", "two words", "tab\there", "new\nline", "'", "\"", "\$HOME", "#hash", "100%", "c:d", "e;f", "g&h", "i*j", "k?l",
	"m[n]o", "p(q)r", "s\\t", "u~v", "w=x", "-dash", "--help", "\xff\xfe\x80", "x" x 255, "ümlaut", "\$(touch pwned)", "`touch pwned`",
	"a|b", "a<b>c", "{x,y}", "!bang", "^caret", " lead", "trail ", "...", ".hidden", "%41", "%-", "\x01\x1f\x7f", "a\rb", "\e[31m");
print join("\0", @n), "\0";
EOF
perl names.pl >names
perl -0 -ne 'chomp; open my $f, ">", "in/$_" or die "$_: $!"; print $f "content of $_"; close $f' names
want=$(perl -0 -ne '$n++; END { print $n }' names)
cat >"a spec: with # odd name.yaml" <<'EOF'
repos: {in: in}
pipelines:
  copy:
    input: in/*
    run: cp "$in" "$out/"
  dirs:
    input: copy/
    run: |
      cd "$copy"
      for f in * .[!.]* ...; do mkdir "$out/d $f"* 2>/dev/null || mkdir -- "$out/d"; cp -- "$f" "$out/d/f" && mv "$out/d" "$out/$f"; done
EOF
sed -i '/dirs:/,$d' "a spec: with # odd name.yaml"
cat >>"a spec: with # odd name.yaml" <<'EOF'
  deep:
    input: copy/*
    run: mkdir -- "$out/${copy##*/}" && cat -- "$copy" > "$out/${copy##*/}/inside"
EOF
run dassie compile "a spec: with # odd name.yaml"
is "compile" "$status" 0
ran "all names, twice" $((2 * want)) make -j2
same "they come out as they went in" in out/copy
is "as directories too" "$(find out/deep -name inside -type f -print0 | tr -cd '\000' | wc -c | tr -d ' ')" "$want"
ran "and nothing to do then" 0 make -j2
run make -q
is "make -q" "$status" 0
ok "nothing was executed" test ! -e pwned
unlike "no name is in the Makefile" "$(cat Makefile)" 'dash|hash'
run dassie datums copy --json
is "datums --json: a line each" "$(printf '%s\n' "$out" | wc -l | tr -d ' ')" "$want"
if have python3; then
	printf '%s\n' "$out" >"$T/json"
	ok "each is JSON" python3 -c 'import json,sys; [json.loads(l) for l in open(sys.argv[1])]' "$T/json"
fi
run dassie datums copy
is "datums: a line a name, or a few of head" "$status" 0
unlike "no control byte reaches the terminal" "$(printf '%s' "$out" | LC_ALL=C tr '\001-\010\013\014\016-\037\177' '\030')" "$(printf '\030')"
bad=0
perl -0 -ne 'chomp; my $f = "out/copy/$_"; my $s = system("dassie", "why", "--json", "--", $f); print STDERR "why $f: $s\n" if $s' names >"$T/why" 2>"$T/why.err" || bad=1
is "why of each" "$bad$(cat "$T/why.err")" "0"
is "one answer each" "$(wc -l <"$T/why" | tr -d ' ')" "$want"
perl -0 -ne 'chomp; my $s = system("dassie", "cat", "--", "copy:$_"); print STDERR "cat $_: $s\n" if $s; print "\n"' names >"$T/cat" 2>"$T/cat.err"
is "cat of each" "$(cat "$T/cat.err")" ""
run dassie fsck
is "fsck" "$status" 0
rm -- "in/--help"
echo changed >"in/new
line"
ran "one changed, one gone" 2 make
same "incremental is right too" in out/copy

done_testing
