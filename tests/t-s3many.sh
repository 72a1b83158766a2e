#!/bin/sh
# Many objects, with a real gateway: how many requests, how much memory, how much time beside what has to be asked.  2,000 of them;
# DASSIE_MANY=100000 is the whole size (RGW takes some milliseconds an object).
# shellcheck disable=SC2119  # project without argument
. "$(dirname "$0")/lib.sh"

have jq || skip_all "no jq"
many=${DASSIE_MANY:-2000}
measure=$DASSIE_BUILD/tests/bench/measure
[ -x "$measure" ] || skip_all "no tests/bench/measure: make check-programs builds it"
case $(readelf -d "$DASSIE_BUILD/dassie-net" 2>/dev/null) in
*libasan*) limit=100000000 ;;
*) limit=65536 ;;
esac

# cost COMMAND...: run it; $cpu (ms) and $rss (KB) of it with all that it started.
cost() {
	run "$measure" "$T/cost" "$@"
	read -r user sys _ rss <"$T/cost"
	cpu=$(((user + sys) / 1000))
}

s3server
AWS_ACCESS_KEY_ID=$S3_ACCESS_KEY AWS_SECRET_ACCESS_KEY=$S3_SECRET_KEY
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
s3 mb many
gateway=$(for s3_pid in $S3_PIDS; do echo "$s3_pid"; done | tail -n 1)

# asked: how many bytes the gateway has read from sockets and files so far.
asked() {
	sed -n 's/^rchar: //p' "/proc/$gateway/io"
}

project
perl -e 'my ($n) = @ARGV; for my $i (0 .. $n - 1) { my $d = sprintf "src/%03d", $i / 1000; mkdir "src"; mkdir $d; open my $f, ">", "$d/f$i" or die; print $f "$i\n" x 10 }' "$many"
cat >pipeline.yaml <<EOF2
repos: {src: src}
pipelines:
  copy: {input: src/, run: 'cp -r "\$src"/. "\$out"', egress: {url: "s3://many/up", endpoint: "$S3_ENDPOINT"}}
EOF2
dassie compile >/dev/null 2>&1
make copy >/dev/null 2>&1
cost dassie egress
like "$many files go up" "$err" "pushed $many files"
ok "in $rss KB" test "$rss" -le "$limit"
before=$(asked)
cost dassie egress
like "again: nothing" "$err" "pushed 0 files .*$many lay there already"
ok "nobody was asked" test $(($(asked) - before)) -lt 2000
ok "in $cpu ms, $rss KB" test "$rss" -le "$limit"
before=$(asked)
cost dassie s3 --endpoint "$S3_ENDPOINT" ls s3://many/up/
listing=$(($(asked) - before)) list_cpu=$cpu
before=$(asked)
cost dassie egress --verify
like "compared with a listing" "$err" "pushed 0 files .*$many lay there already"
verified=$(($(asked) - before))
# The probe is not even needed: there is nothing to write.
ok "that asks no more than the listing ($verified, $listing bytes)" test $((verified * 10)) -le $((listing * 12 + 20000))
ok "in $cpu ms, the listing $list_cpu; $rss KB" test "$rss" -le "$limit"
rm .dassie/egress/copy-*
cost dassie egress
like "without a record: nothing is sent" "$err" "pushed 0 files .*$many lay there already"
ok "in $rss KB" test "$rss" -le "$limit"

project
cat >pipeline.yaml <<EOF2
repos: {raw: {source: s3://many/up, endpoint: "$S3_ENDPOINT"}}
pipelines:
  n: {input: raw/, run: 'find "\$raw" -type f | wc -l >"\$out/n"'}
EOF2
dassie compile >/dev/null 2>&1
cost make
like "as a source: all are fetched" "$err" "source 'raw': $many of $many files fetched"
ok "in $rss KB" test "$rss" -le "$limit"
is "all there are, but for the manifest" "$(cat out/n/n)" "$many"
before=$(asked)
cost make
is "again: nothing" "$err" ""
fetched=$(($(asked) - before))
ok "that asks no more than the listing ($fetched, $listing bytes)" test $((fetched * 10)) -le $((listing * 12 + 20000))
ok "in $cpu ms, $rss KB" test "$rss" -le "$limit"
run env DASSIE_OFFLINE=1 AWS_SECRET_ACCESS_KEY=none make
is "offline: make goes on with it" "$status $(cat out/n/n)" "0 $many"
like "why s3://… of what was fetched" "$(dassie why s3://many/up/000/f7)" 'source s3://many/up/000/f7, etag'
like "and which datums saw it" "$(dassie why s3://many/up/000/f7)" '^└─ n  raw:/  datum'
is "as JSON" "$(dassie why --json s3://many/up/000/f7 | jq -r '.seen_by[].pipeline')" n
run dassie why s3://many/up/000/none
is "what was not there: status" "$status" 2
like "is told" "$err" "source 'raw' reads from there, but 's3://many/up/000/none' was not there"

if have script && have stty; then
	sed -i 's|s3://many/up,|s3://many/up/000,|' pipeline.yaml
	rm -rf .dassie
	dassie compile >/dev/null 2>&1
	env -u NO_COLOR TERM=xterm script -qefc "stty cols 100 rows 24; make" "$T/screen" </dev/null >/dev/null 2>&1
	like "on a terminal: how far it is" "$(tr '\r' '\n' <"$T/screen")" "raw \[#+-*\] [0-9]+/[0-9]+ +[0-9.]+ kB of [0-9.]+ [kM]B"
	rm -rf .dassie
	dassie compile >/dev/null 2>&1
	env -u NO_COLOR TERM=xterm script -qefc "stty cols 100 rows 24; dassie run" "$T/screen" </dev/null >/dev/null 2>&1
	like "the same in the display of a run" "$(tr '\r' '\n' <"$T/screen")" "raw \[#+-*\] [0-9]+/[0-9]+ +[0-9.]+ kB of [0-9.]+ [kM]B"
	is "and nothing is left of it" "$(ls .dassie/moving)" ""
	rm -rf .dassie
	dassie compile >/dev/null 2>&1
	env TERM=xterm NO_COLOR=1 script -qefc "stty cols 100 rows 24; make" "$T/screen" </dev/null >/dev/null 2>&1
	unlike "not with NO_COLOR" "$(cat "$T/screen")" "raw \["
else
	skip "no script or stty" "progress"
fi
done_testing
