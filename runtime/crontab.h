/* crontab.h: dassie's blocks in a user's crontab, as text: nothing is read, run or written here. */
#ifndef RUNTIME_CRONTAB_H
#define RUNTIME_CRONTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/* A path as one word that means the same to every cron, shell and systemd (the format is at the top of crontab.c). */
void crontab_word(struct buf *b, const char *path);
/* The path of such a word, appended to b. */
void crontab_unword(struct buf *b, const char *word, size_t n);

/* The block that fires `project` (a real path) by `program` (dassie's own absolute path), whole lines.
 * -1 where a crontab cannot hold it: says what to do instead. */
int crontab_block(struct buf *b, const char *project, const char *program, struct err *err);

/* Append to ret the crontab `old` with the project's block replaced by `block`, or put at the end if there was none, or
 * taken out if `block` is NULL. Lines between BEGIN and END that are not dassie's stay, as all others do. Whether the text
 * ends with a newline stays as it is, too, so that taking out what was put in gives the first text again.
 * True if the text is another one than before. */
bool crontab_edit(struct buf *ret, const char *old, size_t n, const char *project, const char *block);

/* One project's block. */
struct crontab_found {
	struct buf *project;        /* its path; the caller's, filled anew */
	const char *entry;          /* the line that fires (into the text), NULL if somebody took it out or put a '#' before it */
	size_t n_entry;             /* bytes, without the newline */
};

/* The next block of any project from *pos on; false if there is none left. Begin with *pos == 0. */
bool crontab_next(const char *text, size_t n, size_t *pos, struct crontab_found *ret);

#endif
