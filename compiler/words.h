/* words.h: which files of the project a command seems to name. */
#ifndef COMPILER_WORDS_H
#define COMPILER_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

enum { WORDS_MAX = 200 };       /* of a command; what is more must be declared */

struct words { const char **v; size_t n, cap; };

/* Collect words of a text that look like a path of the project: with a '.' or '/', relative, no "..", no expansion,
 * nothing that is written to.  Quotes, '=' and ',' end a word; what a quote holds is also tried whole. */
void words_find(struct arena *a, struct words *w, const char *text);
/* One word as it is: a command's argument. */
void words_add(struct arena *a, struct words *w, const char *word, size_t n);
/* Sorted, each once. */
void words_sort(struct words *w);
void words_release(struct words *w);

#endif
