#!/bin/sh
# What queries answer, after whole runs: jobs, datums, logs, log, ls, cat, diff, why, status, fsck.
# shellcheck disable=SC2119  # project has an optional argument
# shellcheck disable=SC2016  # Perl and specs are in single quotes
. "$(dirname "$0")/lib.sh"

# json EXPRESSION <LINES: Perl over the decoded lines in @_, one value printed.
json() {
	perl -CO -MJSON::PP -we 'my $e = shift; @_ = map { decode_json($_) } <STDIN>; my $v = eval $e; die $@ if $@;
		print defined $v ? $v : "null", "\n"' "$1"
}

sha256() {
	sha256sum <"$1" | cut -d ' ' -f 1
}

# edit FILE SED-SCRIPT: in place, the file stays the same one.
edit() {
	sed "$2" <"$1" >"$T/edited" && cat "$T/edited" >"$1"
}

project
mkdir -p data/books
printf 'to be or not\n' >data/books/hamlet.txt
printf 'out damned spot\n' >"data/books/mac beth.txt"
printf '{ n += $1 } END { print n }\n' >total.awk
cat >pipeline.yaml <<'EOF'
repos:
  books: data/books
pipelines:
  count:
    input: books/*
    run: |
      echo "counting ${books##*/}"
      tr -cs '[:alpha:]' '\n' < "$books" | sort | uniq -c > "$out/${books##*/}"
  total:
    input: count/
    code: [total.awk]
    run: awk -f total.awk "$count"/* > "$out/total.txt"
EOF

run dassie jobs
is "before anything: no project, the environment's fault" "$status" 3
like "and how to begin" "$err" 'dassie compile'
ok "compile" dassie compile
run dassie jobs
is "before make: no error" "$status" 0
like "nothing has run" "$err" 'nothing has run yet'
like "status: never run" "$(dassie status)" 'count +never run'
like "why: never run" "$(dassie why count)" 'never run'
run dassie datums count
like "datums: nothing has run" "$err" 'nothing of .count. has run'
for verb in jobs datums logs log ls cat diff why status fsck; do
	run dassie "$verb" --help
	is "$verb --help" "$status" 0
	run dassie "$verb" --no-such-option
	is "$verb with an unknown option" "$status" 2
done

ran "a first run" 3 make -j2

is "jobs: newest first" "$(dassie jobs --json | json 'join " ", map { "$_->{pipeline}:$_->{state}" } @_')" "total:success count:success"
is "jobs: of one pipeline" "$(dassie jobs --json count |
	json 'join " ", map { "$_->{total} $_->{processed} $_->{skipped} $_->{failed} $_->{recovered}" } @_')" "2 2 0 0 0"
is "jobs: -n" "$(dassie jobs -n 1 --json | json 'scalar @_')" 1
is "jobs: every field of the contract" "$(dassie jobs --json | json \
	'my @m = grep { my $k = $_; grep { !exists $_->{$k} } @_ } qw(job run pipeline state started finished total processed
	skipped failed recovered commit code); "@m"')" ""
is "jobs: of one run" "$(dassie jobs --json | json 'my %r = map { $_->{run} => 1 } @_; scalar keys %r')" 1
first=$(dassie jobs --json count | json '$_[0]{job}')
count1=$(dassie jobs --json count | json '$_[0]{commit}')
like "jobs: for people" "$(dassie jobs)" '^[0-9a-f]{12} +count +success'

is "datums: states" "$(dassie datums --json count | json 'join " ", map { "$_->{state} $_->{tries} $_->{exit}" } @_')" \
	"success 1 0 success 1 0"
is "datums: inputs" "$(dassie datums --json count | json 'my $i = $_[0]{inputs}[0]; "$i->{name}:$i->{repo}:$i->{path} $i->{hash}"')" \
	"books:books:hamlet.txt $(sha256 data/books/hamlet.txt)"
is "datums: outputs" "$(dassie datums --json count | json 'my $o = $_[0]{outputs}[0]; "$o->{path} $o->{hash} $o->{size}"')" \
	"hamlet.txt $(sha256 out/count/hamlet.txt) $(wc -c <out/count/hamlet.txt | tr -d ' ')"
run dassie datums nosuch
is "datums of no pipeline: usage" "$status" 2
run dassie datums count@ffffffffffff
is "datums of no job: usage" "$status" 2
hamlet=$(dassie datums --json count | json '$_[0]{datum}')

like "logs: of a pipeline" "$(dassie logs count)" '^counting hamlet.txt$'
like "logs: whose" "$(dassie logs count)" '==> count +books:/hamlet.txt +attempt 1 of 1, exit 0'
like "logs: of a datum" "$(dassie logs "$(printf '%.12s' "$hamlet")")" '^counting hamlet.txt$'
unlike "logs: of that datum only" "$(dassie logs "$hamlet")" 'mac beth'
like "logs: of a job" "$(dassie logs "$first")" '^counting mac beth.txt$'
is "logs: text" "$(dassie logs --json "$hamlet" | json '$_[0]{text}')" "counting hamlet.txt"
run dassie logs nosuch
is "logs of nothing: usage" "$status" 2

run dassie why out/total/total.txt
is "why of a file" "$status" 0
for part in 'awk -f total\.awk' 'total\.awk +[0-9a-f]{12}' "tr -cs" 'books:/hamlet\.txt' 'books:/mac beth\.txt' \
	'source data/books' "$(sha256 out/total/total.txt)" 'job +[0-9a-f]{12}'; do
	like "why: $part" "$out" "$part"
done
is "why: no line is longer than 80 columns" \
	"$(printf '%s\n' "$out" | perl -CS -ne 'chomp; print "$_\n" if length > 80')" ""
dassie why --json out/total/total.txt >"$T/why1"
is "why --json: every field of the contract" "$(json 'my @m = grep { !exists $_[0]{$_} } qw(path hash repo commit datum job
	pipeline step command code inputs); "@m"' <"$T/why1")" ""
is "why --json: down to the source" "$(json 'my $s = $_[0]{inputs}[0]{inputs}[0]; "$s->{repo}:$s->{path} $s->{hash}"' <"$T/why1")" \
	"books:hamlet.txt $(sha256 data/books/hamlet.txt)"
like "why --json: command" "$(json '$_[0]{command}' <"$T/why1")" 'awk -f total.awk'
is "why --json: code" "$(json '$_[0]{code}{files}[0]{path} . " " . $_[0]{code}{files}[0]{hash}' <"$T/why1")" "total.awk $(sha256 total.awk)"
dassie why --json total:total.txt >"$T/why2"
same "why: of a commit, too" "$T/why1" "$T/why2"
(cd out/total && dassie why --json total.txt) >"$T/why2"
same "why: from another folder" "$T/why1" "$T/why2"
dassie why --json "$PWD/out/../out/total//total.txt" >"$T/why2"
same "why: by another name" "$T/why1" "$T/why2"
like "why: of a source" "$(dassie why "data/books/mac beth.txt")" 'source data/books'
run dassie why out/total
is "why of a directory: usage" "$status" 2
run dassie why nosuch
is "why of nothing: usage" "$status" 2
like "why: a datum that is new" "$(dassie why "$hamlet")" 'because no datum of these files has run before'
like "why: a pipeline that is up to date" "$(dassie why count)" 'is up to date'

cp out/total/total.txt "$T/total.txt"
echo "by hand" >>out/total/total.txt
like "why: changed by hand" "$(dassie why out/total/total.txt)" 'changed by hand'
ok "fsck does not look into out/ unasked" dassie fsck
run dassie fsck --out
is "fsck --out sees it" "$status" 1
run dassie fsck --out --repair
same "and writes it again" out/total/total.txt "$T/total.txt"
ok "fsck is content then" dassie fsck --out

# A second state of everything.
printf 'to be\n' >data/books/hamlet.txt
printf 'new\n' >data/books/new.txt
printf '# a remark\n' >>total.awk
ran "a second run" 3 make -j2
hamlet2=$(dassie datums --json count | json '(grep { $_->{inputs}[0]{path} eq "hamlet.txt" } @_)[0]{datum}')
like "why: a datum whose input changed" "$(dassie why "$hamlet2")" 'because input books:/hamlet.txt changed +[0-9a-f]{12} → [0-9a-f]{12}'
is "why: which was the last one" "$(dassie why --json "$hamlet2" | json '$_[0]{before}')" "$hamlet"
run dassie why "$(dassie datums --json total | json '$_[0]{datum}')"
like "why: code changed" "$out" 'code file total.awk changed'
like "why: a file in a directory changed" "$out" 'count:/hamlet.txt changed'
like "why: a file in a directory is new" "$out" 'count:/new.txt is new'
macbeth=$(dassie datums --json count | json '(grep { $_->{inputs}[0]{path} eq "mac beth.txt" } @_)[0]{datum}')
is "datums: skipped" "$(dassie datums --json count | json 'join " ", map { $_->{state} } @_')" "success success skipped"
like "why: one that did not run" "$(dassie why "$macbeth")" 'did not run in the newest job'
like "datums: of the old job" "$(dassie datums "count@$first")" 'books:/hamlet.txt'

is "log: two commits" "$(dassie log --json count | json 'join " ", map { "$_->{files}:+$_->{added}~$_->{changed}-$_->{removed}" } @_')" \
	"3:+1~1-0 2:+2~0-0"
is "log: of a source" "$(dassie log --json books | json 'scalar @_')" 2
is "log: of a path" "$(dassie log --json "count:mac beth.txt" | json 'join " ", map { $_->{commit} } @_')" "$count1"
is "log: parents" "$(dassie log --json count | json '$_[0]{parent}')" "$count1"
is "ls" "$(dassie ls count)" "$(printf 'hamlet.txt\nmac beth.txt\nnew.txt')"
is "ls: before" "$(dassie ls count@^)" "$(printf 'hamlet.txt\nmac beth.txt')"
is "ls: by the first digits" "$(dassie ls "count@$(printf '%.8s' "$count1")")" "$(printf 'hamlet.txt\nmac beth.txt')"
is "ls: by a job" "$(dassie ls "count@$first")" "$(printf 'hamlet.txt\nmac beth.txt')"
is "ls: one file" "$(dassie ls count:/new.txt)" new.txt
is "ls -0" "$(dassie ls -0 count | tr '\0' '|')" "hamlet.txt|mac beth.txt|new.txt|"
like "ls -l" "$(dassie ls -l count:new.txt)" "^f +$(wc -c <out/count/new.txt | tr -d ' ') +$(sha256 out/count/new.txt) +new.txt\$"
like "ls: the repos" "$(dassie ls)" '^books +source'
is "cat" "$(dassie cat count:hamlet.txt)" "$(cat out/count/hamlet.txt)"
is "cat: of before" "$(dassie cat count@^:hamlet.txt | awk '{ n += $1 } END { print n }')" 4
is "cat: of a source, as it is" "$(dassie cat books:hamlet.txt)" "to be"
run dassie cat books@^:hamlet.txt
is "cat: bytes that are not kept" "$status" 3
like "and what would keep them" "$err" 'keep: true'
is "diff: names" "$(dassie diff --names count)" "$(printf 'M hamlet.txt\nA new.txt')"
like "diff: texts" "$(dassie diff count)" '^- +1 or$'
is "diff: the other way round" "$(dassie diff --names count count@^)" "$(printf 'M hamlet.txt\nD new.txt')"
is "diff: of a path" "$(dassie diff --names count@^ count :new.txt)" "A new.txt"
is "diff: nothing" "$(dassie diff count@^ "@$count1")" ""
for verb in ls log cat diff; do
	run dassie $verb nosuch:x
	is "$verb of no repo: usage" "$status" 2
	run dassie $verb 'count@zz:x'
	is "$verb of no commit: usage" "$status" 2
done

like "status: up to date" "$(dassie status)" 'count +up to date'
printf 'changed again\n' >data/books/new.txt
like "status does not scan" "$(dassie status)" 'count +up to date'
dassie scan -o Makefile pipeline.yaml >"$T/scan" 2>&1
like "status: stale, and why" "$(dassie status)" 'count +stale +books changed: \+0 ~1 -0 files'
like "status: stale further down" "$(dassie status)" 'total +stale +count, which it reads, is stale'
is "status --json" "$(dassie status --json | json 'join " ", map { $_->{state} } grep { $_->{pipeline} } @_')" "stale stale"
ran "make goes on" 2 make -j2

# A failing command.
edit pipeline.yaml 's/^      echo "counting.*/      case $books in *mac*) echo oh dear >\&2; exit 3;; esac/'
run make -j2
isnt "a datum fails" "$status" 0
is "jobs: failure" "$(dassie jobs --json count | json '"$_[0]{state} $_[0]{failed} $_[0]{processed} " . ($_[0]{commit} // "none")')" \
	"failure 1 2 none"
