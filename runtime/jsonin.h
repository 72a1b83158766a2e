/* jsonin.h: members of a JSON document, by jansson: the documents that carry credentials. */
#ifndef RUNTIME_JSONIN_H
#define RUNTIME_JSONIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jsonin;

/* NULL: no JSON object. */
struct jsonin *jsonin_parse(const char *p, size_t n);
void jsonin_free(struct jsonin *j);
/* A string member, of an object member where `outer` is not NULL; NULL if there is none.  Lives as long as j. */
const char *jsonin_text(const struct jsonin *j, const char *outer, const char *name);
/* A number member; 0 if there is none. */
int64_t jsonin_number(const struct jsonin *j, const char *outer, const char *name);

#endif
