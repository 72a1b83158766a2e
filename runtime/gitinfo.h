/* gitinfo.h: which git commit the specs and the code files are of, and what differs from it. */
#ifndef RUNTIME_GITINFO_H
#define RUNTIME_GITINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct prov_code;
struct prov_git;

/* For a job of this run with these code files. commit is "" where there is no git, no repository or no commit: that is
 * no error. dirty and diff are about these files and the spec files only. git is asked once a run. */
int gitinfo_get(struct prov_git *ret, struct arena *a, const char *run, const struct prov_code *code, size_t n,
                struct err *err);

#endif
