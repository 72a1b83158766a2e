/* test_mflags.c: what GNU make 4.3 and 4.4 were seen to put into MAKEFLAGS. */
#include "../../runtime/mflags.h"
#include "tap.h"

static void
seen(const char *flags, const char *want)
{
	struct mflags m;
	char got[64];

	mflags_parse(&m, flags, 8);
	snprintf(got, sizeof got, "%s%s%s%sj%u", m.dry ? "n" : "", m.question ? "q" : "", m.touch ? "t" : "", m.silent ? "s" : "",
	    m.jobs);
	is_str(got, want, "'%s'", flags ? flags : "(none)");
}

int
main(void)
{
	seen(NULL, "j1");
	seen("", "j1");
	seen("k -j2 --jobserver-auth=3,4", "j2");
	seen(" -j2 --jobserver-auth=3,4", "j2");
	seen(" -j", "j8");
	seen("ns -j16 --jobserver-auth=fifo:/tmp/GMfifo1", "nsj16");
	seen("n", "nj1");
	seen("q", "qj1");
	seen("rRt", "tj1");
	seen(" -- FOO=n", "j1");
	seen("rR", "j1");
	seen("FOO=nqt", "j1");
	seen(" --jobserver-auth=3,4 -j3 -- X=-j9", "j3");
	seen("w -- DASSIE=/a b/n", "j1");
	seen(" -j0", "j1");
	return done();
}
