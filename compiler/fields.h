/* fields.h: every field of the spec language, in tables: the one source of what loads it, prints it, documents it. */
#ifndef COMPILER_FIELDS_H
#define COMPILER_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_kind {
	FK_STR,         /* struct str */
	FK_NUMBER,      /* struct str, checked to be a number */
	FK_INT,         /* struct num */
	FK_BOOL,        /* struct num */
	FK_DURATION,    /* struct num, ns */
	FK_SIZE,        /* struct num, bytes */
	FK_STRS,        /* struct strs */
	FK_INTS,        /* struct nums */
	FK_PAIRS,       /* struct pairs: a map of text to text */
	FK_OBJ,         /* pointer to the sub-table's struct */
	FK_OBJS,        /* struct objs: a list of the sub-table's struct */
	FK_RAW,         /* struct raw */
};

enum field_status {
	FS_HONOURED,
	FS_MAPPED,      /* means something else here; `why` says what */
	FS_NO_EFFECT,   /* accepted; it has a meaning only in a cluster */
	FS_REFUSED,     /* an error; `why` says what to do */
};

enum { FIELDS_MAX = 64 };          /* of a table */

struct table;

struct field {
	const char *name;           /* snake_case; its lowerCamelCase form is accepted too */
	const char *alias;          /* another old name, or NULL */
	enum field_kind kind;
	enum field_status status;
	bool quiet;                 /* without effect, and not worth a word */
	const char *usual;          /* a value that changes nothing */
	bool one;                   /* FK_OBJS, FK_STRS: a single map or text is a list of one */
	size_t off;
	const struct table *sub;
	const char *why;            /* one line */
};

struct table {
	const char *path;           /* "transform": how its fields are called in messages; "" at the top */
	const char *what;           /* "a transform" */
	const struct field *field;
	size_t n;
	size_t size;                /* of its struct */
};

extern const struct table pipeline_table, input_table, transform_table, secret_table, gpu_table, schedule_table, egress_table, notify_table, repo_table, param_table, set_table;

/* A shorthand: a field that lowers to another. */
struct shorthand { const char *name, *target, *why; };
extern const struct shorthand shorthand_table[];
extern const size_t shorthand_count;

/* The field of this name in snake_case or lowerCamelCase; NULL if there is none. */
const struct field *field_find(const struct table *t, const char *name);
const struct shorthand *shorthand_find(const char *name);

/* Do the names mean the same field name: equal, or `given` is the lowerCamelCase of `snake`? */
bool field_name_is(const char *snake, const char *given);

#endif
