#!/bin/sh
# Pushing outputs to file://: everything that egress is but for the network.
# shellcheck disable=SC2119  # project has an optional argument
. "$(dirname "$0")/lib.sh"

have jq || skip_all "no jq"

# spec EGRESS: src is copied as it is, and then read by another pipeline.
spec() {
	cat >pipeline.yaml <<-EOF
	repos: {src: src}
	pipelines:
	  copy:
	    input: src/
	    run: cp -pr "\$src"/. "\$out"
	    egress: $1
	  down: {input: copy/, run: 'find "\$copy" -type f | wc -l >"\$out/n"'}
	EOF
}

# begin EGRESS: a project with a few files and a place beside it.
begin() {
	project
	mkdir -p src/sub
	printf 1 >src/one.csv
	printf 22 >src/two.txt
	printf 333 >src/sub/three
	spec "$1"
	dassie compile >/dev/null 2>&1
}

# tree FOLDER: its files without our own, with what is in them.
tree() {
	(cd "$1" && find . -type f ! -name '.dassie-*' -exec sha256sum {} + | sort -k2)
}

lies_there() {
	is "$1" "$(tree "${2:-dst}")" "$(tree "out/copy")"
}

# noted PID N WORD: until a push has noted so many, or has ended.
noted() {
	while kill -0 "$1" 2>/dev/null && [ "$(cat .dassie/egress/copy-*.open 2>/dev/null | grep -c "^$3 ")" -lt "$2" ]; do
		sleep 0.02
	done
}

# pushed: how many files the last push of copy sent.
pushed() {
	cat .dassie/egress/copy-*.last | sed -n 's/^put \([0-9]*\) .*/\1/p'
}

begin '"file://./dst"'
run make
is "make pushes" "$status" 0
like "and says so" "$err" 'copy: pushed 3 files \(6 B\) to file://\./dst'
lies_there "all files are there"
manifest=dst/.dassie-copy.json
is "the manifest names them" "$(jq -r '.files[] | .key + " " + (.size | tostring)' $manifest | tr '\n' ,)" \
	"one.csv 1,sub/three 3,two.txt 2,"
is "with their hashes" "$(jq -r '.files[] | .sha256 + "  ./" + .key' $manifest)" "$(tree dst)"
is "and the datum" "$(jq -r '.files[].datum' $manifest | sort -u)" "$(dassie datums --json copy | jq -r .datum)"
is "and the commit" "$(jq -r .commit $manifest)" "$(dassie log --json copy | head -n 1 | jq -r .commit)"
run make
is "again: nothing is said" "$status$err" 0
touch dst/one.csv
before=$(find dst -printf '%p %T@ %C@\n' | sort)
find .dassie src -exec touch {} +
run make
is "touched: nothing is pushed" "$(find dst -printf '%p %T@ %C@\n' | sort)" "$before"
run make -q
is "make -q: all is done" "$status" 0
run make -n
is "make -n: nothing would be" "$status" 0
unlike "no push" "$err" 'push'

printf changed >src/two.txt
run make -n copy copy.egress
is "make -n with a change" "$status" 0
run make -q
isnt "make -q with a change" "$status" 0
is "neither sends anything" "$(find dst -printf '%p %T@ %C@\n' | sort)" "$before"
run make
like "one file changed: one is sent" "$err" 'copy: pushed 1 file \(7 B\) to file://\./dst, 2 lay there already'
lies_there "and is there"
rm src/one.csv
run make
is "a file that left the output stays" "$(cat dst/one.csv)" 1
is "and is not in the manifest" "$(jq '[.files[].key]' -c $manifest)" '["sub/three","two.txt"]'
spec '{url: "file://./dst", delete: true}'
run make
like "delete: true removes it" "$err" 'pushed 0 files \(0 B\).*removed 1'
lies_there "then it is gone"
printf back >src/one.csv
run make
lies_there "and comes back"
run make -B
is "make -B" "$status" 0
is "sends nothing" "$(pushed)" 1
run make -t
is "make -t: nothing to be done" "$status$err" 0

