/* print.h: the model as YAML in its long form; it compiles to the same files again. */
#ifndef COMPILER_PRINT_H
#define COMPILER_PRINT_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct field;
struct pipeline;
struct specset;

void print_set(struct buf *b, const struct specset *s);
void print_pipeline(struct buf *b, const struct pipeline *p);

/* Was the field given in this struct? */
bool print_given(const struct field *f, const void *obj);
/* One field's value on one line: text as it is, numbers in plain units (ns, bytes), the rest as flow YAML. */
void print_value(struct buf *b, const struct field *f, const void *obj);

#endif
