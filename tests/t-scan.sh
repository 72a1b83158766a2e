#!/bin/sh
# The scan: what is data, what counts as a change, what is told when the world is wrong, and that a no-op writes nothing.
# shellcheck disable=SC2119,SC2016,SC2012  # project without argument; scripts in single quotes; ls -t
. "$(dirname "$0")/lib.sh"

scan() {
	run dassie scan -o Makefile pipeline.yaml
}

small() {
	project
	mkdir in
	echo 1 >in/a
	echo 2 >in/b
	cat >pipeline.yaml <<'EOF'
repos: {in: in}
pipelines:
  one: {input: in/*, code: [tool.sh], run: 'sh tool.sh "$in" > "$out/x"'}
EOF
	echo 'cat "$1"' >tool.sh
}

# The fields of refs: id NAME, stamp NAME.
field() {
	sed -n "s/^$1 //p" ".dassie/refs/$2"
}

# Paths of the commit of `in`.
paths() {
	sed 1d ".dassie/commits/$(field id in)" | cut -d' ' -f4- | tr '\n' ' '
}

# Everything but the lock files, which name their last holder: names, times, bytes.
picture() {
	find . -path ./.dassie/lock -prune -o -printf '%p %T@ %s %m\n' | sort
	find . -path ./.dassie/lock -prune -o -type f -exec cksum {} + | sort
}

# told NAME STATUS PATTERN
told() {
	is "$1: status $2" "$status" "$2"
	like "$1: and says so" "$err" "$3"
}

moved() {
	scan
	[ "$status" -eq 0 ] || diag "$err"
	isnt "$1 moves the ref" "$(field stamp "${2:-in}")" "$stamp"
	stamp=$(field stamp "${2:-in}")
}

stays() {
	scan
	[ "$status" -eq 0 ] || diag "$err"
	is "$1 does not move the ref" "$(field stamp "${2:-in}")" "$stamp"
}

# what counts
small
scan
is "the first scan" "$status" 0
stamp=$(field stamp in)
id=$(field id in)
is "a ref's mtime is its stamp" "$(date -r .dassie/refs/in +%s%N)" "$stamp"
is "its commit" "$(paths)" "a b "
is "a commit is named by its bytes" "$(sha256sum <".dassie/commits/$id" | cut -c1-64)" "$id"
stays "nothing"
touch in/a in/b
stays "touch"
touch -d 2001-01-01 in/a
stays "an old time"
touch -d 2099-01-01 in/a
stays "a time to come"
cp in/a in/c && mv in/c in/a
stays "another file with the same bytes"
cp -r in in2 && rm -r in && mv in2 in
stays "cp -r"
mkdir -p in/empty/too
stays "an empty directory"
chmod g+w in/a
stays "a mode that is no x"
chmod u+x in/a
moved "chmod +x"
is "and is in the manifest" "$(sed -n 2p ".dassie/commits/$(field id in)" | cut -c1-2)" "x "
chmod u-x in/a
moved "chmod -x"
is "back to the commit that was" "$(field id in)" "$id"
echo 3 >in/c
moved "a new file"
mkdir in/d && mv in/c in/d/c
moved "another place"
is "and that is where it is" "$(paths)" "a b d/c "
rm -r in/d
moved "a file less"
is "back again" "$(field id in)" "$id"
rm in/a in/b
moved "no file at all"
is "the empty commit" "$(paths)" ""
echo 1 >in/a
echo 2 >in/b
moved "and all of them"
for i in 1 2 3 4 5 6 7 8 9; do
	echo "$i" >in/a
	scan
	was=$(field id in)
	# The same size and, mostly, the same tick of the clock.
	printf x | dd of=in/a conv=notrunc 2>/dev/null
	scan
	[ "$(field id in)" != "$was" ] || break
done
is "an edit of the same size right after the scan is seen" "$i" 9
sed -i 's/./y/' in/a && touch -r in/b in/a
stamp=$(field stamp in)
moved "an edit whose mtime was set back"

# order, names, bytes
small
rm in/*
mkdir -p in/a in/a.b
touch in/a/x in/a.b/x in/a-b in/a0 "in/with blank" "in/$(printf 'n\nl')" "in/$(printf '\377\001')" in/-dash 'in/%41' in/.hidden
scan
is "paths are sorted as bytes, and written %XX" "$(paths)" \
	"$(printf '%s ' %2541 -dash .hidden a-b a.b/x a/x a0 n%0Al with%20blank "$(printf '\377')%01")"
head -c 3000000 /dev/urandom >in/big
scan
is "a large file's hash" "$(grep ' big$' ".dassie/commits/$(field id in)" | cut -d' ' -f2,3)" \
	"3000000 $(sha256sum <in/big | cut -c1-64)"
# A file and a directory change places, with what is in them.
rm in/a0 && mv in/a in/a0 && echo f >in/a
scan
like "a directory becomes a file, a file a directory" "$(paths)" ' a a-b a\.b/x a0/x '

# many files: several threads, batches, changes in the middle
small
rm in/*
perl -e 'for (1 .. 6000) { my $d = $_ % 3 ? "" : "d" . $_ % 50 . "/"; mkdir "in/$d"; open F, ">", "in/${d}f$_" or die; print F $_ }'
scan
want() {
	find in -type f | sed 's/^in.//' | LC_ALL=C sort | tr '\n' ' '
}
is "six thousand files" "$(paths)" "$(want)"
scan
rm in/f1000 in/d0/f3000
mkdir in/new
echo n >in/new/n
echo n >in/f999x
echo changed >in/f2000
scan
is "some gone, some new" "$(paths)" "$(want)"
hashes() {
	sed 1d ".dassie/commits/$(field id in)" | awk '{ print $3 "  in/" $4 }'
}
hashes >sums
ok "and every hash is right" sha256sum --quiet -c sums
id=$(field id in)
rm -r .dassie/scan .dassie/refs/in
scan
is "as a scan without a cache finds" "$(field id in)" "$id"
rm -r .dassie/commits/*
scan
ok "a commit that was lost is written again" test -f ".dassie/commits/$id"
for f in .dassie/scan/.code .dassie/scan/.refs .dassie/scan/in; do
	printf x | dd of="$f" bs=1 seek=90 conv=notrunc 2>/dev/null
done
echo 7 >in/f2000
scan
is "damaged caches: status" "$status" 0
hashes >sums
ok "and are not believed" sha256sum --quiet -c sums

# symlinks
small
mkdir -p elsewhere/deep
echo 5 >elsewhere/deep/f
echo 6 >elsewhere/g
ln -s ../elsewhere in/dir
ln -s ../elsewhere/g in/file
scan
is "symlinks to files and directories are followed" "$(paths)" "a b dir/deep/f dir/g file "
stamp=$(field stamp in)
stays "nothing, behind symlinks,"
echo 7 >elsewhere/deep/f
moved "a change behind a symlink"
echo 8 >elsewhere/deep/new
moved "a new file behind a symlink"
echo 9 >elsewhere/h
ln -sfn ../elsewhere/h in/file
moved "a symlink that leads elsewhere"
id=$(field id in)
picture >"$T/before"
ln -s ../.. elsewhere/deep/up
scan
told "a circle of directories" 3 "source 'in': 'in/dir/deep/up.*leads back to a directory above it"
rm elsewhere/deep/up
ln -s self in/self
scan
told "a circle of links" 3 "in/self' is a symlink that leads in a circle"
rm in/self
ln -s nowhere in/gone
scan
told "a dangling link" 3 "in/gone' is a symlink that leads nowhere: .*\.dassieignore"
is "nothing was recorded" "$(field id in)" "$id"
echo gone >in/.dassieignore
scan
is "the way out works" "$status" 0

# what cannot be data
small
scan
id=$(field id in)
mkfifo in/pipe
scan
told "a FIFO" 3 "source 'in': 'in/pipe' is a FIFO, .*\.dassieignore"
rm in/pipe
if [ "$(id -u)" -ne 0 ]; then
	chmod 0 in/a
	scan
	chmod 644 in/a
	who=
elif have setpriv; then
	# An ordinary user, who owns the project.
	who='setpriv --reuid=65534 --regid=65534 --clear-groups'
	chmod 755 "$T" && chown -R 65534:65534 . && chmod 0 in/a
	# shellcheck disable=SC2086  # words
	run $who "$DASSIE_BUILD/dassie" scan -o Makefile pipeline.yaml
	chmod 644 in/a
	if [ "$status" -gt 3 ]; then
		who=none
	fi
else
	who=none
fi
if [ "$who" = none ]; then
	skip "no ordinary user who could run it" "an unreadable file"
else
	told "an unreadable file" 3 "source 'in': cannot open 'in/a': Permission denied; make it readable"
	is "and nothing is recorded" "$(field id in)" "$id"
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo x >"in/u$i"; chmod 0 "in/u$i"; done
	[ -z "$who" ] || chown -R 65534:65534 in
	# shellcheck disable=SC2086  # words
	run $who "$DASSIE_BUILD/dassie" scan -o Makefile pipeline.yaml
	is "ten are named" "$(printf '%s\n' "$err" | grep -c 'cannot open')" 10
	like "the rest is counted" "$err" 'and 2 more'
	rm -f in/u*
	mkdir in/shut && chmod 0 in/shut
	[ -z "$who" ] || chown 65534:65534 in/shut
	# shellcheck disable=SC2086  # words
	run $who "$DASSIE_BUILD/dassie" scan -o Makefile pipeline.yaml
	told "an unreadable directory" 3 "cannot open directory 'in/shut': Permission denied"
	[ -z "$who" ] || chown -R 0:0 .
	chmod 755 in/shut
fi
small
rm -r in
scan
told "no source folder" 3 "source 'in': there is no directory 'in' \(declared in pipeline\.yaml\): make it or correct 'repos'"
echo file >in
scan
told "a file instead" 3 "source 'in': 'in' is not a directory"

# deeper than the kernel takes in one path
small
ok "a deep tree" perl -e 'chdir "in" or die; for (1 .. 30) { mkdir "d" x 200 or die; chdir "d" x 200 or die } open F, ">", "f" or die; print F 1'
scan
is "of 6,000 bytes: status" "$status" 0
is "its path" "$(paths | tr ' ' '\n' | awk '{ print length }' | sort -n | tail -1)" $((30 * 201 + 1))
stamp=$(field stamp in)
stays "nothing, that deep,"
perl -e 'chdir "in" or die; for (1 .. 30) { chdir "d" x 200 or die } open F, ">", "f" or die; print F 2'
moved "a change that deep"

# a source that holds the project, and git
project
# The compiler refuses '.'; a link from outside it cannot see through.
ln -s "$PWD" "$T/link"
cat >pipeline.yaml <<EOF
repos: {whole: "$T/link"}
pipelines: {one: {input: whole/, run: 'true'}}
EOF
mkdir -p .git out/one sub/out
echo x >.git/x; echo x >out/one/x; echo x >sub/out/x; echo x >sub/Makefile; echo x >Makefile.12-0.tmp
scan
id=$(field id whole)
is "out/, Makefile, .git and .dassie of the project are no data" "$(sed 1d ".dassie/commits/$id" | cut -d' ' -f4 | tr '\n' ' ')" \
	"pipeline.yaml sub/Makefile sub/out/x "
echo y >out/one/y
scan
is "so what make writes does not move it" "$(field id whole)" "$id"
project
mkdir "$T/apart"
echo x >"$T/apart/x"
printf 'repos: {whole: "%s"}\npipelines: {one: {input: whole/, run: "true"}}\n' "$T/apart" >pipeline.yaml
scan
is "a source given absolutely" "$(sed 1d ".dassie/commits/$(field id whole)" | cut -d' ' -f4)" x

# .dassieignore
small
mkdir -p in/sub/x
echo 1 >in/sub/x/y; echo 1 >in/t.tmp; echo 1 >in/sub/u.tmp
scan
is "before" "$(paths)" "a b sub/u.tmp sub/x/y t.tmp "
printf '*.tmp\nx/\n' >in/.dassieignore
scan
is "with rules" "$(paths)" "a b "
echo '!u.tmp' >in/sub/.dassieignore
scan
is "taken back" "$(paths)" "a b sub/u.tmp "
rm in/.dassieignore in/sub/.dassieignore
scan
is "without them again" "$(paths)" "a b sub/u.tmp sub/x/y t.tmp "

# a no-op writes nothing
small
mkdir in/d; echo x >in/d/x; ln -s d in/e
# The first scans meet files as young as the cache; those are looked at again until a clock tick is between.
scan
for i in 1 2 3 4 5; do
	picture >"$T/before"
	scan
	picture >"$T/after"
	! cmp -s "$T/before" "$T/after" || break
done
ok "after a few scans nothing is written" test "$i" -lt 5
picture >"$T/before"
scan
run dassie scan -o Makefile pipeline.yaml
picture >"$T/after"
same "nor by any later one" "$T/before" "$T/after"

# specs and code
stamp=$(field stamp one.spec)
stays "nothing" one.spec
touch pipeline.yaml tool.sh
stays "touch" one.spec
sum=$(cksum <Makefile)
mk=$(date -r .dassie/scan.mk +%s%N)
echo 'cat "$1" "$1"' >tool.sh
moved "code" one.spec
chmod +x tool.sh
moved "code's x bit" one.spec
sed -i 's/tool.sh "/tool.sh -- "/' pipeline.yaml
moved "the command" one.spec
is "the Makefile is the same" "$(cksum <Makefile)" "$sum"
is "so make need not read it again" "$(date -r .dassie/scan.mk +%s%N)" "$mk"
sed -i 's/one:/uno:/' pipeline.yaml
scan
like "another pipeline" "$(cat Makefile)" 'refs/uno'
isnt "make must read again" "$(date -r .dassie/scan.mk +%s%N)" "$mk"
mk=$(date -r .dassie/scan.mk +%s%N)
rm Makefile
scan
ok "a Makefile that is gone comes back" test -f Makefile
is "as it was" "$(date -r .dassie/scan.mk +%s%N)" "$mk"
rm .dassie/steps/index
scan
ok "so does the index" test -f .dassie/steps/index
rm tool.sh
sum=$(cat .dassie/refs/* | cksum)
echo 9 >in/a
scan
told "no code" 1 "pipeline 'uno': there is no file 'tool.sh', which its 'code' names"
is "no ref moved" "$(cat .dassie/refs/* | cksum)" "$sum"
mkdir tool.sh
mkdir tool.sh/__pycache__ tool.sh/lib
echo 1 >tool.sh/b; echo 2 >tool.sh/lib/a
scan
is "a directory of code" "$status" 0
stamp=$(field stamp uno.spec)
echo 2 >tool.sh/__pycache__/c
stays "what python3 leaves there" uno.spec
echo 3 >tool.sh/lib/a
moved "a file below it" uno.spec
echo 'pipelines: {uno: {inptu: x}}' >pipeline.yaml
sum=$(cat .dassie/refs/* Makefile | cksum)
scan
told "a broken spec" 1 "pipeline.yaml:1:"
is "leaves all as it was" "$(cat .dassie/refs/* Makefile | cksum)" "$sum"

# a folder of specs
project "specs %40 folder"
mkdir in "my specs"
printf 'repos: {in: in}\npipelines: {one: {input: in/, run: "true"}}\n' >"my specs/1.yaml"
run dassie scan -o Makefile "my%20specs"
is "names are decoded" "$status" 0
printf 'pipelines: {two: {input: one/, run: "true"}}\n' >"my specs/2.yaml"
run dassie scan -o Makefile "my%20specs"
like "a new file in a folder of specs" "$(cat Makefile)" refs/two
rm "my specs/2.yaml"
run dassie scan -o Makefile "my%20specs"
unlike "and one that is gone" "$(cat Makefile)" refs/two

# refs that were moved about
small
scan
for how in "touch .dassie/refs/in" "touch -d 2030-01-01 .dassie/refs/one.spec" \
	"cp -r .dassie copy && rm -r .dassie && mv copy .dassie" "tar cf t.tar .dassie && rm -r .dassie && tar xf t.tar && rm t.tar"; do
	stamp=$(field stamp in)
	sh -c "$how" || fail "$how"
	scan
	is "healed: $how" "$(date -r .dassie/refs/in +%s%N) $(date -r .dassie/refs/one.spec +%s%N)" \
		"$stamp $(field stamp one.spec)"
done
rm .dassie/clock
scan
ok "a lost clock does not fall behind" test "$(cat .dassie/clock)" -ge "$stamp"
echo broken >.dassie/refs/in
scan
is "a damaged ref is made again" "$(field id in)" "$(basename "$(ls -t .dassie/commits/* | head -1)")"

# keep
small
sed -i 's/{in: in}/{in: {source: in, keep: true}}/' pipeline.yaml
scan
if [ "$status" -eq 1 ]; then
	skip "the compiler has no 'keep' yet" "keep"
else
	is "keep: contents are objects" "$(find .dassie/objects -type f | wc -l)" 2
fi
small
scan
sed -i 's/{in: in}/{in: {source: in, keep: true}}/' pipeline.yaml
scan
[ "$status" -eq 1 ] || is "keep, said later" "$(find .dassie/objects -type f | wc -l)" 2

# real make
small
scan
cat >>Makefile <<'EOF'
$(info read again)
EOF
run make -n help
is "a Makefile that was changed is read once more, then no more" "$(printf '%s\n' "$out" | grep -c 'read again')" 2
run make -n help
is "and only that time" "$(printf '%s\n' "$out" | grep -c 'read again')" 1
rm .dassie/scan.mk
run make help
is "a clone without .dassie" "$status" 0
for flag in -n -q -t -B; do
	echo "$flag" >in/a
	stamp=$(field stamp in)
	run make "$flag" help
	isnt "it runs under make $flag" "$(field stamp in)" "$stamp"
done

# two at once
small
scan
bad=0
for i in 1 2 3 4 5 6; do
	echo "$i" >in/a
	dassie scan -o Makefile pipeline.yaml &
	one=$!
	echo "$i$i" >in/b
	dassie scan -o Makefile pipeline.yaml || bad=1
	wait "$one" || bad=1
	[ "$(field id in)" = "$(sha256sum <".dassie/commits/$(field id in)" | cut -c1-64)" ] || bad=1
	hashes >sums
	sha256sum --quiet -c sums || bad=1
done
is "two scans at once end with what is there" "$bad" 0
run dassie scan
is "no arguments: status" "$status" 2
run dassie scan -o Makefile 'x%zz'
is "a bad name: status" "$status" 2
done_testing
