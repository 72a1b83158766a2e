/* step.h: the step script of a pipeline: .dassie/steps/NAME-HASH.sh */
#ifndef COMPILER_STEP_H
#define COMPILER_STEP_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct buf;
struct pipeline;
struct specset;
struct words;

/* The script, appended to b.  It says nothing of the machine, the folder or dassie's version. */
void step_script(struct buf *b, const struct specset *s, const struct pipeline *p);

/* The same for its err_cmd, which it must have. */
void step_err_script(struct buf *b, const struct specset *s, const struct pipeline *p);

/* Does its command run in its image? */
bool step_in_image(const struct specset *s, const struct pipeline *p);

/* Files of the project that the command names and `code:` does not: sorted, none in a source or in out/. */
void step_words(const struct specset *s, const struct pipeline *p, struct words *ret);

/* The text as one word of sh, in single quotes. */
void sh_quote(struct buf *b, const char *s);

#endif
