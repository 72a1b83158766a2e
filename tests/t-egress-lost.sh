#!/bin/sh
# Uploads in parts whose beginning nobody answered: they are found and ended, and nobody else's are.
# shellcheck disable=SC2119  # project without argument
. "$(dirname "$0")/lib.sh"

rules() {
	printf '%s\n' "$@" >"$EVIL/rules"
	: >"$EVIL/log"
}

# uploads: "KEY KEY …" of those that are open.
uploads() {
	s3 GET '/bkt?uploads=' | grep -o '<Key>[^<]*' | cut -c6- | sort | tr '\n' ' '
}

evils3
AWS_ACCESS_KEY_ID=EVILKEY AWS_SECRET_ACCESS_KEY=evil/secret+key
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
s3 mb bkt
# Somebody else's: another key, and one below a key of ours.
s3 POST '/bkt/up/other?uploads=' >"$T/none"
s3 POST '/bkt/up/large.part?uploads=' >"$T/none"
# Probes: of a push that was killed long ago, and of one that is under way.
rules 'set age 7200'
s3 POST '/bkt/up/.dassie-probe?uploads=' >"$T/none"
rules ''
s3 POST '/bkt/up/.dassie-probe?uploads=' >"$T/none"
project
mkdir src
head -c 18000000 /dev/urandom >src/large
cat >pipeline.yaml <<EOF2
repos: {src: src}
pipelines:
  copy: {input: src/, run: 'cp "\$src"/* "\$out"', egress: {url: "s3://bkt/up", endpoint: "$EVIL_ENDPOINT"}}
EOF2
dassie compile >/dev/null 2>&1
rules 'times=1 method=POST target=large[?]uploads lost=1'
run make
is "the answer to the first step is lost" "$status" 0
is "it is asked again" "$(grep -c 'POST /bkt/up/large?uploads' "$EVIL/log")" 2
is "and what that left is ended, and an old probe, not what is not ours" "$(uploads)" "up/.dassie-probe up/large.part up/other "
is "the file is there" "$(s3 sums bkt/up/large)" "$(sha256sum <src/large | cut -c1-64) up/large"
is "no journal is left" "$(find .dassie/egress -name '*.open*')" ""
rules ''
head -c 18000000 /dev/urandom >src/large
run make
is "without faults nobody asks for uploads to it" "$status $(grep -c 'GET /bkt?.*large.*uploads' "$EVIL/log")" "0 0"

# Killed while it is being asked for: the server has done it, perhaps more than once.
head -c 18000000 /dev/urandom >src/large
make copy >/dev/null 2>&1
rules 'method=POST target=large[?]uploads lost=1'
dassie egress copy >/dev/null 2>&1 &
pid=$!
for _ in $(seq 500); do
	! grep -q 'POST /bkt/up/large?uploads' "$EVIL/log" || break
	sleep 0.02
done
net=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null)
# Process ids.
# shellcheck disable=SC2086
kill -KILL $net $pid 2>/dev/null
wait "$pid" 2>/dev/null
like "a push is killed there" "$(uploads)" "^up/.dassie-probe (up/large )+up/large.part up/other $"
rules ''
run make
is "the next one" "$status" 0
is "ends what that left" "$(uploads)" "up/.dassie-probe up/large.part up/other "
is "the file is there, too" "$(s3 sums bkt/up/large)" "$(sha256sum <src/large | cut -c1-64) up/large"

rules 'times=1 method=POST target=large[?]uploads lost=1' 'method=GET target=[?].*uploads status=403 code=AccessDenied'
head -c 18000000 /dev/urandom >src/large
run make
is "who may not list uploads" "$status" 0
like "is told that one may be left" "$err" "copy: what a lost answer may have left of 'large' cannot be looked for, .*AbortIncompleteMultipartUpload"
done_testing
