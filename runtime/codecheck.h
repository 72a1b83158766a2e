/* codecheck.h: the code files that a step was hashed with are what its commands read. */
#ifndef RUNTIME_CODECHECK_H
#define RUNTIME_CODECHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault;
struct plan_code;

struct codecheck_seen { uint64_t dev, ino, size, mtime, ctime; bool exec; uint64_t at; };

struct codecheck {
	const struct plan_code *code; size_t n;
	struct codecheck_seen *seen;        /* how each looked when its content was last seen to fit */
	bool begun;
};

#define CODECHECK_INIT { 0 }

void codecheck_init(struct codecheck *c, const struct plan_code *code, size_t n);

/* Before and after each attempt: 0 all is as it was hashed; 1 a file changed or is gone (the fault names it).
 * One stat a file, unless something about it is new: then it is hashed again. */
int codecheck_now(struct codecheck *c, struct fault *fault);

void codecheck_release(struct codecheck *c);

#endif
