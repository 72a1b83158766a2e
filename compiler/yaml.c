/* yaml.c: libyaml's events into a tree.
 *
 * Events, not libyaml's own documents: so that anchors, merge keys and limits are ours.  An alias is a node that
 * shares its anchor's children, so a bomb of aliases costs nothing to read; what it would expand to is counted (weight)
 * and refused over a limit, as is what is nested too deeply (height).
 *
 * libyaml counts characters where we want bytes: a table with the byte of every 256th character gives the rest by
 * a short walk, and none at all in a text that is ASCII.
 *
 * JSON comes by the same way.  What YAML does not take of it is made good before: tabs between tokens become blanks
 * and pairs of surrogates one escape (byte for byte, so that places stay), and objects that just follow one another,
 * with or without "---" between them, are parsed one by one. */
#include "yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "../base/mem.h"
#include "template.h"

enum { STRIDE = 256, SLICES_MAX = 100000, ANCHORS_MAX = 1000, MERGE_MAX = 20000000 };

struct anchor { const char *name; struct ynode *node; bool open; };

struct level { struct ynode *node, *last, *key; size_t anchor; };   /* anchor: its number from 1, 0 if none */

struct reader {
	struct arena *a, *nodes;
	struct diag *d;
	const char *text;           /* the user's */
	size_t n;
	uint32_t base;
	uint32_t *stride;           /* byte offset of every STRIDE-th character; NULL: all ASCII */
	size_t from_char;           /* character at which the slice under way begins */
	struct level *level;        /* of YAML_DEPTH */
	size_t depth;
	struct anchor *anchor;
	size_t n_anchor, cap_anchor;
	uint64_t n_nodes;
	uint64_t merging;           /* keys compared for '<<' */
	yaml_take *take;
	void *arg;
	bool is_json;               /* it begins as JSON does */
};

static bool
ascii(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] >= 0x80)
			return false;
	return true;
}

static void
stride_make(struct reader *r)
{
	size_t chars = 0;

	if (ascii(r->text, r->n))
		return;
	r->stride = xmalloc((r->n / STRIDE + 2) * sizeof *r->stride);
	for (size_t i = 0; i < r->n; i++) {
		if (((unsigned char)r->text[i] & 0xc0) == 0x80)
			continue;
		if (chars % STRIDE == 0)
			r->stride[chars / STRIDE] = (uint32_t)i;
		chars++;
	}
	if (chars % STRIDE == 0)
		r->stride[chars / STRIDE] = (uint32_t)r->n;
}

static uint32_t
byte_of(const struct reader *r, size_t chr)
{
	size_t at;

	chr += r->from_char;
	if (!r->stride)
		return (uint32_t)(chr < r->n ? chr : r->n);
	at = r->stride[chr / STRIDE];
	for (size_t left = chr % STRIDE; left > 0 && at < r->n; left--)
		for (at++; at < r->n && ((unsigned char)r->text[at] & 0xc0) == 0x80; at++)
			;
	return (uint32_t)at;
}

static struct span
span_of(const struct reader *r, const yaml_mark_t *from, const yaml_mark_t *to)
{
	uint32_t lo = byte_of(r, from->index), hi = to->index > from->index ? byte_of(r, to->index) : lo;

	return (struct span){ r->base + lo, hi - lo };
}

static struct ynode *
node_new(struct reader *r, enum ykind kind, const yaml_event_t *ev)
{
	struct ynode *n = arena_alloc(r->nodes, sizeof *n);

	n->kind = kind;
	n->weight = 1;
	n->at = span_of(r, &ev->start_mark, &ev->end_mark);
	n->text = "";
	return n;
}

static struct anchor *
anchor_find(struct reader *r, const char *name)
{
	for (size_t i = r->n_anchor; i > 0; i--)
		if (!strcmp(r->anchor[i - 1].name, name))
			return &r->anchor[i - 1];
	return 0;
}

static bool
anchor_add(struct reader *r, const yaml_char_t *name, struct ynode *node, bool open)
{
	if (!name)
		return true;
	if (r->n_anchor >= ANCHORS_MAX)
		return diag_error(r->d, node->at, "more than %d anchors in a document", ANCHORS_MAX);
	GROW(r->anchor, r->n_anchor, r->cap_anchor);
	r->anchor[r->n_anchor++] = (struct anchor){ arena_str(r->nodes, (const char *)name), node, open };
	return true;
}

