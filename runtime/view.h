/* view.h: what a datum's command sees: NAME/<path from the repo's root> for each input, and out/.
 *
 * Where there is a private /pfs, every input file in it is a regular file that cannot be written to, also by root.  One of at most
 * COPY_MAX bytes is a copy of mode 0644, or 0555 if it is executable (kind x); a larger one is the source's or the store's own
 * file, mounted there, with the mode that has.  All of it lies in memory, but out/, which is .dassie/work/KEY/out.  What is too much for that
 * (more files than may be mounted, and too large ones of kind x) lies below .dassie/work/KEY: copies, mounts and hard links to objects there.
 *
 * Where there is none, the view is .dassie/work/KEY.  A source's file is a symlink to the absolute path of the file itself, a
 * pipeline's file a hard link to the object, a symlink where that cannot be; executable ones are copies of mode 0555, since
 * objects are 0444 and may be shared by both kinds.  For a container it is the same, but sources' files are copies, too.
 *
 * Where only names are shown (empty_files), files are new and empty.  TMPDIR is .dassie/work/KEY.tmp, so that nothing but inputs
 * and output is in $PFS. */
#ifndef RUNTIME_VIEW_H
#define RUNTIME_VIEW_H

#include "../base/buf.h"
#include "../base/layout.h"
#include "../base/manifest.h"
#include "../base/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct fault;
struct pfs;
struct plan_datum;
struct plan_head;
struct stat;

/* A symlink to a source; a hard link to an object; a copy of either; the file of either, mounted; an empty file. */
enum { COPY_MAX = 64 * 1024, COPIED_MAX = 16 * 1024 * 1024, BOUND_MAX = 90000 };

enum shown_as { SHOWN_SOURCE, SHOWN_OBJECT, SHOWN_COPY, SHOWN_BOUND, SHOWN_EMPTY };

/* A file of the view, and how the file behind it looked before the command ran. */
struct shown {
	size_t at;                  /* its path from view.base, in view.text */
	size_t name;                /* offset in that of the path from the repo's root */
	unsigned input;
	enum shown_as as;
	char kind;
	struct oid id;
	uint64_t size, dev, ino, mtime, ctime;
};

struct view_manifest { bool loaded; struct manifest m; };

struct view {
	const struct plan_head *head;
	char *project;                          /* absolute */
	char dir[LAYOUT_MAX], tmp[LAYOUT_MAX + 8];  /* relative to the project's folder */
	char *dir_abs, *tmp_abs;
	const char *folder;                     /* where it lies, NULL: layout_work() */
	struct pfs *pfs;                        /* where it is shown (after pfs_enter); NULL: there is no private /pfs */
	bool in_image;                          /* the command sees it as /pfs in a container; there is no pfs then */
	int base;                               /* what the paths of its files begin at: the project's folder or pfs's memory */
	char root[LAYOUT_MAX];                  /* what its files lie in, from there */
	bool on_disk;                           /* it is too much for memory */
	bool too_much;                          /* as was seen while it was made */
	size_t n_bound;
	uint64_t copied;                        /* bytes in memory */
	bool made;                              /* dir and tmp are there, for a datum */
	bool idle;                              /* they are there, without files, to be renamed for the next one */
	struct buf text;
	struct shown *shown; size_t n_shown, cap_shown;
	size_t *made_dir, n_made_dir, cap_made_dir;   /* offsets in text of the directories made, parents first */
	struct view_manifest *manifest;         /* one for each input of the head, loaded for the first directory of it */
	struct buf kept;         /* while idle: directories below dir, each with a byte for `used` and a NUL */
	const struct shown **by_ino; size_t n_by_ino, cap_by_ino;   /* view_find's, made when it is asked first */
	struct buf path, last_dir;
	uint64_t bytes;                         /* of the contents shown */
};

#define VIEW_INIT { 0 }

/* For all datums of a plan; project is the absolute path of the project's folder, which is the current one.
 * pfs, if there is one, is set by the caller. */
void view_init(struct view *v, const struct plan_head *h, const char *project);
void view_release(struct view *v);      /* and nothing is left on the disk */

/* Make the view of one datum and show it, and see that what it shows is what the plan says.
 * 0; 1 the datum fails (fault); -1 the world.  view_remove in all cases. */
int view_make(struct view *v, const struct plan_datum *d, struct fault *fault, struct err *err);

/* The path by which the command knows the view: "/pfs", or the absolute path of dir. */
const char *view_root(const struct view *v);

/* A shown file's path from v->base. */
const char *view_path(const struct view *v, const struct shown *s);

/* Where it came from, for a message: "repo:/path" are its parts. */
const char *view_repo(const struct view *v, const struct shown *s);
const char *view_repo_path(const struct view *v, const struct shown *s);

/* After the command: is everything it was shown as it was?  0, 1, -1 as above.  An object that was written to is removed. */
int view_check(struct view *v, struct fault *fault, struct err *err);

/* Are it and its out/ the directories that were made? */
bool view_has_out(const struct view *v);

/* All files go, whatever the command made of it.  Directories as the next view will need them stay for it. */
int view_end(struct view *v, struct err *err);

/* The whole folder goes. */
int view_remove(struct view *v, struct err *err);

/* The file of the view that a stat through its link gave, NULL if it is none. */
const struct shown *view_find(struct view *v, const struct stat *st);

#endif
