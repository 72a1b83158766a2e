/* whyprint.c: the lineage as a tree that reads well in 80 columns: a file, under it the datum that wrote it with its
 * command and code, under that the files that it saw. What came before is only named, long lists are folded, commands
 * are cut to their first lines; --all and --full undo that. */
#include "why.h"

#include <string.h>

#include "../base/buf.h"
#include "fetched.h"
#include "readers.h"
#include "show.h"

enum { LONG_LIST = 6, SHOWN_OF_LIST = 3, COMMAND_LINES = 6 };

struct tree { struct why *w; struct buf indent; struct err *err; };

static int put_file(struct tree *t, struct lin_file *f, const struct result_input *as, bool last, size_t depth);

static bool
is_prologue(const char *line, size_t n)
{
	static const char *const begin[] = { "#", "umask 022\n", "CDPATH='' cd -- \"${DASSIE_PROJECT", "export LC_ALL=C.UTF-8 TZ=UTC\n",
	    "set -eu\n", "set -e\n" };

	for (size_t i = 0; i < sizeof begin / sizeof *begin; i++)
		if (n >= strlen(begin[i]) && strncmp(line, begin[i], strlen(begin[i])) == 0)
			return true;
	return n == 1;
}

const char *
why_command(const char *script)
{
	while (*script) {
		const char *end = strchr(script, '\n');
		size_t n = end ? (size_t)(end - script) + 1 : strlen(script);

		if (!is_prologue(script, n))
			break;
		script += n;
	}
	return script;
}

static struct buf *
line(struct tree *t)
{
	buf_add(t->w->out, t->indent.s ? t->indent.s : "", t->indent.n);
	return t->w->out;
}

/* Text of a script line: as it is but for what could harm, cut where the terminal ends. */
static void
put_clipped(struct tree *t, const char *s, size_t n)
{
	struct buf raw = BUF_INIT, shown = BUF_INIT;
	size_t room = show_columns(), used = show_width(t->indent.s ? t->indent.s : "", t->indent.n) + 8, width = 0, i;

	buf_add(&raw, s, n);
	show_name(&shown, raw.s);
	room = room > used + 20 ? room - used : 20;
	if (t->w->full || show_width(shown.s, shown.n) <= room) {
		buf_add(t->w->out, shown.s, shown.n);
	} else {
		for (i = 0; i < shown.n; i++) {
			width += ((unsigned char)shown.s[i] & 0xc0) != 0x80;
			if (width >= room)
				break;
		}
		buf_add(t->w->out, shown.s, i);
		buf_str(t->w->out, "…");
	}
	buf_release(&raw);
	buf_release(&shown);
}

static void
put_command(struct tree *t, const char *script)
{
	const char *s = script ? why_command(script) : "";
	size_t lines = 0, total = 0;

	for (const char *p = s; *p; p++)
		total += *p == '\n';
	if (!script)
		buf_str(line(t), "  run   (not recorded)\n");
	while (*s) {
		const char *end = strchr(s, '\n');
		size_t n = end ? (size_t)(end - s) : strlen(s);

		if (!t->w->full && lines == COMMAND_LINES && total > lines + 1) {
			buf_fmt(line(t), "        … and %zu more lines (--full)\n", total - lines);
			return;
		}
		buf_str(line(t), lines == 0 ? "  run   " : "        ");
		put_clipped(t, s, n);
		buf_byte(t->w->out, '\n');
		s += n + (end != NULL);
		lines++;
	}
}

static void
put_code(struct tree *t, const struct lin_step *s)
{
	struct buf *b;

	for (size_t i = 0; i < s->n_code; i++) {
		b = line(t);
		buf_str(b, i == 0 ? "  code  " : "        ");
		show_name(b, s->code[i].path);
		buf_fmt(b, "  %s", show_color(SHOW_DIM));
		show_id(b, &s->code[i].id);
		buf_fmt(b, "%s\n", show_color(SHOW_PLAIN));
	}
	if (s->job.head) {
		b = line(t);
		buf_fmt(b, "  git   %.*s%s%s%s\n", SHORT_HEX, s->job.head, s->job.branch && s->job.branch[0] ? " on " : "",
		    s->job.branch ? s->job.branch : "", !s->job.dirty ? "" : s->diff[0] && !t->w->full ?
		    ", with changes (--full shows them)" : ", with changes");
	}
	for (const char *d = t->w->full ? s->diff : ""; *d; d += strcspn(d, "\n"), d += *d == '\n') {
		buf_str(line(t), "        ");
		put_clipped(t, d, strcspn(d, "\n"));
		buf_byte(t->w->out, '\n');
	}
}

