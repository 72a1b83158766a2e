/* xml.c: expat's events, made into a tree; a page of a listing is the largest thing that comes here. */
#include "xml.h"

#include <expat.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/mem.h"

enum { DEEPEST = 64 };

struct level { struct xml *node, **tail; struct buf text; };

struct reader {
	XML_Parser parser;
	struct arena *a;
	struct xml *root;
	struct level level[DEEPEST];
	size_t depth;
	bool bad;
};

static void
refuse(struct reader *r)
{
	r->bad = true;
	XML_StopParser(r->parser, XML_FALSE);
}

static void XMLCALL
on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *r = ctx;
	const char *colon = strrchr(name, ':');
	struct xml *x;

	(void)attributes;
	if (r->depth == DEEPEST) {
		refuse(r);
		return;
	}
	x = arena_alloc(r->a, sizeof *x);
	x->name = arena_str(r->a, colon ? colon + 1 : name);
	x->text = "";
	if (r->depth) {
		*r->level[r->depth - 1].tail = x;
		r->level[r->depth - 1].tail = &x->next;
	} else {
		r->root = x;
	}
	r->level[r->depth].node = x;
	r->level[r->depth].tail = &x->kids;
	buf_reset(&r->level[r->depth].text);
	r->depth++;
}

static void XMLCALL
on_end(void *ctx, const XML_Char *name)
{
	struct reader *r = ctx;
	struct level *l = &r->level[--r->depth];

	(void)name;
	if (l->text.n)
		l->node->text = arena_dup(r->a, l->text.s, l->text.n);
}

static void XMLCALL
on_text(void *ctx, const XML_Char *s, int n)
{
	struct reader *r = ctx;

	if (r->depth && n > 0)
		buf_add(&r->level[r->depth - 1].text, s, (size_t)n);
}

static void XMLCALL
on_doctype(void *ctx, const XML_Char *name, const XML_Char *system, const XML_Char *public, int internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	refuse(ctx);
}

struct xml *
xml_parse(struct arena *a, const char *p, size_t n)
{
	struct reader r = { .parser = XML_ParserCreate("UTF-8"), .a = a };
	bool good;

	if (!r.parser || n > (1u << 30))
		return NULL;
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	good = XML_Parse(r.parser, p, (int)n, XML_TRUE) == XML_STATUS_OK && !r.bad;
	XML_ParserFree(r.parser);
	for (size_t i = 0; i < DEEPEST; i++)
		buf_release(&r.level[i].text);
	return good ? r.root : NULL;
}

const struct xml *
xml_kid(const struct xml *x, const char *name)
{
	for (const struct xml *k = x ? x->kids : NULL; k; k = k->next)
		if (strcmp(k->name, name) == 0)
			return k;
	return NULL;
}

const char *
xml_text(const struct xml *x, const char *name)
{
	const struct xml *k = xml_kid(x, name);

	return k ? k->text : "";
}
