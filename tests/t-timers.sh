#!/bin/sh
# 'dassie cron install --systemd' under a real systemd user manager, in namespaces of its own: no unit of the machine is seen.
# shellcheck disable=SC2119  # project has an optional argument
. "$(dirname "$0")/lib.sh"

manager=/lib/systemd/systemd
if [ -z "${DASSIE_TEST_TIMERS:-}" ]; then
	[ "$(id -u)" = 0 ] || skip_all "only root can give systemd a machine of its own"
	if [ ! -x $manager ] || ! have systemctl || ! have systemd-run; then
		skip_all "no systemd"
	fi
	unshare -mpf --mount-proc --kill-child true 2>/dev/null || skip_all "no namespaces here"
	DASSIE_TEST_TIMERS=1 unshare -mpf --mount-proc --kill-child sh "$0"
	exit $?
fi

machine() {
	mount --make-rprivate / && mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system /run/me "$T/home" || return
	grep -q 'name=systemd' /proc/self/cgroup || return 0
	mount -t tmpfs tmpfs /sys/fs/cgroup && mkdir /sys/fs/cgroup/systemd /sys/fs/cgroup/unified &&
		mount -t cgroup -o none,name=systemd none /sys/fs/cgroup/systemd && mount -t cgroup2 none /sys/fs/cgroup/unified
}
machine || skip_all "no mounts or control groups here"
unset DBUS_SESSION_BUS_ADDRESS XDG_CONFIG_HOME
export XDG_RUNTIME_DIR=/run/me HOME="$T/home"
chmod 700 /run/me
$manager --user >"$T/manager" 2>&1 &
owned $!
for _ in $(seq 100); do
	systemctl --user show-environment >/dev/null 2>&1 && break
	sleep 0.1
done
systemctl --user show-environment >/dev/null 2>&1 || skip_all "systemd does not start here: $(tail -n 1 "$T/manager")"

# A crontab that nobody can use does not matter here.
mkdir "$T/bin"
printf '#!/bin/sh\necho "You (joe) are not allowed to use this program (crontab)" >&2\nexit 1\n' >"$T/bin/crontab"
chmod +x "$T/bin/crontab"
PATH=$T/bin:$PATH

project "it's 100% %n \$HOME é"
mkdir books
echo 1 >books/a
cat >pipeline.yaml <<'YAML'
repos: {books: books}
pipelines:
  count:
    schedule: "0 3 * * *"
    input: books/*
    run: cp "$books" "$out"
YAML
dassie compile 2>/dev/null
run dassie cron install --systemd
is "install" "$status" 0
like "it says what keeps timers running" "$err" "enable-linger"
unit=$(systemctl --user list-timers --all --no-legend | grep -o 'dassie-[^ ]*\.timer')
like "the timer runs" "$unit" '^dassie-.*\.timer$'
is "and is enabled for the next login" "$(systemctl --user is-enabled "$unit")" enabled
like "its next time is a full minute" "$(systemctl --user list-timers --all --no-legend)" ':00 '
run dassie cron status
is "status: all is well" "$status" 0
like "who calls" "$out" "a systemd timer, every minute"
ok "one call, without waiting for the minute" systemctl --user start "${unit%.timer}.service"
for _ in $(seq 200); do
	[ -e .dassie/cron/called ] && break
	sleep 0.1
done
like "the project was called" "$(dassie cron status)" "called +(just now|[0-9]+ s ago)"
like "list" "$(dassie cron list)" "systemd +ok"
run dassie cron remove
is "remove" "$status" 0
is "no timer is left" "$(systemctl --user list-timers --all --no-legend)" ""
is "nor a file" "$(find "$HOME/.config/systemd/user" ! -type d)" ""
done_testing
