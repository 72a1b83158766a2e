/* test_crontab.c: the block in a crontab is put in, replaced and taken out, and nothing else moves. */
#include "../../base/buf.h"
#include "../../base/err.h"
#include "../../runtime/crontab.h"
#include "tap.h"

#include <stdlib.h>

static void
word(const char *path, const char *want)
{
	struct buf w = BUF_INIT, back = BUF_INIT;

	crontab_word(&w, path);
	crontab_unword(&back, w.s, w.n);
	is_str(w.s, want, "the word of %s", want);
	is_str(back.s, path, "and back");
	buf_release(&w);
	buf_release(&back);
}

static char *
edit(const char *old, const char *project, bool put, bool *ret_changed)
{
	struct buf block = BUF_INIT, b = BUF_INIT;
	struct err err = ERR_INIT;

	if (put)
		crontab_block(&block, project, "/usr/bin/dassie", &err);
	*ret_changed = crontab_edit(&b, old, strlen(old), project, put ? block.s : NULL);
	buf_release(&block);
	return b.s ? buf_detach(&b) : calloc(1, 1);
}

/* In and out again, twice in, and with another project's block beside it in both orders. */
static void
round_trip(const char *old, const char *what)
{
	bool changed;
	char *one = edit(old, "/a b", true, &changed), *again, *out;

	ok(changed && strncmp(one, old, strlen(old)) == 0, "%s: every byte is still there, and the block after them", what);
	again = edit(one, "/a b", true, &changed);
	ok(!changed, "%s: a second time changes nothing", what);
	is_str(again, one, "%s: not a byte", what);
	out = edit(one, "/a b", false, &changed);
	ok(changed, "%s: it can be taken out", what);
	is_str(out, old, "%s: and all is as it was", what);
	free(again);
	free(out);
	char *two = edit(one, "/a", true, &changed);
	out = edit(two, "/a b", false, &changed);
	char *only = edit(old, "/a", true, &changed);
	is_str(out, only, "%s: the first of two goes, the second stays", what);
	free(out);
	free(only);
	out = edit(two, "/a", false, &changed);
	is_str(out, one, "%s: the second of two goes, the first stays", what);
	free(out);
	free(two);
	free(one);
}

static void
block_of(const char *project, const char *program, const char *want)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	int rc = crontab_block(&b, project, program, &err);

	is_str(rc == 0 ? b.s : err.text, want, "the block of %s", project);
	buf_release(&b);
}

/* What is in a block and not dassie's belongs to the user. */
static void
foreign_inside(void)
{
	static const char old[] = "# BEGIN dassie /p (x)\nMAILTO=me\n* * * * * /old/dassie cron entry /p\r\n5 * * * * mine\n# END dassie /p\nlast\n";
	bool changed;
	char *s = edit(old, "/p", false, &changed);

	is_str(s, "MAILTO=me\n5 * * * * mine\nlast\n", "a user's lines in the block stay");
	free(s);
	s = edit(old, "/p", true, &changed);
	is_str(s, "# BEGIN dassie /p (by 'dassie cron install'; 'dassie cron remove' takes it out)\n"
	    "* * * * * /usr/bin/dassie cron entry /p\n# END dassie /p\nMAILTO=me\n5 * * * * mine\nlast\n",
	    "the block is made whole where it was, with its other lines after it");
	free(s);
	s = edit("# BEGIN dassie /p (x)\n* * * * * d cron entry /p\nmine\n", "/p", false, &changed);
	is_str(s, "mine\n", "somebody took out END");
	free(s);
	s = edit("x\n* * * * * d cron entry /p\n", "/p", false, &changed);
	ok(!changed, "outside of marks nothing is dassie's");
	free(s);
	s = edit("# BEGIN dassie /p (x)\n#* * * * * d cron entry /p\n# END dassie /p\n# BEGIN dassie /p\n# END dassie /p\n", "/p", false, &changed);
	is_str(s, "", "an entry with a '#' before it, and a second block");
	free(s);
	s = edit("# BEGIN dassie /pq (x)\n* * * * * d cron entry /pq\n# END dassie /pq\n", "/p", false, &changed);
	ok(!changed, "a longer name is another project");
	free(s);
}