static void
put_times(struct tree *t, const struct result *r)
{
	struct buf *b = line(t);
	const struct attempt *last;

	buf_fmt(b, "  job   %.*s", SHORT_HEX, r->job);
	if (r->n_attempt > 0) {
		last = &r->attempt[r->n_attempt - 1];
		buf_str(b, ", ");
		show_when(b, last->started);
		buf_str(b, " (");
		show_ago(b, last->started);
		buf_str(b, ")\n");
		b = line(t);
		buf_str(b, "        took ");
		show_span(b, last->ended > last->started ? last->ended - last->started : 0);
		if (r->n_attempt > 1)
			buf_fmt(b, ", try %zu", r->n_attempt);
		if (r->host && r->host[0]) {
			buf_str(b, ", on ");
			show_name(b, r->host);
		}
	}
	buf_byte(b, '\n');
}

static void
put_datum_head(struct tree *t, struct lin_datum *d)
{
	struct buf *b = line(t);

	buf_fmt(b, "by %s%s%s  ", show_color(SHOW_BOLD), d->have ? d->r.pipeline : "?", show_color(SHOW_PLAIN));
	if (d->have)
		show_name(b, d->r.label);
	buf_fmt(b, "  %sdatum ", show_color(SHOW_DIM));
	show_id(b, &d->key);
	buf_fmt(b, "%s%s\n", show_color(SHOW_PLAIN), d->shown ? "  (shown above)" : "");
}

/* Every file of every input, as one list. */
static size_t
count_children(const struct lin_datum *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n_input; i++)
		n += d->input[i].lost ? 1 : d->input[i].n_file;
	return n;
}

static void
put_lost(struct tree *t, const struct lin_input *in, bool last)
{
	struct buf *b = line(t);

	buf_fmt(b, "%s %s:/", last ? "└─" : "├─", in->in->name);
	show_name(b, in->in->path);
	buf_str(b, "  a directory whose list of files is not kept any more\n");
}

static int
put_children(struct tree *t, struct lin_datum *d, size_t depth)
{
	size_t total, at = 0, shown = 0, limit;

	for (size_t i = 0; i < d->n_input; i++)
		if (lineage_files(&t->w->l, d, &d->input[i], t->err) < 0)
			return -1;
	total = count_children(d);
	limit = t->w->all || total <= LONG_LIST ? total : SHOWN_OF_LIST;
	for (size_t i = 0; i < d->n_input; i++) {
		struct lin_input *in = &d->input[i];
		size_t n = in->lost ? 1 : in->n_file;

		/* Of each input at least the first file is shown. */
		for (size_t k = 0; k < n; k++, at++) {
			if (shown >= limit && k > 0)
				continue;
			shown++;
			bool last = shown == total;
			if (in->lost)
				put_lost(t, in, last);
			else if (put_file(t, in->file[k], in->in, last, depth) < 0)
				return -1;
		}
	}
	if (shown < total)
		buf_fmt(line(t), "└─ … and %zu more (--all)\n", total - shown);
	return 0;
}

static int
put_datum(struct tree *t, struct lin_datum *d, size_t depth)
{
	bool known = d->step && d->step->known;

	put_datum_head(t, d);
	if (d->shown)
		return 0;
	d->shown = true;
	if (!d->have) {
		buf_str(line(t), "  its result is not kept any more\n");
		return 0;
	}
	if (known && d->step->shown) {
		buf_str(line(t), "  run   as above\n");
	} else {
		put_command(t, known ? d->step->version.script : NULL);
		if (known) {
			put_code(t, d->step);
			d->step->shown = true;
		}
		put_times(t, &d->r);
	}
	return put_children(t, d, depth + 1);
}

static int
put_writers(struct tree *t, struct lin_file *f, size_t depth)
{
	size_t n;

	if (lineage_writers(&t->w->l, f, t->err) < 0)
		return -1;
	n = t->w->all || f->n_by <= LONG_LIST ? f->n_by : SHOWN_OF_LIST;
	if (f->n_by > 1)
		buf_fmt(line(t), "%zu datums wrote it\n", f->n_by);
	for (size_t i = 0; i < n; i++)
		if (put_datum(t, f->by[i], depth) < 0)
			return -1;
	if (n < f->n_by)
		buf_fmt(line(t), "… and %zu more datums (--all)\n", f->n_by - n);
	if (f->n_by == 0)
		buf_str(line(t), "by a datum of which nothing is kept any more\n");
	return 0;
}

