/* heard.h: when a fire was here last, by two clocks: .dassie/heard
 *
 *   dassie-heard 1
 *   clock NS BOOT-NS BOOT-ID     the wall clock, and the one that nobody sets, since this start of the machine
 *
 * What the one went further than the other, somebody set it by. */
#ifndef RUNTIME_HEARD_H
#define RUNTIME_HEARD_H

#include <stdint.h>

/* Remember now, and tell by how many seconds the wall clock was set forward since the last time (back: negative); 0 where it cannot
 * be told, as after a start of the machine.  The file is no loss. */
int64_t heard_step(void);

#endif
