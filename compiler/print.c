/* print.c: the long form, by the tables that loaded it.
 *
 * Fields come in the tables' order, text is plain only where no reader of YAML 1.1 or 1.2 could take it for
 * something else, durations are in seconds and sizes in bytes: one spec has one long form. */
#include "print.h"

#include <string.h>

#include "../base/buf.h"
#include "fields.h"
#include "spec.h"
#include "yaml.h"

static const void *
member(const struct field *f, const void *obj)
{
	return (const char *)obj + f->off;
}

static const void *
sub_object(const struct field *f, const void *obj)
{
	const void *p;

	memcpy(&p, member(f, obj), sizeof p);
	return p;
}

bool
print_given(const struct field *f, const void *obj)
{
	const void *m = member(f, obj);

	switch (f->kind) {
	case FK_STR:
	case FK_NUMBER:
		return ((const struct str *)m)->s;
	case FK_STRS:
		return ((const struct strs *)m)->set;
	case FK_INTS:
		return ((const struct nums *)m)->set;
	case FK_PAIRS:
		return ((const struct pairs *)m)->set;
	case FK_OBJ:
		return sub_object(f, obj);
	case FK_OBJS:
		return ((const struct objs *)m)->set;
	case FK_RAW:
		return ((const struct raw *)m)->node;
	default:
		return ((const struct num *)m)->set;
	}
}

/* Does it hold what only double quotes can? Control characters, and what YAML takes for a line's end or a BOM. */
static bool
needs_escape(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	for (; *p; p++) {
		if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0))
			return true;
		if ((*p == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9)) || (*p == 0xef && (p[1] == 0xbb || p[1] == 0xbf)))
			return true;
	}
	return false;
}

static bool
is_letter(char c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static bool
is_word(const char *s)
{
	static const char *const taken[] = { "true", "false", "null", "yes", "no", "on", "off", "y", "n" };
	bool letter = is_letter(s[0]);
	size_t n = 0;

	while (is_letter(s[n]) || (s[n] >= '-' && s[n] <= '9') || s[n] == '_' || s[n] == '@' || s[n] == '+')
		n++;
	if (!n || s[n])
		return false;
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		if (strlen(taken[i]) == n) {
			size_t k = 0;

			while (k < n && (s[k] | 32) == taken[i][k])
				k++;
			if (k == n)
				return false;
		}
	return letter || s[0] == '_' || (s[0] == '/' && s[1]) || (s[0] == '-' && is_letter(s[1]));
}

static void
add_escaped(struct buf *b, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	buf_byte(b, '"');
	for (; *p; p++) {
		if (*p == '"' || *p == '\\')
			buf_fmt(b, "\\%c", *p);
		else if (*p == '\n')
			buf_str(b, "\\n");
		else if (*p == '\t')
			buf_str(b, "\\t");
		else if (*p < 0x20 || *p == 0x7f)
			buf_fmt(b, "\\x%02X", *p);
		else if (*p == 0xc2 && p[1] && p[1] < 0xa0)
			buf_fmt(b, "\\x%02X", *++p);
		else if (*p == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9)) {
			buf_str(b, p[2] == 0xa8 ? "\\u2028" : "\\u2029");
			p += 2;
		} else if (*p == 0xef && (p[1] == 0xbb || p[1] == 0xbf) && p[2]) {
			buf_fmt(b, "\\u%04X", 0xf000u | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu));
			p += 2;
		} else
			buf_byte(b, (char)*p);
	}
	buf_byte(b, '"');
}

static void
add_text(struct buf *b, const char *s)
{
	if (is_word(s))
		buf_str(b, s);
	else if (needs_escape(s))
		add_escaped(b, s);
	else {
		buf_byte(b, '\'');
		for (const char *q; (q = strchr(s, '\'')); s = q + 1) {
			buf_add(b, s, (size_t)(q - s) + 1);
			buf_byte(b, '\'');
		}
		buf_str(b, s);
		buf_byte(b, '\'');
	}
}

static void
add_node(struct buf *b, const struct ynode *n)
{
	if (n->kind == Y_SCALAR) {
		if (n->plain && n->n && strcspn(n->text, ",[]{}#&*!|>'\"%@`:\n") == n->n)
			buf_str(b, n->text);
		else
			add_text(b, n->text);
		return;
	}
	buf_byte(b, n->kind == Y_MAP ? '{' : '[');
	for (const struct ynode *k = n->kids; k; k = k->next) {
		add_node(b, k);
		if (n->kind == Y_MAP) {
			buf_str(b, ": ");
			add_node(b, k->val);
		}
		if (k->next)
			buf_str(b, ", ");
	}
	buf_byte(b, n->kind == Y_MAP ? '}' : ']');
}

