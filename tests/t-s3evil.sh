#!/bin/sh
# The S3 client against a server that misbehaves: what passes is tried again, what is wrong is told, and no byte is lost or doubled.
. "$(dirname "$0")/lib.sh"

rules() {
	printf '%s\n' "$@" >"$EVIL/rules"
	: >"$EVIL/log"
}

requests() {
	grep -c "$1" "$EVIL/log"
}

cd "$T" || exit 1
evils3
AWS_ACCESS_KEY_ID=$S3_ACCESS_KEY AWS_SECRET_ACCESS_KEY=$S3_SECRET_KEY AWS_ENDPOINT_URL=$S3_ENDPOINT
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_ENDPOINT_URL
s3 mb bkt
echo hello >f
head -c 11000000 /dev/urandom >big
sum=$(sha256sum <big | cut -d' ' -f1)

# put NAME: the file arrives whole, whatever the rules do.
arrives() {
	run dassie s3 put s3://bkt/f f
	is "$1: goes through" "$status" 0
	cp "$EVIL/log" log
	rules
	is "$1: whole" "$(s3 get bkt/f)" hello
	s3 rm bkt/f
}

parts_arrive() {
	run dassie s3 put s3://bkt/big big --part-size 5242880
	is "$1: goes through" "$status" 0
	is "$1: whole" "$(s3 sums bkt/big)" "$sum big"
	s3 rm bkt/big
}

# --- what passes ---
rules 'times=3 method=PUT status=503 code=SlowDown answer="Retry-After: 0"'
arrives "a burst of 503"
is "a burst of 503: four tries" "$(grep -c ' PUT /bkt/f' log)" 4
rules 'times=2 method=PUT status=500 code=InternalError'
arrives "500"
rules 'times=2 method=PUT status=429 code=TooManyRequests'
arrives "429"
rules 'times=1 method=PUT status=408 code=RequestTimeout' 'times=1 method=PUT status=400 code=RequestTimeout'
arrives "408 and RequestTimeout"
rules 'times=2 method=PUT reset=3'
arrives "the connection is reset"
rules 'times=1 method=PUT lost=1'
arrives "an answer is lost"
rules 'times=2 method=PUT target=partNumber=2 reset=1000000'
parts_arrive "a part is reset in its middle"
rules 'times=1 method=POST target=uploadId status=200 code=InternalError'
parts_arrive "an error inside the 200 of the last step"
rules 'times=1 method=POST target=uploadId lost=1'
parts_arrive "the last answer is lost"
is "the last answer is lost: the object is looked at" "$(requests ' HEAD /bkt/big')" 1
rules 'times=1 method=POST target=uploadId cut=40'
parts_arrive "the last answer is cut short"
s3 put bkt/src big
for rule in 'cut=5000000' 'cut=5000000 reset=0'; do
	rules "times=2 method=GET $rule"
	is "a download that breaks twice ($rule)" "$(dassie s3 get s3://bkt/src | sha256sum | cut -d' ' -f1)" "$sum"
	is "goes on where it was ($rule)" "$(requests ' GET /bkt/src')" 3
done
s3 rm bkt/src
rules 'set page 2'
for i in 1 2 3 4 5; do s3 put "bkt/k $i+ä"; done
is "pages of a listing" "$(dassie s3 ls s3://bkt/ | cut -d' ' -f3- | tr '\n' ',')" "k 1+ä,k 2+ä,k 3+ä,k 4+ä,k 5+ä,"
rules 'set page 2' 'times=2 method=GET target=list-type cut=100'
is "pages that are cut short" "$(dassie s3 ls s3://bkt/ | wc -l)" 5
rules 'set page 2' 'skip=1 times=1 method=GET target=list-type status=200 code=InternalError'
is "an error inside the 200 of a page" "$(dassie s3 ls s3://bkt/ | wc -l)" 5

# --- where, when ---
rules 'set region eu-west-1'
arrives "a bucket elsewhere"
rules 'set region eu-west-1'
run dassie s3 put s3://bkt/f f --region us-west-2
says "a wrong region" "bucket 'bkt' is in eu-west-1, not in us-west-2 (from --region): going on there; set egress.region: eu-west-1"
is "a wrong region costs one request" "$(requests ' PUT ')" 2
rules 'set region us-east-1'
run dassie s3 put s3://bkt/f f --region eu-west-1
is "the other way round" "$status" 0
says "the other way round" "bucket 'bkt' is in us-east-1, not in eu-west-1 (from --region)"
rules 'method=PUT status=301 code=PermanentRedirect' 'method=HEAD status=301'
run dassie s3 put s3://bkt/f f --region us-west-2
refused "a redirect to nowhere" 'HTTP 301 PermanentRedirect' 'in another region than the one asked' 'aws s3api get-bucket-location --bucket bkt' 'egress.region'
rules 'method=PUT status=301 answer="x-amz-bucket-region: us-west-2"'
run dassie s3 put s3://bkt/f f
is "a redirect in a circle ends" "$status" 1
for skew in 1200 -1200; do
	rules "set skew $skew"
	arrives "a clock that is off by $skew s"
	says "a clock that is off by $skew s" "the server's: signing by the server's; set it: timedatectl set-ntp true"
