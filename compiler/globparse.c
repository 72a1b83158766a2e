/* globparse.c: Pachyderm's glob dialect (that of its library ohmyglob), read by recursive descent and written as
 * a PCRE2 pattern in the same pass.
 *
 *   *  **  ?          [^/]*  .*  [^/]             (the separators are a parameter; Pachyderm's is always '/')
 *   [abc] [!a-z]      class; [:alpha:] and its like in it; may match a separator
 *   {x,y}             (?:x|y)
 *   (x|y) @(x|y)      (x|y)
 *   *(x) +(x) ?(x)    ((?:x)*) …: one capture around the repetition
 *   !(x|y)            ((?:(?!(?:x|y))[^/]*)): anything that does not begin with x or y; where no literal and no star
 *                     follows, x and y are tied to the end: anything that is not x or y
 *   \c                c
 *
 * A quantifier directly before '(' belongs to it.  "Follows" is meant textually and looks from the end of the first
 * !(…) that closes, as the original does it; so a first pass finds that place, and a second one writes. */
#include "globparse.h"

#include <string.h>

#include "../base/buf.h"

enum { MAX_DEPTH = 60, MAX_GLOB = 4096 };    /* PCRE2 nests 250 parentheses; !( takes three */

struct parse {
	struct globparse *g;
	const char *s;
	size_t n, at;
	const char *sep;
	struct buf *out;
	struct buf *plain;
	bool in_prefix;
	size_t prefix;
	unsigned depth, parens, braces;
	char last;                          /* 's' after '*', 'S' after '**', else 0 */
	size_t neg_end, last_bound;         /* the first !(…)'s end; the last literal or star; +1, 0: none */
	bool tie;                           /* !(…) is tied to the end of the string */
};

static bool group(struct parse *p, char quantifier, size_t open);

static bool
fail(struct parse *p, size_t at, const char *msg)
{
	p->g->msg = msg;
	p->g->at = at;
	return false;
}

static unsigned char
utf8_follow(const char *s, size_t i)
{
	unsigned char c = (unsigned char)s[i];

	return (c & 0xc0) == 0x80 ? c & 0x3f : 0xff;
}

size_t
globparse_char(const char *s, size_t n, uint32_t *ret_cp)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char c;
	size_t len;
	uint32_t cp;

	if (n == 0)
		return 0;
	c = (unsigned char)s[0];
	*ret_cp = c;
	if (c < 0x80)
		return 1;
	*ret_cp = 0x10ff00u + c;
	len = c >= 0xf0 && c < 0xf5 ? 4 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xc2 && c < 0xe0 ? 2 : 0;
	if (len == 0 || len > n)
		return 1;
	cp = c & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		unsigned char f = utf8_follow(s, i);

		if (f == 0xff)
			return 1;
		cp = cp << 6 | f;
	}
	if (cp < least[len] || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
		return 1;
	*ret_cp = cp;
	return len;
}

void
globparse_put(struct buf *b, uint32_t cp)
{
	if (cp < 0x80) {
		buf_byte(b, (char)cp);
		return;
	}
	if (cp >= 0x10000) {
		buf_byte(b, (char)(0xf0 | cp >> 18));
		buf_byte(b, (char)(0x80 | (cp >> 12 & 0x3f)));
	} else if (cp >= 0x800) {
		buf_byte(b, (char)(0xe0 | cp >> 12));
	} else {
		buf_byte(b, (char)(0xc0 | cp >> 6));
	}
	if (cp >= 0x800)
		buf_byte(b, (char)(0x80 | (cp >> 6 & 0x3f)));
	buf_byte(b, (char)(0x80 | (cp & 0x3f)));
}

static void
emit(struct parse *p, const char *s)
{
	if (p->out)
		buf_str(p->out, s);
}

/* A character that stands for itself, in a class and outside of one. */
static void
emit_char(struct parse *p, uint32_t cp)
{
	static const char meta[] = "\\^$.[]|()?*+{}-:=";

	if (!p->out)
		return;
	if (cp < 0x80 && strchr(meta, (int)cp))
		buf_byte(p->out, '\\');
	globparse_put(p->out, cp);
}

/* One character that is not a separator. */
static void
emit_dot(struct parse *p)
{
	uint32_t cp;
	size_t len;

	if (!p->sep[0]) {
		emit(p, ".");
		return;
	}
	emit(p, "[^");
	for (const char *s = p->sep; (len = globparse_char(s, strlen(s), &cp)); s += len)
		emit_char(p, cp);
	emit(p, "]");
}

