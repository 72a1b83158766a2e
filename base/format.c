/* format.c: asked by everybody before anything is written into .dassie. */
#include "format.h"

#include <string.h>

#include "buf.h"
#include "err.h"
#include "fs.h"
#include "layout.h"

static const char WORD[] = "dassie-state ", FORMAT[] = "dassie-state 1\n";

int
format_check(struct err *err)
{
	struct buf b = BUF_INIT;
	int rc = fs_read(FILE_FORMAT, &b, err);

	if (rc == 1 && strcmp(b.s, FORMAT)) {
		const char *has = b.s + sizeof WORD - 1;

		if (strncmp(b.s, WORD, sizeof WORD - 1) == 0)
			rc = err_set(err, 0, "'%s' was made by another version of dassie (its format is %.*s, this one knows 1): use that "
			    "version, or remove '%s' (everything in it can be computed again)", DIR_STATE, (int)strcspn(has, "\n"), has, DIR_STATE);
		else
			rc = 0;
	}
	buf_release(&b);
	return rc;
}

int
format_write(struct err *err)
{
	return fs_replace_if_new(FILE_FORMAT, FORMAT, sizeof FORMAT - 1, 0644, err) < 0 ? -1 : 0;
}