# What somebody else does there.
printf foreign >dst/two.txt
rm dst/one.csv
printf mine >dst/not-ours
run dassie egress
like "without --verify the record counts" "$err" 'pushed 0 files'
run dassie egress --dry-run --verify
like "--verify finds what is not as recorded" "$out" '^put +one\.csv$'
like "both of them" "$out" '^put +two\.txt$'
like "--dry-run says how much" "$err" 'would push 2 files'
is "and sends nothing" "$(cat dst/two.txt)" foreign
run dassie egress --verify copy
like "--verify sends them again" "$err" 'pushed 2 files'
is "what is not ours stays" "$(cat dst/not-ours)" mine
rm dst/not-ours
lies_there "all is as it should be"
run dassie egress --verify
like "verified: nothing to send" "$err" 'pushed 0 files \(0 B\).*3 lay there already'
rm .dassie/egress/copy-*
run dassie egress
like "the record is lost: one look at the place" "$err" 'pushed 0 files \(0 B\).*3 lay there already'
for f in .dassie/egress/copy-*; do
	case $f in *.last) ;; *) chmod u+w "$f" && echo x >>"$f" ;; esac
done
run dassie egress
like "damaged: the same" "$err" 'pushed 0 files \(0 B\).*3 lay there already'
run dassie egress --all
like "--all sends everything again" "$err" 'pushed 3 files'
run dassie egress --json copy
is "--json: one object" "$(printf '%s' "$out" | jq -r '.pipeline + .state + (.put | tostring)')" copydone0
run dassie egress --check
like "--check" "$err" 'copy: file://\./dst can be written to'
like "dassie why file://…" "$(dassie why "file://$PWD/dst/one.csv")" '^copy:/one\.csv'
like "from the project's folder, too" "$(dassie why file://./dst/sub/three)" '^copy:/sub/three'
run dassie why file://./dst/nothing
is "nothing that was pushed: usage" "$status" 2
run dassie egress nope
is "no such pipeline: usage" "$status" 2
run dassie egress down
is "a pipeline without egress: usage" "$status" 2

# Folders for files and files for folders.
rm src/one.csv && mkdir src/one.csv && printf in >src/one.csv/inner
rm -r src/sub && printf flat >src/sub
run make
is "a file became a folder, and the other way round" "$status" 0
lies_there "both"
spec '{url: "file://./dst"}'
rm -r src/one.csv && printf file >src/one.csv
run make
isnt "without delete that cannot be" "$status" 0
like "it says why, and the way out" "$err" "one.csv.*in the way.*'delete: true'"
spec '{url: "file://./dst", delete: true}'
run make
is "with it, it can" "$status" 0
lies_there "again"

# It fails.
begin '"file://./dst"'
: >dst
echo x >src/new
run make
isnt "a place that is a file: make fails" "$status" 0
like "egress failed, with counts" "$err" 'copy: egress failed: 0 files \(0 B\) went to .*, 4 files \(8 B\) are left'
like "all tells it again" "$err" 'egress failed: copy'
is "downstream went on" "$(cat out/down/n)" 4
run make copy
is "the pipeline itself is made" "$status" 0
run make copy.egress
isnt "the push alone fails, too" "$status" 0
run make -j2
isnt "as often as it is tried" "$status" 0
like "status says so" "$(dassie status)" 'egress failed'
like "the database has it" "$(dassie status --json | jq -c 'select(.pipeline == "copy").egress')" '"state":"failed"'
rm dst
ran "it is tried alone, and no datum runs again" 0 make
lies_there "then it is there"
unlike "status says nothing any more" "$(dassie status)" 'egress failed'

# Several places, layouts, filters.
commit=$(dassie log --json copy | head -n 1 | jq -r .commit)
day=$(date -u +%Y-%m-%d)
spec '
      - file://./dst
      - {url: "file://./by commit", layout: "{commit}/{path}"}
      - {url: "file://./by%20date", layout: "{date}/{pipeline}-{path}"}
      - {url: "file://./some", include: ["*.csv", /sub/], exclude: [three]}
      - {url: "file://./out/there"}
      - {url: "file://./.dassie/there"}'
run make
isnt "one of several is wrong: make fails" "$status" 0
like "out/ is no place" "$err" "in the project's own 'out'"
like "nor .dassie/" "$err" "in the project's own '.dassie'"
ok "nothing was written there" test ! -e out/there -a ! -e .dassie/there
lies_there "{commit}" "by commit/$commit"
is "{date} and {pipeline}" "$(find "by date" -name 'copy-*' | sort | head -n 2 | tail -n 1)" "by date/$day/copy-one.csv"
is "include, exclude" "$(find some -type f ! -name '.dassie-*')" some/one.csv

