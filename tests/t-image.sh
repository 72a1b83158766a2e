#!/bin/sh
# transform.image: commands in their images. What runtimes say and do is tried with a stand-in that everybody has; then with podman,
# where one can be had, and with docker's and apptainer's words translated to podman's.
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"

unset DASSIE_RUNTIME
mkdir "$T/bin"
PATH=$T/bin:$PATH

# runtime NAME: a program of this name, its text is read from stdin.
runtime() {
	{ echo '#!/bin/sh'; cat; } >"$T/bin/$1"
	chmod +x "$T/bin/$1"
}

spec() {
	cat >pipeline.yaml <<'EOS'
repos: {data: data}
pipelines:
  p:
    input: data/*
    tries: 1
    transform: {image: "some/image:1", cmd: [sh, -eu], stdin: ['cat "$data" >"$out/x"']}
EOS
}

# --- without a runtime
project
mkdir data; echo 1 >data/a
spec
run dassie compile
like "without a runtime it is said once that the command runs here" "$err" "^dassie: note: read differently: .*image"
run dassie run
is "and it does" "$status$(cat out/p/x)" 01
host=$(sed -n 's/^step //p' .dassie/refs/p.spec)
for bad in "--runtime=lxc" "--runtime lxc"; do
	# shellcheck disable=SC2086
	run dassie compile $bad
	is "$bad: usage" "$status" 2
	like "it says which there are" "$err" "'lxc' runs no images: podman, docker and apptainer do"
done

# --- a runtime that does not answer, or has no such image
runtime docker <<'EOS'
echo "[]"
echo "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?" >&2
exit 1
EOS
run dassie run --runtime=docker
is "a daemon that is not there: the environment" "$status" 3
like "is told" "$err" "docker does not answer: Cannot connect to the Docker daemon"
like "with what to do" "$err" "systemctl start docker"
unlike "it is no note any more" "$err" "read differently"
run dassie run
is "make keeps the runtime" "$status" 3
runtime docker <<'EOS'
echo "Error: No such image: some/image:1" >&2
exit 1
EOS
run dassie run
is "an image that is not here" "$status" 3
like "what to type" "$err" "image 'some/image:1' is not here: 'docker pull some/image:1' fetches it"
runtime docker <<'EOS'
echo "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock" >&2
exit 1
EOS
run dassie run
like "one that may not be used" "$err" "docker may not be used by you: permission denied"
run env DASSIE_RUNTIME=apptainer dassie run
like "apptainer wants a file" "$err" "image 'some/image:1' is not here: apptainer runs a file, 'some/image:1' or 'image_1.sif'"
run env DASSIE_RUNTIME=host dassie run
is "DASSIE_RUNTIME=host is this machine again" "$status" 0
run dassie run
is "from then on" "$status" 0

# --- its digest is part of the step
id=$(printf '%064d' 7)
runtime docker <<EOS
case \$1 in
image) echo "sha256:\$(cat "$T/id") " ;;
ps) ;;
rm) ;;
run) printf '%s\n' "\$*" >>"$T/ran"
	echo "Error response from daemon: nothing runs here"; exit 125 ;;
esac
EOS
echo "$id" >"$T/id"
run dassie run --runtime docker
is "a runtime that cannot run it is no fault of the datum" "$status" 3
like "it is told" "$err" "docker could not start image 'some/image:1': Error response from daemon: nothing runs here"
is "nothing is believed to have run" "$(find .dassie/datums -name '*.fail')" ""
one=$(sed -n 's/^step //p' .dassie/refs/p.spec)
isnt "in its image it is another step" "$one" "$host"
printf '%064d\n' 8 >"$T/id"
make -s -n >/dev/null 2>&1
isnt "of another image, too" "$(sed -n 's/^step //p' .dassie/refs/p.spec)" "$one"
echo "$id" >"$T/id"
make -s -n >/dev/null 2>&1
is "of the old one it is the old one" "$(sed -n 's/^step //p' .dassie/refs/p.spec)" "$one"
sed -i 's/image:1/image:2/' pipeline.yaml
make -s -n >/dev/null 2>&1
is "another name for it changes nothing" "$(sed -n 's/^step //p' .dassie/refs/p.spec)" "$one"
words=$(cat "$T/ran")
like "it runs by digest, is never pulled, keeps no log" "$words" "run --rm -i .*--pull=never --log-driver=none .* $id sh -eu\$"
like "its inputs are read-only, out is not" "$words" "/\.dassie/work/[0-9a-f]*:/pfs:ro -v .*/\.dassie/work/[0-9a-f]*/out:/pfs/out "

# --- podman itself
command -v podman >/dev/null 2>&1 || { skip "no podman" "commands in an image of podman"; done_testing; exit; }
# A short path: podman's sockets lie below it.
C=$(mktemp -d /tmp/dassie-c.XXXXXX) || exit 1
trap 'rm -rf "$C"; lib_cleanup' EXIT
files=$(sed -n 's/^Max open files  *[^ ]*  *\([0-9]*\).*/\1/p' /proc/self/limits)
cat >"$C/containers.conf" <<EOS
[containers]
default_ulimits = ["nofile=$files:$files", "nproc=32768:32768"]
netns = "none"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
EOS
cat >"$C/storage.conf" <<EOS
[storage]
driver = "vfs"
graphroot = "$C/store"
runroot = "$C/run"
EOS
CONTAINERS_CONF=$C/containers.conf CONTAINERS_STORAGE_CONF=$C/storage.conf
export CONTAINERS_CONF CONTAINERS_STORAGE_CONF
# A shell, a few tools and their libraries.
R=$C/root
mkdir -p "$R/bin" "$R/etc" "$R/app" "$R/tmp"
for p in dash cat ls id env sleep sed sort wc chmod rm mkdir cp ln touch; do
	file=$(command -v $p) && cp -L "$file" "$R/bin/"
done
ln -sf dash "$R/bin/sh"
for file in "$R"/bin/*; do
	ldd "$file" 2>/dev/null | grep -o '/[^ ]*'
done | sort -u | while read -r lib; do
	mkdir -p "$R/${lib%/*}" && cp -L "$lib" "$R/$lib"
done
printf 'root:x:0:0:root:/:/bin/sh\nworker:x:1234:1234::/:/bin/sh\n' >"$R/etc/passwd"
printf '#!/bin/sh\necho "entrypoint $*" >"$out/e"\ncat >"$out/in"\n' >"$R/bin/entry"
chmod 755 "$R/bin/entry"
echo inside >"$R/app/here"
tar -C "$R" --owner=0 --group=0 -cf "$C/root.tar" .
works=
for oci in crun runc; do
	command -v $oci >/dev/null 2>&1 || continue
	sed -i '/^runtime = /d' "$C/containers.conf"
	echo "runtime = \"$oci\"" >>"$C/containers.conf"
	podman import -q --change 'ENTRYPOINT ["/bin/entry"]' --change 'CMD ["by default"]' --change 'WORKDIR /app' --change 'ENV COLOR=red' \
		"$C/root.tar" localhost/dassie-test:1 >/dev/null 2>"$C/err" || continue
	podman run --rm --entrypoint= localhost/dassie-test:1 true >/dev/null 2>"$C/err" || podman run --rm --entrypoint= localhost/dassie-test:1 /bin/cat /dev/null >/dev/null 2>"$C/err" || continue
	works=$oci
	break
done
if [ -z "$works" ]; then
	diag "$(tail -3 "$C/err")"
	skip "podman runs no container here" "commands in an image of podman"
	done_testing
	exit
fi
containers_cleanup() {
	podman rm -fa -t 0 >/dev/null 2>&1
	[ "$(id -u)" -eq 0 ] || podman unshare rm -rf "$C/store" "$C/run" 2>/dev/null
	rm -rf "$C"
}
trap 'containers_cleanup; lib_cleanup' EXIT

project
mkdir data code large; echo 1 >data/a
head -c 100000 /dev/zero >large/zeros
echo 'echo "code of the project" >"$out/c"' >code/step.sh
mkdir -m 700 "$T/secrets" "$T/secrets/api"
echo tr0ub4dor+3 | install -m 600 /dev/stdin "$T/secrets/api/token"
DASSIE_SECRETS=$T/secrets
export DASSIE_SECRETS
cat >pipeline.yaml <<'EOS'
repos: {data: data, large: large}
pipelines:
  files:
    input: {cross: [data/*, large/*]}
    transform: {image: localhost/dassie-test:1, cmd: [sh, -euc, 'for f in "$data" "$large"; do test -f "$f"; test ! -h "$f"; done; wc -c <"$large" >"$out/n"']}
  plain:
    input: data/*
    transform:
      image: localhost/dassie-test:1
      cmd: [sh, -eu]
      env: {GREETING: "it's so", LC_ALL: C}
      stdin:
        - cat here >"$out/x"; cat "$data" >>"$out/x"
        - echo "$GREETING $COLOR $TMPDIR $LC_ALL" >>"$out/x"
        - echo t >"$TMPDIR/t"
        - "! (: >/pfs/data/a) 2>/dev/null"
        - "! (: >/pfs/new) 2>/dev/null"
  entry:
    input: plain/
    transform: {image: localhost/dassie-test:1, stdin: [one, two]}
  code:
    input: data/*
    transform: {image: localhost/dassie-test:1, cmd: [sh, code/step.sh], code: [code/step.sh]}
  there:
    input: data/*
    transform: {image: localhost/dassie-test:1, working_dir: /bin, cmd: [sh, -c, 'ls -d entry >"$out/x"; (: >"$DASSIE_PROJECT/data/new") 2>/dev/null && exit 9; exit 0']}
  secret:
    input: data/*
    transform:
      image: localhost/dassie-test:1
      cmd: [sh, -c, 'echo "[$T]"; cat /run/s/token; echo ${#T} >"$out/n"']
      secrets: [{name: api, key: token, env_var: T}, {name: api, mount_path: /run/s}]
  links:
    input: data/*
    transform: {image: localhost/dassie-test:1, cmd: [sh, -c, 'ln -s "$data" "$out/a"; ln -s /pfs/data "$out/all"; echo x >"$out/x"; ln -s x "$out/y"; echo t >"$TMPDIR/t"; ln -s "$TMPDIR/t" "$out/t"']}
  worker:
    input: data/*
    transform: {image: localhost/dassie-test:1, user: worker, cmd: [sh, -c, 'id -u >"$out/u"; mkdir "$out/d"; echo x >"$out/d/x"; echo >"$TMPDIR/t"']}
EOS
numbers=yes
if [ "$(id -u)" -ne 0 ] && ! grep -qs "^$(id -un):" /etc/subuid; then
	numbers=
	run dassie run --runtime podman worker
	is "a user for whom there is no number" "$status" 3
	like "what is missing" "$err" "cannot run image 'localhost/dassie-test:1' as user 'worker': an ordinary user needs numbers"
	sed -i '/^  worker:/,$d' pipeline.yaml
fi
run dassie run --runtime podman
is "podman runs them" "$status" 0 || diag "$(dassie logs plain)"
is "in the image's folder, with its variables and the step's" "$(cat out/plain/x)" "inside
1
it's so red /tmp/dassie C"
is "without a cmd the entrypoint runs" "$(cat out/entry/e out/entry/in)" "entrypoint by default
one
two"
is "inputs are regular files, whatever their size" "$(cat out/files/n)" 100000
is "with code the project's folder is there" "$(cat out/code/c)" "code of the project"
is "a working_dir, and the project cannot be written to" "$(cat out/there/x)" entry
is "a secret" "$(cat out/secret/n)" 11
run dassie logs secret
like "is masked" "$out" '^\[\*\*\*\]$'
is "in files, too" "$(printf '%s\n' "$out" | grep -c tr0ub4dor)" 0
is "and nowhere in the project" "$(grep -rl tr0ub4dor . 2>/dev/null)" ""
is "links of the output are what they lead to" "$(cat out/links/a out/links/all/a out/links/y out/links/t)" "1
1
x
t"
[ -z "$numbers" ] || is "another user of the image" "$(cat out/worker/u out/worker/d/x)" "1234
x"
is "all of it is ours" "$(find .dassie out ! -user "$(id -u)")" ""
is "no container is left" "$(podman ps -aq)" ""
ran "nothing runs again" 0 dassie run
run dassie why out/plain/x
like "why names the image" "$out" "image:localhost/dassie-test:1"
run dassie fsck
is "the state is sound" "$status" 0
run dassie debug plain data:/a -- sh -c 'echo "$GREETING $COLOR"; cat /pfs/data/a here'
is "debug is in the image" "$status$out" "0it's so red
1
inside"

# --- failures are the command's
project
mkdir data; echo 1 >data/a
cat >pipeline.yaml <<'EOS'
repos: {data: data}
pipelines:
  p:
    input: data/*
    tries: 1
    transform: {image: localhost/dassie-test:1, cmd: [sh, -c, 'exit 3']}
EOS
run dassie run --runtime podman
is "an exit status" "$status" 1
like "is passed on" "$err" "exit status 3"
sed -i "s/exit 3/exit 125/" pipeline.yaml
run dassie run
like "also one that is the runtime's own" "$status $(printf '%s' "$err" | tr '\n' ' ')" "^1 .*exit status 125"
sed -i "s/cmd: .*/cmd: [no-such-program]}/" pipeline.yaml
run dassie run
like "a program that is not in the image" "$status $(printf '%s' "$err" | tr '\n' ' ')" "^1 .*exit status 127: command not found"