static bool
is_merge(const struct ynode *key)
{
	return key->plain && !strcmp(key->text, "<<");
}

static bool
has_key(struct reader *r, const struct ynode *map, const char *text)
{
	for (const struct ynode *k = map->kids; k; k = k->next, r->merging++)
		if (!is_merge(k) && !strcmp(k->text, text))
			return true;
	return false;
}

/* Append the keys of `from` that `map` has not. */
static bool
merge_one(struct reader *r, struct ynode *map, const struct ynode *from, struct ynode **last)
{
	if (from->kind != Y_MAP)
		return diag_error(r->d, from->at, "'<<' merges maps, this is %s", ynode_kind_name(from));
	for (const struct ynode *k = from->kids; k; k = k->next) {
		struct ynode *copy;

		if (is_merge(k) || has_key(r, map, k->text))
			continue;
		if (r->merging > MERGE_MAX)
			return diag_error(r->d, from->at, "'<<' merges too much");
		copy = arena_alloc(r->nodes, sizeof *copy);
		*copy = *k;
		copy->next = 0;
		(*last)->next = copy;
		*last = copy;
		map->weight += k->val->weight + 1;
		r->n_nodes += k->val->weight + 1;
		if (map->height <= k->val->height)
			map->height = (uint16_t)(k->val->height + 1);
	}
	return true;
}

/* Merge keys: what the map says itself wins, then the first of several. */
static bool
merge_keys(struct reader *r, struct ynode *map, struct ynode *last)
{
	bool ok = true;
	struct ynode **p = &map->kids, *merge = 0, *k;

	for (k = map->kids; k && !is_merge(k); k = k->next)
		;
	if (!k)
		return true;
	for (k = map->kids; k; k = k->next) {
		if (!is_merge(k))
			continue;
		merge = k->val;
		if (merge->kind != Y_SEQ) {
			ok &= merge_one(r, map, merge, &last);
			continue;
		}
		for (const struct ynode *m = merge->kids; m; m = m->next)
			ok &= merge_one(r, map, m, &last);
	}
	while (*p)
		if (is_merge(*p))
			*p = (*p)->next;
		else
			p = &(*p)->next;
	return ok;
}

/* Does "{{" begin here? */
static bool
is_template(const struct reader *r, const struct ynode *n)
{
	size_t at = n->at.off - r->base;

	return at > 0 && at < r->n && r->text[at - 1] == '{' && r->text[at] == '{';
}

/* A finished node takes its place in what is open. */
static bool
place(struct reader *r, struct ynode *n)
{
	struct level *l;

	if (r->n_nodes > YAML_NODES)
		return diag_error(r->d, n->at, "more than %d values in a file, aliases followed", YAML_NODES);
	if (r->depth == 0) {
		r->n_anchor = 0;
		r->take(r->arg, n);
		return true;
	}
	l = &r->level[r->depth - 1];
	if (l->node->kind == Y_MAP && !l->key) {
		if (n->kind == Y_MAP && is_template(r, n))
			return diag_error(r->d, n->at, "'{{' is of a template that was not expanded; compile what your templates make");
		if (n->kind != Y_SCALAR)
			return diag_error(r->d, n->at, "a key must be text, this is %s", ynode_kind_name(n));
		l->key = n;
		return true;
	}
	l->node->weight += n->weight + (l->key != 0);
	if (l->node->height <= n->height)
		l->node->height = (uint16_t)(n->height + 1);
	if (l->key) {
		l->key->val = n;
		n = l->key;
		l->key = 0;
	}
	if (l->last)
		l->last->next = n;
	else
		l->node->kids = n;
	l->last = n;
	return true;
}

static bool
on_scalar(struct reader *r, const yaml_event_t *ev)
{
	struct ynode *n = node_new(r, Y_SCALAR, ev);

	n->text = arena_dup(r->a, (const char *)ev->data.scalar.value, ev->data.scalar.length);
	n->n = (uint32_t)ev->data.scalar.length;
	n->plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	r->n_nodes++;
	return anchor_add(r, ev->data.scalar.anchor, n, false) && place(r, n);
}

