#!/bin/sh
# Names of random bytes (valid UTF-8) go to a bucket, are listed, and come back as they were: up by dassie, down by dassie and by the
# tests' own client.  KEYS (300) says how many, DASSIE_SEED which.
# shellcheck disable=SC2119  # project without argument
. "$(dirname "$0")/lib.sh"

s3server
AWS_ACCESS_KEY_ID=$S3_ACCESS_KEY AWS_SECRET_ACCESS_KEY=$S3_SECRET_KEY
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
s3 mb keys
seed=${DASSIE_SEED:-$(date +%s)}
echo "# seed $seed"
mkdir "$T/files"
# Each name has some bytes of one class and some of all; none is '.' or '..', has a '/', or is longer than a folder takes.
DASSIE_SEED=$seed KEYS=${KEYS:-300} perl -CO -e '
	srand $ENV{DASSIE_SEED};
	my @class = ([1, 0x1f], [0x20, 0x2e], [0x30, 0x7f], [0x80, 0x7ff], [0x800, 0xd7ff], [0xe000, 0xfffd], [0x10000, 0x10ffff]);
	my %seen;
	while (keys %seen < $ENV{KEYS}) {
		my ($lo, $hi) = @{ $class[rand @class] };
		my $n = join "", map { chr($lo + int rand($hi - $lo + 1)) } 1 .. 1 + int rand 12;
		$n .= join "", map { chr(1 + int rand 0x2e) } 1 .. int rand 4;
		next if $n =~ m{[/\x{fdd0}-\x{fdef}]} || $n =~ /^\.\.?$/ || grep { (ord($_) & 0xfffe) == 0xfffe } split //, $n;
		utf8::encode(my $name = $n);
		next if length $name > 200 || $seen{$name}++;
		open my $f, ">", "$ARGV[0]/$name" or die "$name: $!";
		print $f "of $name";
		close $f or die;
	}' "$T/files"
is "there are so many" "$(find "$T/files" -type f -print0 | tr -dc '\0' | wc -c)" "${KEYS:-300}"

project
ln -s "$T/files" files
cat >pipeline.yaml <<EOF
repos: {files: files}
pipelines:
  up:
    input: files/
    run: cp -R "\$files/." "\$out/"
    egress: {url: 's3://keys/in', endpoint: $S3_ENDPOINT}
EOF
ok "compiles" dassie compile
ok "they go up" make
s3 rm keys/in/.dassie-up.json
s3 tree keys/in "$T/seen"
same "are there, as somebody else sees them" "$T/files" "$T/seen"
project
cat >pipeline.yaml <<EOF
repos: {raw: {source: 's3://keys/in', endpoint: $S3_ENDPOINT}}
pipelines:
  down: {input: raw/, run: 'cp -R "\$raw/." "\$out/"'}
EOF
ok "compiles" dassie compile
ok "and come down" make
same "as they were" "$T/files" out/down
done_testing
