#!/bin/sh
# Pushing outputs to a real S3 server: what lands there, what is not sent again, what a kill leaves, what a refusal says.
# shellcheck disable=SC2119  # project has an optional argument
. "$(dirname "$0")/lib.sh"

have jq || skip_all "no jq"
s3server
AWS_ACCESS_KEY_ID=$S3_ACCESS_KEY AWS_SECRET_ACCESS_KEY=$S3_SECRET_KEY
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY

# spec EGRESS: src, copied file by file.
spec() {
	cat >pipeline.yaml <<-EOF
	repos: {src: src}
	pipelines:
	  copy: {input: src/, run: 'cp -r "\$src"/. "\$out"', egress: $1}
	EOF
}

# begin BUCKET EGRESS
begin() {
	bucket=$1
	s3 mb "$bucket"
	project
	mkdir src
	spec "$2"
	dassie compile >/dev/null 2>&1
}

# sums PREFIX: 'SHA256 KEY' of the bytes in the bucket, without our manifest, keys below the prefix.
sums() {
	s3 sums "$bucket/$1" | grep -v '\.dassie-' | sed "s| $1| |" | LC_ALL=C sort -k2
}

wanted() {
	(cd src && find . -type f -exec sha256sum {} + | sed 's|  \./| |' | LC_ALL=C sort -k2)
}

# noted PID N WORD: until a push has noted so many, or has ended.
noted() {
	while kill -0 "$1" 2>/dev/null && [ "$(cat .dassie/egress/copy-*.open 2>/dev/null | grep -c "^$3 ")" -lt "$2" ]; do
		sleep 0.02
	done
}

begin one "{url: 's3://one/pre/fix', endpoint: '$S3_ENDPOINT', delete: true, metadata: {origin: test}, cache_control: max-age=60}"
printf 1 >src/a.csv
printf 22 >src/b.html
head -c 21000000 /dev/urandom >src/large
run make
is "make pushes" "$status" 0
like "and says so" "$err" 'copy: pushed 3 files \(21\.0 MB\) to s3://one/pre/fix'
is "all of it is there, byte for byte" "$(sums pre/fix/)" "$(wanted)"
head=$(s3 head one/pre/fix/a.csv)
like "Content-Type by name" "$head" '^content-type: text/csv$'
like "Cache-Control" "$head" '^cache-control: max-age=60$'
like "metadata of the user" "$head" '^x-amz-meta-origin: test$'
like "its hash" "$head" "^x-amz-meta-dassie-sha256: $(sha256sum <src/a.csv | cut -c1-64)\$"
like "its commit" "$head" "^x-amz-meta-dassie-commit: $(dassie log --json copy | head -n 1 | jq -r .commit)\$"
like "its datum" "$head" "^x-amz-meta-dassie-datum: $(dassie datums --json copy | jq -r .datum)\$"
like "its pipeline" "$head" '^x-amz-meta-dassie-pipeline: copy$'
like "the large one came in parts" "$(s3 ls one)" '^21000000 [0-9a-f]{32}-3 pre/fix/large$'
is "its ETag is on record" "$(sed -n 's/^f 21000000 .* //p' .dassie/egress/copy-????????????????)" "$(s3 ls one/pre/fix/large | cut -d' ' -f2)"
like "and has metadata, too" "$(s3 head one/pre/fix/large)" '^x-amz-meta-dassie-sha256: '
is "the manifest names them by their keys" "$(s3 get one/pre/fix/.dassie-copy.json | jq -r '.files[] | .sha256 + " " + .key')" \
	"$(wanted | sed 's| | pre/fix/|')"
run dassie egress
like "again: nothing is sent" "$err" 'pushed 0 files'
run dassie egress --verify
like "--verify: nothing differs" "$err" 'pushed 0 files \(0 B\).*3 lay there already'
rm .dassie/egress/copy-*
run dassie egress
like "without a record: nothing is sent that is there" "$err" 'pushed 0 files \(0 B\).*3 lay there already'
printf foreign | s3 put one/pre/fix/a.csv -
printf foreign | s3 put one/pre/fix/not-ours -
run dassie egress --verify
like "what somebody overwrote is sent again" "$err" 'pushed 1 file \(1 B\)'
is "and what is not ours stays" "$(s3 get one/pre/fix/not-ours)" foreign
s3 rm one/pre/fix/not-ours
rm src/a.csv
printf 333 >src/b.html
run make
like "a change and a removal" "$err" 'pushed 1 file \(3 B\).*1 lay there already, removed 1'
is "that is what is there" "$(sums pre/fix/)" "$(wanted)"
like "dassie why s3://…" "$(dassie why s3://one/pre/fix/b.html)" '^copy:/b\.html'
like "--dry-run" "$(printf 4 >src/c; make copy >/dev/null 2>&1; dassie egress --dry-run 2>&1)" '^put +pre/fix/c$'
unlike "sends nothing" "$(s3 ls one)" 'pre/fix/c$'

