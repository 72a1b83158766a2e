#!/bin/sh
# dassie metrics: Prometheus' text format, and that it counts right.
. "$(dirname "$0")/lib.sh"

# The format by its grammar: HELP and TYPE before the samples of a family, which stand together; names, labels, values;
# no sample twice; histograms that only grow and end with the count.
check() {
	perl -e '
		my (%type, %seen, %done, $now, %bucket);
		sub bad { print "line $.: $_[0]: $_\n"; exit 1 }
		my $text = do { local $/; <STDIN> };
		$text =~ /\n\z/ or do { print "no newline at the end\n"; exit 1 };
		for (split /\n/, $text) {
			$.++;
			if (/^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) \S/) { bad("family twice") if $done{$1}++; $now = $1; next }
			if (/^# TYPE (\S+) (counter|gauge|histogram)$/) { bad("TYPE of another") if $1 ne $now; $type{$1} = $2; next }
			/^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"(?:,(?!\})|(?=\})))+\})? (-?\d+(?:\.\d+)?|\+Inf|NaN)$/ or bad("not a sample");
			my ($name, $labels, $value) = ($1, $2 // "", $3);
			my $family = $name;
			$family =~ s/_(?:bucket|sum|count)$// if ($type{$now} // "") eq "histogram";
			bad("out of its family $now") if $family ne $now;
			bad("no TYPE") unless $type{$family};
			bad("twice") if $seen{"$name$labels"}++;
			bad("a counter below 0") if $type{$family} eq "counter" && $value < 0;
			bad("a counter without _total") if $type{$family} eq "counter" && $name !~ /_total$/;
			if ($name =~ /_bucket$/) {
				my ($key, $le) = ($labels, $labels);
				$key =~ s/,le="[^"]*"//; $le =~ s/.*le="([^"]*)".*/$1/;
				bad("a bucket that shrinks") if $value < ($bucket{"$family$key"}[0] // 0);
				$bucket{"$family$key"} = [$value, $le];
			} elsif ($name =~ /_count$/ && $type{$family} eq "histogram") {
				my $b = $bucket{"$family$labels"} or bad("no buckets");
				bad("the last bucket is not +Inf, or not the count") if $b->[1] ne "+Inf" || $b->[0] != $value;
			}
		}'
}

value() {
	printf '%s\n' "$out" | grep -F -e "$1 " | sed 's/.* //'
}

project
mkdir data
run dassie metrics
is "no project" "$status" 3
for i in 1 2 3 4 5; do echo "$i" >"data/$i"; done
cat >pipeline.yaml <<'EOF'
repos: {data: data}
pipelines:
  count:
    input: data/*
    retry: {tries: 3, delay: 1ms}
    run: |
      case $(cat "$data") in
      3) [ -e "$DASSIE_PROJECT/three" ] || { touch "$DASSIE_PROJECT/three"; exit 75; };;
      4) exit 1;;
      esac
      cat "$data" >"$out/$(basename "$data")"
  total:
    input: count/
    run: cat "$count"/* >"$out/t"
EOF
dassie compile 2>/dev/null
run dassie metrics

is "it is sound then" "$status$(printf '%s\n' "$out" | check)" 0
run dassie run
run dassie metrics
is "after a failure" "$status$(printf '%s\n' "$out" | check)" 0
is "jobs by state" "$(value 'dassie_jobs_total{pipeline="count",state="failure"}')" 1
is "datums that ran" "$(value 'dassie_datums_total{pipeline="count",result="processed"}')" 4
is "datums that failed" "$(value 'dassie_datums_total{pipeline="count",result="failed"}')" 1
is "by class" "$(value 'dassie_datum_failures_total{pipeline="count",class="exit status"}')" 1
is "retries by class: temporary" "$(value 'dassie_retries_total{pipeline="count",class="temporary"}')" 1
is "retries by class: exit status" "$(value 'dassie_retries_total{pipeline="count",class="exit status"}')" 1
is "attempts, as a histogram" "$(value 'dassie_attempt_duration_seconds_count{pipeline="count"}')" 7
is "bytes written" "$(value 'dassie_output_bytes_total{pipeline="count"}')" 8
is "the newest job did not succeed" "$(value 'dassie_last_job_success{pipeline="count"}')" 0
is "no success yet" "$(value 'dassie_last_success_timestamp_seconds{pipeline="count"}')" ""
is "not up to date" "$(value 'dassie_pipeline_up_to_date{pipeline="count"}')" 0
sed -i '/4) exit 1/d' pipeline.yaml
now=$(date +%s)
run dassie run
run dassie metrics
is "after a success" "$status$(printf '%s\n' "$out" | check)" 0
is "up to date" "$(value 'dassie_pipeline_up_to_date{pipeline="count"}')$(value 'dassie_pipeline_up_to_date{pipeline="total"}')" 11
at=$(value 'dassie_last_success_timestamp_seconds{pipeline="count"}')
ok "the last success is of now" test "${at%.*}" -ge "$((now - 1))" -a "${at%.*}" -le "$((now + 60))"
is "the size of the newest commit" "$(value 'dassie_repo_bytes{repo="count"}')" 10
before=$(printf '%s\n' "$out" | grep -v -e timestamp)
run dassie fsck --rebuild
run dassie metrics
is "the same after a rebuild" "$(printf '%s\n' "$out" | grep -v -e timestamp)" "$before"

# --- a file
mkdir textfile
run dassie metrics -o textfile/dassie.prom
is "-o says nothing" "$status$out$err" 0
cd data || exit 1
run dassie metrics -o ../textfile/two.prom
cd ..
is "relative to where one stands, and sound" "$status$(check <textfile/two.prom)" 0
is "no other file is left" "$(find textfile -type f | sort | tr '\n' ' ')" "textfile/dassie.prom textfile/two.prom "
run dassie metrics -o nowhere/x.prom
is "no such folder" "$status" 3
run dassie metrics x
is "an argument" "$status" 2

done_testing
