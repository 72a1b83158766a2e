/* pushshow.c: what a push says: a line that is rewritten while it runs, where somebody watches; one at its end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/json.h"
#include "../base/talk.h"
#include "dest.h"
#include "place.h"
#include "push.h"
#include "show.h"

void
push_progress(struct push *p)
{
	moving_at(&p->moving, p->out.put, p->todo, p->dest->ops->moved(p->dest), p->todo_bytes);
}

static void
tell_failed(struct push *p, struct buf *b)
{
	const struct pushed *o = &p->out;
	const char *s;

	if (p->opt.check) {
		buf_fmt(b, "%s: the check of ", p->place->pipeline);
		show_name(b, o->url);
		buf_str(b, " failed");
	} else {
		buf_fmt(b, "%s: egress failed: ", p->place->pipeline);
		show_files(b, o->put, o->put_bytes);
		buf_str(b, " went to ");
		show_name(b, o->url);
		buf_str(b, ", ");
		show_files(b, o->left, o->left_bytes);
		buf_fmt(b, " %s left; 'dassie egress %s' goes on with them", o->left == 1 ? "is" : "are", o->pipeline);
	}
	for (s = o->reason; *s; ) {
		size_t n = strcspn(s, "\n");

		buf_fmt(b, "\n    %.*s", (int)n, s);
		s += n + (s[n] == '\n');
	}
	if (p->n_reason > 3)
		buf_fmt(b, "\n    … and %u more", p->n_reason - 3);
}

static void
tell_done(struct push *p, struct buf *b)
{
	const struct pushed *o = &p->out;

	buf_fmt(b, "%s: ", o->pipeline);
	if (p->opt.check) {
		show_name(b, o->url);
		buf_str(b, " can be written to");
		return;
	}
	if (p->opt.dry) {
		buf_str(b, "would push ");
		show_files(b, p->todo, p->todo_bytes);
	} else {
		buf_str(b, "pushed ");
		show_files(b, o->put, o->put_bytes);
	}
	buf_str(b, " to ");
	show_name(b, o->url);
	if (o->same)
		buf_fmt(b, ", %llu lay there already", (unsigned long long)o->same);
	if (p->opt.dry && p->place->delete_ && p->going)
		buf_fmt(b, ", and remove %llu", (unsigned long long)p->going);
	else if (o->gone)
		buf_fmt(b, ", removed %llu", (unsigned long long)o->gone);
}

static void
tell_json(struct push *p)
{
	const struct pushed *o = &p->out;
	struct buf b = BUF_INIT;

	json_open(&b, NULL, '{');
	json_str(&b, "pipeline", o->pipeline);
	json_str(&b, "url", o->url);
	json_oid(&b, "commit", &o->commit);
	json_str(&b, "state", o->failed ? "failed" : p->opt.dry ? "dry-run" : p->opt.check ? "checked" : "done");
	json_time(&b, "started", o->started);
	json_time(&b, "finished", o->finished);
	json_i64(&b, "put", (int64_t)(p->opt.dry ? p->todo : o->put));
	json_i64(&b, "put_bytes", (int64_t)(p->opt.dry ? p->todo_bytes : o->put_bytes));
	json_i64(&b, "unchanged", (int64_t)o->same);
	json_i64(&b, "deleted", (int64_t)(p->opt.dry && p->place->delete_ ? p->going : o->gone));
	json_i64(&b, "left", (int64_t)(p->opt.dry ? 0 : o->left));
	json_i64(&b, "left_bytes", (int64_t)(p->opt.dry ? 0 : o->left_bytes));
	json_str(&b, "reason", *o->reason ? o->reason : NULL);
	json_close(&b, '}');
	puts(b.s);
	buf_release(&b);
}

void
push_tell(struct push *p)
{
	struct buf b = BUF_INIT;

	if (p->opt.json)
		tell_json(p);
	if (p->opt.quiet && !p->out.failed)
		return;
	buf_str(&b, "dassie: ");
	if (p->out.failed)
		tell_failed(p, &b);
	else
		tell_done(p, &b);
	buf_byte(&b, '\n');
	talk_raw(b.s, b.n);
	buf_release(&b);
}

void
push_plan_line(struct push *p, const char *op, const char *path, uint64_t size)
{
	struct buf b = BUF_INIT, key = BUF_INIT;

	buf_fmt(&key, "%s%s%s", p->place->to.kind == DEST_S3 ? p->place->to.prefix : "", p->base, path);
	if (p->opt.json) {
		json_open(&b, NULL, '{');
		json_str(&b, "op", op);
		json_str(&b, "key", key.s);
		json_i64(&b, "size", (int64_t)size);
		json_close(&b, '}');
	} else if (!p->opt.quiet) {
		buf_fmt(&b, "%-6s ", op);
		show_name(&b, key.s);
	}
	if (b.n)
		puts(b.s);
	buf_release(&b);
	buf_release(&key);
}
