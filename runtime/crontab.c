/* crontab.c: a project's block is
 *
 *   # BEGIN dassie WORD (by 'dassie cron install'; 'dassie cron remove' takes it out)
 *   * * * * * /usr/local/bin/dassie cron entry WORD
 *   # END dassie WORD
 *
 * Every minute, always: dassie itself knows which instants are due, so time zones, DST, `@every 90s`, `L`, a machine that
 * was off and a spec that changed since need nothing of cron, and the block never has to follow the spec.
 *
 * WORD is the project's real path as one word: bytes that a shell, a cron ('%' is a newline to it), systemd or a line
 * cannot hold are =XX (as RFC 2045 has it), '=' too; UTF-8 stays as it is. So there is nothing to quote, whatever SHELL=
 * the crontab sets. No variable is set in the block: it would hold for the user's own lines after it as well. What the
 * entry needs to know lies in the project (cronentry.h).
 *
 * Dassie's are only lines that it can tell to be its own: BEGIN and END with this word, and between them a line that
 * ends in "cron entry WORD", commented out or not. */
#include "crontab.h"

#include <string.h>

#include "../base/buf.h"
#include "../base/err.h"

/* Debian's cron takes 999 bytes of a command and forgets the rest. */
enum { COMMAND_MAX = 990 };

static const char BEGIN[] = "# BEGIN dassie ", END[] = "# END dassie ", ENTRY[] = " cron entry ", EVERY[] = "* * * * * ";

/* How many bytes the UTF-8 character at s takes, 0 if it is none. */
static size_t
utf8(const unsigned char *s)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 :
	    s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if (n == 2 && s[0] == 0xc2 && s[1] < 0xa1)      /* C1 controls, the blank that does not break */
		return 0;
	if (n == 3 && ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0)))
		return 0;
	if (n == 4 && ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90)))
		return 0;
	return n;
}

static bool
plain(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c && strchr("/._-+:,@", c));
}

void
crontab_word(struct buf *b, const char *path)
{
	const unsigned char *s = (const unsigned char *)path;

	while (*s) {
		size_t n = *s < 0x80 ? plain(*s) : utf8(s);

		if (n)
			buf_add(b, s, n);
		else
			buf_fmt(b, "=%02X", *s);
		s += n ? n : 1;
	}
}

static int
digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void
crontab_unword(struct buf *b, const char *word, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (word[i] == '=' && n - i > 2 && digit(word[i + 1]) >= 0 && digit(word[i + 2]) >= 0) {
			buf_byte(b, (char)(digit(word[i + 1]) << 4 | digit(word[i + 2])));
			i += 2;
		} else {
			buf_byte(b, word[i]);
		}
	}
}

/* The program cannot be given as such a word: it is for the shell to find. A '%' stands outside of the quotes, because
 * some crons take its '\' away and some leave that to the shell. */
static int
shell_word(struct buf *b, const char *s, struct err *err)
{
	size_t n = 0;

	while (plain((unsigned char)s[n]))
		n++;
	if (!s[n]) {
		buf_add(b, s, n);
		return 0;
	}
	if (strpbrk(s, "\n\r"))
		return err_set(err, 0, "a crontab cannot name '%s', which has a newline in it: install dassie somewhere else", s);
	buf_byte(b, '\'');
	for (; *s; s++)
		if (*s == '%' || *s == '\'')
			buf_fmt(b, "'\\%c'", *s);
		else
			buf_byte(b, *s);
	buf_byte(b, '\'');
	return 0;
}

int
crontab_block(struct buf *b, const char *project, const char *program, struct err *err)
{
	struct buf word = BUF_INIT, command = BUF_INIT;
	int rc;

	crontab_word(&word, project);
	rc = shell_word(&command, program, err);
	buf_fmt(&command, "%s%s", ENTRY, word.s);
	if (rc == 0 && command.n > COMMAND_MAX)
		rc = err_set(err, 0, "this project's path is too long for a crontab: cron reads %d bytes of a command, and this one would "
		    "have %zu; 'dassie cron install --systemd' has no such limit", COMMAND_MAX, command.n);
	if (rc == 0) {
		buf_fmt(b, "%s%s (by 'dassie cron install'; 'dassie cron remove' takes it out)\n", BEGIN, word.s);
		buf_fmt(b, "%s%s\n", EVERY, command.s);
		buf_fmt(b, "%s%s\n", END, word.s);
	}
	buf_release(&word);
	buf_release(&command);
	return rc;
}

