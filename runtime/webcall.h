/* webcall.h: one small request and its answer, at once: metadata services, STS. */
#ifndef RUNTIME_WEBCALL_H
#define RUNTIME_WEBCALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct http;
struct http_request;

/* The status and the body.  -1: no answer, and err says why.  r's done and ctx are set here. */
int web_call(struct http *h, struct http_request *r, struct buf *ret_body, struct err *err);

#endif
