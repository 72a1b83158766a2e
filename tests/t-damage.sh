#!/bin/sh
# A damaged state folder, and steps that somebody edited.  DASSIE_DAMAGE rounds of 1 MB each (2), DASSIE_SEED.
. "$(dirname "$0")/lib.sh"

# --- what was recorded is what runs
project
mkdir in
echo a >in/a
cat >pipeline.yaml <<'SPEC'
repos: {in: in}
pipelines:
  copy:
    input: in/*
    run: cp "$in" "$out/"
SPEC
dassie compile --quiet
run make
is "a first make" "$status" 0
step=$(find .dassie/steps -name 'copy-*.sh')
chmod u+w "$step"
echo 'echo injected >"$out/more"' >>"$step"
echo b >in/b
run make
like "an edited step does not run" "$status:$err" "^2:.*step '.dassie/steps/copy-[0-9a-f]*.sh' is not what was compiled: remove it"
is "nothing came of it" "$(ls out/copy)" a
run dassie fsck
like "fsck finds it" "$status:$out" '^1:.*copy-[0-9a-f]*.sh: damaged or edited'
run dassie fsck --repair
run make
is "after a repair it is compiled again" "$status:$(ls out/copy | tr '\n' ' ')" "0:a b "
printf 'garbage' >.dassie/scan.mk
run dassie fsck --repair
like "scan.mk is looked at" "$out" 'scan.mk: damaged: make cannot read it'
run make
is "and written again" "$status" 0
printf 'dassie-state \377rot' >.dassie/format
run dassie fsck --repair
is "a damaged version of the whole is nobody's refusal" "$status" 0
run make
is "nothing runs for it" "$status:$err" "0:"
dassie compile --quiet
is "compiling writes it anew" "$(cat .dassie/format)" "dassie-state 1"
printf 'dassie-state 2\nmore\n' >.dassie/format
run dassie fsck --repair
like "a newer one is refused" "$status:$err" "^3:.*made by another version of dassie \(its format is 2, this one knows 1\)"
printf 'dassie-state 1\n' >.dassie/format

# --- random bytes over all of it
perl "$DASSIE_SRC/tests/damage.pl" --rounds "${DASSIE_DAMAGE:-2}" ${DASSIE_SEED:+--seed "$DASSIE_SEED"} >"$T/said" 2>&1
status=$?
is "1 MB of damage, fsck --repair, make: the right tree ($(head -n 1 "$T/said"))" "$status" 0
[ "$status" = 0 ] || sed 's/^/# /' "$T/said"
done_testing
