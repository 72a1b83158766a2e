/* Which failures are tried again, and how long is waited. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../base/plan.h"
#include "../../runtime/again.h"
#include "../../runtime/failure.h"
#include "../../runtime/result.h"
#include "tap.h"

static struct plan_head head = { .tries = 5 };

static void
say(const char *text)
{
	FILE *f = fopen("log", "w");

	if (!f || fputs(text, f) < 0 || fclose(f))
		exit(2);
}

/* How many attempts are made when each ends so. */
static unsigned
attempts(int status, int sig, const char *const *output, size_t n, char *ret_class)
{
	struct again last = AGAIN_INIT;

	for (unsigned i = 1;; i++) {
		const char *text = n ? output[(i - 1) % n] : "";
		struct attempt a = { .exit = status, .signal = sig, .log = *text };
		struct fault f = FAULT_INIT;

		say(text);
		fault_of_end(&f, &a, NULL, 0);
		if (again_wanted(&last, &head, &f, &a, "log", i))
			continue;
		snprintf(ret_class, 100, "%s: %.60s", f.class, f.text);
		return i;
	}
}

static void
is_tried(int status, int sig, const char *one, const char *two, unsigned want, const char *why)
{
	const char *output[] = { one, two };
	char got[100];

	ok(attempts(status, sig, output, 2, got) == want, "%u tries: exit %d, signal %d, '%s'", want, status, sig, one);
	is_str(got, why, "and why");
}

static void
test_smart(void)
{
	is_tried(127, 0, "", "", 1, "command not found: exit status 127: command not found");
	is_tried(126, 0, "", "", 1, "not executable: exit status 126: the command is not executable");
	is_tried(75, 0, "", "", 5, "temporary: exit status 75 (temporary failure)");
	is_tried(-1, 11, "", "", 5, "signal: killed by SIGSEGV");
	is_tried(137, 0, "", "", 5, "exit status: exit status 137 (SIGKILL)");
	is_tried(1, 0, "", "", 2, "exit status: exit status 1, the same way twice");
	is_tried(1, 0, "no field 17 in line 3\n", "no field 18 in line 99\n", 2, "exit status: exit status 1, the same way twice");
	is_tried(1, 0, "at 0x7ffc01ab\n", "at 0x55d0\n", 2, "exit status: exit status 1, the same way twice");
	is_tried(1, 0, "one\n", "two\n", 5, "exit status: exit status 1");
	is_tried(1, 0, "curl: (7) connection refused\n", "curl: (7) connection refused\n", 5,
	    "network: exit status 1, network: Connection refused");
}

static void
test_rules(void)
{
	struct retry_rule rule[] = { { .kind = RETRY_EXIT, .number = 3 }, { .never = true, .kind = RETRY_SIGNAL, .number = 9 },
		{ .never = true, .kind = RETRY_EXIT, .number = 75 }, { .kind = RETRY_EXIT, .number = 127 } };

	head.retry.rule = rule;
	head.retry.n_rule = 4;
	is_tried(3, 0, "", "", 5, "exit status: exit status 3");
	is_tried(-1, 9, "", "", 1, "signal: killed by SIGKILL, which 'never' lists");
	is_tried(137, 0, "", "", 1, "exit status: exit status 137 (SIGKILL), which 'never' lists");
	is_tried(75, 0, "", "", 1, "temporary: exit status 75 (temporary failure), which 'never' lists");
	is_tried(127, 0, "", "", 5, "command not found: exit status 127: command not found");
	is_tried(4, 0, "", "", 2, "exit status: exit status 4, the same way twice");
	head.retry.n_rule = 0;
}

static void
test_faults(void)
{
	static const char *const class[] = { CLASS_INPUT_CHANGED, CLASS_INPUT_WRITTEN, CLASS_CODE_CHANGED };
	struct again last = AGAIN_INIT;
	struct attempt a = { 0 };
	struct fault f;

	for (size_t i = 0; i < 3; i++) {
		fault_set(&f, class[i], "x");
		ok(!again_wanted(&last, &head, &f, &a, "log", 1), "'%s' is not tried again", class[i]);
	}
	fault_set(&f, CLASS_OUTPUT, "x");
	ok(again_wanted(&last, &head, &f, &a, "log", 1) && !again_wanted(&last, &head, &f, &a, "log", 2), "bad output is, once");
	fault_set(&f, CLASS_OUTPUT, "x");
	ok(!again_wanted(&last, &head, &f, NULL, "log", 1), "what was not started is not");
}

static void
test_blur(void)
{
	static const struct { const char *from, *to; } v[] = {
		{ "line 12, 3.5", "line #, #.#" }, { "deadbeef", "deadbeef" }, { "id 3fa85f64-5717", "id #-#" }, { "a1b2", "a#b#" },
		{ "0x1f 0xff", "#x# #x#" }, { "", "" },
	};
	char text[64];

	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		snprintf(text, sizeof text, "%s", v[i].from);
		text[again_blur(text, strlen(text))] = '\0';
		is_str(text, v[i].to, "%s", v[i].from);
	}
}

static void
test_wait(void)
{
	struct fault none = FAULT_INIT;
	struct retry t = { .delay = 1000, .factor = 2500, .max_delay = 10000 };
	struct plan_head h = { .retry = { .delay = 1000, .factor = 2000, .max_delay = 1000 } };
	bool all = true;

	ok(retry_longest(&t, 1) == 1000 && retry_longest(&t, 2) == 2500 && retry_longest(&t, 3) == 6250 && retry_longest(&t, 4) == 10000,
	    "waits grow to the maximum");
	t = (struct retry){ .delay = UINT64_MAX, .factor = UINT32_MAX, .max_delay = UINT64_MAX };
	ok(retry_longest(&t, 1000000) == UINT64_MAX, "and do not overflow");
	t = (struct retry){ .delay = 1, .factor = 1000, .max_delay = 5 };
	ok(retry_longest(&t, 1000000000) == 1, "a factor of one stays");
	for (unsigned i = 1; i < 100; i++)
		all &= again_wait(&h, &none, i) <= 1000;
	ok(all, "a wait is not longer than that");
	h.retry.delay = 0;
	ok(again_wait(&h, &none, 1) == 0, "no delay is none");
}

int
main(void)
{
	char dir[] = "/tmp/dassie-again.XXXXXX";

	if (!mkdtemp(dir) || chdir(dir) < 0)
		return 2;
	test_smart();
	test_rules();
	test_faults();
	test_blur();
	test_wait();
	if (unlink("log") < 0 || chdir("/") < 0 || rmdir(dir) < 0)
		return 2;
	return done();
}
