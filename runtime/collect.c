/* collect.c: first the names of everything in out/, then the contents: links before plain files, because a link
 * may point at one, and plain files leave by a rename.  A link to a file of an input whose content the store has
 * is stored by its hash, without reading it.  No process of the command is alive any more. */
#include "collect.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/mem.h"
#include "asuser.h"
#include "failure.h"
#include "result.h"
#include "shown.h"
#include "store.h"
#include "view.h"

/* A file to be stored. */
struct found {
	size_t at;              /* its path below out/, in collect.text */
	bool linked;            /* reached through a symlink: copied, not taken */
	char kind;
	uint64_t size;
	struct oid id;
};

/* The directories from out/ down to here: one that comes again is a loop of links. */
struct parent { const struct parent *up; dev_t dev; ino_t ino; };

struct walk {
	struct collect *c;
	struct view *view;
	struct buf path;        /* as the command knows it: relative links lead on from there */
	size_t root;            /* where the path below out/ begins in it */
	struct fault *fault;
	struct err *err;
};

static int walk_dir(struct walk *w, const struct parent *up, bool linked);

static const char *
below(const struct walk *w)
{
	return w->path.s + w->root;
}

static int
bad(struct walk *w, const char *what)
{
	return fault_set(w->fault, CLASS_OUTPUT, "output '%s' %s", below(w), what);
}

static struct found *
add_file(struct walk *w, bool linked)
{
	struct collect *c = w->c;

	GROW(c->found, c->n, c->cap);
	c->found[c->n] = (struct found){ .at = c->text.n, .linked = linked };
	buf_add(&c->text, below(w), strlen(below(w)) + 1);
	return &c->found[c->n++];
}

/* Content of which the command saw the name only. */
static int
take_unseen(struct walk *w, const struct shown *input)
{
	struct found *f = add_file(w, true);

	f->kind = input->kind;
	f->size = input->size;
	f->id = input->id;
	if (store_has(&input->id, input->size))
		return 0;
	if (store_copy(shown_behind(w->view, input), &f->id, &f->size, w->err) < 0)
		return -1;
	if (oid_eq(&f->id, &input->id))
		return 0;
	return fault_set(w->fault, CLASS_INPUT_CHANGED, "output '%s' is a symlink to an input that changed since the scan: run make again", below(w));
}

/* What a symlink points at.  Content of an input is known by its hash. */
static int
walk_link(struct walk *w, const struct parent *up)
{
	const struct shown *input;
	struct found *f;
	struct stat st;

	if (stat(w->path.s, &st) < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return bad(w, "is a symlink to nothing");
		if (errno == ELOOP)
			return bad(w, "is a symlink that leads back to itself");
		if (errno == EACCES)
			return bad(w, "is a symlink to a file that may not be read");
		return err_set(w->err, errno, "cannot stat '%s':", w->path.s);
	}
	if (!asuser_may_read(w->c->as, w->path.s))
		return bad(w, "is a symlink to something that its user may not read");
	if (S_ISDIR(st.st_mode))
		return walk_dir(w, up, true);
	if (!S_ISREG(st.st_mode))
		return bad(w, "is a symlink to something that is neither a file nor a directory");
	input = view_find(w->view, &st);
	if (input && input->as == SHOWN_EMPTY)
		return take_unseen(w, input);
	f = add_file(w, true);
	f->kind = st.st_mode & S_IXUSR ? 'x' : 'f';
	if (input && store_has(&input->id, input->size)) {
		f->kind = input->kind;
		f->size = input->size;
		f->id = input->id;
		return 0;
	}
	return store_copy(w->path.s, &f->id, &f->size, w->err);
}

/* A file or link that is there by its own name.  linked: below a directory that a symlink leads to. */
static int
walk_entry(struct walk *w, unsigned char type, const struct parent *up, bool linked)
{
	struct stat st;

	if (type == DT_UNKNOWN) {
		if (lstat(w->path.s, &st) < 0)
			return err_set(w->err, errno, "cannot stat '%s':", w->path.s);
		type = S_ISREG(st.st_mode) ? DT_REG : S_ISDIR(st.st_mode) ? DT_DIR : S_ISLNK(st.st_mode) ? DT_LNK :
		    S_ISFIFO(st.st_mode) ? DT_FIFO : S_ISSOCK(st.st_mode) ? DT_SOCK : DT_CHR;
	}
	switch (type) {
	case DT_REG:
		if (linked)
			return walk_link(w, up);
		add_file(w, false);
		return 0;
	case DT_DIR:
		return walk_dir(w, up, linked);
	case DT_LNK:
		return walk_link(w, up);
	case DT_FIFO:
		return bad(w, "is a named pipe");
	case DT_SOCK:
		return bad(w, "is a socket");
	default:
		return bad(w, "is a device");
	}
}

