#!/bin/sh
# When the world is wrong: one clear sentence with the way out, status 3, nothing lost.
# shellcheck disable=SC2119  # project's argument is optional
. "$(dirname "$0")/lib.sh"

small() {
	project
	mkdir in
	echo 1 >in/a; echo 2 >in/b
	cat >pipeline.yaml <<-'EOF'
	repos: {in: in}
	pipelines:
	  one: {input: in/*, run: 'cat "$in" > "$out/${in##*/}"'}
	  two: {input: one/, run: 'cat "$one"/* > "$out/all"'}
	EOF
	run dassie compile
	run make -j2
}

# told NAME PATTERN: the last run said so, and failed by its own decision.
told() {
	if [ "$status" -eq 0 ]; then fail "$1: it must fail"; return; fi
	like "$1" "$err" "$2"
}

# the spec
small
echo 'pipelines: {one: {input: in/*, rum: x}}' >pipeline.yaml
sum=$(cksum <Makefile)
run make
told "a broken spec: position and what was meant" "pipeline.yaml:1:[0-9]+: error: unknown field 'rum'; did you mean 'run'"
is "the Makefile is as it was" "$(cksum <Makefile)" "$sum"
run dassie compile
is "compile: status 1" "$status" 1

project
echo 'all: ; echo mine' >Makefile
printf 'repos: {in: in}\npipelines: {one: {input: in/*, run: x}}\n' >pipeline.yaml
run dassie compile
told "a Makefile that is not ours" "Makefile.*--force"
is "and stays" "$(cat Makefile)" 'all: ; echo mine'

# sources
small
rm -r in
run make
told "a missing source folder" "'in'"
mkdir in; echo 1 >in/a
ran "which comes back" 1 make

small
ln -s nowhere in/dangling
run make
told "a dangling symlink" "dangling"
rm in/dangling
mkfifo in/pipe
run make
told "a pipe" "in/pipe"
rm in/pipe

if have_nobody; then
	small
	chmod 000 in/b
	chown -R 65534:65534 "$PWD"
	chmod 755 "$T"
	run as_nobody make
	told "an unreadable file is named" "in/b"
elif [ "$(id -u)" != 0 ]; then
	small
	chmod 000 in/b
	run make
	told "an unreadable file is named" "in/b"
else
	skip "no other user can run what lies in '$DASSIE_BUILD'" "an unreadable file"
fi

# the state
small
echo 'dassie-state 99' >.dassie/format
echo 3 >in/c
run make
told "a state of a newer version" "another version"
echo 'dassie-state 1' >.dassie/format
ran "which is not touched" 2 make

small
object=$(find .dassie/objects -type f | head -n 1)
chmod u+w "$object"; echo damage >>"$object"
run dassie fsck
is "a damaged object: fsck finds it" "$status" 1
rm -rf out .dassie/marks
run make
run dassie fsck --repair
ok "fsck --repair" test "$status" -le 1
run make -j2
is "and make does it again" "$status" 0
run dassie fsck
is "then all is well" "$status" 0
is "the tree" "$(tr '\n' ' ' <out/two/all)" "1 2 "

small
find .dassie/datums -type f ! -name '*.*' | while read -r f; do chmod u+w "$f"; echo x >>"$f"; done
rm -f .dassie/plan/*.job .dassie/refs/*.done
run make -j2
is "damaged results are dropped and computed again" "$status" 0
is "the tree is right" "$(tr '\n' ' ' <out/two/all)" "1 2 "

small
printf 'this is no database, this is no database, this is no database' >.dassie/provenance.db
rm -f .dassie/provenance.db-wal .dassie/provenance.db-shm
echo 3 >in/a
run make
told "a damaged database is named with the way out" "provenance.db.*"
rm -f .dassie/provenance.db*
run make
is "without it make goes on" "$status" 0

small
rm .dassie/steps/one-*.sh
echo 3 >in/a
ran "a lost step script is compiled anew" 2 make
rm .dassie/steps/one.conf
echo 4 >in/a
ran "lost settings too" 2 make

small
rm -rf .dassie/objects
echo 3 >in/a
run make
[ "$status" -eq 0 ] || { run dassie fsck --repair; run make; }
is "lost objects: by fsck --repair at the latest" "$status" 0
is "the tree is right again" "$(tr '\n' ' ' <out/two/all)" "3 2 "

# a full disk
if have_mounts; then
	cat >"$T/full.sh" <<-'EOF'
	set -eu
	mkdir -p "$1/small" && mount -t tmpfs -o size=3m tmpfs "$1/small" && cd "$1/small"
	mkdir in && for i in 1 2 3 4 5 6 7 8; do head -c 600000 /dev/zero | tr '\0' $i >in/$i; done 2>/dev/null || true
	rm -f in/4 in/5 in/6 in/7 in/8
	printf 'repos: {in: in}\npipelines: {one: {input: in/*, tries: 1, run: "cat \\"$in\\" > \\"$out/${in##*/}\\""}}\n' >pipeline.yaml
	dassie compile
	make -j2 || echo "make: $?"
	rm -f in/2 in/3 && rm -rf out && make && make -q && dassie fsck && echo recovered
	EOF
	run unshare -m sh "$T/full.sh" "$T"
	like "a full disk is named" "$err" 'No space left|disk is full'
	like "make fails" "$out" 'make: 2'
	like "and with room again it goes on" "$out" recovered
else
	skip "no mounts here" "a full disk"
fi

# no /pfs: neither rights nor user namespaces
no_pfs() {
	unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all --inh-caps=-all "$@"' sh "$@"
}
if have setpriv && no_pfs dassie doctor --json 2>/dev/null | grep -q '"what":"/pfs","state":"missing"'; then
	small
	run no_pfs make
	is "no /pfs: nobody who does not name it minds" "$status$err" 0
	sed -i 's|cat "$one"|cat /pfs/one|; s|"$in" > |& |' pipeline.yaml
	run no_pfs make
	told "no /pfs: who names it is told" "two: its command names '/pfs/', which cannot be shown on this machine .*doctor.*: '.out', '.NAME' and '.PFS'"
else
	skip "namespaces cannot be taken away here" "no /pfs"
fi

# a read-only state
if have_mounts; then
	small
	echo 5 >in/a
	run unshare -m sh -c 'mount --bind .dassie .dassie && mount -o remount,ro,bind .dassie && make'
	told "a read-only state folder" "Read-only file system"
	run make
	is "nothing was lost" "$status$(cat out/two/all | tr '\n' ' ')" "05 2 "
else
	skip "no mounts here" "a read-only state folder"
fi

done_testing
