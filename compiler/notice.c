/* notice.c: the one line that tells which fields of a spec set do something else here than in Pachyderm, or nothing. */
#include "notice.h"

#include <stdio.h>
#include <string.h>

#include "../base/buf.h"
#include "fields.h"
#include "spec.h"

/* How a noted field is called: its table is not in it, so look for it. */
static const char *
noted_name(const struct table *t, const struct field *f, char ret[128])
{
	if (f >= t->field && f < t->field + t->n) {
		snprintf(ret, 128, "%s%s%s", t->path, *t->path ? "." : "", f->name);
		return ret;
	}
	for (size_t i = 0; i < t->n; i++)
		if (t->field[i].sub && t->field[i].sub != t && noted_name(t->field[i].sub, f, ret))
			return ret;
	return 0;
}

static void
notice_group(const struct specset *s, struct buf *b, enum field_status status, const char *title)
{
	bool any = false;
	char name[128];

	for (size_t i = 0; i < s->n_noted; i++) {
		const struct field *f = s->noted[i];

		if (f->status != status || (!noted_name(&pipeline_table, f, name) && !noted_name(&set_table, f, name) &&
		    !noted_name(&repo_table, f, name)))
			continue;
		buf_fmt(b, "%s%s%s", any ? ", " : b->n ? "; " : "", any ? "" : title, name);
		any = true;
		if (status == FS_MAPPED)
			buf_fmt(b, " (%s)", f->why);
	}
}

void
notice_fields(const struct specset *s, struct buf *b)
{
	notice_group(s, b, FS_NO_EFFECT, "without effect here: ");
	notice_group(s, b, FS_MAPPED, "read differently: ");
}