/* 0 with the descriptor; 1, -1 as collect_outputs. */
static int
open_dir(struct walk *w, bool linked, int *ret_fd)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	int fd = open(w->path.s, flags);

	if (fd < 0 && errno == EACCES && !linked && chmod(w->path.s, 0700) == 0)
		fd = open(w->path.s, flags);
	if (fd < 0)
		return errno == EACCES ? bad(w, "may not be read") : err_set(w->err, errno, "cannot open '%s':", w->path.s);
	*ret_fd = fd;
	return 0;
}

/* Type and name of each entry, NUL-terminated. */
static int
list_entries(int fd, struct buf *names)
{
	static _Alignas(struct dirent64) char entries[32 * 1024];
	ssize_t n;

	while ((n = getdents64(fd, (void *)entries, sizeof entries)) > 0)
		for (ssize_t i = 0; i < n;) {
			const struct dirent64 *e = (const void *)(entries + i);

			i += e->d_reclen;
			if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
				continue;
			buf_byte(names, (char)e->d_type);
			buf_add(names, e->d_name, strlen(e->d_name) + 1);
		}
	return n < 0 ? -1 : 0;
}

/* The names first, so that no descriptor is held while going down. */
static int
read_names(struct walk *w, bool linked, struct buf *names, struct parent *here)
{
	int fd = -1, rc = open_dir(w, linked, &fd);
	struct stat st = { 0 };

	if (rc)
		return rc;
	if (fstat(fd, &st) < 0 || list_entries(fd, names) < 0)
		rc = err_set(w->err, errno, "cannot read '%s':", w->path.s);
	/* Files are to leave it. */
	else if (!linked && (st.st_mode & S_IRWXU) != S_IRWXU && fchmod(fd, 0700) < 0)
		rc = err_set(w->err, errno, "cannot chmod '%s':", w->path.s);
	here->dev = st.st_dev;
	here->ino = st.st_ino;
	close(fd);
	return rc;
}

static int
walk_dir(struct walk *w, const struct parent *up, bool linked)
{
	struct buf names = BUF_INIT;
	struct parent here = { .up = up };
	size_t len = w->path.n;
	int rc = read_names(w, linked, &names, &here);

	for (const struct parent *p = up; rc == 0 && p; p = p->up)
		if (p->dev == here.dev && p->ino == here.ino)
			rc = bad(w, "is a symlink that leads back to itself");
	for (size_t i = 0; rc == 0 && i < names.n; i += strlen(names.s + i + 1) + 2) {
		buf_byte(&w->path, '/');
		buf_str(&w->path, names.s + i + 1);
		rc = walk_entry(w, (unsigned char)names.s[i], &here, linked);
		w->path.n = len;
		w->path.s[len] = '\0';
	}
	buf_release(&names);
	return rc;
}

static int
take_files(struct walk *w)
{
	struct collect *c = w->c;
	size_t root;

	/* A rename cannot cross a mount: from where out/ really is. */
	buf_reset(&w->path);
	buf_fmt(&w->path, "%s/out/", w->view->dir);
	root = w->path.n;
	for (size_t i = 0; i < c->n; i++) {
		struct found *f = &c->found[i];

		if (f->linked)
			continue;
		w->path.n = root;
		buf_str(&w->path, c->text.s + f->at);
		if (store_take(w->path.s, &f->kind, &f->id, &f->size, w->err) < 0)
			return -1;
	}
	return 0;
}

static int
by_path(const void *a, const void *b)
{
	const struct result_output *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static void
list_outputs(struct collect *c, struct result *r)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct found *f = &c->found[i];

		GROW(r->output, r->n_output, r->cap_output);
		r->output[r->n_output++] = (struct result_output){ c->text.s + f->at, f->size, f->id, f->kind };
		c->bytes += f->size;
	}
	if (r->n_output > 1)
		qsort(r->output, r->n_output, sizeof r->output[0], by_path);
}

int
collect_outputs(struct collect *c, struct view *v, struct result *r, struct fault *fault, struct err *err)
{
	struct walk w = { .c = c, .view = v, .path = BUF_INIT, .fault = fault, .err = err };
	int rc;

	buf_reset(&c->text);
	c->n = 0;
	c->bytes = 0;
	r->n_output = 0;
	if (!view_has_out(v))
		return fault_set(fault, CLASS_OUTPUT, "the command removed or replaced $out");
	buf_fmt(&w.path, "%s/out", v->pfs ? view_root(v) : v->dir);
	w.root = w.path.n + 1;
	rc = walk_dir(&w, NULL, false);
	if (rc == 0 && c->n > 0)
		rc = take_files(&w);
	if (rc == 0)
		list_outputs(c, r);
	buf_release(&w.path);
	return rc;
}

void
collect_release(struct collect *c)
{
	buf_release(&c->text);
	free(c->found);
	*c = (struct collect)COLLECT_INIT;
}
