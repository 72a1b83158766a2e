/* jsonin.c: a json_t under another name, so that jansson.h stays in here. */
#include "jsonin.h"

#include <jansson.h>

/* struct jsonin is never defined: its pointers are json_t's. */
static const json_t *
member(const struct jsonin *j, const char *outer, const char *name)
{
	const json_t *o = (const json_t *)(const void *)j;

	if (outer)
		o = json_object_get(o, outer);
	return json_object_get(o, name);
}

struct jsonin *
jsonin_parse(const char *p, size_t n)
{
	json_t *o = json_loadb(p, n, 0, NULL);

	if (o && !json_is_object(o)) {
		json_decref(o);
		o = NULL;
	}
	return (struct jsonin *)(void *)o;
}

void
jsonin_free(struct jsonin *j)
{
	json_decref((json_t *)(void *)j);
}

const char *
jsonin_text(const struct jsonin *j, const char *outer, const char *name)
{
	return json_string_value(member(j, outer, name));
}

int64_t
jsonin_number(const struct jsonin *j, const char *outer, const char *name)
{
	return (int64_t)json_number_value(member(j, outer, name));
}
