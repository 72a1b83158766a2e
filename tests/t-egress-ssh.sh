#!/bin/sh
# Pushing outputs by ssh: a real sshd on loopback, as an ordinary process with keys and settings of its own, for whoever runs the test.
# shellcheck disable=SC2119  # project has an optional argument
. "$(dirname "$0")/lib.sh"

sshd=$(PATH=$PATH:/usr/sbin:/sbin command -v sshd) || skip_all "no sshd"
have jq || skip_all "no jq"
have ssh-keygen || skip_all "no ssh-keygen"
curl --version 2>/dev/null | grep -qw sftp || skip_all "libcurl knows no sftp"
no_aws
unset SSH_AUTH_SOCK
HOME="$T/home"
export HOME
mkdir -p "$HOME/.ssh"
chmod 700 "$HOME/.ssh"
for key in host host2 stranger; do
	ssh-keygen -q -t ed25519 -N '' -f "$T/$key"
done
ssh-keygen -q -t ed25519 -N '' -f "$HOME/.ssh/id_ed25519"
cp "$HOME/.ssh/id_ed25519.pub" "$T/authorized"
# Where its unprivileged half is locked in, at every connection; only root's sshd looks for it.
[ "$(id -u)" != 0 ] || [ -d /run/sshd ] || {
	mkdir /run/sshd
	trap 'lib_cleanup; rmdir /run/sshd' EXIT
}

free_port() {
	perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1)->sockport'
}

# Who is not root cannot see whether his account is locked, and asks PAM.
pam=yes
[ "$(id -u)" != 0 ] || pam=no

# serve HOSTKEY: an sshd on $port.
serve() {
	cat >"$T/sshd.conf" <<EOF2
Port $port
ListenAddress 127.0.0.1
HostKey "$T/$1"
PidFile none
AuthorizedKeysFile "$T/authorized"
LogLevel INFO
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
StrictModes no
UsePAM $pam
MaxStartups 100
Subsystem sftp internal-sftp
EOF2
	"$sshd" -D -e -f "$T/sshd.conf" 2>>"$T/sshd.log" &
	sshd_pid=$!
	owned "$sshd_pid"
	for _ in $(seq 500); do
		perl -MIO::Socket::INET -e 'exit !IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => shift)' "$port" && return
		kill -0 "$sshd_pid" 2>/dev/null || return 1
		sleep 0.02
	done
}

known() {
	printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d' ' -f1,2 <"$T/$1.pub")" >"$HOME/.ssh/known_hosts"
}

port=$(free_port)
serve host || {
	port=$(free_port)
	serve host
} || skip_all "sshd does not start: $(tail -n 1 "$T/sshd.log")"

there="$T/there"
mkdir "$there"
enc=$(printf %s "$there" | sed 's/ /%20/g')
project
mkdir -p src/d
printf 1 >src/a.csv
printf 22 >"src/d/b #?ä\"\\"
: >src/empty
cat >pipeline.yaml <<EOF2
repos: {src: src}
pipelines:
  copy: {input: src/, run: 'cp -r "\$src"/. "\$out"', egress: {url: "sftp://127.0.0.1:$port$enc/up", delete: true}}
EOF2
dassie compile >/dev/null 2>&1
ok "the job itself" make copy

# pushed NAME: there is what the output is, and nothing else but the manifest.
pushed() {
	is "$1" "$(cd "$there/up" && find . -type f ! -name .dassie-copy.json -exec sha256sum {} + | sort)" \
		"$(cd out/copy && find . -type f -exec sha256sum {} + | sort)"
}

