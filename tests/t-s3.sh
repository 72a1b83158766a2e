#!/bin/sh
# The S3 client against a real server that checks signatures: odd keys, parts, regions, roles, TLS; and what it says when it is refused.
. "$(dirname "$0")/lib.sh"

as() {
	AWS_ACCESS_KEY_ID=$1 AWS_SECRET_ACCESS_KEY=$2 AWS_ENDPOINT_URL=$S3_ENDPOINT
	export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_ENDPOINT_URL
}

cd "$T" || exit 1
s3server
as "$S3_ACCESS_KEY" "$S3_SECRET_KEY"
run dassie s3 mb s3://bkt
is "a bucket" "$status" 0
echo hello >f
head -c 12000000 /dev/urandom >big

# --- objects ---
ok "one small, one in parts" dassie s3 put s3://bkt/x/ f big --part-size 5242880 --meta 'dassie-commit=abc' --tag 'a b=c&d' --content-type text/plain
is "both are there" "$(s3 ls bkt | sed 's/ [^ ]* / /')" "12000000 x/big
6 x/f"
is "the bytes of the one in parts" "$(s3 sums bkt/x/big)" "$(sha256sum <big | cut -d' ' -f1) x/big"
like "what it was written with" "$(s3 head bkt/x/f)" '^content-type: text/plain$'
like "and by whom" "$(s3 head bkt/x/f)" '^x-amz-meta-dassie-commit: abc$'
like "tags" "$(s3 GET '/bkt/x/f?tagging=')" '<Key>a b</Key><Value>c&amp;d</Value>'
ok "get" dassie s3 get s3://bkt/x/big
is "gives the same bytes" "$(dassie s3 get s3://bkt/x/big | sha256sum)" "$(sha256sum <big)"
like "head" "$(dassie s3 head s3://bkt/x/f)" '^commit abc$'
is "no upload is left over" "$(dassie s3 uploads s3://bkt/)" ""
: >empty
ok "an empty object" dassie s3 put s3://bkt/empty empty
run dassie s3 get s3://bkt/none
is "a key that is not there" "$status: $err" "1: dassie: there is no key 'none'"
ok "many are removed at once" dassie s3 rm s3://bkt/x/f x/big empty none
is "and are gone" "$(s3 ls bkt)" ""

# --- 1,000 keys of random bytes, and those that a file system has no names for ---
mkdir odd
perl -MEncode -e '
	srand $ARGV[0]; my %seen;
	while (keys %seen < 1000) {
		my $name = encode("UTF-8", join "", map { chr(rand() < .5 ? 1 + rand 127 : rand() < .7 ? 128 + rand 1900 : 0x10000 + rand 60000) } 1 .. 1 + rand 40);
		next if $name =~ m{/} || $name eq "." || $name eq ".." || length $name > 250 || $seen{$name}++;
		open my $f, ">", "odd/$name" or die "$!"; print $f scalar keys %seen; close $f;
	}' "${DASSIE_SEED:-42}"
find odd -type f -print0 | xargs -0 "$DASSIE_BUILD/dassie" s3 put s3://bkt/r/ --concurrency 16
is "1,000 keys of random bytes" "$?" 0
s3 tree bkt/r back
ok "come back equal" diff -r odd back
dassie s3 ls s3://bkt/r/ --json >listed
is "and are listed equal" "$(perl -MJSON::PP -MDigest::MD5=md5_hex -ne '
	my $o = decode_json $_; (my $n = $o->{key}) =~ s{^r/}{}s; utf8::encode($n); open my $f, "<", "odd/$n" or next; local $/; $n{1} += md5_hex(<$f>) eq $o->{etag};
	END { print $n{1} }' listed)" 1000
find odd -type f | head -n 1 >/dev/null
for key in a/../b ./x //y /z 'q?x=1#f' 'pl+us %41 &=;' "it's\"<>&" "nl
x" a/./b '*' '~!@$^()[]{}|\`,:'; do
	ok "key '$key'" dassie s3 put "s3://bkt/o/$key" f
	is "key '$key' comes back" "$(dassie s3 get "s3://bkt/o/$key")" hello
done
s3 ls bkt/o/ | cut -d' ' -f3- >keys
is "each is a key of its own" "$(sort -u keys | wc -l)" 11
dassie s3 ls s3://bkt/o/ --json | perl -MJSON::PP -ne 'my $k = decode_json($_)->{key}; utf8::encode($k); print "$k\0"' | xargs -0 sh -c 'first=$1; shift; exec dassie s3 rm "s3://bkt/$first" "$@"' sh
is "all of them can be removed" "$(s3 ls bkt/o/)" ""

