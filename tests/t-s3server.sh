#!/bin/sh
# The S3 server of the tests is what the other tests take it for: it checks signatures, grants and regions, and keeps odd keys.
. "$(dirname "$0")/lib.sh"

alt() {
	S3_ACCESS_KEY=$S3_ALT_ACCESS_KEY S3_SECRET_KEY=$S3_ALT_SECRET_KEY s3 "$@"
}

s3server --regions --tls --sts --throttle
run s3 mb plain
is "a bucket" "$status" 0
key='x/ä +~//../?#%*&'"'"'"
	end'
printf hello | s3 put "plain/$key" - 'x-amz-meta-a: b'
is "an odd key comes back" "$(s3 get "plain/$key")" hello
run s3 ls plain
is "and is listed" "$out" '5 5d41402abc4b2a76b9719d911017c592 x/%C3%A4%20+~//../?#%25*&'"'"'"%0A%09end'
like "with its headers" "$(s3 head "plain/$key")" '^x-amz-meta-a: b$'
run alt ls plain
like "a stranger may not" "$err" '403'
s3 policy plain '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["'"$S3_ALT_ARN"'"]},"Action":["s3:ListBucket"],"Resource":"arn:aws:s3:::plain"}]}'
ok "unless a policy says so" alt ls plain
run env S3_SECRET_KEY=wrong "$DASSIE_SRC/tests/s3.pl" ls plain
like "a wrong secret is refused" "$err" '403'
like "a role can be assumed" "$(s3 iam AssumeRole "RoleArn=$S3_ROLE_ARN" RoleSessionName=test)" '<SessionToken>'
S3_ENDPOINT=$S3_ENDPOINT2 S3_REGION=$S3_REGION2 s3 mb europe "$S3_REGION2"
run s3 ls europe
like "the other region's bucket is elsewhere" "$err" '^location: '"$S3_ENDPOINT2"
if have curl; then
	is "https, by its own CA" "$(curl -s -o /dev/null -w '%{http_code}' --cacert "$S3_CA" "$S3_ENDPOINT_TLS/plain/x")" 403
	head -c 2000000 /dev/zero >"$T/zeros"
	# They have to meet there, which a busy machine may prevent.
	for round in 1 2 3 4 5 6 7 8 9 10; do
		busy=$(for i in 1 2 3 4 5 6; do
			curl -s -o /dev/null -w '%{http_code}\n' -T "$T/zeros" --limit-rate 4M "$S3_ENDPOINT/plain/$round.$i" &
		done && wait)
		case $busy in *503*) break ;; esac
	done
	like "too many at once are told to slow down" "$busy" '^503$'
fi
done_testing
