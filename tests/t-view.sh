#!/bin/sh
# The private /pfs: every input is a regular file, and nobody can write to it; what people do with it works all the same.
# As whoever runs the test and, if that is root, as an ordinary user.
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"

# A leak sanitizer cannot work in what is traced.
traced() {
	ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" strace "$@"
}

# as COMMAND...: by $who.
as() {
	if [ "$who" = user ]; then
		setpriv --reuid 65534 --regid 65534 --clear-groups env HOME="$PWD" "$@"
	else
		"$@"
	fi
}

# ours: the project is $who's.
ours() {
	[ "$who" != user ] || chown -R 65534:65534 .
}

# sources: small and large ones, executable or not.
sources() {
	mkdir -p in/sub/deep
	echo one >in/a
	printf '#!/bin/sh\necho ran\n' >in/run.sh
	head -c 65536 /dev/zero | tr '\0' s >in/sub/limit
	head -c 65537 /dev/zero | tr '\0' b >in/sub/big
	head -c 70000 /dev/zero | tr '\0' x >in/sub/deep/bigx
	echo odd >"in/sub/a b
c"
	: >in/empty
	ln -s sub/big in/link
	chmod 755 in/run.sh in/sub/deep/bigx
}

# spec PIPELINE INPUT: a pipeline whose lines are on stdin.
spec() {
	printf 'pipelines:\n  %s:\n    tries: 1\n    input: %s\n    run: |\n' "$1" "$2"
	sed 's/^/      /'
}

views() {
	# --- what is there
	project
	sources
	{
		spec look in/ <<'RUN'
find /pfs -type f ! -path '/pfs/out/*' -exec sha256sum {} + | sort >/pfs/out/sums
find /pfs ! -type f ! -type d >/pfs/out/others
cd /pfs/in; find . -type f -perm -100 | sort >/pfs/out/executable; ./run.sh >/pfs/out/ran
: >/tmp/said.$$
for f in a sub/limit sub/big sub/deep/bigx run.sh empty link; do
	for how in 'echo x >>' 'rm -f' 'chmod 777' 'truncate -s 0' 'touch' 'sed -i s/b/c/' 'mv -f -t /pfs/out/'; do
		eval "$how \"/pfs/in/$f\"" 2>>/tmp/said.$$ && echo "$how $f"
		rm -f /pfs/out/*s/limit "/pfs/out/${f##*/}"
	done
done >/pfs/out/could 2>/dev/null
grep -v -e 'Read-only file system' -e 'Permission denied' /tmp/said.$$ >/pfs/out/else || :; rm /tmp/said.$$
for d in /pfs /pfs/in /pfs/in/sub; do mkdir $d/new 2>/dev/null && echo $d; done >/pfs/out/made
ln /pfs/in/a /pfs/out/hard 2>/dev/null || echo no >/pfs/out/hard
RUN
		spec objects look2/ <<'RUN' | tail -n +2
find /pfs -type f ! -path '/pfs/out/*' -exec sha256sum {} + | sort >/pfs/out/sums
find /pfs ! -type f ! -type d >/pfs/out/others
cd /pfs/look2
for f in a sub/limit sub/big sub/deep/bigx run.sh; do
	for how in 'echo x >>' 'rm -f' 'chmod 777' 'truncate -s 0'; do
		eval "$how \"/pfs/look2/$f\"" && echo "$how $f"
	done
done >/pfs/out/could 2>/dev/null
./run.sh >/pfs/out/ran
RUN
		spec look2 in/ <<'RUN' | tail -n +2
cp -r /pfs/in/. /pfs/out
echo more >>/pfs/out/a
RUN
	} >pipeline.yaml
	ours
	run as dassie run
	is "$who: it runs" "$status" 0 || diag "$err"
	(cd in && find -L . -type f -exec sha256sum {} +) | sed 's,  \./,  /pfs/in/,' | sort >"$T/want"
	same "$who: every file, with its bytes" out/look/sums "$T/want"
	is "$who: nothing but files and folders" "$(cat out/look/others out/objects/others)" ""
	is "$who: what is executable" "$(cat out/look/executable out/look/ran)" "./run.sh