# --- refusals ---
AWS_SECRET_ACCESS_KEY=wrong run dassie s3 put s3://bkt/out/x f
refused "wrong secret" "PutObject 's3://bkt/out/x' failed: HTTP 403 SignatureDoesNotMatch" "endpoint $S3_ENDPOINT (from AWS_ENDPOINT_URL)" \
	'region us-east-1 (from the default)' 'credentials AWS_ACCESS_KEY_ID of the environment, key id …' 'request id tx' \
	'cause the secret key is not the one of this key id' 'fix correct the secret key'
unlike "wrong secret: is not shown" "$err" 'wrong'
AWS_ACCESS_KEY_ID=NOBODYKNOWSME run dassie s3 put s3://bkt/out/x f
refused "unknown key" InvalidAccessKeyId 'does not know this key id' 'egress.profile'
as "$S3_ALT_ACCESS_KEY" "$S3_ALT_SECRET_KEY"
run dassie s3 put s3://bkt/out/x f
refused "no PutObject" 'HTTP 403 AccessDenied' 'cause nothing allows s3:PutObject' 'fix grant s3:PutObject on arn:aws:s3:::bkt' \
	'{"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": "arn:aws:s3:::bkt/out/*"}'
run dassie s3 ls s3://bkt/
refused "no ListBucket" 'no right to s3:ListBucket, or no such bucket: S3 answers 403 for both' '"Resource": "arn:aws:s3:::bkt"}'
run dassie s3 head s3://bkt/out/none
refused "no right to look" 'HTTP 403 AccessDenied' 'no such key and no right to s3:ListBucket'
s3 policy bkt '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["'"$S3_ALT_ARN"'"]},"Action":["s3:PutObject"],"Resource":"arn:aws:s3:::bkt/*"}]}'
ok "a bucket that may only be written is written" dassie s3 put s3://bkt/out/x f
run dassie s3 check s3://bkt/out/
is "check: fails at what it may not" "$status" 1
like "check: writes" "$out" '^put  *ok$'
like "check: says what may not" "$out" "^list  *no: ListObjectsV2 's3://bkt' failed: HTTP 403"
like "check: and that the probe stays" "$out" '^delete  *no'
as "$S3_ACCESS_KEY" "$S3_SECRET_KEY"
run dassie s3 put s3://bkt/out/x f --acl nonsense
refused "ACL that does not exist" "does not take the ACL 'nonsense'" 'drop egress.acl'
run dassie s3 put s3://bkt/out/x f --sse aws:kms --kms-key nokey
refused "KMS" 'the KMS key does not exist, is disabled' '(egress.kms_key: nokey)' 'set egress.kms_key'
run dassie s3 put s3://nobucket/out/x f
refused "no bucket" 'HTTP 404 NoSuchBucket' "there is no bucket 'nobucket' at $S3_ENDPOINT" 'correct egress.url or egress.endpoint'
run dassie s3 put s3://bkt/out/x f --endpoint http://127.0.0.1:1
refused "wrong endpoint" 'cannot connect' 'endpoint http://127.0.0.1:1 (from --endpoint)' 'nothing listens at the endpoint' 'host and port of egress.endpoint' '(tried 3 times)'
run dassie s3 put s3://bkt/out/x f --endpoint ftp://x
is "an endpoint that is none" "$status: $err" "3: dassie: the endpoint 'ftp://x' (from --endpoint) is no URL of a server: http:// or https://, a host, perhaps a port"
run dassie s3 put s3://bkt/out/x f --profile nobody
refused "unknown profile" "there is no profile 'nobody' (from --profile) in '$T/.aws-credentials' or '$T/.aws-config'"
run env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY "$DASSIE_BUILD/dassie" s3 put s3://bkt/out/x f
refused "no credentials" 'there are no credentials; these places were asked, in this order' ' environment: ' " profile 'default': not in" ' container: ' ' instance: '
run dassie s3 put s3://bkt/out/skew f --clock 3000
is "a clock that is ahead is corrected" "$status" 0
says "and told" "this machine's clock is" "s ahead of the server's" 'timedatectl set-ntp true'
run dassie s3 check s3://bkt/out/
is "check: all is well" "$status" 0
like "check: credentials" "$out" '^credentials  *AWS_ACCESS_KEY_ID of the environment$'
is "check: leaves nothing, nor what it once had to leave" "$(s3 ls bkt/out/ | grep -c probe)" 0

