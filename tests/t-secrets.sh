#!/bin/sh
# transform.secrets: the command has them, nothing else does.
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"

HOME=$T/home
export HOME
unset XDG_CONFIG_HOME DASSIE_SECRETS
S=$HOME/.config/dassie/secrets
mkdir -p "$HOME"
pfs=$(dassie doctor --json | sed -n 's/.*"what":"\/pfs","state":"\([a-z]*\)".*/\1/p')

# secret NAME/KEY: its value is read from stdin.
secret() {
	install -d -m 700 "$S/${1%/*}" && install -m 600 /dev/stdin "$S/$1"
}

# Which files hold one of the texts that nobody is to find?
found() {
	grep -rlF -e tr0ub4dor -e 'BEGIN OF KEY' -e 'a middle line' "$@" . 2>/dev/null
}

project
mkdir data
echo 1 >data/a; echo 2 >data/b
cat >pipeline.yaml <<'EOS'
repos: {data: data}
pipelines:
  p:
    input: data/*
    secrets: {TOKEN: api/token, PEM: tls/key.pem}
    tries: 1
    run: |
      [ ${#TOKEN} = 11 ]
      echo "token $TOKEN."; echo "err $TOKEN" >&2
      printf %s "${TOKEN%4*}"; sleep 0.2; printf %s 4d; sleep 0.2; printf '%s\n' "${TOKEN#*4d}"
      printf '%s\n' "$PEM" | sed 's/^/> /'
      printf '%s\n' "$PEM"
      echo end
      [ "$(cat "$data")" = 1 ] || exit 7
      echo ok >"$out/x"
EOS

# --- what is missing is said before anything runs
run dassie run
is "a missing secret is the environment's fault" "$status" 3
like "which" "$err" "secret 'api' has no key 'token'"
like "all of them" "$err" "secret 'tls' has no key 'key.pem'"
is "nothing ran" "$(find .dassie/datums .dassie/logs -type f 2>/dev/null)" ""
run dassie doctor
is "doctor needs it" "$status" 3
like "doctor says so" "$out" "NEEDED *p  *.*secret 'api' has no key 'token'"
# The commands are typed as they are printed.
run dassie run
printf '%s\n' "$err" | sed -n "s/.*goes to:  \\(install.*\\)/\\1/p" >"$T/fix"
printf 'tr0ub4dor+3\n' >"$T/value"
is "two commands" "$(wc -l <"$T/fix" | tr -d ' ')" 2
while read -r line; do
	sh -c "$line" <"$T/value"
done <"$T/fix"
is "they make it, for us alone" "$(stat -c %a "$S/api" "$S/api/token" | tr '\n' ' ')" "700 600 "
printf -- '-----BEGIN OF KEY-----\na middle line\n-----END-----\n' | secret tls/key.pem

# --- it must be closed to others
for mode in 640 604; do
	chmod $mode "$S/api/token"
	run dassie run
	is "mode $mode is refused" "$status" 3
	like "and what to type is said" "$err" "others can read 'token':  chmod 600 '.*/api/token'"
done
chmod 600 "$S/api/token"
chmod 777 "$S/api"
run dassie run
like "a folder that others can write to is refused" "$status $(printf '%s' "$err" | tr '\n' ' ')" "^3 .*chmod 700 '.*/secrets/api'"
chmod 700 "$S/api"

# --- values reach the command, and nobody else
run dassie run -k
is "one datum fails, by itself" "$status" 1
is "the other one has its output" "$(cat .dassie/objects/*/* 2>/dev/null)" ok
run dassie logs p
for line in 'token \*\*\*\.' 'err \*\*\*' '^\*\*\*$' '> \*\*\*' '^end$'; do
	like "the log has '$line'" "$out" "$line"
done
is "no file of the project has a value" "$(found)" ""
key=$(dassie datums p --json | sed -n 's/.*"datum":"\([0-9a-f]*\)","state":"failed".*/\1/p')
run dassie rerun "$key"
like "rerun shows its output masked" "$err" 'token \*\*\*'
is "and nothing else" "$(printf '%s\n' "$err$out" | grep -c -e tr0ub4dor -e middle)" 0
for what in "compile --print-spec" "datums p --json" "jobs --json" "doctor --json" "logs p"; do
	# shellcheck disable=SC2086
	run dassie $what
	is "dassie $what has no value" "$(printf '%s\n' "$out$err" | grep -c -e tr0ub4dor -e middle)" 0
done
run dassie debug p data:/a -- sh -c 'echo "$TOKEN"'
is "debug is a shell of the user's: it has it" "$out" "tr0ub4dor+3"
is "nothing of it stays" "$(found)" ""