is "datums: the failed one first" "$(dassie datums --json count | json '"$_[0]{state} $_[0]{exit} $_[0]{inputs}[0]{path}"')" \
	"failed 3 mac beth.txt"
is "datums --failed" "$(dassie datums --failed --json count | json 'scalar @_')" 1
like "logs --failed" "$(dassie logs --failed count)" '^oh dear$'
unlike "logs --failed: nothing else" "$(dassie logs --failed count)" 'hamlet'
like "status: failed" "$(dassie status)" 'count +failed +1 datum failed .*; first books:/mac beth.txt: exit 3'
run dassie why "$(dassie datums --failed --json count | json '$_[0]{datum}')"
like "why: it failed" "$out" 'failed in job'
like "why: the command changed" "$out" 'the command changed'
like "why: the new line" "$out" '\+ case \$books in'
ok "fsck is content with a failure" dassie fsck
edit pipeline.yaml 's/exit 3/:/'
ok "the command is mended" make -j2

# Without the database nothing is lost but history.
for i in 1 2 3 4 5 6 7 8; do echo "this is no database, whatever it is called: line $i"; done >.dassie/provenance.db
for verb in jobs status "datums count" "why out/total/total.txt" "log count"; do
	# shellcheck disable=SC2086  # a verb and its argument
	run dassie $verb
	is "$verb with a damaged database" "$status" 3
	like "$verb: says so, and the way out" "$err" 'is damaged: .*move it away'
