/* glob.c: matching.  Literal text and stars only (that is most globs that people write) is matched by hand; the
 * rest is PCRE2 with its JIT, in UTF mode, where names that are not UTF-8 are translated first (globparse.h).
 * A limit on the steps of one match keeps a pathological glob from hanging a plan.
 *
 * A regex (`match:`) is a glob that PCRE2 reads itself.  It, too, must match all of a path. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "glob.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/mem.h"
#include "globparse.h"

enum { STEPS = 10 * 1000 * 1000, JIT_STACK = 1024 * 1024, HEAP_KB = 20 * 1024 };

struct glob {
	char *text;                 /* as matched: cleaned */
	bool plain, root;
	bool regex, slash, folders; /* see glob_is_regex() */
	struct glob_name *name;
	size_t n_name;
	char *lit;                  /* plain: literal bytes and GLOB_STAR */
	size_t lit_n, prefix_n;
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *ctx;
	pcre2_jit_stack *stack;
	const char *subject;        /* of the last match */
	size_t subject_n;
	struct buf utf;             /* the subject as UTF-8, if it was not */
	size_t *back, cap_back;     /* offset in utf → offset in subject */
	bool translated;
};

/* As Pachyderm does before anything else: one leading '/', no trailing one, no "//", "." or ".."; appended. */
static void
clean(struct buf *ret, const char *glob)
{
	size_t start = ret->n;

	while (*glob) {
		size_t n = strcspn(glob, "/");

		if (n == 2 && memcmp(glob, "..", 2) == 0) {
			while (ret->n > start && ret->s[--ret->n] != '/')
				;
		} else if (n > 0 && !(n == 1 && *glob == '.')) {
			buf_byte(ret, '/');
			buf_add(ret, glob, n);
		}
		glob += n;
		glob += *glob == '/';
	}
	if (ret->n == start)
		buf_byte(ret, '/');
	buf_reserve(ret, 0);
	ret->s[ret->n] = '\0';
}

bool
glob_check(const char *glob, const char **ret_msg, size_t *ret_at)
{
	struct globparse g;
	struct buf text = BUF_INIT;
	bool good;

	*ret_at = 0;
	if (!glob[0]) {
		*ret_msg = "the glob is empty; \"/\" is the whole repo, \"/*\" everything at its top";
		return false;
	}
	good = globparse(&g, glob, "/", NULL, NULL, NULL);
	if (!good) {
		*ret_msg = g.msg;
		*ret_at = g.at;
		return false;
	}
	/* "{a/../b}" is a glob, but what cleaning leaves of it is not. */
	clean(&text, glob);
	good = !strcmp(text.s, glob) || globparse(&g, text.s, "/", NULL, NULL, NULL);
	if (!good)
		*ret_msg = "'..' takes a bracket away";
	buf_release(&text);
	return good;
}

unsigned
glob_groups(const char *glob)
{
	struct globparse g;

	return globparse(&g, glob, "/", NULL, NULL, NULL) ? g.groups : 0;
}

static bool
prepare(struct glob *g)
{
	/* Without a JIT, of this CPU or in this libpcre2, the interpreter does it; there is no stack then, either. */
	bool jit = pcre2_jit_compile(g->code, PCRE2_JIT_COMPLETE) == 0;

	g->data = pcre2_match_data_create_from_pattern(g->code, NULL);
	g->ctx = pcre2_match_context_create(NULL);
	g->stack = jit ? pcre2_jit_stack_create(32 * 1024, JIT_STACK, NULL) : NULL;
	if (!g->data || !g->ctx || (jit && !g->stack))
		return false;
	if (jit)
		pcre2_jit_stack_assign(g->ctx, NULL, g->stack);
	pcre2_set_match_limit(g->ctx, STEPS);
	pcre2_set_heap_limit(g->ctx, HEAP_KB);
	return true;
}

static int
compile(struct glob *g, const struct buf *regex, struct err *err)
{
	PCRE2_UCHAR text[256];
	PCRE2_SIZE at;
	int code;

	g->code = pcre2_compile((PCRE2_SPTR)regex->s, regex->n, PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY,
	    &code, &at, NULL);
	if (!g->code) {
		pcre2_get_error_message(code, text, sizeof text);
		return err_set(err, 0, "cannot use the glob '%s': %s", g->text, (char *)text);
	}
	return prepare(g) ? 0 : err_set(err, 0, "out of memory");
}

static bool
is_utf8(const char *s, size_t n)
{
	uint32_t cp;
	size_t len;

	for (; n; s += len, n -= len) {
		len = globparse_char(s, n, &cp);
		if (len == 1 && (unsigned char)*s >= 0x80)
			return false;
	}
	return true;
}

