#!/bin/sh
# S3 as a source, with a real gateway: what is there becomes a commit, what changed is fetched, and where it came from is known.
# shellcheck disable=SC2119  # project without argument
. "$(dirname "$0")/lib.sh"

# The spec: its source's fields, its input's glob.
spec() {
	cat >pipeline.yaml <<EOF
repos:
  raw: {source: $1}
pipelines:
  p: {input: 'raw/${2:-**}', run: '[ -d "\$raw" ] || { mkdir -p "\$out/\$(dirname "\${raw#*/raw/}")" && cp "\$raw" "\$out/\${raw#*/raw/}"; }'}
EOF
}

put() {
	printf '%s\n' "$2" | s3 put "$1" -
}

paths() {
	dassie ls -0 raw 2>/dev/null | tr '\0' '\n' | tr '\n' ' '
}

s3server --regions
AWS_ACCESS_KEY_ID=$S3_ACCESS_KEY AWS_SECRET_ACCESS_KEY=$S3_SECRET_KEY
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
s3 mb data
put data/raw/a.csv one
put data/raw/sub/b.csv two
put 'data/raw/odd ä+~%41&#?*' odd
put data/other/c.csv three
s3 put data/raw/sub/

project
spec "s3://data/raw, endpoint: $S3_ENDPOINT"
ok "compiles" dassie compile
# Folders are datums of the glob, too.
ran "a first make" 4 make
[ "$status" -eq 0 ] || done_testing
s3 tree data/raw "$T/want" 2>/dev/null
is "has all below the prefix" "$(cd out/p && find . -type f | sort)" "./a.csv
./odd ä+~%41&#?*
./sub/b.csv"
is "with their contents" "$(cat out/p/a.csv out/p/sub/b.csv "out/p/odd ä+~%41&#?*")" "one
two
odd"
like "and says what it fetched" "$err" "source 'raw': 3 of 3 files fetched from 's3://data/raw/'"
ran "nothing changed" 0 make
is "and nothing is said" "$err" ""
like "why names the object" "$(dassie why out/p/sub/b.csv)" 's3://data/raw/sub/b.csv, etag [0-9a-f]{32}'
like "as JSON, too" "$(dassie why --json out/p/sub/b.csv)" '"url": ?"s3://data/raw/sub/b.csv","etag": ?"[0-9a-f]{32}"'
like "status names the place" "$(dassie status)" 'raw +s3://data/raw/ +3 files'
like "a commit of the source is on record" "$(dassie log raw)" '[0-9a-f]{12}'
is "its contents can be read" "$(dassie cat raw:a.csv)" one

s3 PUT '/data?versioning' - <<'EOF' >"$T/none"
<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>
EOF
put data/raw/a.csv ONE
s3 rm data/raw/sub/b.csv
put data/raw/new.csv four
ran "one changed, one is new, one is gone" 2 make
like "two are fetched" "$err" "source 'raw': 2 of 3 files fetched"
is "the output follows" "$(ls out/p | tr '\n' ' ')" "a.csv new.csv odd ä+~%41&#?* "
like "the version is known" "$(dassie why out/p/a.csv)" 's3://data/raw/a.csv, etag [0-9a-f]{32}, version [^ ]'
put data/raw/a.csv ONE
ran "uploaded again, the same" 0 make
is "is not even fetched" "$err" ""
put data/raw/a.csv one
ran "back again" 0 make
is "costs no datum" "$(cat out/p/a.csv)" one

# which files
spec "s3://data/raw, endpoint: $S3_ENDPOINT, include: ['*.csv', /sub/], exclude: [new.*]"
put data/raw/sub/d d
run make
is "include and exclude" "$(paths)" "a.csv sub/d "
spec "'s3://data/raw/a.csv', endpoint: $S3_ENDPOINT" '*'
run make
is "one object" "$(paths)" "a.csv "
like "by its own URL" "$(dassie why out/p/a.csv)" 's3://data/raw/a.csv, etag'
spec "'s3://data', endpoint: $S3_ENDPOINT, exclude: [/raw/]"
run make
is "a whole bucket" "$(paths)" "other/c.csv "
spec "s3://data/nothing, endpoint: $S3_ENDPOINT" '*'
run make
is "nothing there is an empty source" "$status $(paths)" "0 "
like "that is told" "$err" "source 'raw': nothing lies under 's3://data/nothing/': is that the right place\?"

# what is no path
put data/odd/a//b x
put data/odd/c x
put data/odd/c/d x
put data/odd/./e x
spec "s3://data/odd, endpoint: $S3_ENDPOINT"
run make
is "keys that are no paths: status" "$status" 2
like "an empty part" "$err" "'odd/a//b' cannot be a file: a part of its path is empty; leave it out by 'exclude'"
like "a dot" "$err" "'odd/./e' cannot be a file: a part of its path is '.' or '..'"
spec "s3://data/odd, endpoint: $S3_ENDPOINT, exclude: ['a/', '/./']"
run make
like "a file that is a folder, too" "$err" "'c' and 'c/d' cannot both be files"

# who and where
S3_ENDPOINT=$S3_ENDPOINT2 S3_REGION=$S3_REGION2 s3 mb europe "$S3_REGION2"
S3_ENDPOINT=$S3_ENDPOINT2 S3_REGION=$S3_REGION2 put europe/x x
spec "s3://europe, endpoint: $S3_ENDPOINT2, region: eu-west-1"
ran "another region" 1 make
spec "s3://europe, endpoint: $S3_ENDPOINT"
run make
like "asked at the wrong place" "$err" 'eu-west-1|'"$S3_ENDPOINT2"
before=$(paths)
spec "s3://none-such, endpoint: $S3_ENDPOINT"
run make
is "no such bucket: status" "$status" 2
like "no such bucket" "$err" "NoSuchBucket|no such bucket"
spec "s3://data/raw, endpoint: $S3_ENDPOINT"
run env AWS_SECRET_ACCESS_KEY=wrong make
like "a wrong secret" "$err" "SignatureDoesNotMatch|secret"
unlike "which is not printed" "$out$err" "$S3_SECRET_KEY"
spec "s3://data/raw, endpoint: 'http://127.0.0.1:9'"
run make
is "nobody there: status" "$status" 2
like "nobody there" "$err" "127.0.0.1:9"
is "and nothing changed" "$(paths)" "$before"
run grep -rlF "$S3_SECRET_KEY" .dassie
is "no secret is in .dassie" "$out" ""
done_testing