sed -i "s|cmd: .*|cmd: [sh, -c, 'ln -s /etc/passwd \"\$out/x\"']}|" pipeline.yaml
run dassie run
is "a link to a file of the image" "$status" 1
like "is no file of this machine" "$err" "output 'x' is a symlink to '/etc/passwd', a file of the image"

# --- whatever is killed, no container goes on
sed -i "s/cmd: .*/cmd: [sh, -c, 'echo begun; sleep 300']}\n    timeout: 2s/" pipeline.yaml
run dassie run
is "a time-out" "$status" 1
like "is one" "$err" 'datum_timeout'
is "ends the container" "$(podman ps -aq)" ""
sed -i "/timeout/d" pipeline.yaml
begun() {
	n=0
	while [ $n -lt 600 ] && ! grep -qs begun .dassie/logs/*/*; do
		sleep 0.05; n=$((n + 1))
	done
}
rm -rf .dassie/logs
dassie run >/dev/null 2>&1 &
pid=$!
owned $pid
begun
kill -TERM $pid
wait $pid
is "a run that is ended ends the container" "$(podman ps -aq)" ""
rm -rf .dassie/logs
dassie run >/dev/null 2>&1 &
pid=$!
owned $pid
begun
runner=$(for p in /proc/[0-9]*; do tr '\0' ' ' <"$p/cmdline" 2>/dev/null | grep -q "dassie-datum.*plan/p" && [ "$(readlink "$p/cwd")" = "$PWD" ] && echo "${p#/proc/}"; done | tail -1)
kill -KILL "$runner"
wait $pid
sed -i "s/cmd: .*/cmd: [sh, -c, 'echo \"\$data\" >\"\$out\/x\"']}/" pipeline.yaml
run dassie run
is "after a killed runner the next run is done" "$status" 0
is "and has removed what went on" "$(podman ps -aq)" ""

