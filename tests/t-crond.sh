#!/bin/sh
# The system's own cron daemon fires what 'dassie cron install' wrote: install, wait, tick, run, provenance, remove.
# In a namespace with crontabs and a sendmail of the test's own, so that the machine's are neither read nor changed.
# With faketime the next full minute is three seconds away, else it is waited for.
# shellcheck disable=SC2119  # project has an optional argument
. "$(dirname "$0")/lib.sh"

if [ -z "${DASSIE_TEST_CROND:-}" ]; then
	[ "$(id -u)" = 0 ] || skip_all "only root can give cron crontabs of its own"
	unshare -mpf --mount-proc --kill-child true 2>/dev/null || skip_all "no namespaces here"
	have crontab || skip_all "no cron"
	have cron || have crond || skip_all "no cron daemon"
	DASSIE_TEST_CROND=1 unshare -mpf --mount-proc --kill-child sh "$0"
	exit $?
fi

# --- a machine with nothing but cron ---

have cron && daemon=$(command -v cron) || daemon=$(command -v crond)
spool=/var/spool/cron
[ -d $spool/crontabs ] && spool=$spool/crontabs
sbin=$(readlink -f /usr/sbin)
mkdir "$T/spool" "$T/none" "$T/mail"
chmod 755 "$T"
chmod --reference=$spool "$T/spool" && chown --reference=$spool "$T/spool"
: >"$T/empty"
# Nothing of the machine is mounted below $T, which is removed at the end.
machine() {
	mount --make-rprivate / &&
		mount --bind "$T/spool" $spool &&
		{ [ ! -d /etc/cron.d ] || mount --bind "$T/none" /etc/cron.d; } &&
		{ [ ! -e /etc/crontab ] || mount --bind "$T/empty" /etc/crontab; } &&
		mount -t tmpfs tmpfs /run &&
		mount -t tmpfs tmpfs /mnt &&
		cp -a "$sbin" /mnt/sbin
}
machine || skip_all "cannot mount"
# The machine may lack a sendmail.
rm -f /mnt/sbin/sendmail
cat >/mnt/sbin/sendmail <<SH
#!/bin/sh
cat >"$T/mail/\$\$"
SH
chmod +x /mnt/sbin/sendmail
mount --bind /mnt/sbin "$sbin" || skip_all "cannot mount"

seconds=$(date +%S)
ahead=$(((117 - ${seconds#0}) % 60))
if have faketime && fake=$(faketime -f "+${ahead}s" sh -c 'echo "$LD_PRELOAD"') && [ -n "$fake" ] && [ "${DASSIE_ASAN:-0}" = 0 ]; then
	# Files keep the times that dassie gives them.
	export LD_PRELOAD="$fake" FAKETIME="+${ahead}s" NO_FAKE_STAT=1
	# Cron gives its jobs nothing of its own environment, only what stands in the crontab.
	printf 'LD_PRELOAD=%s\nFAKETIME=+%ss\nNO_FAKE_STAT=1\n' "$fake" "$ahead" >"$T/foreign"
fi
# The worst that a user's crontab can do to the entry.
cat >>"$T/foreign" <<'CRON'
# mine
MAILTO=joe
SHELL=/bin/bash
PATH=/nowhere:/bin:/usr/bin
HOME=/tmp
17 4 1 1 * echo 100\% "mine"
CRON
crontab "$T/foreign"

# --- install ---

cat >"$T/lang" <<'SH'
#!/bin/sh
printf '%s\n' "$HOME" >"$1"
SH
chmod +x "$T/lang"
mkdir "$T/my bin"
mv "$T/lang" "$T/my bin/write-environment"
project "100% of it's \"own\" #1"
good=$PWD
cat >pipeline.yaml <<'YAML'
pipelines:
  report:
    input: {cron: {name: tick, spec: "* * * * *"}}
    run: |
      test -f "$tick"
      basename "$tick" >"$out/$(basename "$tick").txt"
      write-environment "$out/environment"
    merge: concat
YAML
dassie compile 2>/dev/null
run env PATH="$T/my bin:$PATH" HOME="$T/my home" dassie cron install
is "install" "$status" 0
like "no cron runs yet, which is told" "$err" "no cron daemon runs"
project
bad=$PWD
cat >pipeline.yaml <<'YAML'
pipelines:
  breaks:
    input: {cron: {name: tick, spec: "* * * * *"}}
    run: |
      echo "it is broken" >&2
      exit 3
YAML
dassie compile 2>/dev/null
ok "another project" dassie cron install
run crontab -l
is "the user's lines are there" "$(printf '%s\n' "$out" | head -n "$(wc -l <"$T/foreign")")" "$(cat "$T/foreign")"

# --- wait, tick, run ---

"$daemon" -f >"$T/cron.out" 2>&1 &
owned $!
sleep 1
run dassie doctor
like "doctor sees it" "$out" "ok +crontab .*cron runs"
for _ in $(seq 800); do
	[ -e "$good/out/report/environment" ] && [ -n "$(ls "$T/mail")" ] && break
	sleep 0.1
done
cd "$good" || exit 1
run dassie cron status
is "status: all is well" "$status" 0
like "who called" "$out" "called +(just now|[0-9]+ s ago)"
like "what came of it" "$out" '^report/tick .*\* \* \* \* \* .*20.*Z +success .*20.*Z$'
like "the other's status" "$(dassie -C "$bad" cron status)" '^breaks/tick .* failure '
like "status --json" "$(dassie cron status --json)" '^\{"project".*"schedules":\[\{"schedule":"report/tick".*"state":"success".*\}\]\}$'
tick=$(find out/report -name '*Z.txt' | head -n 1)
like "a tick, named by its instant" "$tick" '^out/report/20[0-9-]*T[0-9:]*:00Z\.txt$'
is "PATH and HOME of the shell that installed it" "$(cat out/report/environment)" "$T/my home"
run dassie why "$tick"
is "provenance of the tick's output" "$status" 0
like "it names the tick" "$out" "$(basename "$tick" .txt)"
is "a mail for the failure, none for the success" "$(find "$T/mail" -type f | wc -l | tr -d ' ')" 1
ok "it is about the failure" grep -q "it is broken" "$T"/mail/*
ok "and says where" grep -q "$bad/.dassie/cron/log" "$T"/mail/*
run dassie cron list
is "list: both were called" "$(printf '%s\n' "$out" | grep -c 'crontab  *ok  *\(just now\|[0-9]* s ago\)')" 2

# --- remove ---

dassie cron remove 2>/dev/null
dassie cron remove "$bad" 2>/dev/null
crontab -l >"$T/after"
same "remove: the user's lines, and nothing else" "$T/after" "$T/foreign"
done_testing