static bool
on_alias(struct reader *r, const yaml_event_t *ev)
{
	const char *name = (const char *)ev->data.alias.anchor;
	const struct anchor *an = anchor_find(r, name);
	struct ynode *n = node_new(r, Y_SCALAR, ev);

	if (!an)
		return diag_error(r->d, n->at, "no anchor '&%s' before this", name);
	if (an->open)
		return diag_error(r->d, n->at, "'*%s' is inside of what it stands for", name);
	if (an->node->height + r->depth > YAML_DEPTH)
		return diag_error(r->d, n->at, "nested more than %d deep", YAML_DEPTH);
	*n = *an->node;
	n->next = n->val = 0;
	n->at = span_of(r, &ev->start_mark, &ev->end_mark);
	r->n_nodes += n->weight;
	return place(r, n);
}

static bool
on_start(struct reader *r, enum ykind kind, const yaml_event_t *ev, const yaml_char_t *anchor)
{
	struct ynode *n = node_new(r, kind, ev);

	r->n_nodes++;
	if (r->depth >= YAML_DEPTH)
		return diag_error(r->d, n->at, "nested more than %d deep", YAML_DEPTH);
	if (!anchor_add(r, anchor, n, true))
		return false;
	r->level[r->depth++] = (struct level){ n, 0, 0, anchor ? r->n_anchor : 0 };
	return true;
}

static bool
on_end(struct reader *r)
{
	struct level *l = &r->level[r->depth - 1];
	struct ynode *n = l->node;

	if (l->anchor)
		r->anchor[l->anchor - 1].open = false;
	r->depth--;
	if (n->kind == Y_MAP && !merge_keys(r, n, l->last))
		return false;
	return place(r, n);
}

static bool
on_event(struct reader *r, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(r, ev);
	case YAML_ALIAS_EVENT:
		return on_alias(r, ev);
	case YAML_SEQUENCE_START_EVENT:
		return on_start(r, Y_SEQ, ev, ev->data.sequence_start.anchor);
	case YAML_MAPPING_START_EVENT:
		return on_start(r, Y_MAP, ev, ev->data.mapping_start.anchor);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_end(r);
	default:
		return true;
	}
}

/* Every other byte is 0, or there is its mark. */
static bool
utf16(const struct reader *r)
{
	const char *s = r->text;

	return r->n >= 4 && (!memcmp(s, "\xff\xfe", 2) || !memcmp(s, "\xfe\xff", 2) || (!s[0] && s[1] && !s[2] && s[3]) || (s[0] && !s[1] && s[2] && !s[3]));
}

/* What libyaml says, with the place, and what it was about where that is elsewhere. */
static bool
syntax_error(struct reader *r, const yaml_parser_t *p)
{
	struct span at = { r->base + byte_of(r, p->problem_mark.index), 1 };
	const char *what = p->problem ? p->problem : "not YAML", *why, *mark;
	size_t cause, pos = at.off - r->base;

	if (p->error == YAML_MEMORY_ERROR)
		return diag_error(r->d, at, "out of memory");
	if (p->error == YAML_READER_ERROR) {
		if (utf16(r))
			return diag_error(r->d, (struct span){ r->base, 1 }, "this is UTF-16 or UTF-32; save it as UTF-8, as 'iconv -f UTF-16 -t UTF-8' does");
		at.off = r->base + byte_of(r, 0) + (uint32_t)p->problem_offset;
		if (at.off > r->base + r->n)
			at.off = r->base + (uint32_t)r->n;
		return diag_error(r->d, at, "%s; a spec is text in UTF-8", what);
	}
	if ((mark = memmem(r->text, r->n, "\n\xef\xbb\xbf", 4)))
		return diag_error(r->d, (struct span){ r->base + (uint32_t)(mark + 1 - r->text), 3 }, "a byte order mark in the middle, of a file that was put "
		    "behind another one: take it out");
	if (r->is_json && (why = template_json(r->text, r->n, pos, &cause)))
		return diag_error(r->d, (struct span){ r->base + (uint32_t)cause, 1 }, "%s", why);
	if (pos < r->n && r->text[pos] == '%' && pos && r->text[pos - 1] == '{')
		return diag_error(r->d, at, "'{%%' is of a template that was not expanded; compile what your templates make, or use 'params' and 'foreach'");
	if (pos < r->n && r->text[pos] == '\t' && strstr(what, "cannot start any token"))
		return diag_error(r->d, at, "a tab cannot indent YAML; use blanks");
	if (pos > 0 && pos < r->n && r->text[pos] == '{' && r->text[pos - 1] == '$')
		return diag_error(r->d, at, "within […] and {…} a text with '${' needs quotes: \"${name}\"");
	if (p->context && p->context_mark.index != p->problem_mark.index) {
		diag_error(r->d, at, "%s", what);
		diag_note(r->d, (struct span){ r->base + byte_of(r, p->context_mark.index), 1 }, "%s that begins here", p->context);
		return false;
	}
	return diag_error(r->d, at, "%s%s%s", what, p->context ? " " : "", p->context ? p->context : "");
}