/* A line without its end: an editor of another system may have put a '\r' there. */
static size_t
line_at(const char *text, size_t n, size_t *ret_next)
{
	const char *nl = memchr(text, '\n', n);
	size_t len = nl ? (size_t)(nl - text) : n;

	*ret_next = nl ? len + 1 : n;
	return len && text[len - 1] == '\r' ? len - 1 : len;
}

/* The word of a line that begins so, NULL if it is another line. */
static const char *
marked(const char *mark, const char *line, size_t n, size_t *ret_n)
{
	size_t m = strlen(mark);
	const char *end;

	if (n <= m || memcmp(line, mark, m) != 0)
		return NULL;
	end = memchr(line + m, ' ', n - m);
	*ret_n = end ? (size_t)(end - line) - m : n - m;
	return *ret_n ? line + m : NULL;
}

static bool
is_mark(const char *mark, const char *line, size_t n, const struct buf *word)
{
	size_t len;
	const char *w = marked(mark, line, n, &len);

	return w && len == word->n && memcmp(w, word->s, len) == 0;
}

static bool
is_entry(const char *line, size_t n, const char *word, size_t n_word)
{
	size_t m = strlen(ENTRY);

	return n > m + n_word && memcmp(line + n - n_word, word, n_word) == 0 && memcmp(line + n - n_word - m, ENTRY, m) == 0;
}

/* Whether the line is this project's; *in is kept over the lines. */
static bool
own(const char *line, size_t n, const struct buf *word, bool *in)
{
	if (is_mark(BEGIN, line, n, word)) {
		*in = true;
		return true;
	}
	if (is_mark(END, line, n, word)) {
		*in = false;
		return true;
	}
	return *in && is_entry(line, n, word->s, word->n);
}

bool
crontab_edit(struct buf *ret, const char *old, size_t n, const char *project, const char *block)
{
	struct buf word = BUF_INIT;
	size_t at = ret->n, len, step;
	bool in = false, placed = !block, bare = n && old[n - 1] != '\n';

	crontab_word(&word, project);
	for (size_t pos = 0; pos < n; pos += step) {
		len = line_at(old + pos, n - pos, &step);
		if (!own(old + pos, len, &word, &in)) {
			buf_add(ret, old + pos, step);
			if (old[pos + step - 1] != '\n')
				buf_byte(ret, '\n');
			continue;
		}
		if (!placed)
			buf_str(ret, block);
		placed = true;
	}
	if (!placed)
		buf_str(ret, block);
	if (bare && ret->n > at)
		ret->s[--ret->n] = '\0';
	buf_release(&word);
	return ret->n - at != n || (n && memcmp(ret->s + at, old, n) != 0);
}

static void
find_entry(const char *text, size_t n, const char *word, size_t n_word, struct crontab_found *ret)
{
	size_t len, step, n_other;

	ret->entry = NULL;
	for (size_t pos = 0; pos < n; pos += step) {
		len = line_at(text + pos, n - pos, &step);
		if (marked(BEGIN, text + pos, len, &n_other) || marked(END, text + pos, len, &n_other))
			return;
		if (text[pos] != '#' && is_entry(text + pos, len, word, n_word)) {
			ret->entry = text + pos;
			ret->n_entry = len;
			return;
		}
	}
}

bool
crontab_next(const char *text, size_t n, size_t *pos, struct crontab_found *ret)
{
	size_t len, step, n_word;

	while (*pos < n) {
		len = line_at(text + *pos, n - *pos, &step);
		const char *word = marked(BEGIN, text + *pos, len, &n_word);

		*pos += step;
		if (!word)
			continue;
		buf_reset(ret->project);
		crontab_unword(ret->project, word, n_word);
		find_entry(text + *pos, n - *pos, word, n_word, ret);
		return true;
	}
	return false;
}