./sub/deep/bigx
ran"
	is "$who: nothing can be written to" "$(cat out/look/could out/look/else out/look/made out/objects/could)" ""
	is "$who: nor linked" "$(cat out/look/hard)" no
	like "$who: a copy can be" "$(cat out/look2/a)" more
	(cd out/look2 && find . -type f -exec sha256sum {} +) | sed 's,  \./,  /pfs/look2/,' | sort >"$T/want"
	same "$who: a pipeline's files likewise" out/objects/sums "$T/want"
	is "$who: its programs run" "$(cat out/objects/ran)" ran
	run as dassie run
	is "$who: nothing to do" "$status$(results)" 03
	run as dassie fsck
	is "$who: the store is sound" "$status" 0
	is "$who: nothing is left" "$(find .dassie/work -mindepth 1; grep -F "$PWD" /proc/self/mounts)" ""

	# --- what people do
	project
	sources
	git init -q code && (cd code && echo code >file && git add file && git -c user.name=x -c user.email=x@x commit -q -m x)
	cp -R code/.git in/code.git
	{
		spec python in/ <<'RUN'
python3 -c 'import os, shutil, stat
shutil.copytree("/pfs/in", "/pfs/out/tree")
shutil.copyfile("/pfs/in/sub/big", "/pfs/out/big")
n = sum(len(f) for d, s, f in os.walk("/pfs/in", followlinks=False))
assert all(stat.S_ISREG(os.lstat(os.path.join(d, x)).st_mode) for d, s, f in os.walk("/pfs/in") for x in f)
open("/pfs/out/n", "w").write(str(n))
open("/pfs/out/tree/a", "a").write("more\n")'
RUN
		spec copies in/ <<'RUN' | tail -n +2
mkdir /pfs/out/a /pfs/out/star
cp -a /pfs/in/. /pfs/out/a
cp /pfs/in/a /pfs/in/run.sh /pfs/out/star/ && echo more >>/pfs/out/star/a
tar -C /pfs -cf - in | tar -C /pfs/out -xf -
sed -i s/one/two/ /pfs/out/in/a
grep -rl s /pfs/in/sub >/pfs/out/grep
RUN
		spec clone in/ <<'RUN' | tail -n +2
git clone -q /pfs/in/code.git "$TMPDIR/code" && cp "$TMPDIR/code/file" /pfs/out/
RUN
		spec links in/ <<'RUN' | tail -n +2
ln -s "$in/a" /pfs/out/small; ln -s /pfs/in/sub/big /pfs/out/big; ln -s ../in/run.sh /pfs/out/relative; ln -s /pfs/in/sub /pfs/out/tree
RUN
		spec names '{pfs: {repo: in, glob: /, empty_files: true}}' <<'RUN' | tail -n +2
find /pfs/in -type f -size +0 >/pfs/out/full; ln -s /pfs/in/sub/big /pfs/out/big; ln -s /pfs/in/a /pfs/out/a
RUN
		spec each 'in/*' <<'RUN' | tail -n +2
cp -r "$in" /pfs/out/
RUN
	} >pipeline.yaml
	ours
	run as dassie run
	is "$who: python, cp, tar, links, names" "$status" 0 || diag "$err"
	like "$who: python" "$(cat out/python/n):$(tail -n 1 out/python/tree/a)" '^[1-9][0-9]+:more$'
	rm -rf "$T/in" out/copies/in/a
	cp in/a out/copies/in/a
	cp -rL in "$T/in"
	find "$T/in" -type d -empty -delete
	ok "$who: tar" diff -r out/copies/in "$T/in"
	ok "$who: cp -a" diff -r out/copies/a "$T/in"
	is "$who: cp, then write" "$(cat out/copies/star/a | tr '\n' ' ')" "one more "
	like "$who: grep -r" "$(cat out/copies/grep)" sub/limit
	is "$who: links are what they lead to" "$(cat out/links/small out/links/relative | tr '\n' ' '):$(wc -c <out/links/big)" "one #!/bin/sh echo ran :65537"
	ok "$who: … of a folder, too" diff -r out/links/tree in/sub
	ok "$who: names only" cmp out/names/big in/sub/big
	is "$who: … they are empty" "$(cat out/names/full out/names/a)" one
	is "$who: git clone" "$(cat out/clone/file)" code
	ok "$who: each" diff -r out/each "$T/in"

	# --- a datum that fails, its err_cmd, a rerun, a debugger: the same
	project
	sources
	spec bad in/sub/ <<'RUN' >pipeline.yaml
