/* hint.c: programs say what they did not find in many ways, but nearly all with the C library's words and the path in the
 * same line.  So lines of the log's end that have such words are cut into words, and a word that is a hidden file of the project
 * is what was missed.  Where no line tells, the step itself may name such a file. */
#include "hint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/buf.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/plan.h"
#include "failure.h"
#include "pfs.h"
#include "strict.h"

enum { TAIL = 16 * 1024, WORD = 1024 };

static const char *const missing[] = { "No such file", "not found", "Not found", "NotFound", "ENOENT", "Errno 2]", "annot open", "an't open", "not open",
	"not exist", "No module named", "Cannot find", "cannot find", "cannot access", "NoSuchFile", NULL };
static const char *const read_only[] = { "Read-only file system", "EROFS", "Errno 30]", NULL };
static const char *const denied[] = { "Permission denied", "EACCES", "Errno 13]", NULL };
static const char *const across[] = { "cross-device link", "EXDEV", "Errno 18]", NULL };

struct search {
	struct fault *fault;
	const struct plan_head *head;
	const char *project;
	bool only_paths;        /* a word counts only if it looks like a file's name */
};

static bool
has_one(const char *line, size_t n, const char *const *words)
{
	for (; *words; words++)
		if (memmem(line, n, *words, strlen(*words)))
			return true;
	return false;
}

/* Appended to what is said already; 1: said. */
static int __attribute__((format(printf, 2, 3)))
say(struct fault *f, const char *fmt, ...)
{
	size_t n = strlen(f->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->text + n, sizeof f->text - n, fmt, ap);
	va_end(ap);
	return 1;
}

static bool
is_code(const struct plan_head *h, const char *path)
{
	for (size_t i = 0; i < h->n_code; i++)
		if (strcmp(h->code[i].path, path) == 0)
			return true;
	return false;
}

/* The input in whose folder it is. */
static const struct plan_input *
input_with(const struct plan_head *h, const char *path)
{
	for (size_t i = 0; i < h->n_input; i++) {
		const char *dir = h->input[i].dir;
		size_t n = strlen(dir);

		if (strcmp(dir, "-") != 0 && strncmp(dir, path, n) == 0 && (path[n] == '/' || path[n] == '\0'))
			return &h->input[i];
	}
	return NULL;
}

static int
try_path(struct search *s, const char *path)
{
	const struct plan_input *in;
	struct stat st;

	if (!path[0] || path[0] == '/' || strncmp(path, "../", 3) == 0 || strncmp(path, DIR_STATE, sizeof DIR_STATE - 1) == 0)
		return 0;
	if (strcmp(path, ".") == 0 || stat(path, &st) < 0 || is_code(s->head, path) || (s->only_paths && !S_ISREG(st.st_mode)))
		return 0;
	in = input_with(s->head, path);
	if (in)
		return say(s->fault, "; '%s' is of the input '%s', which the step finds only below /pfs ('sandbox: strict')", path, in->name);
	return say(s->fault, "; '%s' is in the project but neither input nor code of this step, so 'sandbox: strict' hides it: add it to 'code', or "
	    "make it an input", path);
}

/* In a folder of the project ("" itself), with the endings that languages leave out. */
static int
try_in(struct search *s, const char *folder, size_t n, const char *word)
{
	static const char *const ending[] = { "", ".py", ".js", ".sh", ".R" };
	struct buf b = BUF_INIT;
	int rc = 0;

	while (strncmp(word, "./", 2) == 0)
		word += 2;
	for (size_t i = 0; rc == 0 && i < sizeof ending / sizeof ending[0]; i++) {
		buf_reset(&b);
		buf_add(&b, folder, n);
		buf_str(&b, n ? "/" : "");
		buf_str(&b, word);
		buf_str(&b, ending[i]);
		rc = try_path(s, b.s);
		if (strchr(word, '.') && i == 0)
			break;
	}
	buf_release(&b);
	return rc;
}