# --- another image of that name
podman import -q --change 'ENV COLOR=blue' "$C/root.tar" localhost/dassie-test:1 >/dev/null
ran "another image runs the datum again" 1 dassie run

# --- docker and apptainer, by podman's hands
runtime docker <<'EOS'
# Its own init is in docker, not in podman; and rootless podman is the user already.
for word; do
	shift
	case $word in
	--init | --user=[0-9]*) ;;
	*) set -- "$@" "$word" ;;
	esac
done
exec podman "$@"
EOS
runtime apptainer <<'EOS'
[ "$1" = exec ] || [ "$1" = run ] || exit 2
entry=--entrypoint=
[ "$1" = exec ] || entry=
shift
n=$#
while [ "$n" -gt 0 ]; do
	word=$1; shift; n=$((n - 1))
	case $word in
	--containall | --writable-tmpfs) ;;
	--bind) set -- "$@" -v "$1"; shift; n=$((n - 1)) ;;
	--pwd) set -- "$@" --workdir "$1"; shift; n=$((n - 1)) ;;
	*.sif) set -- "$@" $entry "$(cat "$word")"; break ;;
	*) echo "FATAL:   unknown option $word" >&2; exit 255 ;;
	esac
done
while [ "$n" -gt 0 ]; do
	set -- "$@" "$1"; shift; n=$((n - 1))
done
for v in $(env | sed -n 's/^APPTAINERENV_\([A-Za-z_]*\)=.*/\1/p'); do
	# That of podman itself is another one.
	[ "$v" != TMPDIR ] || { set -- -e TMPDIR=/tmp/dassie "$@"; continue; }
	eval "export $v=\"\$APPTAINERENV_$v\""
	set -- -e "$v" "$@"
done
exec podman run --rm -i "$@"
EOS
sed -i "s/cmd: .*/cmd: [sh, -c, 'echo \"\$GREETING \$COLOR\" >\"\$out\/x\"; cat \"\$data\" >>\"\$out\/x\"'], env: {GREETING: \"it's so\"}}/" pipeline.yaml
run dassie run --runtime docker
is "docker's words" "$status$(cat out/p/x)" "0it's so blue
1"
echo localhost/dassie-test:1 >dassie-test_1.sif
echo 2 >data/a
run dassie run --runtime apptainer
is "apptainer's" "$status$(cat out/p/x)" "0it's so blue
2"
done_testing
