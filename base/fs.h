/* fs.h: files, whole and safe.  Paths are relative to the current directory
 * (for everything that works on a project, that is the project's folder). */
#ifndef BASE_FS_H
#define BASE_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;
struct err;
struct stat;

/* Append a file's bytes to b.  1 read, 0 there is no such file, -1 error. */
int fs_read(const char *path, struct buf *ret_b, struct err *err);

/* The last bytes of a file, at most max: how many, -1 if it cannot be read. */
ssize_t fs_read_tail(const char *path, char *ret, size_t max);

/* Write all of p, whatever write(2) does in pieces. */
int fs_write_all(int fd, const void *p, size_t n, struct err *err);

/* Make a file that is not there, under its own name at once.  1 made, 0 there is one, -1 error: then there is none.
 * Of a kill comes a part of it: only for what nobody knows of yet, and whose bytes can be told to be whole. */
int fs_create(const char *path, const void *p, size_t n, mode_t mode, struct err *err);

/* Replace path by these bytes in one step: a temporary name in the same directory
 * (pid in it), then rename.  mode as for open.  On failure the old file stays and the
 * temporary is gone. */
int fs_replace(const char *path, const void *p, size_t n, mode_t mode, struct err *err);

/* The same, but only if the bytes differ.  1 written, 0 was the same, -1 error. */
int fs_replace_if_new(const char *path, const void *p, size_t n, mode_t mode, struct err *err);

/* As fs_replace, and the file gets this mtime (ns since 1970) before the rename.
 * ret_ns is what the file system kept of it. */
int fs_replace_stamped(const char *path, const void *p, size_t n, uint64_t ns, uint64_t *ret_ns, struct err *err);

/* mkdir -p.  An existing directory is success. */
int fs_mkdirs(const char *path, struct err *err);
/* mkdir -p of the directory that path is in. */
int fs_mkdirs_for(const char *path, struct err *err);

/* rm -rf.  What is not there is success. */
int fs_remove_tree(const char *path, struct err *err);

/* Copy src to a new file dst: a reflink where the file system has them, else the bytes.  dst must not exist. */
int fs_copy(const char *src, const char *dst, mode_t mode, struct err *err);

uint64_t fs_mtime_ns(const struct stat *st);
uint64_t fs_ctime_ns(const struct stat *st);

/* Join with one '/'; "." and "" as dir vanish.  Result appended to b. */
void fs_join(struct buf *b, const char *dir, const char *name);

/* "/proc/sys/kernel/random/boot_id", read once; "unknown" where there is none. */
const char *fs_boot_id(void);

#endif