/* What is not plain text ends the literal prefix. */
static void
special(struct parse *p, bool star)
{
	p->in_prefix = false;
	p->g->plain &= star;
	p->last = 0;
}

static void
literal(struct parse *p)
{
	uint32_t cp;
	size_t len = globparse_char(p->s + p->at, p->n - p->at, &cp);

	emit_char(p, cp);
	if (p->plain)
		buf_add(p->plain, p->s + p->at, len);
	if (p->in_prefix)
		p->prefix += len;
	p->last = 0;
	p->at += len;
	p->last_bound = p->at;
}

static void
star(struct parse *p, bool super)
{
	char last = p->last;

	special(p, !super);
	p->at += super ? 2 : 1;
	p->last_bound = p->at;
	p->last = super ? 'S' : 's';
	/* A star after a star that matches at least as much adds nothing but time. */
	if (last == 'S' || last == p->last) {
		p->last = last;
		return;
	}
	if (super)
		emit(p, ".");
	else
		emit_dot(p);
	emit(p, "*");
	if (p->plain)
		buf_byte(p->plain, GLOB_STAR);
}

/* The length of a class's name, with a '^' before it perhaps, that ends in ":]" here; 0: it is none. */
static size_t
posix_name(const char *s)
{
	static const char *const names[] = { "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print",
		"punct", "space", "upper", "word", "xdigit" };
	const char *end = strstr(s, ":]");
	size_t not = *s == '^';

	for (size_t i = 0; end && i < sizeof names / sizeof *names; i++) {
		size_t len = strlen(names[i]);

		if ((size_t)(end - s) == len + not && memcmp(s + not, names[i], len) == 0)
			return len + not;
	}
	return 0;
}

/* "[:name:]" at p->at; PCRE2 writes it the same way.  0: it is none, just a '['. */
static int
posix_class(struct parse *p)
{
	const char *s = p->s + p->at;
	size_t len;

	if (s[1] != ':' || strncmp(s + 2 + strspn(s + 2, "^abcdefghijklmnopqrstuvwxyz"), ":]", 2) != 0)
		return 0;
	len = posix_name(s + 2);
	if (len == 0) {
		fail(p, p->at, "unknown character class; there are [:alnum:] [:alpha:] [:ascii:] [:blank:] [:cntrl:] [:digit:] "
		    "[:graph:] [:lower:] [:print:] [:punct:] [:space:] [:upper:] [:word:] and [:xdigit:]");
		return -1;
	}
	if (p->out)
		buf_add(p->out, s, len + 4);
	p->at += len + 4;
	return 1;
}

/* "[:alpha:]" without the second pair of brackets: Pachyderm takes it for what was meant. */
static void
bare_posix_class(struct parse *p)
{
	const char *s = p->s + p->at;
	size_t len = *s == ':' ? posix_name(s + 1) : 0;

	if (len == 0)
		return;
	emit(p, "[");
	if (p->out)
		buf_add(p->out, s, len + 2);
	emit(p, "]");
	p->at += len + 2;
}

/* A character in a class, maybe escaped.  False at the end. */
static bool
class_char(struct parse *p, uint32_t *ret_cp)
{
	size_t at = p->at + (p->s[p->at] == '\\');
	size_t len = globparse_char(p->s + at, p->n - at, ret_cp);

	p->at = at + len;
	return len > 0;
}

/* c or c-d */
static bool
class_item(struct parse *p, size_t open)
{
	static const char unclosed[] = "unexpected end of input: this '[' is not closed";
	size_t start = p->at;
	uint32_t lo, hi;

	if (!class_char(p, &lo))
		return fail(p, open, unclosed);
	emit_char(p, lo);
	if (p->s[p->at] != '-' || p->s[p->at + 1] == ']')
		return true;
	p->at++;
	if (!class_char(p, &hi))
		return fail(p, open, unclosed);
	if (hi < lo)
		return fail(p, start, "this range runs backwards");
	emit(p, "-");
	emit_char(p, hi);
	return true;
}

static bool
class(struct parse *p)
{
	size_t open = p->at++, first;

	special(p, false);
	emit(p, "[");
	if (p->s[p->at] == '!' || p->s[p->at] == '^') {
		emit(p, "^");
		p->at++;
	}
	first = p->at;
	bare_posix_class(p);
	while (p->s[p->at] != ']') {
		int posix = p->s[p->at] == '[' ? posix_class(p) : 0;

		if (posix < 0 || (posix == 0 && !class_item(p, open)))
			return false;
	}
	if (p->at == first)
		return fail(p, open, "this class is empty; a ']' in it is written '\\]'");
	p->at++;
	emit(p, "]");
	return true;
}

