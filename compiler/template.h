/* template.h: texts that another tool should have made specs of. */
#ifndef COMPILER_TEMPLATE_H
#define COMPILER_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

enum { TEMPLATE_WORD = 64 };

/* Where in a text a template's expression is: "{{x}}", "{% … %}", "<%= x %>", with `dollar` also "${x}"; NULL: nowhere.  *ret_word
 * (static) is a name for what is in it. */
const char *template_in(const char *s, bool dollar, size_t *ret_len, const char **ret_word);

/* Is the file no spec but a program or template that makes some?  What to say, with *ret_at where; NULL: no. */
const char *template_file(const char *path, const char *text, size_t n, size_t *ret_at);

/* After a syntax error at byte `at` of a JSON text: a cause that lies before it; NULL: none known. */
const char *template_json(const char *text, size_t n, size_t at, size_t *ret_at);

#endif