static bool
parse_slice(struct reader *r, const char *text, size_t n)
{
	yaml_parser_t p;
	yaml_event_t ev;
	bool ok = true, more = true;

	if (!yaml_parser_initialize(&p))
		return diag_error(r->d, (struct span){ 0, 0 }, "out of memory");
	yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&p, (const unsigned char *)text, n);
	r->depth = 0;
	while (ok && more) {
		if (!yaml_parser_parse(&p, &ev)) {
			ok = syntax_error(r, &p);
			break;
		}
		more = ev.type != YAML_STREAM_END_EVENT;
		ok = on_event(r, &ev);
		yaml_event_delete(&ev);
	}
	yaml_parser_delete(&p);
	return ok;
}

/* A line of "---" (or "...") only. */
static bool
is_marker(const char *s, size_t n, size_t i)
{
	size_t end = i + 3;

	if (n - i < 3 || (i && s[i - 1] != '\n') || (memcmp(s + i, "---", 3) != 0 && memcmp(s + i, "...", 3) != 0))
		return false;
	while (end < n && (s[end] == ' ' || s[end] == '\t' || s[end] == '\r'))
		end++;
	return end == n || s[end] == '\n';
}

/* Past blanks, comments and what stands between documents. */
static size_t
skip_blank(const char *s, size_t n, size_t i)
{
	for (; i < n; i++) {
		if (s[i] == '#')
			while (i < n && s[i] != '\n')
				i++;
		else if (is_marker(s, n, i))
			i += 2;
		else if (!strchr(" \t\r\n", s[i]) || !s[i])
			break;
	}
	return i < n ? i : n;
}

static bool
hex_unit(const char *s, unsigned *ret)
{
	*ret = 0;
	if (s[0] != '\\' || s[1] != 'u')
		return false;
	for (int i = 2; i < 6; i++) {
		char c = s[i] | 32;

		if (!(s[i] >= '0' && s[i] <= '9') && !(c >= 'a' && c <= 'f'))
			return false;
		*ret = *ret << 4 | (unsigned)(s[i] <= '9' ? s[i] - '0' : c - 'a' + 10);
	}
	return true;
}

/* "\uD83D\uDE00" is "\U0001F600" to YAML; a backslash before a line's end says nothing, and fills the two bytes. */
static void
join_surrogates(char *s)
{
	unsigned hi, lo;
	char text[16];

	if (!hex_unit(s, &hi) || hi < 0xd800 || hi > 0xdbff || !hex_unit(s + 6, &lo) || lo < 0xdc00 || lo > 0xdfff)
		return;
	snprintf(text, sizeof text, "\\\n\\U%08X", 0x10000 + ((hi - 0xd800) << 10) + (lo - 0xdc00));
	memcpy(s, text, 12);
}