static int
try_word(struct search *s, char *word)
{
	size_t n = strlen(s->project), len = strlen(word);
	int rc;

	while (len > 0 && strchr(".,:;!?)", word[len - 1]))
		word[--len] = '\0';
	if (strncmp(word, s->project, n) == 0 && word[n] == '/')
		word += n + 1;
	if (!word[0] || word[0] == '/' || (s->only_paths && !strpbrk(word, "/.")))
		return 0;
	rc = s->head->working_dir ? try_in(s, s->head->working_dir, strlen(s->head->working_dir), word) : 0;
	if (rc == 0)
		rc = try_in(s, "", 0, word);
	for (size_t i = 0; rc == 0 && i < s->head->n_code; i++) {
		const char *slash = strrchr(s->head->code[i].path, '/');

		if (slash)
			rc = try_in(s, s->head->code[i].path, (size_t)(slash - s->head->code[i].path), word);
	}
	return rc;
}

/* Each word of a line, ended by any of these bytes. */
static int
each_word(struct search *s, const char *line, size_t n, const char *ends, int (*see)(struct search *, char *))
{
	char word[WORD];
	size_t len = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i <= n; i++) {
		if (i < n && line[i] && !strchr(ends, line[i])) {
			if (len + 1 < sizeof word)
				word[len++] = line[i];
			continue;
		}
		word[len] = '\0';
		if (len)
			rc = see(s, word);
		len = 0;
	}
	return rc;
}

static int
see_read_only(struct search *s, char *word)
{
	size_t n = strlen(word);

	while (n > 0 && strchr(".,:;)", word[n - 1]))
		word[--n] = '\0';
	if (word[0] != '/')
		return 0;
	if (strncmp(word, PFS_DIR "/out", sizeof PFS_DIR + 3) == 0)
		return 0;
	if (pfs_covers(word))
		return say(s->fault, "; inputs are read-only ('%s'): copy what is to change to $out or $TMPDIR, with cp instead of mv", word);
	if (!strict_wanted(s->head))
		return 0;
	return say(s->fault, "; '%s' cannot be written to: with 'sandbox: strict' that is $out, $TMPDIR and /tmp", word);
}

/* Its mode forbids to write; of others it may be running them that was denied. */
static int
see_input(struct search *s, char *word)
{
	struct stat st;

	if (!pfs_covers(word) || stat(word, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & S_IWUSR))
		return 0;
	return see_read_only(s, word);
}

static int
see_link(struct search *s, char *word)
{
	return pfs_covers(word) && strncmp(word, PFS_DIR "/out", sizeof PFS_DIR + 3) != 0 ?
	    say(s->fault, "; inputs cannot be hard-linked ('%s'): use cp, or ln -s", word) : 0;
}

static int
look_at_line(struct search *s, const char *line, size_t n)
{
	static const char quotes[] = "'\"`\n", words[] = " \t\n'\"`()[]{},;=<>|&";
	int rc = 0;

	if (has_one(line, n, read_only)) {
		rc = each_word(s, line, n, quotes, see_read_only);
		if (rc == 0)
			rc = each_word(s, line, n, words, see_read_only);
		if (rc == 0 && strict_wanted(s->head))
			rc = say(s->fault, "; with 'sandbox: strict' only $out, $TMPDIR and /tmp can be written to");
	} else if (has_one(line, n, denied)) {
		rc = each_word(s, line, n, " \t\n'\"`()[]{},;=<>|&:", see_input);
	} else if (has_one(line, n, across)) {
		rc = each_word(s, line, n, words, see_link);
	} else if (strict_wanted(s->head) && has_one(line, n, missing)) {
		/* Names in quotes may have blanks. */
		rc = each_word(s, line, n, quotes, try_word);
		if (rc == 0)
			rc = each_word(s, line, n, words, try_word);
		if (rc == 0)
			rc = each_word(s, line, n, " \t\n'\"`()[]{},;=<>|&:", try_word);
	}
	return rc;
}

static int
look_at_log(struct search *s, const char *log)
{
	static char tail[TAIL];
	ssize_t n = fs_read_tail(log, tail, sizeof tail);
	int rc = 0;

	for (ssize_t at = 0, end; rc == 0 && at < n; at = end + 1) {
		const char *nl = memchr(tail + at, '\n', (size_t)(n - at));

		end = nl ? nl - tail : n;
		rc = look_at_line(s, tail + at, (size_t)(end - at));
	}
	return rc;
}

void
hint_add(struct fault *f, const struct plan_head *h, const char *project, const struct buf *step, const char *log)
{
	struct search s = { f, h, project, false };

	if ((log && look_at_log(&s, log)) || !strict_wanted(h))
		return;
	s.only_paths = true;
	each_word(&s, step->s, step->n, " \t\n'\"`()[]{},;=<>|&:", try_word);
}
