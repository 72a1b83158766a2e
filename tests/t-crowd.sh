#!/bin/sh
# Several makes and readers at once: the work is done once, nobody is told that the database is locked, who waits says for whom.
# shellcheck disable=SC2016,SC2119
. "$(dirname "$0")/lib.sh"

# many N COMMAND…: so many of it at once, with numbered logs; their statuses go to $statuses.
many() {
	pids=
	n=$1
	shift
	i=0
	while [ $i -lt "$n" ]; do
		i=$((i + 1))
		"$@" >"$T/many.$i" 2>&1 </dev/null &
		pids="$pids $!"
		owned $!
	done
	statuses=
	for p in $pids; do
		wait "$p"
		statuses="$statuses$?"
	done
}

# --- two makes, 1,000 datums
project
fill 1000
cat >pipeline.yaml <<'SPEC'
repos: {data: data}
pipelines:
  p:
    input: data/*
    run: |
      echo "${data##*/}" >>ran
      cp "$data" "$out/"
SPEC
dassie compile --quiet
many 2 make -s -j2
is "two makes of 1,000 datums" "$statuses:$(find out/p -type f | wc -l | tr -d ' ')" 00:1000
is "exactly 1,000 executions" "$(wc -l <ran | tr -d ' '):$(sort ran | uniq -d | wc -l | tr -d ' ')" 1000:0
is "one job, one time" "$(dassie jobs --json p | wc -l | tr -d ' '):$(dassie jobs --json p | grep -c '"processed":1000,')" 1:1
run make -s
is "and then there is nothing to do" "$status$out$err" 0

# --- eight makes, readers, one of them paused in a transaction
project
fill 40
cat >pipeline.yaml <<'SPEC'
repos: {data: data}
pipelines:
  a-${n}:
    foreach: {n: ["1", "2", "3", "4", "5", "6"]}
    input: data/*
    run: |
      echo "a-${n} ${data##*/}" >>ran
      cp "$data" "$out/"
  all:
    input: {cross: [a-1/, a-6/]}
    run: |
      echo all all >>ran
      cat "$PFS"/a-1/* "$PFS"/a-6/* >"$out/all"
SPEC
dassie compile --quiet
make -s -j2 a-1
mkfifo "$T/sql"
sqlite3 .dassie/provenance.db <"$T/sql" >"$T/reader" 2>&1 &
reader=$!
owned $reader
exec 7>"$T/sql"
echo 'BEGIN; SELECT count(*) FROM job;' >&7
until [ -s "$T/reader" ]; do sleep 0.01; done
kill -STOP $reader
(
	while [ ! -e "$T/enough" ]; do
		for verb in "jobs" "datums a-1" "why out/a-1/7" "log a-2" "status"; do
			# shellcheck disable=SC2086
			dassie $verb >/dev/null 2>>"$T/readers" || true
		done
	done
) &
readers=$!
owned $readers
many 8 make -s -j2
touch "$T/enough"
wait $readers
kill -CONT $reader
echo 'SELECT count(*) FROM job; COMMIT;' >&7
exec 7>&-
wait $reader
is "eight makes" "$statuses" 00000000
is "each datum once" "$(wc -l <ran | tr -d ' '):$(sort ran | uniq -d | wc -l | tr -d ' ')" 241:0
is "the result" "$(wc -l <out/all/all | tr -d ' ')" 80
is "a reader that was paused has seen one moment" "$(sort -u "$T/reader" | wc -l | tr -d ' ')" 1
unlike "nobody is told of a lock of the database" "$(cat "$T"/many.* "$T/readers")" 'locked|busy'
unlike "readers have nothing to complain of" "$(cat "$T/readers")" 'database|malformed|damaged'
is "the database is whole" "$(sqlite3 .dassie/provenance.db 'PRAGMA integrity_check')" ok
ok "fsck" dassie fsck
unlike "make finds its tokens" "$(cat "$T"/many.*)" INTERNAL

# --- who holds the lock
project
fill 2
cat >pipeline.yaml <<'SPEC'
repos: {data: data}
pipelines:
  slow:
    input: data/1
    run: |
      touch began
      until test -e go; do sleep 0.02; done
      cp "$data" "$out/"
  pair:
    input: data/*
    run: |
      touch "here.${data##*/}"
      until test -e here.1 && test -e here.2; do sleep 0.02; done
      cp "$data" "$out/"
SPEC
dassie compile --quiet
make -s slow >/dev/null 2>&1 &
first=$!
owned $first
until [ -e began ]; do sleep 0.01; done
stage=$(pgrep -P $first -f 'dassie stage')
make -s -j2 slow pair >/dev/null 2>second.err &
second=$!
owned $second
until [ -d out/pair ] || ! kill -0 $second 2>/dev/null; do sleep 0.02; done
is "who waits for a lock lends its slot" "$(find out/pair -type f | wc -l | tr -d ' ')" 2
until grep -q waiting second.err; do sleep 0.05; done
like "it says who holds it and since when" "$(cat second.err)" "^dassie: waiting for 'slow', which pid $stage holds since 20[0-9-]+T[0-9:.]+Z$"
kill -STOP "$stage"
make -s slow >/dev/null 2>third.err &
third=$!
owned $third
until grep -q waiting third.err; do sleep 0.05; done
like "and that it is stopped" "$(cat third.err)" "^dassie: waiting for 'slow', which pid $stage holds since .* \\(that process is stopped: 'kill -CONT $stage' lets it go on\\)$"
touch go
kill -CONT "$stage"
wait $first && wait $second && wait $third
is "all go on when it is free" "$?:$(cat out/slow/1)" 0:1
is "and it ran once" "$(dassie jobs --json slow | wc -l | tr -d ' ')" 1
unlike "make finds its tokens" "$(cat second.err third.err)" INTERNAL

# Ended while it waits.
rm -rf .dassie out began go here.*
dassie compile --quiet
make -s slow >/dev/null 2>&1 &
first=$!
owned $first
until [ -e began ]; do sleep 0.01; done
make -s -j2 slow pair >/dev/null 2>second.err &
second=$!
owned $second
until grep -q waiting second.err; do sleep 0.05; done
kill -TERM $second
wait $second
is "one that waits ends by a signal" $? 143
unlike "with its token back" "$(cat second.err)" INTERNAL
touch go
wait $first
is "the other goes on" "$?:$(cat out/slow/1)" 0:1

done_testing
