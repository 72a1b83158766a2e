#!/bin/sh
# fsck --rebuild: the database deleted, and what queries answer is what it was.
# shellcheck disable=SC2119  # project has an optional argument
# shellcheck disable=SC2016  # specs and Perl are in single quotes
. "$(dirname "$0")/lib.sh"

# answers FILE: all that the database is asked for.
answers() {
	{
		dassie jobs --json
		for job in $(dassie jobs --json | sed 's/.*"job":"\([0-9a-f]*\)".*/\1/'); do
			dassie datums --json "one@$job" 2>/dev/null
			dassie datums --json "two@$job" 2>/dev/null
		done
		for repo in in one two; do
			dassie log --json "$repo"
		done
		find out -type f | sort | while read -r f; do
			dassie why --json "$f"
		done
		dassie status --json | sed 's/[0-9a-z]* [a-z]* ago//; s/just now//'
		dassie logs --json one
	} >"$1" 2>&1
}

project
git init -q . && git config user.email a@b && git config user.name a
mkdir in
for i in 1 2 3; do
	echo "$i" >"in/f $i"
done
printf '{ print $1 * 2 }\n' >double.awk
cat >pipeline.yaml <<'YAML'
repos: {in: in}
pipelines:
  one:
    input: in/*
    code: [double.awk]
    run: |
      echo "seen $in"
      awk -f double.awk "$in" > "$out/${in##*/}"
  two:
    input: one/
    run: cat "$one"/* > "$out/all"
YAML
git add . && git commit -qm begin
run dassie fsck --rebuild
is "no project: the environment's fault" "$status" 3
ok "compile" dassie compile
ok "rebuild of nothing" dassie fsck --rebuild
run dassie jobs
is "nothing ran" "$out" ""
ran "make" 4 make -j2
echo 7 >"in/f 2"
ran "an edit" 2 make -j2
printf '{ print $1 * 3 }\n' >double.awk
ran "the code, not committed" 4 make -j2
rm "in/f 3"
ran "one file less" 1 make -j2
printf 'exit 3\n' >>double.awk
echo '{' >>double.awk
run make -j2
is "a failure" "$status" 2

answers "$T/before"
rm -f .dassie/provenance.db*
run dassie jobs
unlike "without it nothing is known of them" "$out" 'success'
run dassie fsck --rebuild
is "rebuild" "$status" 0
like "tells from what" "$out" 'made the database again: [0-9]+ entries of the journal, 1[0-9] results'
like "and what it cannot know" "$out" 'not known any more'
answers "$T/after"
same "the same answers" "$T/after" "$T/before"
ran "nothing is redone" 0 sh -c 'make -j2; true'
run dassie fsck --rebuild
is "once more, over a sound one" "$status" 0
ok "the old one is in .dassie/damaged" sh -c 'ls .dassie/damaged/provenance.db.*'
printf '{ print $1 * 3 }\n' >double.awk
ran "mended: all is there" 0 make -j2
answers "$T/before"
printf 'garbage that is no database at all, long enough to be looked at as one\n' >.dassie/provenance.db
run dassie fsck --rebuild
is "a damaged database is replaced" "$status" 0
answers "$T/after"
same "the same answers again" "$T/after" "$T/before"

# A torn entry: the rest counts.
file=$(find .dassie/history -type f | sort | tail -n 1)
printf 'entry 1\njob aaaa' >>"$file"
rm -f .dassie/provenance.db*
run dassie fsck --rebuild
like "a torn entry is told" "$out" '1 entry of the journal is torn'
answers "$T/after"
same "and costs nothing else" "$T/after" "$T/before"
echo 9 >"in/f 1"
ran "the next job is written after it" 2 make -j2
answers "$T/before"
rm -f .dassie/provenance.db*
ok "rebuild" dassie fsck --rebuild
answers "$T/after"
same "and found" "$T/after" "$T/before"

# gc and the database.
ok "gc" dassie gc --run --keep-days=0 --keep-jobs=0
rm -f .dassie/provenance.db*
ok "rebuild after gc" dassie fsck --rebuild --out
is "jobs are known all the same" "$(dassie jobs --json | wc -l | tr -d ' ')" "$(grep -c '"job":.*"total"' "$T/before")"
like "and where files came from" "$(dassie why out/two/all)" 'double.awk'

# Without the journal.
rm -rf .dassie/history .dassie/provenance.db*
run dassie fsck --rebuild
is "no journal" "$status" 0
like "what is missing is told" "$out" '2 jobs are not in the journal'
is "the newest jobs" "$(dassie jobs --json | grep -c '"state":"success"')" 2
like "why" "$(dassie why out/two/all)" 'source in'
ok "sound" dassie fsck --out
ran "nothing to do" 0 make -j2
done_testing
