#!/bin/sh
# A project goes elsewhere, by whatever copies folders, and by `dassie export-state`: nothing runs again, and what is on record is what it
# was. States of other versions of dassie; other owners; other paths.
# shellcheck disable=SC2119  # project has an optional argument
# shellcheck disable=SC2016  # specs are in single quotes
. "$(dirname "$0")/lib.sh"

# Everything that is asked of the record.
answers() {
	dassie jobs --json
	dassie log --json each
	dassie why --json out/all/all
	dassie datums --json all
}

# Each byte and name below .dassie, but locks and what SQLite needs at run time.
state() {
	find .dassie -type f ! -path '.dassie/lock/*' ! -name '*-shm' -exec cksum {} + | sort
}

spec() {
	cat >pipeline.yaml <<YAML
repos: {in: in}
pipelines:
  each:
    input: in/*
    run: |
      echo "seen \$in"
      cat "\$in" "\$in" >"\$out/\${in##*/}"
  all:
    input: each/
    run: cat "\$each"/* >"\$out/all"
    egress: file://$T/sent
YAML
}

project first
mkdir in
for i in 1 2 3 4 5; do
	echo "$i" >"in/f $i"
done
spec
ok "compile" dassie compile
ran "make" 6 make -j2
echo 7 >"in/f 3"
ran "an edit" 2 make -j2
answers >"$T/answers"
sent=$(stat -c '%Y %i' "$T"/sent/all)

# on_record HOW: each line that was there is there.  A stage that had to look at out/ is a job more, of nothing.
on_record() {
	answers | sed 's/"state":"skipped"/"state":"success"/; s/"pipeline":"all","job":"[0-9a-f]*"/"pipeline":"all"/' | sort >"$T/now"
	sed 's/"pipeline":"all","job":"[0-9a-f]*"/"pipeline":"all"/' "$T/answers" | sort >"$T/then"
	is "$1: what was on record is" "$(comm -13 "$T/now" "$T/then")" ""
	is "$1: and all else is of jobs without a new datum" "$(comm -23 "$T/now" "$T/then" | grep -v '"processed":0')" ""
}

# arrived HOW: the current folder has a project that was $T/first; it is as it was there.
arrived() {
	run dassie fsck
	is "$1: fsck" "$status" 0
	run dassie status
	is "$1: status" "$status" 0
	ran "$1: nothing runs again" 0 make -j2
	ok "$1: and then nothing is to do" make -q
	on_record "$1"
	same "$1: what is shown" out "$T/first/out"
	is "$1: what was sent is not sent again" "$(stat -c '%Y %i' "$T"/sent/all)" "$sent"
	run dassie fsck --out
	is "$1: fsck after make" "$status" 0
	echo 8 >"in/f 4"
	ran "$1: an edit there" 2 make -j2
	echo 4 >"in/f 4"
	ran "$1: and back" 0 make -j2
	sent=$(stat -c '%Y %i' "$T"/sent/all)
}

# --- by what copies folders ---------------------------------------------------------------------------------------------------
mkdir "$T/a copy"
cp -r "$T/first" "$T/a copy/by cp"
cd "$T/a copy/by cp" && arrived "cp -r"
mkdir "$T/by tar" && tar -C "$T/first" -cf - . | tar -C "$T/by tar" -xf -
cd "$T/by tar" && arrived "tar"
cp -a "$T/first" "$T/by mv" && mv "$T/by mv" "$T/it's \$moved:#2"
cd "$T/it's \$moved:#2" && arrived "mv, to a name that hurts"
if have rsync; then
	rsync -r "$T/first/" "$T/by rsync/"
	cd "$T/by rsync" && arrived "rsync without any option for times, links or modes"
else
	skip "no rsync" "rsync"
fi

# --- export-state -------------------------------------------------------------------------------------------------------------
cd "$T/first" || exit 1
before=$(state)
run dassie export-state "$T/state.tar"
is "export-state" "$status" 0
like "it says how much, and what to do with it" "$err" '^dassie: [0-9]+ files \(.*\) of .dassie are in .*tar -xf'
is "nothing changed by it" "$(state)" "$before"
dassie export-state 2>/dev/null >"$T/again.tar"
same "to stdout: the same bytes" "$T/again.tar" "$T/state.tar"
tar -tf "$T/state.tar" >"$T/names"
is "the format comes first" "$(head -n 1 "$T/names")" .dassie/format
like "refs come last" "$(tail -n 1 "$T/names")" '^.dassie/refs/'
unlike "nothing of this machine" "$(cat "$T/names")" '^.dassie/(marks|scan|work|lock|pools|cron|damaged|debug)(/|$)|-shm$|\.tmp$'
is "and of no other folder" "$(grep -v '^\.dassie/' "$T/names")" ""
git init -q . 2>/dev/null && git config user.email a@b && git config user.name a && git add . && git commit -qm one
ok "git knows nothing of the state" sh -c '! git ls-files | grep -q "^\.dassie"'
git clone -q . "$T/by git" && rm -rf .git
cd "$T/by git" && rm -rf out Makefile && tar -xf "$T/state.tar"
ok "git clone: compile" dassie compile
arrived "git clone, and the state"
mkdir "$T/over" && cp -r "$T/first/in" "$T/first/pipeline.yaml" "$T/over" && cd "$T/over" && dassie compile --quiet && make -s 2>/dev/null
echo 9 >"in/f 1" && make -s 2>/dev/null
tar -xf "$T/state.tar" && echo 1 >"in/f 1"
run dassie fsck
is "over another state of the same project: fsck" "$status" 0
ran "over another state: make" 0 make -j2
on_record "over another state"
same "over another state: what is shown" out "$T/first/out"

mkdir "$T/first/deep"
cd "$T/first/deep" && run dassie export-state here.tar
is "from a folder below" "$status" 0
same "it lies where it was said" here.tar "$T/state.tar"
run dassie export-state here.tar
is "a file that is there" "$status" 2
like "it says so" "$err" "'.*here.tar' is there already"
run dassie export-state a b
is "two files" "$status" 2
run dassie export-state no/folder.tar
is "no folder" "$status" 3
rm -r "$T/first/deep"
cd "$T/first" || exit 1
mkdir "$T/bin" && for p in dassie sh; do ln -s "$(command -v $p)" "$T/bin/"; done
run env PATH="$T/bin" dassie export-state "$T/no.tar"
is "no tar" "$status" 3
like "it says so" "$err" "cannot start 'tar': is it installed"
printf '#!/bin/sh\nhead -c 1000 /dev/zero\nexit 2\n' >"$T/bin/tar" && chmod +x "$T/bin/tar"
run env PATH="$T/bin:$PATH" dassie export-state "$T/no.tar"
is "tar fails" "$status" 3
ok "nothing is left of it" sh -c '! ls "$1" | grep -q "^no.tar"' sh "$T"
[ ! -w /dev/full ] || {
	run sh -c 'dassie export-state >/dev/full'
	is "a full disk" "$status" 3
}
touch ".dassie/history/a
name"
run dassie export-state "$T/no.tar"
is "a name that a list of lines cannot hold" "$status" 3
rm ".dassie/history/a
name"
cd "$T" && mkdir none && cd none && run dassie export-state x.tar
is "no project" "$status" 3
is "nothing is made" "$(ls -A)" ""

# --- beside makes ---------------------------------------------------------------------------------------------------------------
project busy
mkdir in
for i in 1 2 3 4 5 6 7 8; do
	echo "$i" >"in/f $i"
done
spec && sed -i '/egress/d' pipeline.yaml
dassie compile --quiet
for k in 1 2 3 4 5 6; do
	echo "$k" >"in/f 1"
	echo "$k" >"in/f 2"
	make -s -j2 >/dev/null 2>&1 &
	pid=$!
	# Not always at the same point of a run.
	for i in $(seq "$((k * 30))"); do :; done
	dassie export-state "$T/busy.$k" 2>/dev/null
	status=$?
	wait $pid
	made=$?
	mkdir "$T/busy $k" && cp -r in pipeline.yaml "$T/busy $k" && cd "$T/busy $k" && tar -xf "$T/busy.$k" || exit 1
	dassie fsck >"$T/said" 2>&1
	sound=$?
	dassie compile --quiet && make -s -j2 >/dev/null 2>&1
	is "beside a make, $k: both end, what came is sound, and goes on to the same tree" \
		"$status$made$sound$? $(cat out/all/all)" "0000 $(cat "$T/busy/out/all/all")" || diag "$(cat "$T/said")"
	cd "$T/busy" || exit 1
done

# --- other owners ----------------------------------------------------------------------------------------------------------------
if have_nobody; then
	cp -r "$T/first" "$T/theirs"
	chown -R 65534:65534 "$T/theirs"
	chmod 711 "$T"
	cd "$T/theirs" || exit 1
	before=$(state)
	run make
	isnt "another user's state" "$status" 0
	like "whose it is, and the ways out" "$err" "belongs to user 65534, you are user 0: run as its owner, make it yours \(chown -R 0 .dassie\)"
	run dassie export-state "$T/no.tar"
	is "export-state" "$status" 3
	is "nothing changed" "$(state)" "$before"
	ran "its owner goes on with it" 0 as_nobody make
else
	skip "no other user here" "another user's state"
fi

# --- other versions ---------------------------------------------------------------------------------------------------------------
cp -r "$T/first" "$T/newer" && cd "$T/newer" || exit 1
echo "dassie-state 2" >.dassie/format
before=$(state)
for verb in "make" "dassie compile" "dassie run" "dassie status" "dassie jobs" "dassie why out/all/all" "dassie gc --run" "dassie fsck --repair" \
	"dassie fsck --rebuild" "dassie export-state $T/no.tar"; do
	# Words are meant.
	# shellcheck disable=SC2086
	case $verb in *no.tar) run dassie export-state "$T/no.tar" ;; *) run $verb ;; esac
	case $verb in
	make) want=2 ;;
	*) want=3 ;;
	esac
	is "a newer state: $verb" "$status" $want
	like "$verb: which it is, and the way out" "$err" "was made by another version of dassie \(its format is 2, this one knows 1\): use that"
done
is "a newer state: nothing changed" "$(state)" "$before"
if have sqlite3; then
	cp -r "$T/first" "$T/newer db" && cd "$T/newer db" || exit 1
	sqlite3 .dassie/provenance.db 'PRAGMA user_version=99' >/dev/null
	before=$(cksum .dassie/provenance.db)
	for verb in jobs "why out/all/all" "log each"; do
		# shellcheck disable=SC2086
		run dassie $verb
		is "a newer database: $verb" "$status" 3
		like "$verb: which it is, and the way out" "$err" "was written by a newer dassie \(its format is 99, .*fsck --rebuild"
	done
	is "a newer database: nothing changed" "$(cksum .dassie/provenance.db)" "$before"
	mv .dassie/provenance.db "$T/aside"
	ok "the way out: rebuild" dassie fsck --rebuild
	answers >"$T/now" 2>&1
	same "the way out: what is on record" "$T/now" "$T/answers"
else
	skip "no sqlite3" "a newer database"
fi

# Made by the first version of dassie that had all of the record (its database has format 1), in three makes: all, one file changed, one file
# and a command more.
mkdir "$T/older" && cd "$T/older" && tar -xzf "$DASSIE_SRC/tests/fixtures/state-1.tar.gz" || exit 1
! have sqlite3 || is "an older state: its database" "$(sqlite3 .dassie/provenance.db 'PRAGMA user_version')" 1
cp -r out "$T/older.out"
run dassie jobs --json
is "an older state: its jobs" "$status $(printf '%s\n' "$out" | grep -c '"state":"success"')" "0 6"
! have sqlite3 || isnt "an older state: the database was brought up to date" "$(sqlite3 .dassie/provenance.db 'PRAGMA user_version')" 1
ran "an older state: nothing runs again" 0 make -j2
same "an older state: what is shown" out "$T/older.out"
ok "an older state: nothing is to do" make -q
run dassie fsck --out
is "an older state: fsck" "$status" 0
like "an older state: why" "$(dassie why "out/two/all")" 'in:/f 2'
is "an older state: history" "$(dassie log --json one | wc -l | tr -d ' ')" 3
dassie jobs --json >"$T/before"
rm -f .dassie/provenance.db*
ok "an older state: rebuild from its files" dassie fsck --rebuild
dassie jobs --json >"$T/after"
same "an older state: the same jobs" "$T/after" "$T/before"
echo 8 >"in/f 1"
ran "an older state: an edit" 2 make -j2
ok "an older state: moved on" sh -c 'dassie export-state | { mkdir ../older2 && cd ../older2 && cp -r ../older/in ../older/pipeline.yaml . && tar -xf - && dassie fsck && dassie compile --quiet && make -s && diff -r out ../older/out; }'
done_testing
