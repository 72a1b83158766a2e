/* mediatype.h: what a file is, by its name: the Content-Type that it is served with. */
#ifndef RUNTIME_MEDIATYPE_H
#define RUNTIME_MEDIATYPE_H

/* "text/csv"; "application/octet-stream" for what is not known. */
const char *mediatype(const char *path);

#endif