done

# --- what is wrong is asked once ---
rules 'method=PUT status=403 code=AccessDenied message="User: arn:aws:iam::1:user/etl is not authorized to perform: s3:PutObject on resource: \"x\" with an explicit deny in a resource-based policy"'
run dassie s3 put s3://bkt/f f
refused "explicit deny" 'an explicit deny of s3:PutObject: no grant outweighs it' "in the bucket's policy" 'identity arn:aws:iam::123456789012:user/evil'
is "explicit deny: one try" "$(requests ' PUT ')" 1
rules 'method=PUT status=403 code=AccessDenied message="User: x is not authorized to perform: s3:PutObject on resource because no identity-based policy allows it"'
run dassie s3 put s3://bkt/out/day/f f
refused "no right" 'nothing allows s3:PutObject' '"Resource": "arn:aws:s3:::bkt/out/day/*"'
rules 'method=PUT status=400 code=AccessControlListNotSupported message="The bucket does not allow ACLs"'
run dassie s3 put s3://bkt/f f --acl public-read
refused "bucket owner enforced" 'bucket owner enforced' 'fix drop egress.acl'
rules 'method=PUT status=403 code=AccessDenied'
run dassie s3 put s3://bkt/f f --acl public-read
refused "an ACL" "or the right to set the ACL 'public-read' (s3:PutObjectAcl)" '"s3:PutObject", "s3:PutObjectAcl"'
rules 'method=PUT status=403 code=AccessDenied message="User: x is not authorized to perform: kms:GenerateDataKey on this resource"'
run dassie s3 put s3://bkt/f f --sse aws:kms --kms-key k1
refused "KMS" "the KMS key's policy, or this identity's" '(egress.kms_key: k1)' 'grant kms:GenerateDataKey' 'kms:Decrypt'
rules 'method=PUT status=400 code=KMS.DisabledException'
run dassie s3 put s3://bkt/f f --sse aws:kms --kms-key k1
refused "a disabled KMS key" 'is disabled' 'set egress.kms_key'
rules 'method=PUT status=400 code=ExpiredToken message="The provided token has expired."'
run dassie s3 put s3://bkt/f f
refused "expired token" 'the session token expired' 'fresh keys'
is "expired token: one try" "$(requests ' PUT ')" 1
rules 'method=PUT status=404 code=NoSuchBucket'
run dassie s3 put s3://bkt/f f
refused "no bucket" "there is no bucket 'bkt' at $S3_ENDPOINT"
is "no bucket: one try" "$(requests ' PUT ')" 1
rules 'method=PUT status=400 code=InvalidStorageClass'
run dassie s3 put s3://bkt/f f --storage-class COLD
refused "storage class" 'the server has no such storage class'
rules 'method=PUT answer="x-amz-checksum-sha256: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="'
run dassie s3 put s3://bkt/f f
refused "a wrong checksum" 'the server has other bytes than were sent'

# --- credentials that expire in mid-run are renewed ---
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
rules 'set life 2'
run env AWS_CONTAINER_CREDENTIALS_FULL_URI="$S3_ENDPOINT/container" AWS_CONTAINER_AUTHORIZATION_TOKEN=container-token "$DASSIE_BUILD/dassie" s3 put s3://bkt/f f
is "the container's credentials" "$status: $err" "0: "
run env AWS_CONTAINER_CREDENTIALS_FULL_URI=http://example.com/container "$DASSIE_BUILD/dassie" s3 put s3://bkt/f f
refused "a container's URI elsewhere" 'plain http to another host'
run env AWS_EC2_METADATA_DISABLED= AWS_EC2_METADATA_SERVICE_ENDPOINT="$S3_ENDPOINT" "$DASSIE_BUILD/dassie" s3 who s3://bkt/
is "the instance's role" "$(printf '%s\n' "$out" | head -n 1)" "credentials role 'machine' of this instance"
echo web-token >web
run env AWS_ROLE_ARN=arn:aws:iam::1:role/r AWS_WEB_IDENTITY_TOKEN_FILE=web "$DASSIE_BUILD/dassie" s3 put s3://bkt/f f
is "web identity" "$status: $err" "0: "
mkdir -p home/.aws/sso/cache
echo '{"startUrl": "https://sso.example/start", "accessToken": "sso-token", "expiresAt": "2100-01-01T00:00:00Z"}' >home/.aws/sso/cache/x.json
cat >.aws-config <<END
[profile sso]
sso_session = s
sso_account_id = 123456789012
sso_role_name = writer
[sso-session s]
sso_start_url = https://sso.example/start
sso_region = us-east-1
END
run env HOME="$T/home" AWS_ENDPOINT_URL_SSO="$S3_ENDPOINT" "$DASSIE_BUILD/dassie" s3 put s3://bkt/f f --profile sso
is "SSO's cache" "$status: $err" "0: "
unlike "no secret is in any argument or word" "$(cat "$T/.out" "$T/.err" "$EVIL/log")" "$S3_SECRET_KEY"
done_testing
