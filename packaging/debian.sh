#!/bin/sh
# debian.sh: a Debian package out of this tree, judged by lintian.
#
#	packaging/debian.sh [DIR]           the package goes into DIR (default: the current folder)
#	packaging/debian.sh --try [DIR]     then it is installed in a fresh chroot, an example is run as an ordinary user,
#	                                    it is removed, and nothing of it may be left (root, debootstrap, a mirror)
#
# The tarball is that of `make dist`: what builds here builds from it, without autotools.

set -eu
src=$(cd "$(dirname "$0")/.." && pwd)
try=0
if [ "${1:-}" = --try ]; then
	try=1
	shift
fi
out=$(cd "${1:-.}" && pwd)
tmp=$(mktemp -d "${TMPDIR:-/tmp}/dassie-debian.XXXXXX")
chmod 755 "$tmp"

say() {
	printf 'debian.sh: %s\n' "$*" >&2
}

die() {
	say "$*"
	exit 3
}

cleanup() {
	if [ -e "$tmp/root/proc/self" ]; then
		umount "$tmp/root/proc" || exit 3
	fi
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for program in dpkg-buildpackage dh lintian; do
	command -v "$program" >/dev/null || die "no $program: apt-get install dpkg-dev debhelper lintian"
done

# --- build ------------------------------------------------------------------------------------------------------
[ -e "$src/build/Makefile" ] || die "no build in '$src/build'; ./bootstrap makes one"
make -s -C "$src/build" dist
tarball=$(find "$src/build" -maxdepth 1 -name 'dassie-*.tar.xz' | head -n 1)
version=${tarball##*/dassie-}
version=${version%.tar.xz}
mkdir "$tmp/build"
tar -C "$tmp/build" -xJf "$tarball"
tree=$tmp/build/dassie-$version
cp -R "$src/packaging/debian" "$tree/debian"
when=$(git -C "$src" log -1 --format=%cD 2>/dev/null || date -R)
cat >"$tree/debian/changelog" <<CHANGELOG
dassie ($version) unstable; urgency=medium

  * See CHANGELOG.md.

 -- The dassie developers <dassie@users.noreply.github.com>  $when
CHANGELOG
(cd "$tree" && dpkg-buildpackage -us -uc -b)
deb=$(find "$tmp/build" -maxdepth 1 -name 'dassie_*.deb')
lintian --fail-on error,warning --allow-root "$deb"
cp "$deb" "$out/"
say "made $out/${deb##*/}"
[ "$try" = 1 ] || exit 0

# --- try --------------------------------------------------------------------------------------------------------
# What package tools themselves write is none of the package's.
inventory() {
	(cd "$tmp/root" && find . -xdev \( -path ./proc -o -path ./dev -o -path ./tmp -o -path ./var/lib/dpkg -o -path ./var/lib/apt \
		-o -path ./var/cache -o -path ./var/log \) -prune -o -printf '%p %y %m %l\n' -o -print) | grep -v '^\./etc/ld\.so\.cache' | sort
}

in_root() {
	chroot "$tmp/root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"
}

[ "$(id -u)" = 0 ] || die "a chroot needs root"
command -v debootstrap >/dev/null || die "no debootstrap: apt-get install debootstrap"
# The release that this package was built on, from where this machine has it.
# shellcheck disable=SC1091
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(apt-cache policy base-files | grep -oE '(https?|file):[^ ]+' | head -n 1)
debootstrap --variant=minbase "$release" "$tmp/root" "${mirror:-http://deb.debian.org/debian}" >"$tmp/debootstrap.log" ||
	die "debootstrap failed; the end of its log: $(tail -n 3 "$tmp/debootstrap.log")"
mount -t proc proc "$tmp/root/proc"
in_root useradd -m user
# make and what else it depends on stay when it goes, as with any package.
in_root apt-get install -q -y --no-install-recommends make >/dev/null
depends=$(dpkg-deb -f "$deb" Depends | tr ',' '\n' | sed 's/|.*//; s/(.*//; s/ //g')
# shellcheck disable=SC2086
in_root apt-get install -q -y --no-install-recommends $depends >/dev/null
inventory >"$tmp/before"
cp "$deb" "$tmp/root/tmp/"
in_root dpkg -i "/tmp/${deb##*/}"
in_root su user -c 'set -e
	cp -R /usr/share/doc/dassie/examples/wordcount ~/words
	cd ~/words
	dassie compile
	make -j2
	dassie why out/total/total.txt
	dassie fsck
	rm -rf ~/words'
in_root dpkg --purge dassie
inventory >"$tmp/after"
diff "$tmp/before" "$tmp/after" || die "the lines above are what installing and removing left or took"
say "installed, run and removed without a trace"
