/* test_statcache.c: what is put comes back; damage of any byte is noticed; the racy rule. */
#include "../../runtime/statcache.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/err.h"
#include "../../base/fs.h"
#include "../../base/mem.h"
#include "tap.h"

static struct signature
sig_of(uint64_t n)
{
	return (struct signature){ .ino = n, .size = 2 * n, .mtime = 3 * n, .ctime = 4 * n, .dev = 5, .mode = S_IFREG | 0644 };
}

static bool
write_some(const char *path)
{
	struct statcache_new w;
	struct err err = ERR_INIT;
	struct oid id = { { 7 } };
	struct signature s = sig_of(99);

	if (statcache_begin(&w, path, &err) < 0)
		return false;
	statcache_put_dir(&w, "", 0, &s, STATCACHE_WHOLE, "sub\0s\0", 6);
	for (uint64_t i = 1; i <= 20; i++) {
		char name[32];
		int n = snprintf(name, sizeof name, "name%0*d", (int)i, (int)i);

		s = sig_of(i);
		id.b[1] = (unsigned char)i;
		statcache_put(&w, name, (size_t)n, &s, &id, (uint32_t)(20 - i));
	}
	statcache_put_dir(&w, "empty", 5, NULL, 0, NULL, 0);
	statcache_put_dir(&w, "sub", 3, NULL, 0, NULL, 0);
	s = sig_of(21);
	statcache_put(&w, "\xff\n", 2, &s, &id, 20);
	id.b[1] = 0;
	return statcache_commit(&w, &id, 12345, STATCACHE_KEPT, &err) == 0;
}

static void
comes_back(void)
{
	struct statcache c;
	struct statcache_info info;
	const struct statcache_dir *d;
	const struct statcache_entry *e;
	struct signature s;
	bool all = true;

	ok(write_some("cache"), "a cache is written");
	statcache_open(&c, "cache");
	statcache_about(&c, &info);
	ok(c.head && info.entries == 21 && info.flags == STATCACHE_KEPT && info.walked == 12345 && info.id.b[0] == 7, "its head");
	d = statcache_dir(&c, "", 0);
	if (!ok(d && d->n == 20 && d->flags == STATCACHE_WHOLE && d->subs == 6, "the root")) {
		statcache_release(&c);
		return;
	}
	ok(memcmp(statcache_subs(d), "sub\0s\0", 6) == 0 && d->sig.ino == 99, "what it says of the directory itself");
	e = statcache_first(d);
	for (uint64_t i = 1; i <= 20; i++, e = statcache_next(e)) {
		s = sig_of(i);
		all &= signature_same(&e->sig, &s) && e->len == 4 + i && e->id.b[1] == i && e->rank == 20 - i && strlen(e->name) == e->len;
	}
	ok(all, "names of every length, signatures, hashes and ranks");
	ok(!statcache_dir(&c, "empty", 5), "a directory without anything is not in it");
	d = statcache_dir(&c, "sub", 3);
	ok(d && d->n == 1 && memcmp(statcache_first(d)->name, "\xff\n", 3) == 0, "any byte in a name");
	ok(!statcache_dir(&c, "su", 2) && !statcache_dir(&c, "subs", 4), "paths are whole");
	statcache_release(&c);
}

static void
damage(void)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	struct statcache c;
	unsigned believed = 0;

	write_some("cache");
	fs_read("cache", &b, &err);
	for (size_t i = 0; i < b.n; i++) {
		b.s[i] ^= (char)(1 << i % 8);
		fs_replace("bad", b.s, b.n, 0644, &err);
		statcache_open(&c, "bad");
		believed += c.head != NULL;
		statcache_release(&c);
		b.s[i] ^= (char)(1 << i % 8);
	}
	is_u64(believed, 0, "a flipped bit in any of %zu bytes is noticed", b.n);
	believed = 0;
	for (size_t n = 0; n < b.n; n++) {
		fs_replace("bad", b.s, n, 0644, &err);
		statcache_open(&c, "bad");
		believed += c.head != NULL;
		statcache_release(&c);
	}
	is_u64(believed, 0, "so is any shorter file");
	buf_byte(&b, 'x');
	fs_replace("bad", b.s, b.n, 0644, &err);
	statcache_open(&c, "bad");
	ok(!c.head, "and a longer one");
	statcache_release(&c);
	statcache_open(&c, "absent");
	ok(!c.head && !statcache_dir(&c, "", 0), "one that is not there is empty");
	statcache_release(&c);
	buf_release(&b);
}

static void
racy(void)
{
	const struct statcache_info info = { .t0 = 1000 };
	struct signature s = { .mtime = 999, .ctime = 999 };

	ok(statcache_believed(&info, &s, false), "older than the cache: believed");
	s.mtime = 1000;
	ok(!statcache_believed(&info, &s, false) && statcache_believed(&info, &s, true), "mtime as old: not, unless only ctime counts");
	s.mtime = 1;
	s.ctime = 1000;
	ok(!statcache_believed(&info, &s, false) && !statcache_believed(&info, &s, true), "ctime as old: not");
}

static void
abandoned(void)
{
	struct statcache_new w;
	struct err err = ERR_INIT;
	struct stat st;
	char *tmp;

	ok(statcache_begin(&w, "left", &err) == 0 && stat(w.tmp, &st) == 0 && fs_mtime_ns(&st) == w.t0, "T0 is the temporary file's time");
	tmp = xstrdup(w.tmp);
	statcache_abandon(&w);
	ok(stat(tmp, &st) < 0 && stat("left", &st) < 0, "an abandoned cache leaves nothing");
	free(tmp);
	ok(statcache_begin(&w, "/dev/null/cache", &err) < 0 && strstr(err.text, "/dev/null/cache"), "one that cannot be written says so");
	statcache_abandon(&w);
}

int
main(void)
{
	char dir[] = "/tmp/test_statcache.XXXXXX";

	if (!mkdtemp(dir) || chdir(dir) < 0)
		return 2;
	comes_back();
	damage();
	racy();
	abandoned();
	unlink("cache");
	unlink("bad");
	rmdir(dir);
	return done();
}