head -c 1 "$in/big"; echo x >>"$in/big"
RUN
	echo '    err_cmd: [sh, -c, "head -c 1 /pfs/in/big; [ -f /pfs/in/big ] && ! echo x 2>/dev/null >>/pfs/in/big"]' >>pipeline.yaml
	sed -i 's,input: in/sub/,input: {pfs: {repo: in\, glob: /sub}},; s,"$in/,"$in/../sub/,' pipeline.yaml
	ours
	run as dassie run
	like "$who: err_cmd sees what the command saw" "$status:$err" "Read-only"
	ok "$who: the source is as it was" test "$(wc -c <in/sub/big)" = 65537
	run as dassie debug bad in:/sub/ -- sh -c 'find /pfs -type f | wc -l; echo x >>/pfs/in/sub/big'
	like "$who: a debugger, too" "$status:$out:$err" "^[12]:5:.*Read-only"

	# --- programs of a pipeline that are large: on the disk, then in memory again
	project
	sources
	{
		spec make in/ <<'RUN'
cp -r /pfs/in/sub /pfs/out/
RUN
		spec use 'make/sub/*' <<'RUN' | tail -n +2
case $make in
*deep) f=$make/bigx; [ -x $f ] ;;
*) f=$make ;;
esac
[ -f "$f" ] && ! echo x 2>/dev/null >>"$f" && ! rm -f "$f" 2>/dev/null && ! chmod 777 "$f" 2>/dev/null
wc -c <"$f" >"/pfs/out/${f##*/}"
RUN
	} >pipeline.yaml
	ours
	run as dassie run
	is "$who: a large program" "$status:$(cat out/use/* | sort -n | tr '\n' ' ')" "0:4 65536 65537 70000 " || diag "$err"
	is "$who: nothing is left of that, either" "$(find .dassie/work -mindepth 1)" ""
}

project
mkdir d
echo 1 >d/a
printf 'pipelines:\n  p:\n    input: d/*\n    run: echo "$PFS" >"$out/x"\n' >pipeline.yaml
run dassie run
[ "$(cat out/p/x)" = /pfs ] || skip_all "no namespaces for us here"

who=me
views

# A kernel without mount_setattr (before 5.12), or a container that forbids it.
if have strace && run strace -f -o /dev/null true && [ "$status" = 0 ]; then
	project
	sources
	spec old in/ <<'RUN' >pipeline.yaml
for f in a sub/big sub/deep/bigx; do ! echo x 2>/dev/null >>/pfs/in/$f && ! rm -f /pfs/in/$f 2>/dev/null && ! mkdir /pfs/in/x 2>/dev/null; done
find /pfs/in -type f | wc -l >/pfs/out/n
RUN
	run traced -f -o "$T/trace" -e trace=mount_setattr -e inject=mount_setattr:error=ENOSYS dassie run
	is "without mount_setattr: read-only all the same" "$status:$(cat out/old/n)" 0:9
	like "it was not there" "$(cat "$T/trace")" INJECTED
	# As many mounts as there may be.
	project
	sources
	spec full in/ <<'RUN' >pipeline.yaml
find /pfs/in -type f -exec sha256sum {} + | sort >/pfs/out/sums
for f in a sub/big sub/deep/bigx; do ! echo x 2>/dev/null >>/pfs/in/$f && ! rm -f /pfs/in/$f 2>/dev/null; done
RUN
	(cd in && find -L . -type f -exec sha256sum {} +) | sed 's,  \./,  /pfs/in/,' | sort >"$T/want"
	run traced -f -o "$T/trace" -e trace=mount -P "$PWD/in/sub/big" -P in/sub/big -e inject=mount:error=ENOSPC dassie run
	is "no more mounts: copies" "$status" 0
	same "every file, with its bytes" out/full/sums "$T/want"
	like "there were none" "$(cat "$T/trace")" 'ENOSPC.*INJECTED'
else
	skip "no strace" "without mount_setattr"
fi

if [ "$(id -u)" = 0 ] && have setpriv; then
	chmod 711 "$T"
	who=user
	if ok "an ordinary user may have namespaces" setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Urm true; then
		views
	fi
else
	skip "only for root" "an ordinary user"
fi
done_testing