static void
add_num(struct buf *b, const struct field *f, const struct num *n)
{
	if (f->kind == FK_BOOL)
		buf_str(b, n->v ? "true" : "false");
	else if (f->kind == FK_DURATION && n->v % 1000000000 == 0)
		buf_fmt(b, "%llds", (long long)(n->v / 1000000000));
	else
		buf_fmt(b, f->kind == FK_DURATION ? "%lldns" : "%lld", (long long)n->v);
}

static void add_flow(struct buf *b, const struct field *f, const void *obj);

static void
add_flow_obj(struct buf *b, const struct table *t, const void *obj)
{
	const char *sep = "";

	buf_byte(b, '{');
	for (size_t i = 0; i < t->n; i++) {
		if (!print_given(&t->field[i], obj))
			continue;
		buf_str(b, sep);
		buf_str(b, t->field[i].name);
		buf_str(b, ": ");
		add_flow(b, &t->field[i], obj);
		sep = ", ";
	}
	buf_byte(b, '}');
}

static void
add_flow(struct buf *b, const struct field *f, const void *obj)
{
	const void *m = member(f, obj);
	const struct strs *strs = m;
	const struct nums *nums = m;
	const struct pairs *pairs = m;
	const struct objs *objs = m;

	switch (f->kind) {
	case FK_STR:
		add_text(b, ((const struct str *)m)->s);
		break;
	case FK_NUMBER:
		buf_str(b, ((const struct str *)m)->s);
		break;
	case FK_STRS:
		if (f->one && strs->n == 1) {
			add_text(b, strs->v[0].s);
			break;
		}
		for (size_t i = 0; i < strs->n; i++) {
			buf_str(b, i ? ", " : "[");
			add_text(b, strs->v[i].s);
		}
		buf_str(b, strs->n ? "]" : "[]");
		break;
	case FK_INTS:
		for (size_t i = 0; i < nums->n; i++)
			buf_fmt(b, "%s%lld", i ? ", " : "[", (long long)nums->v[i].v);
		buf_str(b, nums->n ? "]" : "[]");
		break;
	case FK_PAIRS:
		for (size_t i = 0; i < pairs->n; i++) {
			buf_str(b, i ? ", " : "{");
			add_text(b, pairs->v[i].key.s);
			buf_str(b, ": ");
			add_text(b, pairs->v[i].val.s);
		}
		buf_str(b, pairs->n ? "}" : "{}");
		break;
	case FK_OBJ:
		add_flow_obj(b, f->sub, sub_object(f, obj));
		break;
	case FK_OBJS:
		for (size_t i = 0; i < objs->n; i++) {
			buf_str(b, i ? ", " : "[");
			add_flow_obj(b, f->sub, (const char *)objs->v + i * f->sub->size);
		}
		buf_str(b, objs->n ? "]" : "[]");
		break;
	case FK_RAW:
		add_node(b, ((const struct raw *)m)->node);
		break;
	default:
		add_num(b, f, m);
	}
}

void
print_value(struct buf *b, const struct field *f, const void *obj)
{
	const void *m = member(f, obj);

	if (f->kind == FK_STR)
		buf_str(b, ((const struct str *)m)->s);
	else if (f->kind == FK_DURATION || f->kind == FK_SIZE)
		buf_fmt(b, "%lld", (long long)((const struct num *)m)->v);
	else
		add_flow(b, f, obj);
}

static void
indent(struct buf *b, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		buf_str(b, "  ");
}

static void add_block(struct buf *b, const struct table *t, const void *obj, unsigned depth, bool first_inline);

/* A list with an item a line. */
static void
add_items(struct buf *b, const struct field *f, const void *obj, unsigned depth)
{
	const struct strs *strs = member(f, obj);
	const struct objs *objs = member(f, obj);

	if (f->kind == FK_STRS) {
		for (size_t i = 0; i < strs->n; i++) {
			indent(b, depth);
			buf_str(b, "- ");
			add_text(b, strs->v[i].s);
			buf_byte(b, '\n');
		}
		return;
	}
	for (size_t i = 0; i < objs->n; i++) {
		indent(b, depth);
		buf_str(b, "- ");
		add_block(b, f->sub, (const char *)objs->v + i * f->sub->size, depth + 1, true);
	}
}

