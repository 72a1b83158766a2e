/* journal.c: the history journal, told to a database: any text is refused or taken, and of entries that are whole (their hashes are
 * made to fit) none is passed over. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "../../base/buf.h"
#include "../../base/err.h"
#include "../../base/fs.h"
#include "../../base/layout.h"
#include "../../base/sha256.h"
#include "../../runtime/journal.h"
#include "../../runtime/provenance.h"

#define FILE_JOURNAL DIR_STATE "/history/2026-11"

/* The text with the right hash in every "end" line. */
static void
fit(struct buf *b, const char *s, const char *end)
{
	size_t from = 0;

	for (const char *nl; s < end; s = nl) {
		size_t n;

		nl = memchr(s, '\n', (size_t)(end - s));
		nl = nl ? nl + 1 : end;
		n = (size_t)(nl - s);
		if (n >= 6 && !memcmp(s, "entry ", 6))
			from = b->n;
		if (n >= 4 && !memcmp(s, "end ", 4)) {
			char hex[OID_HEX + 1];
			struct oid id;

			sha256_bytes(b->s ? b->s + from : "", b->n - from, &id);
			oid_hex(&id, hex);
			buf_fmt(b, "end %s\n", hex);
		} else {
			buf_add(b, s, n);
		}
	}
}

static void
replay(const char *p, size_t n)
{
	struct journal j = JOURNAL_INIT;
	struct prov *db = NULL;
	struct err err = ERR_INIT;
	int rc;

	fuzz_put(FILE_JOURNAL, p, n);
	want(prov_rebuild(&db, &err) == 0, "a database can be made");
	rc = journal_replay(&j, db, &err);
	want(rc == 0 || err.text[0], "why it is refused is told");
	journal_release(&j);
	prov_abort(db);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	fuzz_place();
	want(fs_mkdirs(DIR_LOCK, &err) == 0, "a folder can be made");
	fit(&b, text, text + size);
	replay(b.s ? b.s : "", b.n);
	buf_release(&b);
	free(text);
	return 0;
}
