/* man.h: manual pages and lists for shells out of the texts of --help, so that they cannot disagree. */
#ifndef RUNTIME_MAN_H
#define RUNTIME_MAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* What `dassie VERB --help` prints, by running it. false if it cannot be had. */
bool man_help(const char *verb, struct buf *ret);
/* dassie-VERB(1), in roff, out of that text. */
void man_verb(struct buf *b, const char *verb, const char *summary, const char *help);
/* The beginning of dassie(1), a line of it for each verb, its end. */
void man_begin(struct buf *b);
void man_item(struct buf *b, const char *verb, const char *synopsis, const char *summary);
void man_end(struct buf *b);

/* Options in a text of --help, a line each. */
void man_options(struct buf *b, const char *help);
/* Names out of the index, a line each: pipelines, or all repos. Nothing where there is no project. */
void man_names(struct buf *b, bool repos);

#endif