static void
add_pairs(struct buf *b, const struct pairs *v, unsigned depth)
{
	for (size_t i = 0; i < v->n; i++) {
		indent(b, depth);
		add_text(b, v->v[i].key.s);
		buf_str(b, ": ");
		add_text(b, v->v[i].val.s);
		buf_byte(b, '\n');
	}
}

/* One that says only when is as short as it was written. */
static bool
add_short_schedule(struct buf *b, const struct schedule *h)
{
	if (h->tz.s || h->missed.s || h->overlap.s || h->jitter.s || !h->spec.s)
		return false;
	buf_byte(b, ' ');
	add_text(b, h->spec.s);
	buf_byte(b, '\n');
	return true;
}

static void
add_field(struct buf *b, const struct field *f, const void *obj, unsigned depth)
{
	const void *m = member(f, obj);
	const struct objs *objs = m;
	bool lines = f->kind == FK_STRS && ((const struct strs *)m)->n && strstr(f->name, "stdin");

	buf_str(b, f->name);
	buf_byte(b, ':');
	if (f->sub == &schedule_table && add_short_schedule(b, sub_object(f, obj)))
		return;
	if (f->kind == FK_OBJS && f->one && objs->n == 1) {
		buf_byte(b, '\n');
		add_block(b, f->sub, objs->v, depth + 1, false);
	} else if (lines || (f->kind == FK_OBJS && objs->n)) {
		buf_byte(b, '\n');
		add_items(b, f, obj, depth + 1);
	} else if (f->kind == FK_OBJ) {
		buf_byte(b, '\n');
		add_block(b, f->sub, sub_object(f, obj), depth + 1, false);
	} else if (f->kind == FK_PAIRS && ((const struct pairs *)m)->n) {
		buf_byte(b, '\n');
		add_pairs(b, m, depth + 1);
	} else {
		buf_byte(b, ' ');
		add_flow(b, f, obj);
		buf_byte(b, '\n');
	}
}

static void
add_block(struct buf *b, const struct table *t, const void *obj, unsigned depth, bool first_inline)
{
	bool any = false;

	for (size_t i = 0; i < t->n; i++) {
		if (!print_given(&t->field[i], obj))
			continue;
		if (any || !first_inline)
			indent(b, depth);
		add_field(b, &t->field[i], obj, depth);
		any = true;
	}
	if (!any) {
		if (!first_inline)
			indent(b, depth);
		buf_str(b, "{}\n");
	}
}

void
print_pipeline(struct buf *b, const struct pipeline *p)
{
	add_block(b, &pipeline_table, p, 0, false);
}

static void
print_repos(struct buf *b, const struct specset *s)
{
	bool any = false;

	for (size_t i = 0; i < s->n_source; i++) {
		const struct source *src = &s->source[i];

		if (!src->declared)
			continue;
		buf_fmt(b, "%s  ", any ? "" : "repos:\n");
		any = true;
		add_text(b, src->name);
		buf_str(b, ": ");
		if (src->form) {
			add_flow_obj(b, &repo_table, src->form);
			buf_byte(b, '\n');
			continue;
		}
		if (src->keep)
			buf_str(b, "{source: ");
		add_text(b, src->dir);
		buf_str(b, src->keep ? ", keep: true}\n" : "\n");
	}
	if (!any && s->has_repos)
		buf_str(b, "repos: {}\n");
	if (s->pools.n) {
		buf_str(b, "pools:\n");
		add_pairs(b, &s->pools, 1);
	}
	if (s->schedule) {
		buf_str(b, "schedule:");
		if (!add_short_schedule(b, s->schedule)) {
			buf_byte(b, '\n');
			add_block(b, &schedule_table, s->schedule, 1, false);
		}
	}
	if (s->notify)
		add_field(b, field_find(&set_table, "notify"), s, 0);
}

void
print_set(struct buf *b, const struct specset *s)
{
	bool head = s->has_repos || s->pools.n;

	if (head)
		print_repos(b, s);
	for (size_t i = 0; i < s->n_pipeline; i++) {
		if (i || head)
			buf_str(b, "---\n");
		print_pipeline(b, &s->pipeline[i]);
	}
}
