#!/bin/sh
# What the spec language has beyond Pachyderm's, at run time.
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"

# match: a regex makes datums, its captures are variables and part of the key.
project
for site in north south; do
	for year in 2019 2020; do
		mkdir -p "logs/$site" && echo "$site $year" >"logs/$site/$year-01.csv"
	done
	echo "$site" >"logs/$site.json"
done
cat >pipeline.yaml <<'SPEC'
repos: {logs: logs}
pipelines:
  year:
    input: logs ~ (?<site>[^/]+)/(?<year>\d{4})-\d\d\.csv
    run: echo "$site $year $logs" >"$out/$site-$year"
  join:
    input:
      join:
        - pfs: {repo: logs, match: '(?<site>[^/]+)/(?<year>\d{4}).*', join_on: $site}
        - pfs: {repo: logs, name: about, match: '^/(?<site>.*)\.json$', join_on: '${site}'}
    run: echo "$(cat "$about") $site $year" >"$out/$site-$year"
  group:
    input: {group: [{pfs: {repo: logs, match: '(?<site>[^/]+)/(?<year>\d{4})-(?<day>\d\d\d)?.*', group_by: $year}}]}
    run: 'echo "[$day]" >"$out/$year"; cat "$PFS"/logs/*/* >>"$out/$year"'
  folder:
    input: logs ~ (?<site>[^/]+)/
    run: ls "$logs" >"$out/$site"
SPEC
run dassie compile -q
is "match: compiles" "$status" 0 || diag "$err"
ran "match: datums" 12 make
is "match: captures" "$(cat out/year/south-2020)" "south 2020 /pfs/logs/south/2020-01.csv"
is "match: joined on a name" "$(cat out/join/* | tr '\n' ' ')" "north north 2019 north north 2020 south south 2019 south south 2020 "
is "match: grouped by a name, an empty capture" "$(tr '\n' ' ' <out/group/2019)" "[] north 2019 south 2019 "
is "match: folders" "$(ls out/folder)" "north
south"
run dassie datums -f pipeline.yaml --json year
like "match: datums -f tells the captures" "$out" '"captures":\{"site":"north","year":"2019"\}'
sed 's/(?<year>\\d{4})-\\d\\d/(?<year>\\d{3}).*/' pipeline.yaml >p && mv p pipeline.yaml
ran "match: other captures, other datums" 4 make
run dassie glob --match logs '(?<x>.*)\.json'
is "glob --match" "$out" "/north.json
/south.json"
run dassie glob --match logs '(?<x>.*'
is "glob --match: no regex" "$status" 2
cat >pipeline.yaml <<'SPEC'
repos: {logs: logs}
pipelines:
  both:
    input: {cross: ['logs ~ (?<site>[^/]+)/.*', {pfs: {repo: logs, name: other, match: '(?<site>[^/]+)/.*'}}]}
    run: 'true'
SPEC
run make
is "match: two values of a capture in one datum" "$status" 2
like "match: it is told" "$err" "two inputs capture 'site', and in one datum it is 'north' and 'south'"

done_testing