# --- secrets ---
unlike "no secret in what is sent or said" "$(cat "$T/.out" "$T/.err")" "$S3_SECRET_KEY"

# --- regions, TLS, roles ---
s3server --regions --tls --sts
as "$S3_ACCESS_KEY" "$S3_SECRET_KEY"
ok "a bucket elsewhere" dassie s3 mb s3://europe --endpoint "$S3_ENDPOINT2" --region "$S3_REGION2"
run dassie s3 put s3://europe/out/x f
is "a bucket of another region is written" "$status" 0
says "and it is says where it is" "bucket 'europe' is not at $S3_ENDPOINT (from AWS_ENDPOINT_URL): the server sends us to $S3_ENDPOINT2; set egress.endpoint"
is "once" "$(printf '%s\n' "$err" | wc -l)" 1
ok "a bucket here" dassie s3 mb s3://here
run dassie s3 put s3://here/out/x f --endpoint "$S3_ENDPOINT2" --region "$S3_REGION2"
refused "the other way round, where the server knows nothing of it" NoSuchBucket 'region eu-west-1 (from --region)' 'correct egress.url or egress.endpoint'
run dassie s3 ls s3://here/ --endpoint "$S3_ENDPOINT_TLS"
refused "TLS" 'no secure connection' "the server's certificate is not trusted here" 'AWS_CA_BUNDLE='
ok "TLS, with its CA" env AWS_CA_BUNDLE="$S3_CA" "$DASSIE_BUILD/dassie" s3 put s3://here/tls f --endpoint "$S3_ENDPOINT_TLS"
run dassie s3 ls s3://here/ --endpoint "https://127.0.0.1:${S3_ENDPOINT##*:}"
refused "TLS to a plain port" 'the endpoint speaks plain http there' 'correct egress.endpoint: http://'
cat >.aws-config <<END
[profile base]
region = us-east-1
endpoint_url = $S3_ENDPOINT
aws_access_key_id = $S3_ACCESS_KEY
aws_secret_access_key = $S3_SECRET_KEY
[profile writer]
role_arn = $S3_ROLE_ARN
source_profile = base
endpoint_url = $S3_ENDPOINT
[profile alt]
region = us-east-1
endpoint_url = $S3_ENDPOINT
aws_access_key_id = $S3_ALT_ACCESS_KEY
aws_secret_access_key = $S3_ALT_SECRET_KEY
[profile stranger]
role_arn = $S3_ROLE_ARN
source_profile = alt
endpoint_url = $S3_ENDPOINT
[profile nobody]
role_arn = arn:aws:iam:::role/nobody
source_profile = base
endpoint_url = $S3_ENDPOINT
END
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_ENDPOINT_URL
ok "by a role of a profile" dassie s3 put s3://here/role f --profile writer
is "which is told" "$(dassie s3 who s3://here/ --profile writer | head -n 1)" "credentials role '$S3_ROLE_ARN' (of profile 'writer'), assumed with profile 'base' in '$T/.aws-config'"
ok "by a role of the spec" dassie s3 put s3://here/role f --profile base --role-arn "$S3_ROLE_ARN"
run dassie s3 put s3://here/role f --profile nobody
refused "a role that is not there" "cannot assume role 'arn:aws:iam:::role/nobody' (of profile 'nobody'): there is no such role"
run dassie s3 put s3://here/role f --profile stranger
refused "a role that may not be assumed" "cannot assume role '$S3_ROLE_ARN' (of profile 'stranger') with profile 'alt'" 'sts:AssumeRole'
s3 iam AssumeRole "RoleArn=$S3_ROLE_ARN" RoleSessionName=test >answer
of() {
	sed -n "s/.*<$1>\([^<]*\)<.*/\1/p" answer
}
run env AWS_ENDPOINT_URL="$S3_ENDPOINT" AWS_ACCESS_KEY_ID="$(of AccessKeyId)" AWS_SECRET_ACCESS_KEY="$(of SecretAccessKey)" \
	AWS_SESSION_TOKEN="$(of SessionToken)x" AWS_CREDENTIAL_EXPIRATION=2026-01-01T00:00:00Z "$DASSIE_BUILD/dassie" s3 put s3://here/x f
refused "expired token" 'the session token expired' 'days ago' 'put fresh keys and a fresh token'
done_testing