done
printf 'more\n' >>data/books/new.txt
run make
isnt "make stops at a damaged database" "$status" 0
like "and says so" "$err" 'is damaged: .*move it away'
run dassie fsck
is "fsck finds it" "$status" 1
run dassie fsck --repair
like "and moves it away" "$out" 'all repaired'
ok "make goes on" make -j2
like "with a new history" "$(dassie jobs)" 'count +success'
rm -f .dassie/provenance.db
run dassie jobs
is "no database: no error" "$status" 0
ran "make without a database has nothing to do" 0 make
like "why without a database" "$(dassie why out/total/total.txt)" 'source data/books'
like "ls without a database" "$(dassie ls count)" 'hamlet.txt'
like "log without a database: the newest" "$(dassie log count)" '3 files'
printf 'and more\n' >>data/books/new.txt
ok "make begins a new one" make -j2
ok "fsck is content" dassie fsck

# Damage.
object=$(find .dassie/objects -type f | sort | head -n 1)
chmod u+w "$object"
echo damaged >"$object"
run dassie fsck
is "fsck finds a damaged object" "$status" 1
like "and names it" "$out" "$object: damaged"
is "it changed nothing" "$(cat "$object")" damaged
run dassie fsck --repair
like "fsck --repair" "$out" 'repaired'
ok "make computes it again" make -j2
ok "and all is sound" dassie fsck --out
for f in .dassie/plan/count.job .dassie/refs/count; do
	chmod u+w "$f"
	: >"$f"
	run dassie fsck
	is "fsck finds a damaged $f" "$status" 1
	run dassie fsck --repair
	ran "make mends it without running anything" 0 make -j2
	ok "and all is sound" dassie fsck --out
