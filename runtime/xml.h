/* xml.h: small XML documents as a tree, by expat.  Names without their prefix; attributes are dropped; a document type is an error. */
#ifndef RUNTIME_XML_H
#define RUNTIME_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct xml {
	const char *name, *text;          /* text: of this element alone, blanks kept */
	struct xml *kids, *next;
};

/* The root, in the arena; NULL: not well-formed, or deeper than 64. */
struct xml *xml_parse(struct arena *a, const char *p, size_t n);
/* The first child of that name, or NULL; x may be NULL. */
const struct xml *xml_kid(const struct xml *x, const char *name);
/* Its text, "" if there is none. */
const char *xml_text(const struct xml *x, const char *name);

#endif
