#!/bin/sh
# The misbehaving server of the tests does what its rules say.
. "$(dirname "$0")/lib.sh"

rules() {
	printf '%s\n' "$@" >"$EVIL/rules"
}

fetched() {
	curl -s -o "$T/body" -w '%{http_code}' "$@"
}

have curl || skip_all "no curl"
evils3
s3 mb bkt
printf hello | s3 put 'bkt/a b+ä' - 'x-amz-meta-x: 1' 'x-amz-checksum-sha256: LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ='
for i in 1 2 3 4; do s3 put "bkt/k$i"; done
rules 'set page 2'
is "pages of a listing" "$(s3 ls bkt)" "5 5d41402abc4b2a76b9719d911017c592 a%20b+%C3%A4
0 d41d8cd98f00b204e9800998ecf8427e k1
0 d41d8cd98f00b204e9800998ecf8427e k2
0 d41d8cd98f00b204e9800998ecf8427e k3
0 d41d8cd98f00b204e9800998ecf8427e k4"
is "in pages" "$(grep -c list-type=2 "$EVIL/log")" 3
like "headers are kept" "$(s3 head 'bkt/a b+ä')" '^x-amz-meta-x: 1$'
run s3 put bkt/x - 'x-amz-checksum-sha256: LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ='
like "a wrong checksum is refused" "$err" BadDigest
run env S3_SECRET_KEY=wrong "$DASSIE_SRC/tests/s3.pl" ls bkt
like "a wrong secret" "$err" SignatureDoesNotMatch
run env S3_REGION=eu-west-1 "$DASSIE_SRC/tests/s3.pl" ls bkt
like "a wrong region" "$err" '<Region>us-east-1</Region>'
rules 'set skew 1200'
run s3 ls bkt
like "a skewed clock" "$err" RequestTimeTooSkewed
rules 'times=2 method=GET target=k1 status=503 code=SlowDown answer="Retry-After: 7"'
run s3 get bkt/k1
like "a burst" "$err" '^retry-after: 7'
run s3 get bkt/k2
is "of one kind" "$status" 0
run s3 get bkt/k1
run s3 get bkt/k1
is "that ends" "$status" 0
rules 'set anonymous 1' 'times=1 cut=2' 'times=1 flip=0' 'times=1 lost=1' 'method=PUT reset=100'
is "an answer that is cut" "$(fetched "$EVIL_ENDPOINT/bkt/a%20b%2B%C3%A4"), $(cat "$T/body")" "200, he"
is "an answer with a wrong byte" "$(fetched "$EVIL_ENDPOINT/bkt/a%20b%2B%C3%A4"), $(cat "$T/body")" "200, iello"
is "an answer that is lost" "$(fetched "$EVIL_ENDPOINT/bkt/k1")" 000
head -c 100000 /dev/zero >"$T/zeros"
not_ok "a body that is cut off" curl -s -T "$T/zeros" "$EVIL_ENDPOINT/bkt/zeros"
rules ''
is "a machine's token" "$(fetched -X PUT -H 'x-aws-ec2-metadata-token-ttl-seconds: 60' "$EVIL_ENDPOINT/latest/api/token") $(cat "$T/body")" "200 imds-token"
s3 iam AssumeRole RoleArn=arn:aws:iam::1:role/writer RoleSessionName=test >"$T/role"
part() {
	sed -n "s,.*<$1>\(.*\)</$1>.*,\1,p" "$T/role"
}
run env S3_ACCESS_KEY="$(part AccessKeyId)" S3_SECRET_KEY="$(part SecretAccessKey)" S3_TOKEN="$(part SessionToken)" "$DASSIE_SRC/tests/s3.pl" ls bkt
is "a role" "$status" 0
rules 'set revoked 1'
run env S3_ACCESS_KEY="$(part AccessKeyId)" S3_SECRET_KEY="$(part SecretAccessKey)" S3_TOKEN="$(part SessionToken)" "$DASSIE_SRC/tests/s3.pl" ls bkt
like "and its end" "$err" ExpiredToken
rules ''
id=$(s3 POST '/bkt/big?uploads=' | sed -n 's,.*<UploadId>\(.*\)</UploadId>.*,\1,p' | sed 's,/,%2F,; s,+,%2B,')
head -c 6000000 /dev/zero >"$T/zeros"
one=$(md5sum <"$T/zeros" | cut -c1-32)
s3 PUT "/bkt/big?partNumber=1&uploadId=$id" "$T/zeros"
printf end | s3 PUT "/bkt/big?partNumber=2&uploadId=$id" -
run s3 POST "/bkt/big?uploadId=$id" - 2>/dev/null
two=$(printf end | md5sum | cut -c1-32)
printf '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"%s"</ETag></Part><Part><PartNumber>2</PartNumber><ETag>"%s"</ETag></Part></CompleteMultipartUpload>' \
	"$one" "$two" >"$T/parts"
rules 'times=1 method=POST status=200 code=InternalError'
like "a 200 with an error inside" "$(s3 POST "/bkt/big?uploadId=$id" "$T/parts")" '<Code>InternalError'
like "and the next one completes" "$(s3 POST "/bkt/big?uploadId=$id" "$T/parts")" '<ETag>&quot;[0-9a-f]{32}-2&quot;'
like "to the whole" "$(s3 ls bkt/big)" '^6000003 [0-9a-f]{32}-2 big'
ok "it has complained of nothing" test ! -s "$EVIL/errors"
done_testing