/* "data/books", or "s3://bucket/a.csv, etag 5d41…, version 3". */
static void
put_place(struct why *w, const struct lin_file *f)
{
	struct buf url = BUF_INIT;
	const struct fetched_file *o = lineage_fetched(&w->l, f, &url);

	show_name(w->out, o ? url.s : f->dir);
	if (o && *o->etag) {
		buf_str(w->out, ", etag ");
		show_name(w->out, o->etag);
	}
	if (o && *o->version) {
		buf_str(w->out, ", version ");
		show_name(w->out, o->version);
	}
	if (o && *o->modified) {
		buf_str(w->out, ", of ");
		show_name(w->out, o->modified);
	}
	buf_release(&url);
}

static void
put_file_line(struct tree *t, const struct lin_file *f, const struct result_input *as, bool last)
{
	struct buf *b = line(t);

	buf_fmt(b, "%s %s:/", last ? "└─" : "├─", as->name);
	show_name(b, f->path);
	buf_fmt(b, "  %s", show_color(SHOW_DIM));
	show_id(b, &f->id);
	buf_str(b, show_color(SHOW_PLAIN));
	if (f->size != SIZE_UNKNOWN) {
		buf_str(b, "  ");
		show_size(b, f->size);
	}
	if (f->dir && strcmp(f->dir, "-") == 0) {
		buf_fmt(b, "  a tick of %s", f->repo);
	} else if (f->dir) {
		buf_str(b, "  source ");
		put_place(t->w, f);
	}
	buf_byte(b, '\n');
}

static int
put_file(struct tree *t, struct lin_file *f, const struct result_input *as, bool last, size_t depth)
{
	size_t indent = t->indent.n;
	int rc = 0;

	put_file_line(t, f, as, last);
	if (f->dir)
		return 0;
	buf_str(&t->indent, last ? "   " : "│  ");
	rc = put_writers(t, f, depth);
	t->indent.n = indent;
	t->indent.s[indent] = '\0';
	return rc;
}

/* Which datums saw it. */
static int
put_readers(struct why *w, const struct lin_file *f, struct err *err)
{
	struct oid *key;
	size_t n, shown;

	if (readers_find(&w->l, f, &key, &n, err) < 0)
		return -1;
	shown = w->all || n <= LONG_LIST ? n : SHOWN_OF_LIST;
	if (n == 0)
		buf_str(w->out, "no datum that is on record has seen it\n");
	else
		buf_fmt(w->out, "%zu %s seen it\n", n, n == 1 ? "datum has" : "datums have");
	for (size_t i = 0; i < shown; i++) {
		struct lin_datum *d;

		if (lineage_datum(&w->l, &key[i], &d, err) < 0)
			return -1;
		buf_fmt(w->out, "%s %s  ", i + 1 == n ? "└─" : "├─", d->have ? d->r.pipeline : "?");
		show_name(w->out, d->have ? d->r.label : "");
		buf_fmt(w->out, "  %sdatum ", show_color(SHOW_DIM));
		show_id(w->out, &d->key);
		buf_fmt(w->out, "%s\n", show_color(SHOW_PLAIN));
	}
	if (shown < n)
		buf_fmt(w->out, "└─ … and %zu more (--all)\n", n - shown);
	return 0;
}

int
why_print(struct why *w, struct lin_file *f, struct err *err)
{
	struct tree t = { .w = w, .indent = BUF_INIT, .err = err };
	char hex[OID_HEX + 1];
	int rc = 0;

	oid_hex(&f->id, hex);
	buf_fmt(w->out, "%s%s:/", show_color(SHOW_BOLD), f->repo);
	show_name(w->out, f->path);
	buf_fmt(w->out, "%s\nsha256 %s", show_color(SHOW_PLAIN), hex);
	if (f->size != SIZE_UNKNOWN) {
		buf_str(w->out, "  ");
		show_size(w->out, f->size);
	}
	buf_byte(w->out, '\n');
	if (f->has_commit) {
		buf_str(w->out, "commit ");
		show_id(w->out, &f->commit);
		buf_fmt(w->out, " of %s\n", f->repo);
	}
	if (f->dir && strcmp(f->dir, "-") == 0) {
		buf_str(w->out, "a tick: the file is empty, its name is the time; 'dassie cron history' tells of it\n");
	} else if (f->dir) {
		buf_str(w->out, "source ");
		put_place(w, f);
		buf_str(w->out, ": the bytes come from there\n");
		rc = put_readers(w, f, err);
	} else {
		rc = put_writers(&t, f, 0);
	}
	buf_release(&t.indent);
	return rc;
}
