#!/bin/sh
# gc: what it keeps, what it removes, what it says; and that what it leaves is sound.
# shellcheck disable=SC2119  # project has an optional argument
# shellcheck disable=SC2016  # specs and Perl are in single quotes
. "$(dirname "$0")/lib.sh"

json() {
	perl -CO -MJSON::PP -we 'my $e = shift; @_ = map { decode_json($_) } <STDIN>; my $v = eval $e; die $@ if $@;
		print defined $v ? $v : "null", "\n"' "$1"
}

# files FOLDER: how many lie in it.
files() {
	find ".dassie/$1" -type f | wc -l | tr -d ' '
}

# age: everything that a run left is as old as the hills.
age() {
	find .dassie/datums .dassie/commits .dassie/logs .dassie/steps .dassie/objects -type f -exec touch -h -d '2001-01-01' {} +
}

state() {
	find .dassie -type f ! -path '.dassie/lock/*' ! -name 'provenance.db*' -exec cksum {} + | sort
}

run dassie gc
is "no project: the environment's fault" "$status" 3

project
mkdir in
for i in 1 2 3 4; do
	echo "$i" >"in/f$i"
done
cat >pipeline.yaml <<'YAML'
repos: {in: in}
pipelines:
  one:
    input: in/*
    run: |
      echo "seen $in"
      cat "$in" "$in" > "$out/${in##*/}"
  two:
    input: one/
    run: cat "$one"/* > "$out/all"
YAML
ok "compile" dassie compile
run dassie gc
is "nothing made yet: nothing to do" "$status" 0
like "and it says so" "$out" 'everything is needed'
ran "make" 5 make -j2
run dassie gc --keep-days=0 --keep-jobs=0
like "everything of the newest run is needed" "$out" 'everything is needed'

old=$(dassie log --json one | json '$_[0]{commit}')
echo 5 >in/f1
ran "an edit" 2 make -j2
echo 6 >in/f1
ran "another one" 2 make -j2
run dassie gc
like "young things stay" "$out" 'everything is needed'
before=$(state)
run dassie gc --keep-days=0 --keep-jobs=0
is "dry: status" "$status" 0
like "dry: old results" "$out" 'not needed: 4 results, '
like "dry: old commits" "$out" 'not needed: [0-9]+ commits'
like "dry: objects" "$out" 'not needed: 4 objects'
like "dry: bytes and the way on" "$out" 'to free: .*B; .*dassie gc --run'
is "dry: nothing changed" "$(state)" "$before"
run dassie gc --keep-days=0 --keep-jobs=1
unlike "the last job of each pipeline: its results stay" "$out" 'removed'
is "json: as told" "$(dassie gc --keep-days=0 --keep-jobs=0 --json | json '"$_[0]{results}{count} $_[0]{objects}{count} " . ($_[0]{removed} ? 1 : 0)')" "4 4 0"

cp -R out "$T/out"
bytes=$(dassie gc --keep-days=0 --keep-jobs=0 --json | json '$_[0]{bytes}')
is "run: the bytes that were told" "$(dassie gc --run --keep-days=0 --keep-jobs=0 --json | json '$_[0]{bytes}')" "$bytes"
is "results left" "$(results)" 5
is "objects left" "$(files objects)" 5
is "logs left" "$(files logs)" 4
is "commits left: one a repo, and what the older results were made from" "$(files commits)" 4
run dassie gc --keep-days=0 --keep-jobs=0
like "again: nothing left to do" "$out" 'everything is needed'
ok "what is left is sound" dassie fsck --out
same "out/ is as it was" out "$T/out"
ran "make finds nothing to do" 0 make -j2
like "why knows the lineage" "$(dassie why out/two/all)" 'in:/f1'
run dassie ls "one@$old"
is "a commit that went" "$status" 3
like "it is told that gc took it" "$err" "removed by 'dassie gc'"
is "the database keeps its rows" "$(dassie jobs --json | json 'scalar @_')" 6
rm -rf out
ran "out/ comes back without a datum" 0 make -j2
same "as it was" out "$T/out"
echo 5 >in/f1
ran "an old version is made again" 2 make -j2
ok "sound" dassie fsck --out

# Between the scan and the stages only a ref names the new commit.
echo 9 >in/f1
run make -n
ok "gc between scan and stage" dassie gc --run --keep-days=0 --keep-jobs=0
ran "the stage finds what was scanned" 1 dassie stage --make=make one
ran "and the next one" 1 make -j2
ok "sound" dassie fsck --out
echo 5 >in/f1
ok "back" make -j2

# By age. The database knows better than the files how old they are.
rm -f .dassie/provenance.db*
age
echo 7 >in/f1
ran "a young job" 2 make -j2
run dassie gc --run --keep-jobs=0
like "what is older than 30 days goes" "$out" 'removed 4 results'
echo 8 >in/f1
ran "a younger one" 2 make -j2
run dassie gc --run --keep-jobs=0
unlike "what is younger stays" "$out" 'result'
ok "sound" dassie fsck --out

# What was left over.
mkdir -p .dassie/work/0123 .dassie/damaged
echo x >.dassie/work/0123/file
echo x >.dassie/objects/4711-0.tmp
echo x >.dassie/refs/one.4711-0.tmp
echo x >.dassie/plan/one.0123456789abcdef
echo x >.dassie/steps/one-73cb3858a687.sh
echo x >.dassie/scan/gone
one=$(find .dassie/datums -type f | head -n 1)
echo x >"$one.4711-3.tmp"
id=$(echo orphan | sha256sum | cut -c 1-64)
echo orphan >".dassie/commits/$id"
run dassie gc --run
like "left-over files" "$out" 'removed 6 left-over files|removed 7 left-over files'
like "an old plan" "$out" 'removed 1 file of a plan'
like "an orphaned commit" "$out" 'removed 1 commit,'
not_ok "the view is gone" test -e .dassie/work/0123
not_ok "temporary files are gone" sh -c 'find .dassie -name "*.tmp" | grep .'
ok "a step that may be under way stays" test -f .dassie/steps/one-73cb3858a687.sh
ok "sound" dassie fsck --out
ran "nothing to do" 0 make -j2

# A job that failed keeps what it has done.
cat >pipeline.yaml <<'YAML'
repos: {in: in}
pipelines:
  one:
    input: in/*
    datum_tries: 1
    run: |
      test ! -e "$DASSIE_PROJECT/fail" || [ "${in##*/}" != f4 ]
      cat "$in" > "$out/${in##*/}"
  two:
    input: one/
    run: cat "$one"/* > "$out/all"
YAML
touch fail
run make -j2
is "a datum fails" "$status" 2
run make -j2
is "and again: three are of the job before" "$status" 2
age
run dassie gc --run --keep-days=0 --keep-jobs=0
ok "sound after a failure" dassie fsck
run dassie logs --failed one
is "its log is told" "$status" 0
unlike "and there" "$out" 'not there any more'
key=$(dassie datums --json one | json 'my ($d) = grep { $_->{state} eq "failed" } @_; $d->{datum}')
rm fail
run dassie rerun "$key"
is "rerun works" "$status" 0
ran "three were done already, one by hand" 1 make -j2

# Without a database.
rm -f .dassie/provenance.db*
run dassie gc --run --keep-days=0
is "no database" "$status" 0
like "is told" "$err" 'no database'
ok "sound without one" dassie fsck --out
ran "nothing to do" 0 make -j2

# Somebody at work.
cat >pipeline.yaml <<'YAML'
repos: {in: in}
pipelines:
  slow:
    input: in/f1
    run: |
      touch "$DASSIE_PROJECT/began"
      while [ ! -e "$DASSIE_PROJECT/go" ]; do sleep 0.02; done
      cat "$in" > "$out/x"
YAML
make >/dev/null 2>&1 &
make_pid=$!
owned "$make_pid"
for _ in 1 2 3 4 5 6 7 8 9 10; do
	test -e began && break
	sleep 0.3
done
run dassie gc --no-wait
is "a make is running: --no-wait gives up" "$status" 1
like "says who" "$err" 'process [0-9]+ is at work'
dassie gc --run --keep-days=0 --keep-jobs=0 >"$T/gc.out" 2>"$T/gc.err" &
gc_pid=$!
owned "$gc_pid"
for _ in 1 2 3 4 5 6 7 8 9 10; do
	test -s "$T/gc.err" && break
	sleep 0.3
done
like "gc waits and says for whom" "$(cat "$T/gc.err")" 'waiting for a running make \(pid [0-9]+\)'
touch go
wait "$make_pid"
make_status=$?
wait "$gc_pid"
gc_status=$?
is "make ends well" "$make_status" 0
is "and gc" "$gc_status" 0
same "with its output there" out/slow/x in/f1
ok "sound" dassie fsck --out
ran "nothing to do" 0 make

for args in '--keep-days=x' '--keep-jobs=-1' '--keep-days' 'what'; do
	run dassie gc "$args"
	is "gc $args: usage" "$status" 2
done
run dassie gc --help
is "--help" "$status" 0
mv .dassie/provenance.db "$T/db"
echo "not a database at all, and long enough to be looked at" >.dassie/provenance.db
before=$(files objects)
run dassie gc --run --keep-days=0
is "a damaged database: nothing happens" "$status" 3
like "and it says so" "$err" 'nothing was removed'
is "nothing was" "$(files objects)" "$before"
done_testing
