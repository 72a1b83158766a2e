#!/bin/sh
# https with a CA of one's own, and gs://: a real gateway with a certificate that only its own CA vouches for.
# shellcheck disable=SC2119  # project without argument
. "$(dirname "$0")/lib.sh"

have openssl || skip_all "no openssl"
s3server --tls
AWS_ACCESS_KEY_ID=$S3_ACCESS_KEY AWS_SECRET_ACCESS_KEY=$S3_SECRET_KEY
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
unset CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR
s3 mb tls

begin() {
	project
	mkdir src
	echo one >src/a.csv
	cat >pipeline.yaml <<EOF2
repos: {src: src}
pipelines:
  copy: {input: src/, run: 'cp "\$src"/* "\$out"', egress: $1}
EOF2
	dassie compile >/dev/null 2>"$T/compile" || cat "$T/compile"
}

begin "{url: 's3://tls/up', endpoint: '$S3_ENDPOINT_TLS'}"
run make
isnt "a certificate that nobody vouches for: make fails" "$status" 0
like "it says so" "$err" 'certificate'
like "and what to do" "$err" 'AWS_CA_BUNDLE'
for name in AWS_CA_BUNDLE CURL_CA_BUNDLE SSL_CERT_FILE; do
	echo "$name" >src/a.csv
	run env "$name=$S3_CA" make
	is "$name: make pushes" "$status" 0
	is "$name: it is there" "$(s3 get tls/up/a.csv)" "$name"
done
run env "AWS_CA_BUNDLE=$T/none.pem" dassie egress --check
isnt "a bundle that is not there" "$status" 0
like "is named" "$err" 'none\.pem'
cat >"$AWS_CONFIG_FILE" <<EOF2
[default]
ca_bundle = $S3_CA
EOF2
run dassie egress --check
is "ca_bundle of the profile" "$status" 0
rm "$AWS_CONFIG_FILE"

# A source: S3 and the web, of the same server.
s3 policy tls '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::tls/*"]}]}'
project
cat >pipeline.yaml <<EOF2
repos:
  raw: {source: s3://tls/up, endpoint: '$S3_ENDPOINT_TLS'}
  web: '$S3_ENDPOINT_TLS/tls/up/a.csv'
pipelines:
  p: {input: {cross: [{pfs: {repo: raw, glob: '/*'}}, {pfs: {repo: web, glob: '/*'}}]}, run: 'cat "\$raw" "\$web" >"\$out/x"'}
EOF2
dassie compile >/dev/null 2>&1
run make
is "a source behind such a certificate: status" "$status" 2
like "and what to do: S3" "$err" 'AWS_CA_BUNDLE'
like "and what to do: the web" "$err" "cannot fetch '$S3_ENDPOINT_TLS/tls/up/a.csv'.*CURL_CA_BUNDLE"
run env "CURL_CA_BUNDLE=$S3_CA" make
is "with the CA" "$status $(sort -u out/p/x)" "0 SSL_CERT_FILE"

# gs://: the keys are HMAC keys, the names as Google takes them.
begin "'gs://tls/google?endpoint=$S3_ENDPOINT_TLS'"
run env "AWS_CA_BUNDLE=$S3_CA" make
is "gs:// by an endpoint" "$status" 0
is "is there" "$(s3 get tls/google/a.csv)" one
run env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY dassie egress --check
isnt "gs:// without keys" "$status" 0
like "says which keys Google takes" "$err" 'HMAC key'
begin "{url: 'gs://my.bucket.example.com/x', endpoint: '$S3_ENDPOINT_TLS'}"
S3_ENDPOINT=$S3_ENDPOINT s3 mb my.bucket.example.com
run env "AWS_CA_BUNDLE=$S3_CA" make
is "a name with dots: status" "$status" 0
is "a name with dots" "$(s3 get my.bucket.example.com/x/a.csv)" one
begin "'gs://tls/x'"
make copy >/dev/null 2>&1
run env AWS_ENDPOINT_URL=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 dassie egress --check
like "without an endpoint Google's is asked, whatever AWS's is" "$err$out" 'storage.googleapis.com'

project
cat >pipeline.yaml <<EOF2
repos: {raw: {source: gs://tls/google, endpoint: '$S3_ENDPOINT_TLS'}}
pipelines: {p: {input: raw/*, run: 'cp "\$raw" "\$out"'}}
EOF2
dassie compile >/dev/null 2>&1
run env "AWS_CA_BUNDLE=$S3_CA" make
is "gs:// as a source" "$status $(cat out/p/a.csv)" "0 one"
like "why answers for it" "$(dassie why gs://tls/google/a.csv)" 'datum has seen it'
sed -i 's/, endpoint: [^}]*//' pipeline.yaml
dassie compile >/dev/null 2>&1
run env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY make
like "without keys it says which keys Google takes" "$err" 'HMAC key'

# https as a place: PUT to a web server with that certificate.
begin "'$S3_ENDPOINT_TLS/tls/web'"
run make
like "https egress: a certificate that nobody vouches for, and what to do" "$err" "no secure connection: .*certificate.*CURL_CA_BUNDLE"
run env "SSL_CERT_FILE=$S3_CA" make
like "https egress with the CA: the server is heard" "$err" 'the server says 403'
done_testing
