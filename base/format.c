/* format.c: asked by everybody before anything is written into .dassie. */
#include "format.h"

#include <string.h>

#include "buf.h"
#include "err.h"
#include "fs.h"
#include "layout.h"

static const char WORD[] = "dassie-state ", FORMAT[] = "dassie-state 1\n";

/* The number of a format that is none of ours; 0: the file is damaged, which is as good as lost. */
static size_t
other_version(const char *text, const char **ret)
{
	size_t n;

	if (strncmp(text, WORD, sizeof WORD - 1) != 0)
		return 0;
	*ret = text + sizeof WORD - 1;
	n = strspn(*ret, "0123456789");
	return (*ret)[n] == '\n' ? n : 0;
}

int
format_check(struct err *err)
{
	struct buf b = BUF_INIT;
	const char *has;
	size_t n;
	int rc = fs_read(FILE_FORMAT, &b, err);

	if (rc == 1 && strcmp(b.s, FORMAT)) {
		n = other_version(b.s, &has);
		rc = n ? err_set(err, 0, "'%s' was made by another version of dassie (its format is %.*s, this one knows 1): use that "
		    "version, or remove '%s' (everything in it can be computed again)", DIR_STATE, (int)n, has, DIR_STATE) : 0;
	}
	buf_release(&b);
	return rc;
}

int
format_write(struct err *err)
{
	return fs_replace_if_new(FILE_FORMAT, FORMAT, sizeof FORMAT - 1, 0644, err) < 0 ? -1 : 0;
}