/* The end of the JSON value that begins at i, 0 if it does not end or is no JSON; its tabs become blanks in `s`. */
static size_t
json_end(char *s, size_t n, size_t i)
{
	size_t depth = 0;

	for (; i < n; i++) {
		char c = s[i];

		if (c == '"') {
			for (i++; i < n && s[i] != '"'; i++) {
				if (s[i] != '\\')
					continue;
				if (n - i >= 12 && s[i + 1] == 'u')
					join_surrogates(s + i);
				i++;
			}
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (c == '}' || c == ']') {
			if (--depth == 0)
				return i + 1;
		} else if (c == '\t') {
			s[i] = ' ';
		} else if (c == '#' && strchr(" \t\r\n,", s[i - 1])) {
			while (i + 1 < n && s[i + 1] != '\n')
				i++;
		} else if (c == '#' || c == '\'') {
			return 0;
		}
	}
	return 0;
}

static size_t
count_chars(const char *s, size_t n)
{
	size_t chars = 0;

	for (size_t i = 0; i < n; i++)
		chars += ((unsigned char)s[i] & 0xc0) != 0x80;
	return chars;
}

/* A text of JSON values that follow one another: each for itself.  False in *ret_json: it is no such text, but *text has
 * those made good that it begins with. */
static bool
parse_json(struct reader *r, const char **text, char **ret_copy, bool *ret_json)
{
	char *copy;
	size_t first = skip_blank(r->text, r->n, 0), slices = 0, end = 0, counted = 0;
	bool ok = true;

	*ret_json = false;
	if (first == r->n || (r->text[first] != '{' && r->text[first] != '['))
		return true;
	r->is_json = true;
	*text = *ret_copy = copy = xmemdup(r->text, r->n);
	for (size_t i = first; i < r->n; i = skip_blank(copy, r->n, end)) {
		end = copy[i] == '{' || copy[i] == '[' ? json_end(copy, r->n, i) : 0;
		if (!end || ++slices > SLICES_MAX)
			return true;
	}
	*ret_json = true;
	for (size_t i = first; ok && i < r->n; i = skip_blank(copy, r->n, end)) {
		end = json_end(copy, r->n, i);
		r->from_char += count_chars(copy + counted, i - counted);
		counted = i;
		ok = parse_slice(r, copy + i, end - i);
	}
	return ok;
}

bool
yaml_parse(struct arena *a, struct arena *nodes, struct diag *d, const char *text, size_t n, uint32_t base, yaml_take *take, void *arg)
{
	struct reader reader = { .a = a, .nodes = nodes, .d = d, .take = take, .arg = arg }, *r = &reader;
	char *copy = NULL;
	bool ok, json;

	if (n > YAML_BYTES)
		return diag_error(d, (struct span){ base, 0 }, "larger than %d MB", YAML_BYTES >> 20);
	if (n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		n -= 3;
		base += 3;
	}
	r->text = text;
	r->n = n;
	r->base = base;
	r->level = xmalloc(YAML_DEPTH * sizeof *r->level);
	stride_make(r);
	ok = parse_json(r, &text, &copy, &json);
	if (ok && !json)
		ok = parse_slice(r, text, n);
	free(copy);
	free(r->stride);
	free(r->anchor);
	free(r->level);
	return ok;
}

static void
chain(void *arg, struct ynode *doc)
{
	struct ynode ***end = arg;

	**end = doc;
	*end = &doc->next;
}

bool
yaml_parse_all(struct arena *a, struct arena *nodes, struct diag *d, const char *text, size_t n, uint32_t base, struct ynode **ret_docs)
{
	*ret_docs = NULL;
	return yaml_parse(a, nodes, d, text, n, base, chain, &ret_docs);
}

struct ynode *
ynode_copy(struct arena *to, const struct ynode *n)
{
	struct ynode *c = arena_alloc(to, sizeof *c), **end = &c->kids;

	*c = *n;
	c->next = c->kids = 0;
	if (n->val)
		c->val = ynode_copy(to, n->val);
	for (const struct ynode *k = n->kids; k; k = k->next, end = &(*end)->next)
		*end = ynode_copy(to, k);
	return c;
}

bool
ynode_is_null(const struct ynode *n)
{
	if (n->kind != Y_SCALAR || !n->plain)
		return false;
	switch (*n->text) {
	case '\0':
		return true;
	case '~':
		return !n->text[1];
	case 'n':
		return !strcmp(n->text, "null");
	case 'N':
		return !strcmp(n->text, "Null") || !strcmp(n->text, "NULL");
	default:
		return false;
	}
}

const struct ynode *
ynode_get(const struct ynode *map, const char *key)
{
	if (map->kind != Y_MAP)
		return 0;
	for (const struct ynode *k = map->kids; k; k = k->next)
		if (!strcmp(k->text, key))
			return k->val;
	return 0;
}

struct span
ynode_part(const struct diag *d, const struct ynode *n, size_t from, size_t len)
{
	const struct diag_file *f = diag_file_of(d, n->at.off);
	size_t at, quote = n->plain ? 0 : 1;

	if (!f || n->kind != Y_SCALAR || n->at.len < n->n + 2 * quote)
		return n->at;
	at = n->at.off - f->base + quote;
	if (at + n->n > f->n || memcmp(f->text + at, n->text, n->n) != 0)
		return n->at;
	return (struct span){ n->at.off + (uint32_t)(quote + from), (uint32_t)len };
}

const char *
ynode_kind_name(const struct ynode *n)
{
	if (n->kind == Y_MAP)
		return "a map";
	if (n->kind == Y_SEQ)
		return "a list";
	return ynode_is_null(n) ? "nothing" : "text";
}
