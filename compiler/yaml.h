/* yaml.h: YAML (and JSON, its subset) as a tree of nodes with places.  yaml.c is the only file that knows libyaml. */
#ifndef COMPILER_YAML_H
#define COMPILER_YAML_H

#include "diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

enum ykind { Y_SCALAR, Y_MAP, Y_SEQ };

struct ynode {
	enum ykind kind;
	bool plain;                 /* a scalar without quotes: may be null, a number, a bool */
	bool lowered;               /* a key that stands for what is written there: `datum_tries` for `tries` */
	uint16_t height;            /* levels below */
	uint32_t n;                 /* bytes of text */
	uint32_t weight;            /* nodes in it, aliases followed */
	struct span at;
	const char *text;           /* scalar; NUL-terminated, may hold NUL */
	struct ynode *kids;         /* map: its keys in order, each with ->val; seq: its items */
	struct ynode *next;
	struct ynode *val;
};

enum {
	YAML_BYTES = 100 << 20,     /* of a file */
	YAML_DEPTH = 200,           /* nested collections */
	YAML_NODES = 4000000,       /* of a file, aliases followed */
};

/* Parse a file's text, of which `base` is the address (diag_add_file).  The text must stay.  Nodes lie in `nodes`, their text
 * in `a`, so that nodes can go when the model is loaded.  Every document is handed out when it ends, and whoever takes it may
 * empty `nodes`; an empty one is a plain scalar "".  False: errors were recorded. */
typedef void yaml_take(void *arg, struct ynode *doc);
bool yaml_parse(struct arena *a, struct arena *nodes, struct diag *d, const char *text, size_t n, uint32_t base,
                yaml_take *take, void *arg);
/* The same, but all documents at the end, chained by ->next. */
bool yaml_parse_all(struct arena *a, struct arena *nodes, struct diag *d, const char *text, size_t n, uint32_t base,
                    struct ynode **ret_docs);

/* All of a node in another arena (its text stays where it is). */
struct ynode *ynode_copy(struct arena *to, const struct ynode *n);

bool ynode_is_null(const struct ynode *n);
/* The value of a map's key, or NULL. */
const struct ynode *ynode_get(const struct ynode *map, const char *key);
/* The place of bytes [from, from + len) of a scalar's text: exact where the file has the text as it is, else all of it. */
struct span ynode_part(const struct diag *d, const struct ynode *n, size_t from, size_t len);
/* "a list", "a map", "nothing", "text" */
const char *ynode_kind_name(const struct ynode *n);

#endif
