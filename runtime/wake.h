/* wake.h: the first scan after a start of the machine: what a power cut left half is taken away. */
#ifndef RUNTIME_WAKE_H
#define RUNTIME_WAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Under the specs' lock, before anything is read.  Does nothing if a scan of this boot was here already. */
void wake(void);

/* The scan has come to its end: the next one need not do it again.  An exit status. */
int wake_done(void);

#endif
