#!/bin/sh
# The one idea, as a whole: content decides what runs.
# shellcheck disable=SC2119  # project has an optional argument
. "$(dirname "$0")/lib.sh"

write_spec() {
	cat >pipeline.yaml <<-EOF
	repos:
	  books: data/books
	pipelines:
	  count:
	    input: books/*
	    run: |
	      tr -cs '[:alpha:]' '\n' < "\$books" | sort | uniq -c $1> "\$out/\$(basename "\$books")"
	  total:
	    input: count/
	    code: [total.awk]
	    run: awk -f total.awk "\$count"/* > "\$out/total.txt"
	EOF
}

many_books() {
	mkdir -p data/books
	for i in 1 2 3 4 5 6 7 8; do
		printf 'the book number %s is a b c\n' "$i$i$i" >"data/books/b$i"
	done
	# shellcheck disable=SC2016
	echo '{ n += $1 } END { print n }' >total.awk
}

have git || skip_all "no git"
project
many_books
write_spec ''
git init -q . 2>/dev/null
git config user.email a@b; git config user.name tester
run dassie compile
is "compile: exit status" "$status" 0
git add -A; git commit -qm one
ran "the first make: a datum a book and one total" 9 make -j2
is "the result" "$(cat out/total/total.txt)" 56
ran "the second one: nothing" 0 make -j2
run make -j2
is "and dassie says nothing" "$err" ""
run make -q
is "make -q agrees" "$status" 0

find . -path ./.dassie -prune -o -type f -exec touch {} +
ran "touching every input: zero datums" 0 make -j2
find .dassie -type f -exec touch -d '2001-01-01' {} +
ran "touching the state too: zero datums" 0 make -j2

echo "one more word" >>data/books/b3
ran "one changed file of eight: exactly one datum, and the total" 2 make
git checkout -q data/books/b3
ran "changed back: zero" 0 make
is "the old result is there again" "$(cat out/total/total.txt)" 56

write_spec '| sort -n '
ran "another command: all of that pipeline" 8 make
write_spec ''
ran "going back: zero" 0 make

echo '# a comment changes the code' >>total.awk
ran "changed code: its pipeline only" 1 make
git checkout -q total.awk
ran "and back: zero" 0 make

cp -r "$T/a project 1" "$T/a copy"
cd "$T/a copy" || exit 1
ran "copied elsewhere: zero" 0 make
cd "$T/a project 1" || exit 1
mkdir "$T/by tar" && tar -cf - . | (cd "$T/by tar" && tar -xf -)
cd "$T/by tar" || exit 1
ran "by tar: zero" 0 make
echo x >>data/books/b1
ran "and it works there" 2 make
cd "$T/a project 1" || exit 1

rm data/books/b8
ran "a removed file: its output vanishes, the total is made again" 1 make
ok "gone" test ! -e out/count/b8
printf 'b a c is 888 number book the\n' >data/books/b9
ran "another file with the same words: early cutoff cannot help, its name is new" 2 make

rm -rf out
ran "out/ removed: nothing runs" 0 make
is "and it is there again" "$(find out/count -type f | wc -l | tr -d ' ')" 8

rm -rf .dassie out
ran "the state removed: all of it again" 9 make
ok "the state is ignored by git" test -z "$(git status --porcelain --ignored=no | grep -F .dassie)"

rm -rf data/books/*
ran "no datums: success" 0 make
is "an empty output" "$(find out/count -type f)" ""

# early cutoff
project
mkdir in
echo abc >in/a; echo de >in/b
cat >pipeline.yaml <<'EOF'
repos: {in: in}
pipelines:
  size: {input: in/*, run: 'wc -c < "$in" > "$out/${in##*/}"'}
  sum: {input: size/, run: 'cat "$size"/* > "$out/sum"'}
EOF
run dassie compile
ran "size and sum" 3 make
echo xyz >in/a
ran "same size, other bytes: the wave stops at size" 1 make

# a failing datum
project
mkdir in
for i in a b c; do echo $i >in/$i; done
cat >pipeline.yaml <<'EOF'
repos: {in: in}
pipelines:
  one: {input: in/*, run: 'grep -v FAIL "$in" > "$out/${in##*/}"'}
  two: {input: one/, run: 'cat "$one"/* > "$out/all"'}
EOF
run dassie compile
run make -j2
is "all is well" "$(cat out/two/all | tr '\n' ' ')" "a b c "
echo FAIL >in/b; echo C >in/c; echo d >in/d
run make -j2
is "a failed datum fails the make" "$status" 2
like "it names the datum" "$err" 'in:/b'
like "its class" "$err" 'exit status 1'
like "its log or that there is none, and how to rerun it" "$err" 'dassie rerun [0-9a-f]{8}'
is "the last good output stays" "$(cat out/one/* out/two/all | tr '\n' ' ')" "a b c a b c "
is "the others ran and are kept" "$(results)" 6
run dassie jobs --json
like "the failure is in the database" "$out" '"state":"failure"'
echo b >in/b
run make -j2
is "put right: only the rest" "$status" 0
is "the result" "$(cat out/two/all | tr '\n' ' ')" "a b C d "

# two writers
project
mkdir in
echo 1 >in/a; echo 2 >in/b
spec() {
	cat >pipeline.yaml <<-EOF
	repos: {in: in}
	pipelines:
	  w: {input: in/*, $1 run: '$2'}
	EOF
}
# shellcheck disable=SC2016
spec '' 'cat "$in" > "$out/same"'
run dassie compile
run make
is "two writers of one path: failure" "$status" 2
like "both are named" "$err" "'same'.*in:/a.*in:/b"
# shellcheck disable=SC2016
spec 'merge: concat,' 'cat "$in" > "$out/same"'
run make
is "merge: concat" "$status$(cat out/w/same | tr '\n' ' ')" "01 2 "
# shellcheck disable=SC2016
spec '' 'if [ "${in##*/}" = a ]; then echo x > "$out/x"; else mkdir "$out/x"; echo y > "$out/x/y"; fi'
run make
is "a file and a directory of one name" "$status" 2
like "says so" "$err" "'x' is a file of datum in:/a and a directory of datum in:/b"
# shellcheck disable=SC2016
spec '' 'echo equal > "$out/same"'
run make
is "the same content is no conflict" "$status$(cat out/w/same)" "0equal"

done_testing
