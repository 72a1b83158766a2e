/* schema.h: the JSON Schema of specs, from the field tables. */
#ifndef COMPILER_SCHEMA_H
#define COMPILER_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

void schema_json(struct buf *b);

#endif
