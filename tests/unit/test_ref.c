/* test_ref.c: the project clock and the refs it stamps. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/err.h"
#include "../../base/fs.h"
#include "../../base/json.h"
#include "../../base/layout.h"
#include "../../base/mem.h"
#include "../../base/ref.h"
#include "tap.h"

static uint64_t
mtime(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? 0 : fs_mtime_ns(&st);
}

static void
stamps_grow(struct clock *c)
{
	struct err err = ERR_INIT;
	struct ref r = REF_INIT, back;
	uint64_t last = 0;

	for (int i = 0; i < 100; i++) {
		if (ref_move(c, DIR_REFS "/a", &r, &err) < 0 || r.stamp <= last || mtime(DIR_REFS "/a") != r.stamp)
			ok(false, "stamp %d: %llu after %llu %s", i, (unsigned long long)r.stamp, (unsigned long long)last, err.text);
		last = r.stamp;
	}
	ok(true, "a hundred stamps in a row, each newer than the one before and kept by the file system");
	ok(ref_read(DIR_REFS "/a", &back, &err) == 1 && back.stamp == last, "the last one is in the file");
	ref_release(&back);
}

static void
clock_steps_back(void)
{
	struct clock c = CLOCK_INIT;
	struct err err = ERR_INIT;
	uint64_t far = time_now_ns() + (uint64_t)3600 * 1000000000;
	struct ref r = { .stamp = far }, s = REF_INIT;

	ok(clock_lock(&c, &err) == 0 && ref_write(&c, DIR_REFS "/future", &r, &err) == 0, "a stamp an hour ahead");
	clock_unlock(&c);
	ok(clock_lock(&c, &err) == 0 && ref_move(&c, DIR_REFS "/b", &s, &err) == 0 && s.stamp > far, "the next one is newer all the same");
	clock_unlock(&c);
}

static void
heals(struct clock *c)
{
	struct err err = ERR_INIT;
	struct ref r = REF_INIT;

	ref_move(c, DIR_REFS "/h", &r, &err);
	utimensat(AT_FDCWD, DIR_REFS "/h", NULL, 0);
	ok(mtime(DIR_REFS "/h") != r.stamp, "touched");
	ok(ref_heal(c, DIR_REFS "/h", &err) == 1 && mtime(DIR_REFS "/h") == r.stamp, "healed");
	ok(ref_heal(c, DIR_REFS "/h", &err) == 0, "and then right");
	ok(ref_heal(c, DIR_REFS "/none", &err) == 0, "an absent one needs none");
}

static void
inputs_come_back(struct clock *c)
{
	struct err err = ERR_INIT;
	struct ref_input in[2] = { { .repo = xstrdup("a") }, { .repo = xstrdup("b") } };
	struct ref r = { .stamp = 5, .asof = 7, .input = in, .n_input = 2 }, back;

	in[1].id.b[0] = r.id.b[31] = r.step.b[3] = 9;
	ok(ref_write(c, DIR_REFS "/p.done", &r, &err) == 0 && ref_read(DIR_REFS "/p.done", &back, &err) == 1, "written and read");
	ok(back.n_input == 2 && back.input[1].id.b[0] == 9 && back.asof == 7 && oid_eq(&back.step, &r.step) && oid_eq(&back.id, &r.id),
	    "all fields");
	ref_release(&back);
	fs_replace(DIR_REFS "/p.done", "dassie-ref 1\nstamp x\n", 21, 0644, &err);
	ok(ref_read(DIR_REFS "/p.done", &back, &err) == 0, "a malformed one counts as absent");
	free(in[0].repo);
	free(in[1].repo);
}

int
main(void)
{
	char dir[] = "/tmp/dassie-ref.XXXXXX";
	struct err err = ERR_INIT;
	struct clock c = CLOCK_INIT;

	if (!mkdtemp(dir) || chdir(dir) < 0 || fs_mkdirs(DIR_REFS, &err) < 0)
		return 1;
	ok(clock_lock(&c, &err) == 0, "locked %s", err.text);
	stamps_grow(&c);
	heals(&c);
	inputs_come_back(&c);
	clock_unlock(&c);
	clock_steps_back();
	fs_remove_tree(dir, &err);
	return done();
}
