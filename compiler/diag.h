/* diag.h: what is wrong with the user's text: stored, then sorted, de-duplicated and rendered in one go.
 *
 * Positions are spans into one address space over all files that were read; a span costs eight bytes, lines and
 * columns are computed only when something is printed.  Offset 0 is "nowhere". */
#ifndef COMPILER_DIAG_H
#define COMPILER_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;

struct span { uint32_t off, len; };

struct diag_file {
	const char *path;           /* as it is printed */
	const char *text;
	size_t n;
	uint32_t base;              /* address of text[0] */
};

enum severity { SEV_ERROR, SEV_WARNING, SEV_NOTE };

struct diag_item {
	struct span at;
	enum severity sev;
	uint32_t seq;               /* order of recording; a note keeps the place of what it explains */
	uint32_t host;              /* seq of the error or warning that a note belongs to */
	const char *text;
};

struct diag {
	struct arena *a;
	struct diag_file *file;
	size_t n_file, cap_file;
	struct diag_item *item;
	size_t n_item, cap_item;
	size_t errors, warnings;
	struct diag_origin *origin;
	size_t n_origin, cap_origin;
	struct span within;         /* see diag_within() */
	const char *within_text;
	size_t dropped;             /* past DIAG_MAX */
	uint32_t seen_off;          /* the start of the line that was found last, and its number */
	size_t seen_line;
};

/* A place whose text is not what stands there: what it became and where that was said. */
struct diag_origin { struct span at, from; const char *text; };

enum { DIAG_MAX = 1000 };

#define DIAG_INIT { 0 }

/* Files: text is kept by the caller.  False if the address space (4 GB) is full. */
bool diag_add_file(struct diag *d, const char *path, const char *text, size_t n, uint32_t *ret_base);

/* Each records.  diag_error returns false, so that it can be returned. A note belongs to what was recorded before it. */
bool diag_error(struct diag *d, struct span at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void diag_warn(struct diag *d, struct span at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void diag_note(struct diag *d, struct span at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* What is wrong at or in this place is so because of what is said at `from`: that gets a note, with this text (kept). */
void diag_origin(struct diag *d, struct span at, struct span from, const char *text);

/* What is recorded from now on gets this note, too (kept); NULL ends it. */
void diag_within(struct diag *d, struct span at, const char *text);

/* Everything, sorted by place, appended to b; without warnings and their notes if errors_only. */
void diag_render(struct diag *d, struct buf *b, bool color, bool errors_only);
void diag_release(struct diag *d);

/* The file an address is in, or NULL. */
const struct diag_file *diag_file_of(const struct diag *d, uint32_t off);

#endif