/* One thing of a sequence that is neither a separator nor a closing bracket. */
static bool
item(struct parse *p)
{
	char c = p->s[p->at], next = p->s[p->at + 1];

	if (c == '(' || c == '{')
		return group(p, c == '(' ? '@' : '{', p->at);
	if (c && next == '(' && strchr("@!+?*", c))
		return group(p, c, p->at++);
	if (c == '^' && next == '(')
		return fail(p, p->at, "'^(' means nothing; everything but x is '!(x)', a literal '^' is '\\^'");
	if (c == '[')
		return class(p);
	if (c == '*') {
		star(p, next == '*' && p->s[p->at + 2] != '(');
		return true;
	}
	if (c == '?') {
		special(p, false);
		emit_dot(p);
		p->at++;
		return true;
	}
	if (c == '\\' && !next)
		return fail(p, p->at, "nothing follows this backslash; a literal one is '\\\\'");
	p->at += c == '\\';
	literal(p);
	return true;
}

/* Up to the end or to what ends this alternative: | , ) } as far as such a bracket is open. */
static bool
sequence(struct parse *p)
{
	while (p->at < p->n) {
		char c = p->s[p->at];

		if (p->parens && (c == '|' || c == ')'))
			break;
		if (p->braces && (c == ',' || c == '}'))
			break;
		if (!item(p))
			return false;
	}
	return true;
}

static void
group_open(struct parse *p, char quantifier)
{
	if (quantifier != '{')
		p->g->groups++;
	emit(p, quantifier == '@' ? "(" : quantifier == '{' ? "(?:" : quantifier == '!' ? "((?:(?!(?:" : "((?:");
}

static void
group_close(struct parse *p, char quantifier)
{
	char q[2] = { quantifier, '\0' };

	if (quantifier == '{' || quantifier == '@') {
		emit(p, ")");
	} else if (quantifier == '!') {
		if (!p->neg_end)
			p->neg_end = p->at;
		emit(p, p->tie ? "\\z))" : "))");
		emit_dot(p);
		emit(p, "*))");
	} else {
		emit(p, ")");
		emit(p, q);
		emit(p, ")");
	}
	p->last = 0;
}

/* p->at is on the bracket; `open` is where the group begins, quantifier and all. */
static bool
group(struct parse *p, char quantifier, size_t open)
{
	unsigned *level = quantifier == '{' ? &p->braces : &p->parens;
	char close = quantifier == '{' ? '}' : ')';
	char c;

	if (p->depth == MAX_DEPTH)
		return fail(p, open, "too many brackets in one another");
	special(p, false);
	p->depth++;
	(*level)++;
	p->at = open + (quantifier == p->s[open] && quantifier != '{' ? 2 : 1);
	group_open(p, quantifier);
	for (;;) {
		if (!sequence(p))
			return false;
		if (p->at == p->n)
			return fail(p, open, close == ')' ? "this '(' is not closed" : "this '{' is not closed");
		c = p->s[p->at++];
		if (c == ')' || c == '}')
			break;
		p->last = 0;
		emit(p, quantifier == '!' && p->tie ? "\\z|" : "|");
	}
	if (c != close)
		return fail(p, p->at - 1, c == ')' ? "this ')' closes nothing: a '{' is open" : "this '}' closes nothing: a '(' is open");
	p->depth--;
	(*level)--;
	group_close(p, quantifier);
	return true;
}

bool
globparse(struct globparse *g, const char *glob, const char *sep, struct buf *ret_regex, struct buf *ret_plain,
    size_t *ret_prefix)
{
	struct parse p = { .g = g, .s = glob, .n = strlen(glob), .sep = sep, .in_prefix = true, .plain = ret_plain };
	bool tie;

	*g = (struct globparse){ .plain = true };
	if (p.n > MAX_GLOB)
		return fail(&p, MAX_GLOB, "the glob is longer than 4096 bytes");
	if (!sequence(&p))
		return false;
	if (ret_prefix)
		*ret_prefix = p.prefix;
	if (!ret_regex)
		return true;
	tie = p.neg_end && p.last_bound < p.neg_end;
	p = (struct parse){ .g = g, .s = glob, .n = p.n, .sep = sep, .out = ret_regex, .tie = tie };
	g->groups = 0;
	buf_str(ret_regex, "\\A");
	sequence(&p);
	buf_str(ret_regex, "\\z");
	return true;
}
