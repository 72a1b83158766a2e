/* mkplan.c: a plan by hand, for tests of the runner:  mkplan PLAN WORD ARGUMENTS …
 *
 *   pipeline P  job J  run R  script PATH  err PATH  tries N  timeout MS  delay MS  accept N  salt TEXT
 *   asof NS                       of the inputs after it; else one minute from now: every file is hashed again
 *   input NAME REPO DIR CONTENT   DIR as in the plan ("-": objects, put into the store); CONTENT: the directory that has the files
 *   datum LABEL  match INPUT PATH  empty INPUT PATH  var NAME VALUE
 *   each INPUT                    a datum for every file of the input
 *   forge                         the datum under way gets a wrong key
 *
 * Prints "OFFSET KEY" for every datum. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

#include "../../base/buf.h"
#include "../../base/err.h"
#include "../../base/fs.h"
#include "../../base/json.h"
#include "../../base/key.h"
#include "../../base/manifest.h"
#include "../../base/mem.h"
#include "../../base/plan.h"
#include "../../runtime/store.h"

struct made { struct entry *v; size_t n, cap; struct manifest m; };

struct maker {
	struct plan_head head;
	struct plan_datum datum;
	struct made made[16];
	struct buf text;
	uint64_t asof;
	bool open, began, forge;
};

static struct err err;

static _Noreturn void
die(void)
{
	fprintf(stderr, "mkplan: %s\n", err.text);
	exit(3);
}

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static void
scan(struct made *m, const char *top, const char *dir, bool store)
{
	struct buf path = BUF_INIT, name = BUF_INIT;
	struct dirent *e;
	struct stat st;
	DIR *d;

	fs_join(&path, top, dir);
	if (!(d = opendir(path.s))) {
		err_set(&err, 0, "no directory '%s'", path.s);
		die();
	}
	while ((e = readdir(d))) {
		struct entry one = { 0 };
		int fd;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		buf_reset(&name);
		fs_join(&name, dir, e->d_name);
		buf_reset(&path);
		fs_join(&path, top, name.s);
		if (stat(path.s, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode)) {
			scan(m, top, name.s, store);
			continue;
		}
		one.path = xstrdup(name.s);
		one.kind = st.st_mode & 0100 ? 'x' : 'f';
		fd = open(path.s, O_RDONLY);
		if (fd < 0 || sha256_fd(fd, &one.id, &one.size, &err) < 0)
			die();
		close(fd);
		if (store && store_copy(path.s, &one.id, &one.size, &err) < 0)
			die();
		GROW(m->v, m->n, m->cap);
		m->v[m->n++] = one;
	}
	closedir(d);
	buf_release(&path);
	buf_release(&name);
}

static void
add_input(struct maker *k, char **arg)
{
	struct buf b = BUF_INIT;
	struct made *m = &k->made[k->head.n_input];
	struct plan_input *in = &k->head.input[k->head.n_input++];

	*in = (struct plan_input){ .name = arg[0], .repo = arg[1], .dir = arg[2], .asof = k->asof };
	scan(m, arg[3], "", strcmp(arg[2], "-") == 0);
	if (m->n)
		qsort(m->v, m->n, sizeof m->v[0], by_path);
	manifest_head(&b);
	for (size_t i = 0; i < m->n; i++)
		manifest_line(&b, m->v[i].kind, m->v[i].size, &m->v[i].id, m->v[i].path);
	if (manifest_store(&b, &in->commit, &err) < 0)
		die();
	m->m = (struct manifest){ .v = m->v, .n = m->n };
	buf_release(&b);
}

static void
end_datum(struct maker *k)
{
	char hex[OID_HEX + 1];

	if (!k->open)
		return;
	plan_datum_key(&k->head, &k->datum, &k->datum.key);
	k->datum.key.b[0] ^= k->forge;
	oid_hex(&k->datum.key, hex);
	printf("%zu %s\n", k->text.n, hex);
	plan_datum_write(&k->text, &k->datum);
	k->open = k->forge = false;
	k->datum.n_match = k->datum.n_var = 0;
}

static void
begin_datum(struct maker *k, const char *label)
{
	end_datum(k);
	if (!k->began)
		plan_head_write(&k->text, &k->head);
	k->began = k->open = true;
	k->datum.label = label;
}

static void
add_match(struct maker *k, unsigned input, const char *path, bool empty)
{
	const struct manifest *m = &k->made[input].m;
	const struct entry *e = manifest_find(m, path);
	struct plan_match match = { .input = input, .kind = 'd', .empty = empty, .path = path };
	size_t lo = 0, hi = 0;

	if (e) {
		match.kind = e->kind;
		match.id = e->id;
		match.size = e->size;
	} else {
		manifest_below(m, path, &lo, &hi);
		key_dir_hash(m, lo, hi, &match.id);
	}
	GROW(k->datum.match, k->datum.n_match, k->datum.cap_match);
	k->datum.match[k->datum.n_match++] = match;
}

static void
add_each(struct maker *k, unsigned input)
{
	for (size_t i = 0; i < k->made[input].n; i++) {
		const char *path = k->made[input].v[i].path;

		begin_datum(k, arena_fmt(&k->head.arena, "%s:/%s", k->head.input[input].repo, path));
		add_match(k, input, path, false);
	}
}

static int
word(struct maker *k, char **arg)
{
	const char *w = arg[0];
	const char **text = !strcmp(w, "pipeline") ? &k->head.pipeline : !strcmp(w, "job") ? &k->head.job : !strcmp(w, "run") ? &k->head.run :
	    !strcmp(w, "err") ? &k->head.err_script : !strcmp(w, "script") ? &k->head.script : !strcmp(w, "salt") ? &k->head.salt : NULL;
	size_t cap = k->head.n_accept;

	if (text)
		return *text = arg[1], 2;
	if (!strcmp(w, "tries"))
		return k->head.tries = (unsigned)strtoul(arg[1], NULL, 10), 2;
	if (!strcmp(w, "delay"))
		return k->head.retry.delay = k->head.retry.max_delay = strtoull(arg[1], NULL, 10) * 1000000, 2;
	if (!strcmp(w, "timeout"))
		return k->head.timeout = strtoull(arg[1], NULL, 10) * 1000000, 2;
	if (!strcmp(w, "accept")) {
		GROW(k->head.accept, k->head.n_accept, cap);
		return k->head.accept[k->head.n_accept++] = (int)strtol(arg[1], NULL, 10), 2;
	}
	if (!strcmp(w, "asof"))
		return k->asof = strtoull(arg[1], NULL, 10), 2;
	if (!strcmp(w, "input"))
		return add_input(k, arg + 1), 5;
	if (!strcmp(w, "datum"))
		return begin_datum(k, arg[1]), 2;
	if (!strcmp(w, "match") || !strcmp(w, "empty"))
		return add_match(k, (unsigned)strtoul(arg[1], NULL, 10), arg[2], w[0] == 'e'), 3;
	if (!strcmp(w, "each"))
		return add_each(k, (unsigned)strtoul(arg[1], NULL, 10)), 2;
	if (!strcmp(w, "forge"))
		return k->forge = true, 1;
	if (!strcmp(w, "var")) {
		GROW(k->datum.var, k->datum.n_var, k->datum.cap_var);
		k->datum.var[k->datum.n_var++] = (struct plan_var){ arg[1], arg[2] };
		return 3;
	}
	err_set(&err, 0, "unknown word '%s'", w);
	die();
}

int
main(int argc, char **argv)
{
	static struct maker k;      /* what it holds lives as long as we do */
	static struct plan_input input[16];
	struct oid script;

	k.head.input = input;
	k.head.pipeline = "count";
	k.head.job = "20261122T070000-1";
	k.head.run = "r1";
	k.head.salt = "";
	k.head.script = "step.sh";
	k.head.tries = 3;
	k.asof = time_now_ns() + 60000000000u;
	sha256_bytes("step", 4, &script);
	k.head.step = script;
	for (int i = 2; i < argc;)
		i += word(&k, argv + i);
	end_datum(&k);
	if (argc < 3 || fs_replace(argv[1], k.text.s, k.text.n, 0444, &err) < 0)
		die();
	return 0;
}
