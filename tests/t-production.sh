#!/bin/sh
# Specs as an organisation has them (tests/production.pl): a thousand compile without an error, some dozens run to the end.
. "$(dirname "$0")/lib.sh"
need_pfs

project
perl "$DASSIE_SRC/tests/production.pl" 1000 .
run dassie compile specs
is "a thousand pipelines compile" "$status" 0
unlike "without a warning or an error" "$err" '(error|warning):'
is "all of them are in the Makefile" "$(grep -c '^## ' Makefile)" 1000
like "what has no effect is told in one line" "$err" '^dassie: note: without effect here: .*scheduling_spec'
cp -R .dassie/steps "$T/steps"
cp Makefile "$T/Makefile"
dassie compile --print-spec specs >"$T/long.yaml" 2>/dev/null
ok "so does their long form" dassie compile "$T/long.yaml"
rm "$T/steps/index" .dassie/steps/index
same "to the same steps and settings" "$T/steps" .dassie/steps
sed -n '/^## /,$p' "$T/Makefile" | sort >"$T/blocks.1"
sed -n '/^## /,$p' Makefile | sort >"$T/blocks.2"
same "and to the same targets" "$T/blocks.1" "$T/blocks.2"

project
perl "$DASSIE_SRC/tests/production.pl" 40 .
# The buckets of this organisation are folders here.
find specs -type f -exec sed -i "s|s3://bucket/dir|file://./pushed|" {} +
run dassie compile -q specs
is "forty compile" "$status" 0
run make -k -j2
is "forty run" "$status" 0 || diag "$err"
ok "what has an egress was pushed" test "$(find pushed -name '.dassie-*.json' | wc -l)" -gt 0
is "a job each" "$(dassie jobs --json | wc -l | tr -d ' ')" 40
ok "most have datums" test "$(dassie jobs --json | grep -cv '"total":0,')" -gt 20
ran "then there is nothing to do" 0 make
run make -q
is "make -q says so" "$status" 0

done_testing