run make
isnt "a host that nobody knows: make fails" "$status" 0
like "it says so, with the key as ssh shows it" "$err" "the host is not known: its key is $(ssh-keygen -lf "$T/host.pub" | cut -d' ' -f2 | sed 's/+/[+]/g');"
like "and what to do" "$err" "it is not in '.*/home/.ssh/known_hosts': 'ssh -p $port 127.0.0.1' once"
is "once, not for each file" "$(printf '%s\n' "$err" | grep -c 'is not known')" 1
known host2
run make
isnt "a host with another key than it had: make fails" "$status" 0
like "it says so, and what to do" "$err" "the host's key has changed: its key is SHA256:.*; '.*known_hosts' has another.*'ssh-keygen -R \[127.0.0.1\]:$port', then 'ssh -p $port 127.0.0.1' once"
is "nothing was written there" "$(find "$there" -type f)" ""

known host
run make
is "a host that is known" "$status" 0
like "is pushed to" "$err" 'copy: pushed 3 files \(3 B\) to sftp://127.0.0.1'
pushed "all is there"
is "and the manifest names it" "$(jq -r '.files[].key' "$there/up/.dassie-copy.json" | tr '\n' ' ')" 'a.csv d/b #?ä"\ empty '
logins=$(grep -c 'Accepted publickey' "$T/sshd.log")
run dassie egress
like "again: nothing is sent" "$err" 'pushed 0 files'
is "and nobody is asked" "$(grep -c 'Accepted publickey' "$T/sshd.log")" "$logins"
rm src/a.csv
printf 333 >src/empty
run make
like "a change and a removal" "$err" 'pushed 1 file \(3 B\).*1 lay there already, removed 1'
pushed "are there"
ssh-keygen -q -H -f "$HOME/.ssh/known_hosts" >/dev/null 2>&1
printf 4444 >src/empty
run make
is "known_hosts with hashed names" "$status" 0

# who we are
mv "$HOME/.ssh/id_ed25519" "$HOME/.ssh/id_ed25519.pub" "$T"
printf 5 >src/empty
run make
isnt "no key: make fails" "$status" 0
like "it says what there was to be let in by, and what to do" "$err" "login refused: .*; we had nothing: there is no key in ~/.ssh, and no agent. 'ssh-copy-id -p $port 127.0.0.1' lets a key in"
cp "$T/stranger" "$HOME/.ssh/id_ed25519"
run make
isnt "a key that is not let in: make fails" "$status" 0
like "it is named" "$err" "login refused: .*; we had '.*/home/.ssh/id_ed25519'\."
# libssh2 1.10 loses some bytes for each ECDSA key.
[ -z "${ASAN_OPTIONS:-}" ] || ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
ssh-keygen -q -t ecdsa -N '' -f "$HOME/.ssh/id_ecdsa"
cat "$HOME/.ssh/id_ecdsa.pub" >>"$T/authorized"
run make
is "a second key that is" "$status" 0 || diag "$err"
pushed "and all is there"

# killed in the middle
sed -i 's/delete: true/delete: true, bandwidth: 500k/' pipeline.yaml
# killed FILE: a push of 3 MB, which take 6 s, is killed when some of it is there.
killed() {
	head -c 3000000 /dev/urandom >"src/$1"
	make copy >/dev/null 2>&1
	dassie egress copy >"$T/killed" 2>&1 &
	pid=$!
	for _ in $(seq 500); do
		[ -z "$(find "$there" -name '*.tmp' -size +100k)" ] || break
		sleep 0.02
	done
	net=$(cat "/proc/$pid/task/$pid/children")
	# One process id.
	# shellcheck disable=SC2086
	ok "a push is killed" kill -KILL $net
	wait "$pid"
}
killed large
ok "no file under its name is half there" test ! -e "$there/up/large"
run make
is "the next push" "$status" 0 || diag "$err"
pushed "sends it"
is "and leaves nothing else" "$(find "$there" -name '*.tmp')" ""
killed gone
isnt "half a file is there under another name" "$(find "$there" -name '*.tmp')" ""
rm src/gone
run make
is "a push without that file" "$status" 0
is "takes away what the killed one left of it" "$(find "$there" -name '*.tmp' -o -name gone)" ""
run grep -rl "PRIVATE KEY" .dassie
is "no key is in .dassie" "$out" ""
done_testing
