/* talk.h: what is said to a person: stderr, one write a message. */
#ifndef BASE_TALK_H
#define BASE_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* "dassie: MESSAGE\n" */
void talk(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "dassie: ERR\n"; returns EXIT_WORLD, so that a main can return it. */
int talk_err(const struct err *e);
/* Where it is said: stderr, or the descriptor that DASSIE_TALK names (set by a stage for its runners). */
int talk_fd(void);
/* Text as it is, in one write. */
void talk_raw(const char *p, size_t n);

/* A line that stands below all that is said, until the next one takes its place; n 0: none. Only for a terminal. */
void talk_status(const char *p, size_t n);

/* Colour on stderr / stdout: a terminal, NO_COLOR not set, TERM not dumb. */
bool talk_color(int fd);

/* Flush stdout; a failed write (full disk, closed pipe) is told and gives EXIT_WORLD, else `status` comes back. */
int talk_done(int status);

#endif