static void
thousand(void)
{
	struct buf b = BUF_INIT;

	for (int i = 0; i < 1000; i++)
		buf_fmt(&b, "%s%d %d * * * echo %d%s # \\%% \xff\xfe%s", i % 7 ? "" : "\t ", i % 60, i % 24, i, i % 3 ? "" : "  ",
		    i % 5 ? "\n" : "\r\n\n");
	round_trip(b.s, "1,000 lines");
	b.s[b.n - 1] = '\0';
	round_trip(b.s, "1,000 lines, the last without its end");
	buf_release(&b);
}

static void
find(void)
{
	static const char text[] = "x\n# BEGIN dassie /a=20b (…)\n* * * * * d cron entry /a=20b\n# END dassie /a=20b\n"
	    "# BEGIN dassie /off\n# * * * * * d cron entry /off\n# END dassie /off\n# BEGIN dassie \n# BEGIN dassiex\n"
	    "# BEGIN dassie /cut\n# BEGIN dassie /last\n1 d cron entry /last";
	struct buf p = BUF_INIT, got = BUF_INIT;
	struct crontab_found f = { .project = &p };
	size_t pos = 0;

	while (crontab_next(text, sizeof text - 1, &pos, &f))
		buf_fmt(&got, "%s|%.*s\n", p.s, f.entry ? (int)f.n_entry : 1, f.entry ? f.entry : "-");
	is_str(got.s, "/a b|* * * * * d cron entry /a=20b\n/off|-\n/cut|-\n/last|1 d cron entry /last\n", "all blocks of a text");
	buf_release(&p);
	buf_release(&got);
}

int
main(void)
{
	char deep[2000];

	word("/home/u/wordcount", "/home/u/wordcount");
	word("/a b/100% 'x' \"y\" #1", "/a=20b/100=25=20=27x=27=20=22y=22=20=231");
	word("/n\nl/=3D$(x)`y`;&|<>\\*?[]{}~!^", "/n=0Al/=3D3D=24=28x=29=60y=60=3B=26=7C=3C=3E=5C=2A=3F=5B=5D=7B=7D=7E=21=5E");
	word("/\xc3\xbc/\xe6\x97\xa5/\xf0\x9f\x90\x98", "/\xc3\xbc/\xe6\x97\xa5/\xf0\x9f\x90\x98");
	word("/\xff\xc3/\xc0\xaf\xed\xa0\x80\xc2\xa0", "/=FF=C3/=C0=AF=ED=A0=80=C2=A0");
	block_of("/p", "/usr/bin/dassie", "# BEGIN dassie /p (by 'dassie cron install'; 'dassie cron remove' takes it out)\n"
	    "* * * * * /usr/bin/dassie cron entry /p\n# END dassie /p\n");
	block_of("/p", "/o d/100%/it's/dassie", "# BEGIN dassie /p (by 'dassie cron install'; 'dassie cron remove' takes it out)\n"
	    "* * * * * '/o d/100'\\%'/it'\\''s/dassie' cron entry /p\n# END dassie /p\n");
	block_of("/p", "/o\nd", "a crontab cannot name '/o\nd', which has a newline in it: install dassie somewhere else");
	memset(deep, 'd', sizeof deep);
	deep[0] = '/';
	deep[sizeof deep - 1] = '\0';
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	ok(crontab_block(&b, deep, "/usr/bin/dassie", &err) < 0 && strstr(err.text, "--systemd"), "a path that cron cannot read whole");
	buf_release(&b);
	round_trip("", "no crontab");
	round_trip("x\n", "one line");
	round_trip("x", "one line without its end");
	round_trip("\n", "an empty line");
	round_trip("\r\n1\r\n", "lines of another system");
	round_trip("# BEGIN dassie /other\n* * * * * d cron entry /other\n# END dassie /other\n", "another project's");
	foreign_inside();
	thousand();
	find();
	return done();
}