# Odd names and modes.
begin '"file://./d%20s%25t"'
dst="d s%t"
# shellcheck disable=SC1003
for name in ' ' '#' "'" '"' '%41' '*' '?' '\' '~' '-n' 'ä' '😀' 'a
b' '.hidden' 'a b/c d' '$(x)' '+' '&=;'; do
	case $name in */*) mkdir -p "src/${name%/*}" ;; esac
	printf '%s' "$name" >"src/$name"
done
printf '\377' >"src/$(printf 'bytes\377\001')"
printf '#!/bin/sh\n' >src/script
chmod +x src/script
run make
is "odd names" "$status" 0
lies_there "all are there" "$dst"
ok "an executable stays one" test -x "$dst/script"
is "the manifest is JSON" "$(jq '.files | length' "$dst/.dassie-copy.json")" "$(find src -type f -printf x | wc -c)"
chmod -x src/script
run make
ok "and is none any more" test ! -x "$dst/script"
printf x >src/.dassie-copy.json
run make
isnt "a file that is called as the manifest" "$status" 0
like "is told, and nothing is sent" "$err" 'two things under one key'

# Killed in the middle: no half file is ever there, and the next push sends the rest.
begin '{url: "file://./dst", delete: true}'
i=0
while [ $i -lt 400 ]; do
	head -c 20000 /dev/urandom >"src/f$i"
	i=$((i + 1))
done
make copy >/dev/null 2>&1
kills=${DASSIE_KILLS:-6}
half=0
n=0
while [ $n -lt "$kills" ]; do
	head -c 20000 /dev/urandom >"src/f$((n * 7))"
	mv "src/f$((n * 11 + 1))" "src/g$n"
	make copy >/dev/null 2>&1
	dassie egress --all copy 2>/dev/null &
	pid=$!
	want=$(( (n + 1) * 300 / kills ))
	noted $pid $want put
	net=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null)
	# shellcheck disable=SC2086
	kill -KILL $net $pid 2>/dev/null
	wait $pid 2>/dev/null
	(cd dst && find . -type f ! -name '.dassie-*' -exec sha256sum {} +) | while read -r sum _; do
		[ -e ".dassie/objects/$(echo "$sum" | cut -c1-2)/$(echo "$sum" | cut -c3-)" ] || echo "$sum"
	done >"$T/half"
	[ -s "$T/half" ] && half=$((half + 1))
	n=$((n + 1))
done
is "$kills kills: no file was half there" "$half" 0
run dassie egress copy
is "the next push ends it" "$status" 0
lies_there "and all is there"
ok "no leftovers" test -z "$(find dst -name '*.tmp')"
is "the journal is gone" "$(find .dassie/egress -name '*.open*')" ""
run make
is "make agrees" "$status" 0

# What lies there was told of a commit that came back: a push that was killed is not believed.
cp -r src src.1
head -c 20000 /dev/urandom >src/f5
make copy >/dev/null 2>&1
journal=$(find .dassie/egress -name 'copy-????????????????').open
{
	echo "dassie-egress-open 1"
	echo "commit $(dassie log --json copy | head -n 1 | jq -r .commit)"
	echo "base %-"
	echo "try $(find out/copy -type f | LC_ALL=C sort | grep -n '/f5$' | cut -d: -f1 | awk '{ print $1 - 1 }')"
	printf 'put 3'
} >"$journal"
cp src/f5 dst/f5
rm -r src && mv src.1 src
rm .dassie/refs/copy.egress
run make
lies_there "a put whose end nobody saw is made again"

# Rebuilt from files; kept by gc.
rows() {
	sqlite3 .dassie/provenance.db "SELECT url, state, put, put_bytes, deleted, unchanged, remaining FROM egress ORDER BY started"
}
if have sqlite3; then
	before=$(rows)
	isnt "the database knows pushes" "$before" ""
	ok "fsck --rebuild" dassie fsck --rebuild
	is "they are there again" "$(rows)" "$before"
fi
ok "gc" dassie gc --run --keep-jobs=1 --keep-days=0
run dassie egress copy
like "what was pushed is still known" "$err" 'pushed 0 files'
ok "fsck finds nothing wrong" dassie fsck

# Elsewhere: a project that was copied with its state.
cd .. && cp -r "$OLDPWD" copied && cd copied || exit 1
run make
is "a copied project" "$status" 0
done_testing
