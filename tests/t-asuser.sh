#!/bin/sh
# transform.user: whom a command runs as.
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"

chmod 755 "$T"
project
mkdir data
echo 1 >data/a
cat >pipeline.yaml <<'EOS'
repos: {data: data}
pipelines:
  p:
    input: data/*
    transform:
      user: nobody
      cmd: [sh, -eu]
      stdin:
        - id -u
        - echo "home $HOME, user ${USER:-}"
        - mkdir "$out/d"; echo x >"$out/d/x"; cp "$data" "$out/"; echo t >"$TMPDIR/t"
        - (sleep 300 &)
EOS

run dassie compile -q
if [ "$(id -u)" -ne 0 ]; then
	other=daemon
	[ "$(id -un)" != daemon ] || other=nobody
	sed -i "s/user: nobody/user: $other/" pipeline.yaml
	run dassie run
	is "as an ordinary user it runs" "$status" 0
	like "and is told that it has no effect" "$err" "^dassie: p: 'user: $other' has no effect: only root"
	run dassie logs p
	like "as ourselves" "$out" "^$(id -u)\$"
	sed -i "s/user: $other/user: $(id -u)/" pipeline.yaml
	echo 2 >data/b
	run dassie run
	is "ourselves by number" "$status" 0
	unlike "is nothing to tell" "$err" 'no effect'
	sed -i "s/user: .*/user: no-such-user/" pipeline.yaml
	echo 3 >data/c
	run dassie run
	is "an unknown user is refused all the same" "$status" 3
	like "with its name" "$err" "there is no user 'no-such-user'"
	done_testing
	exit
fi

run dassie run
is "root runs it" "$status" 0
run dassie logs p
like "as this user" "$out" "^$(id -u nobody)\$"
like "with its own home" "$out" "^home $(getent passwd nobody | cut -d: -f6), user nobody\$"
is "what it wrote is there" "$(cat out/p/d/x out/p/a)" "x
1"
is "and ours" "$(find .dassie out ! -user 0)" ""

# --- groups
sed -i 's/user: .*/user: "nobody:daemon"/; s/- id -u/- id -u; id -G/' pipeline.yaml
run dassie run
is "with a group" "$status" 0
run dassie logs p
like "it is in that one alone" "$out" "^$(getent group daemon | cut -d: -f3)\$"
sed -i 's/user: .*/user: "54321:12345"/' pipeline.yaml
echo 2 >data/b
run dassie run
is "a number need not be anybody's" "$status" 0
run dassie logs p
like "user" "$out" '^54321$'
like "group" "$out" '^12345$'

# --- a link gives nobody what he may not read
echo top secret >"$T/shadow"; chmod 600 "$T/shadow"
cat >pipeline.yaml <<EOS
repos: {data: data}
pipelines:
  p:
    input: data/a
    tries: 1
    transform: {user: nobody, cmd: [sh, -c, 'ln -s "$T/shadow" /pfs/out/x || ln -s "$T/shadow" "\$out/x"']}
EOS
run dassie run
is "a link to a file that its user may not read" "$status" 1
like "fails the datum" "$err" "output 'x' is a symlink to something that its user may not read"
is "it is nowhere" "$(grep -rl 'top secret' .dassie out)" ""
chmod 644 "$T/shadow"
run dassie run
is "one that he may" "$status$(cat out/p/x)" "0top secret"

# --- it is ended as any other
cat >pipeline.yaml <<'EOS'
repos: {data: data}
pipelines:
  p:
    input: data/a
    tries: 1
    timeout: 1s
    transform: {user: nobody, cmd: [sh, -c, 'sleep 311 & sleep 311']}
EOS
run dassie run
is "its time-out holds" "$status" 1
is "nothing of it lives" "$(for p in /proc/[0-9]*; do tr '\0' ' ' <"$p/cmdline" 2>/dev/null | grep -x 'sleep 311 '; done)" ""

# --- secrets are its own
mkdir "$T/secrets" && install -d -m 700 "$T/secrets/api"
echo value | install -m 600 /dev/stdin "$T/secrets/api/token"
cat >pipeline.yaml <<'EOS'
repos: {data: data}
pipelines:
  p:
    input: data/a
    tries: 1
    secrets: {/dassie-secret: api, V: api/token}
    transform: {user: nobody, cmd: [sh, -eu], stdin: ['[ "$(cat /dassie-secret/token)" = "$V" ]', 'stat -c %U:%a /dassie-secret/token >$out/x']}
EOS
if dassie doctor --json | grep -q '"what":"/pfs","state":"ok"'; then
	run env DASSIE_SECRETS="$T/secrets" dassie run
	is "files of secrets can be read" "$status$(cat out/p/x)" "0nobody:400"
else
	skip "no mount namespaces" "files of secrets can be read"
fi

sed -i 's/user: nobody/user: no-such-user/' pipeline.yaml
echo 9 >data/a
run env DASSIE_SECRETS="$T/secrets" dassie run
is "an unknown user is refused" "$status" 3
like "with its name" "$err" "there is no user 'no-such-user' on this machine"
sed -i 's/user: no-such-user/user: "nobody:no-such-group"/' pipeline.yaml
run env DASSIE_SECRETS="$T/secrets" dassie run
is "so is an unknown group" "$status" 3
like "with its name" "$err" "there is no group 'no-such-group'"
done_testing
