#!/bin/sh
# .dassieignore against git itself: random trees and random patterns (the seed is printed; IGNORE_SEED and IGNORE_ROUNDS set
# them); what the scan takes for data must be what 'git ls-files' takes for files.
# shellcheck disable=SC2119  # project's argument is optional
. "$(dirname "$0")/lib.sh"

have git || skip_all "there is no git"
have perl || skip_all "there is no perl"
export GIT_CONFIG_NOSYSTEM=1 HOME="$T" GIT_CEILING_DIRECTORIES="$T"

# Names of files in the source's commit.
listed() {
	id=$(sed -n 's/^id //p' .dassie/refs/in)
	sed 1d ".dassie/commits/$id" | cut -d' ' -f4- | perl -pe 's/%([0-9A-F]{2})/chr hex $1/ge' | LC_ALL=C sort
}

by_git() {
	(cd in && git ls-files -z --others --exclude-per-directory=.dassieignore) | tr '\0' '\n' |
		grep -Ev '(^|/)\.dassieignore$' | LC_ALL=C sort
}

seed=${IGNORE_SEED:-$$}
rounds=${IGNORE_ROUNDS:-60}
echo "# IGNORE_SEED=$seed"
project
cat >pipeline.yaml <<'EOF'
repos: {in: in}
pipelines: {one: {input: in/, run: 'true'}}
EOF
mkdir in
git -C in init -q . || skip_all "git cannot make a repository here"
round=0
same=0
while [ "$round" -lt "$rounds" ]; do
	round=$((round + 1))
	find in -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf {} +
	perl - "$seed" "$round" <<'EOF'
use strict; use File::Path;
my ($seed, $round) = @ARGV;
srand($seed * 1000 + $round);
sub pick { $_[int rand @_] }
my @name = ("a", "b", "ab", "a.o", "b.o", "foo", "bar", "x y", "a ", "[a]", "*", "!a", "#a", "-", "\\", "Z", "5");
sub name { pick(@name) }
for (1 .. 25) {
	my $d = join "/", "in", map { name() } 1 .. int rand 4;
	eval { mkpath($d); 1 } or next;
	open my $f, ">", "$d/" . name() or next;
	print $f "x";
}
# Left out: "**" beside other characters and a backslash before '/', where git leaves its own manual page.
my @piece = ("a", "b", "o", ".", "*", "?", "[ab]", "[!a]", "[a-c]", "[[:alpha:]]", "[]a]", "\\*", "\\[", "\\\\", " ", "foo", "bar",
	"Z", "5", "[[:digit:]5-]");
sub component { return "**" if rand() < 0.15; my $s = join "", map { pick(@piece) } 1 .. 1 + int rand 3; $s =~ s/\*\*+/*/g; $s }
sub rule {
	my $r = join "/", map { component() } 1 .. 1 + int rand(rand() < 0.5 ? 1 : 4);
	$r = "/$r" if rand() < 0.25;
	$r .= "/" if rand() < 0.25;
	$r = "!$r" if rand() < 0.3;
	$r = pick("#c", "", "  ", "\\#a", "\\!a", "a\\ ", "a  ") if rand() < 0.1;
	$r . (rand() < 0.1 ? " " : "") . (rand() < 0.1 ? "\r" : "") . "\n";
}
my @dir = ("in", grep { -d && !-l && !/\.git$/ } glob("in/* in/*/*"));
for my $d ("in", map { pick(@dir) } 1 .. 2) {
	next unless -d $d;
	open my $f, ">", "$d/.dassieignore" or next;
	print $f map { rule() } 1 .. 1 + int rand 5;
}
EOF
	run dassie scan -o Makefile pipeline.yaml
	[ "$status" -eq 0 ] || { fail "the scan of round $round"; diag "$err"; break; }
	listed >"$T/ours"
	by_git >"$T/git's"
	if cmp -s "$T/ours" "$T/git's"; then
		same=$((same + 1))
	else
		fail "round $round of seed $seed"
		diag "$(diff "$T/ours" "$T/git's")"
		diag "$(find in -name .dassieignore -exec sh -c 'echo "$1:"; cat -A "$1"' - {} \;)"
		break
	fi
done
is "$rounds trees as git sees them" "$same" "$rounds"
done_testing