done
for repo in count books; do
	rm -f ".dassie/commits/$(dassie log --json "$repo" | json '$_[0]{commit}')"
	run dassie ls "$repo"
	is "a commit of $repo that is gone: the environment's fault" "$status" 3
	run dassie fsck --repair
	is "fsck finds it" "$status" 1
	ran "make writes it again" 0 make -j2
	ok "and all is sound" dassie fsck --out
done

# Which code: git.
if have git; then
	project
	mkdir in && echo 1 >in/a
	printf '%s\n' 'repos: {in: in}' 'pipelines:' '  p:' '    input: in/*' '    code: [x.sh]' '    run: sh x.sh "$in" > "$out/a"' >pipeline.yaml
	echo 'cat "$1"' >x.sh
	git init -q -b trunk . && git add . && git -c user.name=n -c user.email=n@localhost commit -qm one
	ok "compile in git" dassie compile
	ok "make in git" make
	is "git: the commit" "$(dassie jobs --json | json '$_[0]{code}{git}')" "$(git rev-parse HEAD)"
	is "git: clean" "$(dassie jobs --json | json '$_[0]{code}{dirty} ? "dirty" : "clean"')" clean
	is "git: the branch" "$(dassie jobs --json | json '$_[0]{code}{branch}')" trunk
	echo '# a change' >>x.sh
	ok "make with a change" make
	is "git: dirty" "$(dassie jobs --json | json '$_[0]{code}{dirty} ? "dirty" : "clean"')" dirty
	like "git: the diff is kept" "$(dassie why --json out/p/a | json '$_[0]{code}{diff}')" '^\+# a change$'
	like "git: for people" "$(dassie why out/p/a)" 'on trunk, with changes'
	like "git: --full shows the diff" "$(dassie why --full out/p/a)" '\+# a change'
else
	skip "no git" "which code"
fi
done_testing