struct glob *
glob_raw(const char *glob, const char *separators, struct err *err)
{
	struct buf regex = BUF_INIT, lit = BUF_INIT;
	struct glob *g = xcalloc(1, sizeof *g);
	struct globparse parse;
	int rc = 0;

	g->text = xstrdup(glob);
	if (!globparse(&parse, glob, separators, &regex, &lit, &g->prefix_n))
		rc = err_set(err, 0, "glob '%s', byte %zu: %s", glob, parse.at + 1, parse.msg);
	g->lit_n = lit.n;
	g->lit = buf_detach(&lit);
	g->plain = parse.plain && strcmp(separators, "/") == 0 && is_utf8(glob, strlen(glob));
	if (rc == 0 && !g->plain)
		rc = compile(g, &regex, err);
	buf_release(&regex);
	if (rc == 0)
		return g;
	glob_free(g);
	return NULL;
}

struct glob *
glob_new(const char *glob, struct err *err)
{
	struct buf text = BUF_INIT;
	struct glob *g;

	clean(&text, glob);
	g = glob_raw(text.s, "/", err);
	if (g)
		g->root = strcmp(text.s, "/") == 0;
	buf_release(&text);
	return g;
}

static int
by_number(const void *a, const void *b)
{
	const struct glob_name *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static void
take_names(struct glob *g)
{
	uint32_t n = 0, size = 0;
	PCRE2_SPTR table = NULL;

	pcre2_pattern_info(g->code, PCRE2_INFO_NAMECOUNT, &n);
	pcre2_pattern_info(g->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
	pcre2_pattern_info(g->code, PCRE2_INFO_NAMETABLE, &table);
	g->name = xcalloc(n + 1, sizeof *g->name);
	for (g->n_name = 0; g->n_name < n; g->n_name++, table += size)
		g->name[g->n_name] = (struct glob_name){ (const char *)table + 2, (unsigned)table[0] << 8 | table[1] };
	qsort(g->name, n, sizeof *g->name, by_number);
}

struct glob *
glob_regex(const char *regex, bool check, char msg[GLOB_MSG], size_t *ret_at)
{
	const char *first = regex + (*regex == '^');
	struct glob *g = xcalloc(1, sizeof *g);
	size_t n = strlen(regex), last = n - (n && regex[n - 1] == '$');
	PCRE2_UCHAR text[256];
	PCRE2_SIZE at = 0;
	int code;

	g->text = xstrdup(regex);
	g->lit = xstrdup("");
	g->regex = true;
	g->slash = first[*first == '\\'] == '/';
	g->folders = last && regex[last - 1] == '/';
	g->code = pcre2_compile((PCRE2_SPTR)regex, n, PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY |
	    PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);
	if (!g->code) {
		pcre2_get_error_message(code, text, sizeof text);
		snprintf(msg, GLOB_MSG, "%s", (char *)text);
	} else if (!check && !prepare(g)) {
		snprintf(msg, GLOB_MSG, "out of memory");
		at = 0;
	} else {
		take_names(g);
		return g;
	}
	*ret_at = at;
	glob_free(g);
	return NULL;
}

bool
glob_is_regex(const struct glob *g, bool *ret_slash, bool *ret_folders)
{
	*ret_slash = g->slash;
	*ret_folders = g->folders;
	return g->regex;
}

size_t
glob_names(const struct glob *g, const struct glob_name **ret)
{
	*ret = g->name;
	return g->n_name;
}

unsigned
glob_captures(const struct glob *g)
{
	uint32_t n = 0;

	if (g->code)
		pcre2_pattern_info(g->code, PCRE2_INFO_CAPTURECOUNT, &n);
	return n;
}

void
glob_free(struct glob *g)
{
	if (!g)
		return;
	free(g->name);
	pcre2_jit_stack_free(g->stack);
	pcre2_match_context_free(g->ctx);
	pcre2_match_data_free(g->data);
	pcre2_code_free(g->code);
	buf_release(&g->utf);
	free(g->back);
	free(g->lit);
	free(g->text);
	free(g);
}

/* Only the newest star can be wrong, and only within its component: what is before a '/' that fits is settled. */
static bool
match_plain(const struct glob *g, const char *s, size_t n)
{
	const char *p = g->lit, *end = p + g->lit_n, *t = s, *stop = s + n;
	const char *star = NULL, *mark = NULL;

	while (t < stop) {
		if (p < end && *p == GLOB_STAR) {
			star = ++p;
			mark = t;
		} else if (p < end && *p == *t) {
			if (*t == '/')
				star = NULL;
			p++;
			t++;
		} else if (star && *mark != '/') {
			p = star;
			t = ++mark;
		} else {
			return false;
		}
	}
	while (p < end && *p == GLOB_STAR)
		p++;
	return p == end;
}

static void
translate(struct glob *g, const char *s, size_t n)
{
	size_t i = 0, len;
	uint32_t cp;

	buf_reset(&g->utf);
	while ((len = globparse_char(s + i, n - i, &cp))) {
		size_t from = g->utf.n;

		globparse_put(&g->utf, cp);
		GROW(g->back, g->utf.n, g->cap_back);
		for (; from < g->utf.n; from++)
			g->back[from] = i;
		i += len;
	}
	g->back[g->utf.n] = n;
}

static int
match_pcre(struct glob *g, const char *s, size_t n, struct err *err)
{
	PCRE2_UCHAR text[256];
	int rc;

	g->translated = !is_utf8(s, n);
	if (g->translated) {
		translate(g, s, n);
		s = g->utf.s;
		n = g->utf.n;
	}
	rc = pcre2_match(g->code, (PCRE2_SPTR)s, n, 0, PCRE2_NO_UTF_CHECK, g->data, g->ctx);
	if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
		rc = pcre2_match(g->code, (PCRE2_SPTR)s, n, 0, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, g->data, g->ctx);
	if (rc >= 0)
		return 1;
	if (rc == PCRE2_ERROR_NOMATCH)
		return 0;
	if (rc == PCRE2_ERROR_MATCHLIMIT)
		return err_set(err, 0, "the %s '%s' takes too many steps on '%.*s': write it with fewer stars", g->regex ? "regex" : "glob", g->text,
		    (int)n, s);
	pcre2_get_error_message(rc, text, sizeof text);
	return err_set(err, 0, "cannot match the %s '%s' with '%.*s': %s", g->regex ? "regex" : "glob", g->text, (int)n, s, (char *)text);
}

int
glob_match(struct glob *g, const char *s, size_t n, struct err *err)
{
	g->subject = s;
	g->subject_n = n;
	return g->plain ? match_plain(g, s, n) : match_pcre(g, s, n, err);
}

bool
glob_capture(const struct glob *g, unsigned i, const char **ret, size_t *ret_n)
{
	const PCRE2_SIZE *ov;
	size_t from, to;

	*ret = g->subject;
	*ret_n = i == 0 ? g->subject_n : 0;
	if (i == 0)
		return true;
	if (g->plain || i >= pcre2_get_ovector_count(g->data))
		return false;
	ov = pcre2_get_ovector_pointer(g->data);
	from = ov[2 * i];
	to = ov[2 * i + 1];
	if (from == PCRE2_UNSET)
		return false;
	if (g->translated) {
		from = g->back[from];
		to = g->back[to];
	}
	*ret = g->subject + from;
	*ret_n = to - from;
	return true;
}

/* "1" or "{1}" after a '$': its length, 0 if it is none.  A number that no capture has: UINT_MAX. */
static size_t
reference(const char *s, unsigned *ret_i)
{
	size_t brace = *s == '{', n = strspn(s + brace, "0123456789");

	if (n == 0 || (brace && s[1 + n] != '}'))
		return 0;
	*ret_i = n > 8 || (n > 1 && s[brace] == '0') ? UINT32_MAX : (unsigned)strtoul(s + brace, NULL, 10);
	return n + 2 * brace;
}

/* "year" or "{year}" after a '$', if a capture has that name: its length, else 0. */
static size_t
named(const struct glob *g, const char *s, unsigned *ret_i)
{
	size_t brace = *s == '{', n = strspn(s + brace, GLOB_NAME_CHARS);

	if (brace && s[1 + n] != '}')
		return 0;
	for (size_t i = 0; n && i < g->n_name; i++)
		if (!strncmp(g->name[i].name, s + brace, n) && !g->name[i].name[n]) {
			*ret_i = g->name[i].number;
			return n + 2 * brace;
		}
	return 0;
}

void
glob_expand(const struct glob *g, const char *template, struct buf *ret)
{
	const char *t = template;

	while (*t) {
		size_t plain = strcspn(t, "$"), n;
		const char *p;
		unsigned i;

		buf_add(ret, t, plain);
		t += plain;
		if (!*t)
			break;
		n = reference(++t, &i);
		if (!n)
			n = named(g, t, &i);
		if (n) {
			t += n;
			if (glob_capture(g, i, &p, &n))
				buf_add(ret, p, n);
		} else {
			buf_byte(ret, '$');
			t += *t == '$';
		}
	}
}

bool
glob_is_root(const struct glob *g)
{
	return g->root;
}

const char *
glob_prefix(const struct glob *g, size_t *ret_n)
{
	*ret_n = g->prefix_n;
	return g->lit;
}
