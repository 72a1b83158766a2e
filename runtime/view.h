/* view.h: what a datum's command sees: .dassie/work/KEY with NAME/<path from the repo's root> for each input, and out/.
 * TMPDIR is .dassie/work/KEY.tmp, so that nothing but inputs and output is in $PFS.
 *
 * A source's file is a symlink to the absolute path of the file itself.  A pipeline's file is a hard link to the
 * object, a symlink where that cannot be; executable ones (kind x) are copies of mode 0555, since objects are
 * 0444 and may be shared by both kinds.  Where only names are shown (empty_files), files are new and empty. */
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
struct plan_datum;
struct plan_head;
struct stat;

enum shown_as { SHOWN_SOURCE, SHOWN_OBJECT, SHOWN_COPY, SHOWN_EMPTY };

/* A file of the view, and how the file behind it looked before the command ran. */
struct shown {
	size_t at;                  /* its path from the project's folder, in view.text */
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
	const char *shown_at;                   /* "/pfs" if dir is shown there, else NULL */
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

/* For all datums of a plan; project is the absolute path of the project's folder, which is the current one. */
void view_init(struct view *v, const struct plan_head *h, const char *project);
void view_release(struct view *v);      /* and nothing is left on the disk */

/* Make the view of one datum, and see that what it shows is what the plan says.
 * 0; 1 the datum fails (fault); -1 the world.  view_remove in all cases. */
int view_make(struct view *v, const struct plan_datum *d, struct fault *fault, struct err *err);

/* The path by which the command knows the view: "/pfs", or the absolute path of dir. */
const char *view_root(const struct view *v);

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
