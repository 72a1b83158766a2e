/* What is said of a failed datum, and which ends of a command are failures. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../base/buf.h"
#include "../../base/err.h"
#include "../../base/fs.h"
#include "../../base/layout.h"
#include "../../runtime/failure.h"
#include "../../runtime/result.h"
#include "tap.h"

/* Everything that failure_show writes for this result. */
static void
shown(const struct result *r, struct buf *ret)
{
	int keep = dup(STDERR_FILENO), fd = open("stderr", O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct err err = ERR_INIT;

	buf_reset(ret);
	if (keep < 0 || fd < 0 || dup2(fd, STDERR_FILENO) < 0)
		exit(2);
	failure_show(r);
	if (dup2(keep, STDERR_FILENO) < 0 || fs_read("stderr", ret, &err) != 1)
		exit(2);
	close(keep);
	close(fd);
}

static void
test_show(struct result *r)
{
	char path[LAYOUT_MAX];
	struct buf log = BUF_INIT, text = BUF_INIT;
	struct err err = ERR_INIT;

	shown(r, &text);
	is_str(text.s, "dassie: count: datum books:/a^J failed: exit status 2 (2 tries)\n  class  exit status\n  input  books:/a\n"
	    "  try    1 of 2  1970-01-01 00:00:00Z  0s, exit status 2\n  try    2 of 2  1970-01-01 00:00:01Z  1.5s, exit status 2\n"
	    "  log    it printed nothing\n  rerun  dassie rerun 2c70e12b\n  debug  dassie debug count 2c70e12b\n", "without a log");
	for (int i = 1; i <= 21; i++)
		buf_fmt(&log, "line %d\n", i);
	buf_str(&log, "tab\there, esc \033[31m, bell \a, C1 \xc2\x9b, \xc3\xa9 stays, no end");
	layout_log(path, &r->key, r->job, 2);
	ok(fs_mkdirs_for(path, &err) == 0 && fs_replace(path, log.s, log.n, 0644, &err) == 0, "a log");
	r->attempt[1].log = true;
	shown(r, &text);
	ok(!strstr(text.s, "line 2\n") && strstr(text.s, "    | line 3\n"), "the last twenty lines");
	ok(strstr(text.s, "    | tab\there, esc ^[[31m, bell ^G, C1 <9B>, \xc3\xa9 stays, no end\n") != NULL, "control characters are visible");
	buf_reset(&log);
	buf_fmt(&log, "  log    %s\n  rerun  dassie rerun 2c70e12b\n  debug  dassie debug count 2c70e12b\n", path);
	ok(text.n > log.n && strcmp(text.s + text.n - log.n, log.s) == 0, "then where it is, and how to run the datum alone");
	buf_release(&log);
	buf_release(&text);
}

static void
test_end(int status, int sig, const char *class, const char *text)
{
	static const int accept[] = { 3, 4 };
	struct attempt a = { .exit = status, .signal = sig };
	struct fault f = FAULT_INIT;

	ok(fault_of_end(&f, &a, accept, 2) == (class[0] != '\0'), "exit %d, signal %d: %s", status, sig, text);
	is_str(f.class, class, "its class");
	is_str(f.text, text, "its text");
}

static void
test_duration(void)
{
	static const struct { uint64_t ms; const char *text; } v[] = {
		{ 0, "0s" }, { 1, "1ms" }, { 200, "200ms" }, { 1500, "1.5s" }, { 30000, "30s" }, { 90000, "90s" }, { 120000, "2m" },
		{ 7200000, "2h" },
	};
	char text[32];

	for (size_t i = 0; i < sizeof v / sizeof *v; i++)
		is_str(failure_duration(text, v[i].ms * 1000000), v[i].text, "a duration");
}

int
main(void)
{
	char dir[] = "/tmp/dassie-failure.XXXXXX";
	struct attempt attempt[2] = { { .exit = 2 },
		{ .started = 1000000000, .ended = 2500000000, .exit = 2 } };
	struct result_input input = { "books", "books", "a", 'f', { { 0 } } };
	struct result r = RESULT_INIT;
	struct err err = ERR_INIT;

	if (!mkdtemp(dir) || chdir(dir) < 0)
		return 2;
	sha256_bytes("key", 3, &r.key);
	r.pipeline = "count";
	r.job = "j1";
	r.label = "books:/a\n";
	r.state = "failed";
	r.class = CLASS_EXIT;
	r.reason = "exit status 2";
	r.input = &input;
	r.n_input = 1;
	r.attempt = attempt;
	r.n_attempt = 2;
	test_show(&r);
	test_end(0, 0, "", "");
	test_end(3, 0, "", "");
	test_end(1, 0, CLASS_EXIT, "exit status 1");
	test_end(126, 0, CLASS_NOT_EXECUTABLE, "exit status 126: the command is not executable");
	test_end(127, 0, CLASS_NOT_FOUND, "exit status 127: command not found");
	test_end(137, 0, CLASS_EXIT, "exit status 137 (SIGKILL)");
	test_end(255, 0, CLASS_EXIT, "exit status 255");
	test_end(-1, 11, CLASS_SIGNAL, "killed by SIGSEGV");
	test_end(-1, 40, CLASS_SIGNAL, "killed by signal 40");
	test_duration();
	if (chdir("/") < 0 || fs_remove_tree(dir, &err) < 0)
		return 2;
	return done();
}
