/* replay.c: runs a fuzz target over kept inputs, and over some made of them.
 *
 *	TARGET [-mutate=N] FILE|FOLDER…
 *
 * -mutate: so many changed inputs after each kept one: bytes changed, taken out, doubled, and parts of the input before it put in.
 * They are the same in every run, so a failure comes again.  What ends the program lies in ./broken-input then. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/buf.h"
#include "../../base/err.h"
#include "../../base/fs.h"
#include "../../base/mem.h"
#include "fuzz.h"

/* libFuzzer has a main of its own. */
#ifndef DASSIE_LIBFUZZER

enum { INPUT_MAX = 64 << 10 };

static char **name;
static size_t n_name, cap_name;
static uint64_t state = 88172645463325252u;
static const struct buf *running;
static FILE *broken;

static uint64_t
any(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

static void
keep_input(int sig)
{
	if (broken && running && running->s && fwrite(running->s, 1, running->n, broken) == running->n)
		fflush(broken);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void
run_one(const struct buf *b)
{
	/* In exactly so much memory, so that a byte too far is seen. */
	uint8_t *exact = malloc(b->n ? b->n : 1);

	want(exact, "memory is out");
	if (b->n)
		memcpy(exact, b->s, b->n);
	running = b;
	LLVMFuzzerTestOneInput(exact, b->n);
	running = NULL;
	free(exact);
}

static void
splice(struct buf *b, size_t at, size_t drop, const char *p, size_t n)
{
	struct buf made = BUF_INIT;

	buf_add(&made, b->s, at);
	buf_add(&made, p, n);
	buf_add(&made, b->s + at + drop, b->n - at - drop);
	buf_release(b);
	*b = made;
}

static void
change(struct buf *b, const struct buf *other)
{
	size_t at = b->n ? any(b->n) : 0, n = b->n ? 1 + any(b->n - at < 16 ? b->n - at : 16) : 0;
	char byte = (char)any(256), part[16];

	switch (b->n ? any(5) : 4) {
	case 0:
		b->s[at] = byte;
		break;
	case 1:
		b->s[at] ^= (char)(1 << any(8));
		break;
	case 2:
		splice(b, at, n, "", 0);
		break;
	case 3:
		memcpy(part, b->s + at, n);
		splice(b, any(b->n + 1), 0, part, n);
		break;
	default:
		n = other->n < 16 ? other->n : 16;
		if (n)
			splice(b, at, 0, other->s + any(other->n - n + 1), n);
	}
}

static void
run_file(const char *path, unsigned mutate, struct buf *last)
{
	struct buf b = BUF_INIT, changed = BUF_INIT;
	struct err err = ERR_INIT;

	want(fs_read(path, &b, &err) == 1, "an input can be read");
	buf_reserve(&b, 1);
	run_one(&b);
	for (unsigned i = 0; i < mutate && b.n < INPUT_MAX; i++) {
		/* A walk from the input, begun anew now and then. */
		if (i % 8 == 0) {
			buf_reset(&changed);
			buf_add(&changed, b.s, b.n);
			buf_reserve(&changed, 1);
		}
		change(&changed, last->n && any(2) ? last : &b);
		run_one(&changed);
	}
	buf_release(&changed);
	buf_release(last);
	*last = b;
}

static void
add_path(const char *path)
{
	struct stat st;
	DIR *d;
	struct dirent *e;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
		GROW(name, n_name, cap_name);
		want((name[n_name++] = realpath(path, NULL)) != NULL, "an input is there");
		return;
	}
	d = opendir(path);
	want(d, "a folder of inputs can be read");
	while ((e = readdir(d)))
		if (e->d_name[0] != '.') {
			struct buf b = BUF_INIT;

			fs_join(&b, path, e->d_name);
			add_path(b.s);
			buf_release(&b);
		}
	closedir(d);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int
main(int argc, char **argv)
{
	struct buf last = BUF_INIT;
	unsigned mutate = 0;

	for (int i = 1; i < argc; i++)
		if (!strncmp(argv[i], "-mutate=", 8))
			mutate = (unsigned)strtoul(argv[i] + 8, NULL, 10);
		else
			add_path(argv[i]);
	broken = fopen("broken-input", "w");
	signal(SIGABRT, keep_input);
	if (n_name)
		qsort(name, n_name, sizeof *name, by_name);
	for (size_t i = 0; i < n_name; i++) {
		run_file(name[i], mutate, &last);
		free(name[i]);
	}
	buf_release(&last);
	free(name);
	if (broken)
		fclose(broken);
	printf("%zu inputs, %u changed ones of each\n", n_name, mutate);
	return n_name == 0;
}

#endif
