/* fuzz.h: what the fuzz targets share.
 *
 * A target is LLVMFuzzerTestOneInput() in a file of its own.  It is linked with libFuzzer (tests/fuzz/run) or with replay.c, which
 * needs no special compiler: `make check` replays the kept inputs of tests/fuzz/corpus with that.  A finding is a crash, a report
 * of a sanitizer, or a want() that does not hold. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever the input: else say so and abort. */
#define want(holds, what) ((holds) ? (void)0 : fuzz_broken(__FILE__, __LINE__, (what)))
_Noreturn void fuzz_broken(const char *file, int line, const char *what);

/* A copy with a NUL behind it, in exactly so much memory; the caller frees. */
char *fuzz_text(const uint8_t *data, size_t size);

/* Go, once a process, to an empty folder in $TMPDIR that is removed at the end. */
void fuzz_place(void);

/* Write a file, and the folders above it. */
void fuzz_put(const char *path, const void *p, size_t n);

#endif