# --- a value is no part of what a datum is; where it is shown is
before=$(cat .dassie/refs/p.spec)
echo other+value | secret api/token
run dassie compile -q
run make -s -n
is "another value moves no ref" "$(cat .dassie/refs/p.spec)" "$before"
sed -i 's/TOKEN: api/TOKEN2: api/' pipeline.yaml
run make -s -n
isnt "another variable does" "$(sed -n 's/^id //p' .dassie/refs/p.spec)$(grep -c TOKEN2 .dassie/steps/p.conf)" "$(printf '%s' "$before" | sed -n 's/^id //p')0"

# --- a runner that is killed leaves nothing unmasked behind
project
mkdir data
echo 1 >data/a
cat >pipeline.yaml <<'EOS'
repos: {data: data}
pipelines:
  p:
    input: data/*
    secrets: {TOKEN: api/token}
    run: |
      printf 'here it is: %s' "${TOKEN%or*}"
      : >"$out/ready"
      while [ ! -e "$out/go" ]; do sleep 0.05; done
      echo or+3
      sleep 600
EOS
echo tr0ub4dor+3 | secret api/token
dassie run >/dev/null 2>&1 &
pid=$!
owned $pid
n=0
while [ $n -lt 400 ] && [ -z "$(find .dassie/work -name ready 2>/dev/null)" ]; do
	sleep 0.05; n=$((n + 1))
done
sleep 0.2
like "what is written before it is in the log" "$(cat .dassie/logs/*/*)" "^here it is: \$"
runner=$(for p in /proc/[0-9]*; do tr '\0' ' ' <"$p/cmdline" 2>/dev/null | grep -q "dassie-datum.*plan/p" && [ "$(readlink "$p/cwd")" = "$PWD" ] && echo "${p#/proc/}"; done | tail -1)
kill -KILL "$runner"
wait $pid
is "killed" "$(find .dassie/datums -type f 2>/dev/null)" ""
is "there is no part of the value" "$(cat .dassie/logs/*/*)" "here it is: "

# --- as files
project
mkdir data
echo 1 >data/a
echo key-of-aws | secret aws/credentials
printf 'two\n' | secret aws/region
cat >pipeline.yaml <<'EOS'
repos: {data: data}
pipelines:
  p:
    input: data/*
    transform:
      cmd: [sh, -eu]
      stdin:
        - ls /dassie-secret/aws | tr '\n' ' '
        - cat /dassie-secret/aws/credentials /etc/dassie-test/x/region
        - stat -c %a /dassie-secret/aws/region
        - test -e /etc/passwd
        - "! (: >/dassie-secret/aws/region) 2>/dev/null"
        - "! rm -f /dassie-secret/aws/region 2>/dev/null"
        - echo done >/pfs/out/x
      secrets:
        - {name: aws, mount_path: /dassie-secret/aws}
        - {name: aws, mount_path: /etc/dassie-test/x}
EOS
if [ "$pfs" != ok ]; then
	run dassie run
	is "without namespaces it is refused" "$status" 3
	like "with the reason" "$err" "cannot be shown in '/dassie-secret/aws': this machine gives no mount namespaces"
else
	run dassie run
	is "secrets as files" "$status" 0
	run dassie logs p
	like "every key is one" "$out" "^credentials region \\*\\*\\*"
	like "for its user alone" "$out" "^400\$"
	is "they hold the values" "$(printf '%s\n' "$out" | grep -c 'key-of-aws\|two')" 0
	is "nothing was made on the host" "$(ls -d /dassie-secret /etc/dassie-test 2>/dev/null)" ""
	is "no value in the project" "$(grep -rl key-of-aws . 2>/dev/null)" ""
	run dassie debug p data:/a -- sh -c 'cat /dassie-secret/aws/region'
	is "debug has them" "$out" two
fi
run env DASSIE_PFS=0 dassie debug p data:/a -- true
like "where there are no namespaces debug refuses, too" "$status $(printf '%s' "$err" | tr '\n' ' ')" "^3 .*gives no mount namespaces"

# --- elsewhere
project
mkdir data "$T/mine" "$T/mine/api"
echo 1 >data/a
printf 'from elsewhere' >"$T/mine/api/token"
chmod 600 "$T/mine/api/token"
cat >pipeline.yaml <<'EOS'
repos: {data: data}
pipelines:
  p:
    input: data/*
    secrets: {TOKEN: api/token}
    run: printf %s "$TOKEN" | wc -c | tr -d ' ' >"$out/n"
EOS
ran "DASSIE_SECRETS says where they are" 1 env DASSIE_SECRETS="$T/mine" dassie run
is "a value without a newline" "$(cat out/p/n)" 14
done_testing