begin odd "{url: 's3://odd', endpoint: '$S3_ENDPOINT', addressing: path}"
for name in ' ' '#' "'" '"' '%41' '*' '?' '~' 'ä' '😀' '$(x)' '+' '&=;' 'a
b' '(!)' ',@:'; do
	printf '%s' "$name" >"src/$name"
done
mkdir -p src/d/e && printf x >"src/d/e/ f"
run make
is "odd keys" "$status" 0
is "as many objects" "$(s3 ls odd | grep -vc '\.dassie-')" "$(find src -type f -printf x | wc -c)"
is "with these contents" "$(s3 sums odd | grep -v '\.dassie-' | cut -c1-64 | sort)" "$(find src -type f -exec sha256sum {} + | sed 's/^\\//' | cut -c1-64 | sort)"
run dassie egress --verify
like "and found again in a listing" "$err" 'pushed 0 files'

# Refused: one message that says what, who and what to do; nothing half done.
begin shut "{url: 's3://shut/x', endpoint: '$S3_ENDPOINT'}"
printf 1 >src/one
AWS_SECRET_ACCESS_KEY=wrong
run make
isnt "a wrong secret: make fails" "$status" 0
like "egress failed, with counts" "$err" 'copy: egress failed: 0 files \(0 B\) went to s3://shut/x, 1 file \(1 B\) is left'
like "and why" "$err" 'AWS_SECRET_ACCESS_KEY|SignatureDoesNotMatch'
unlike "no secret is told" "$err$(cat .dassie/egress/*)" 'wrong'
AWS_SECRET_ACCESS_KEY=$S3_SECRET_KEY
ran "then it is tried alone" 0 make
is "and there" "$(sums x/)" "$(wanted)"
spec "{url: 's3://nowhere-at-all/x', endpoint: '$S3_ENDPOINT'}"
run make
isnt "no such bucket: make fails" "$status" 0
like "it says so" "$err" 'nowhere-at-all'
long=$(printf 'k%.0s' $(seq 250))
mkdir -p "src/$long/$long/$long/$long" && printf 1 >"src/$long/$long/$long/$long/$long"
spec "{url: 's3://shut/long', endpoint: '$S3_ENDPOINT'}"
run make
like "a key of more than 1,024 bytes is told" "$err" 'would have 1259 bytes, and at most 1024'
is "and nothing is sent" "$(s3 ls shut/long)" ""

# Killed in the middle, in parts and between files.
begin kill "{url: 's3://kill/k', endpoint: '$S3_ENDPOINT', bandwidth: 60M, delete: true}"
head -c 45000000 /dev/urandom >src/large
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	head -c 300000 /dev/urandom >"src/f$i"
done
make copy >/dev/null 2>&1
kills=${DASSIE_KILLS:-4}
n=0
resumed=0
while [ $n -lt "$kills" ]; do
	head -c 300000 /dev/urandom >"src/f$((n % 12 + 1))"
	make copy >/dev/null 2>&1
	dassie egress copy 2>/dev/null &
	pid=$!
	want=$((n % 5 + 1))
	noted $pid $want part
	net=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null)
	# shellcheck disable=SC2086
	kill -KILL $net $pid 2>/dev/null
	wait $pid 2>/dev/null
	[ "$(cat .dassie/egress/copy-*.open 2>/dev/null | grep -c '^upload')" -gt 0 ] && resumed=$((resumed + 1))
	n=$((n + 1))
done
isnt "kills hit an upload in parts" "$resumed" 0
run dassie egress
is "the push after $kills kills" "$status" 0
is "every object is what its source is" "$(sums k/)" "$(wanted)"
# A probe's may be: one that is younger than an hour could be another push's.
is "no upload is left open" "$(s3 GET '/kill?uploads=' | grep -o '<Key>[^<]*' | grep -v '\.dassie-probe$')" ""
is "no journal either" "$(find .dassie/egress -name '*.open*')" ""
head -c 45000000 /dev/urandom >src/large
make copy >/dev/null 2>&1
dassie egress copy 2>/dev/null &
pid=$!
noted $pid 1 part
net=$(cat "/proc/$pid/task/$pid/children")
# shellcheck disable=SC2086
kill -KILL $net $pid 2>/dev/null
wait $pid 2>/dev/null
head -c 100 /dev/urandom >src/large
run make
is "an upload that nobody wants any more" "$status" 0
is "is aborted" "$(s3 GET '/kill?uploads=' | grep -o '<Key>[^<]*' | grep -v '\.dassie-probe$')" ""
is "and all is as it should be" "$(sums k/)" "$(wanted)"
done_testing
