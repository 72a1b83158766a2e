/* shorthand.c: short forms become long forms before anything is loaded.
 *
 *   input: books/STAR       input: {pfs: {repo: books, glob: "/STAR"}}
 *   input: books/           input: {pfs: {repo: books, glob: "/"}}       so is plain `books`
 *   input: books@dev/STAR   … branch: dev
 *   input: books ~ REGEX    input: {pfs: {repo: books, match: REGEX}}
 *   run: |                  transform: {cmd: [sh, -eu], stdin: [the lines]}
 *   cmd, stdin, env, code…  the same field of transform
 *   tries, timeout, workers datum_tries, datum_timeout, parallelism_spec: {constant: …}
 *   secrets: {V: NAME/KEY}  transform: {secrets: [{name: NAME, key: KEY, env_var: V}]}; {/FOLDER: NAME} is a mount_path
 *   memory, cpu             resource_limits: {memory: …}, resource_requests: {cpu: …}
 *   pool: gpu               pools: {gpu: 1}; of a list, each
 *   egress: URL             egress: {URL: URL}; of a list, each
 *   notify: ADDRESS         notify: {mail: [ADDRESS]}, or {webhook: [URL]}; of a list, each by its kind
 *   parallelism: 2          of Pachyderm 1.1: parallelism_spec: {constant: 2}
 *   inputs: [{repo: …}]     of Pachyderm 1.3: input: {pfs: …}, of several a cross
 *
 * (STAR for an asterisk.)  Nodes are made anew with the places of what was written, so that an error in a short form
 * points to it.  Both ways can be mixed in one pipeline; what is said twice is found when the long form is loaded. */
#include "shorthand.h"

#include <string.h>

#include "../base/mem.h"
#include "fields.h"
#include "spec.h"
#include "yaml.h"

/* A list of nodes under construction. */
struct chain { struct ynode *first, **end; };

static void
chain_init(struct chain *c)
{
	c->first = 0;
	c->end = &c->first;
}

static void
chain_add(struct chain *c, struct ynode *n)
{
	n->next = 0;
	*c->end = n;
	c->end = &n->next;
}

static struct ynode *
copy_of(struct specset *s, const struct ynode *n)
{
	struct ynode *c = arena_alloc(s->nodes, sizeof *c);

	*c = *n;
	c->next = 0;
	return c;
}

static struct ynode *
make_text(struct specset *s, const char *text, size_t n, struct span at)
{
	struct ynode *t = arena_alloc(s->nodes, sizeof *t);

	t->kind = Y_SCALAR;
	t->text = arena_dup(s->a, text, n);
	t->n = (uint32_t)n;
	t->at = at;
	return t;
}

static struct ynode *
make_node(struct specset *s, enum ykind kind, struct span at)
{
	struct ynode *n = arena_alloc(s->nodes, sizeof *n);

	n->kind = kind;
	n->at = at;
	n->text = "";
	return n;
}

static struct ynode *
add_pair(struct specset *s, struct chain *c, const char *key, struct span at, const struct ynode *val)
{
	struct ynode *k = make_text(s, key, strlen(key), at);

	k->val = copy_of(s, val);
	chain_add(c, k);
	return k;
}

/* Part of a text, as a field. */
static void
add_part(struct specset *s, struct chain *c, const char *key, const struct ynode *n, size_t from, size_t len)
{
	add_pair(s, c, key, n->at, make_text(s, n->text + from, len, ynode_part(s->d, n, from, len)));
}

/* REPO[@BRANCH][/GLOB] or REPO[@BRANCH] ~ REGEX */
static const struct ynode *
lower_path(struct specset *s, const struct ynode *n)
{
	size_t name = strcspn(n->text, "/~"), repo = name;
	const char *at = memchr(n->text, '@', name);
	bool regex = n->text[name] == '~';
	struct ynode *pfs = make_node(s, Y_MAP, n->at), *in = make_node(s, Y_MAP, n->at);
	struct chain fields, kinds;

	while (regex && repo && n->text[repo - 1] == ' ')
		repo--;
	if (repo == 0)
		return diag_error(s->d, n->at, "an input begins with a repo: REPO/GLOB, not '%s'", n->text), (void *)0;
	chain_init(&fields);
	if (at) {
		size_t from = (size_t)(at - n->text) + 1;

		add_part(s, &fields, "branch", n, from, repo - from);
		repo = from - 1;
	}
	add_part(s, &fields, "repo", n, 0, repo);
	if (regex) {
		name += 1 + strspn(n->text + name + 1, " ");
		add_part(s, &fields, "match", n, name, n->n - name);
	} else if (n->text[name])
		add_part(s, &fields, "glob", n, name, n->n - name);
	else
		add_pair(s, &fields, "glob", n->at, make_text(s, "/", 1, n->at));
	pfs->kids = fields.first;
	chain_init(&kinds);
	add_pair(s, &kinds, "pfs", n->at, pfs);
	in->kids = kinds.first;
	return in;
}

static const struct ynode *lower_input(struct specset *s, const struct ynode *n);

static const struct ynode *
lower_members(struct specset *s, const struct ynode *list)
{
	struct ynode *out = make_node(s, Y_SEQ, list->at);
	struct chain c;
	bool ok = true;

	chain_init(&c);
	for (const struct ynode *k = list->kids; k; k = k->next) {
		const struct ynode *low = lower_input(s, k);

		if (low)
			chain_add(&c, copy_of(s, low));
		else
			ok = false;
	}
	out->kids = c.first;
	return ok ? out : 0;
}

static const struct ynode *
lower_input(struct specset *s, const struct ynode *n)
{
	struct ynode *out;
	struct chain c;

	if (n->kind == Y_SCALAR)
		return ynode_is_null(n) ? n : lower_path(s, n);
	if (n->kind == Y_SEQ)
		return diag_error(s->d, n->at, "an input is one thing; combine several with 'cross: […]' or 'union: […]'"), (void *)0;
	out = make_node(s, Y_MAP, n->at);
	chain_init(&c);
	for (const struct ynode *k = n->kids; k; k = k->next) {
		const struct field *f = field_find(&input_table, k->text);
		struct ynode *key = copy_of(s, k);

		if (f && f->kind == FK_OBJS && k->val->kind == Y_SEQ)
			key->val = (struct ynode *)lower_members(s, k->val);
		if (!key->val)
			return 0;
		chain_add(&c, key);
	}
	out->kids = c.first;
	return out;
}

/* One worker saw all files at once, whatever the method. */
static bool
one_worker(const struct ynode *map)
{
	const struct ynode *n = ynode_get(map, "parallelism"), *spec = ynode_get(map, "parallelism_spec");

	if (!n && spec)
		n = ynode_get(spec, "constant");
	return n && n->kind == Y_SCALAR && !strcmp(n->text, "1");
}

/* How 1.2 and 1.3 say which files are a datum: a glob, or a method by its name or its partition. */
static const char *
method_glob(struct specset *s, const struct ynode *method, bool one)
{
	const struct ynode *word = method->kind == Y_MAP ? ynode_get(method, "partition") : method;
	bool whole = one || (word && word->kind == Y_SCALAR && (!strcmp(word->text, "global") || !strcmp(word->text, "REPO")));

	diag_warn(s->d, method->at, "'method' is of Pachyderm 1.2: read as glob \"%s\", %s", whole ? "/" : "/*",
	    one ? "all as one datum, as its one worker saw it" : whole ? "all as one datum" : "a datum for each file or folder at the top");
	return whole ? "/" : "/*";
}

/* One of 1.3's inputs: {repo: {name: …}, branch, glob, lazy, from, run_empty}.  What is none of these is found when it is loaded. */
static const struct ynode *
lower_old_input(struct specset *s, const struct ynode *old, bool one)
{
	struct ynode *pfs = make_node(s, Y_MAP, old->at), *in = make_node(s, Y_MAP, old->at);
	const struct ynode *method = 0;
	struct chain fields, kinds;
	bool glob = false;

	if (old->kind != Y_MAP)
		return diag_error(s->d, old->at, "'inputs' is a list of maps, this is %s", ynode_kind_name(old)), (void *)0;
	chain_init(&fields);
	for (const struct ynode *k = old->kids; k; k = k->next) {
		const struct ynode *name = k->val->kind == Y_MAP ? ynode_get(k->val, "name") : 0;

		if (!strcmp(k->text, "method"))
			method = k->val;
		else if ((!strcmp(k->text, "repo") || !strcmp(k->text, "branch")) && name)
			add_pair(s, &fields, k->text, k->at, name);
		else if (!strcmp(k->text, "from") || !strcmp(k->text, "fromCommit"))
			add_pair(s, &fields, "from_commit", k->at, k->val);
		else if (!field_name_is("run_empty", k->text))
			add_pair(s, &fields, k->text, k->at, k->val);
		glob |= !strcmp(k->text, "glob");
	}
	if (!glob && method) {
		const char *text = method_glob(s, method, one);

		add_pair(s, &fields, "glob", method->at, make_text(s, text, strlen(text), method->at));
	}
	pfs->kids = fields.first;
	chain_init(&kinds);
	add_pair(s, &kinds, "pfs", old->at, pfs);
	in->kids = kinds.first;
	return in;
}

static const struct ynode *
lower_old_inputs(struct specset *s, const struct ynode *list, bool one)
{
	struct ynode *members = make_node(s, Y_SEQ, list->at), *out = make_node(s, Y_MAP, list->at);
	struct chain c, kinds;

	if (list->kind != Y_SEQ || !list->kids)
		return diag_error(s->d, list->at, "'inputs' is Pachyderm 1.3's list of inputs; write 'input: REPO/*' or 'input: {pfs: {…}}'"), (void *)0;
	chain_init(&c);
	for (const struct ynode *k = list->kids; k; k = k->next) {
		const struct ynode *in = lower_old_input(s, k, one);

		if (!in)
			return 0;
		chain_add(&c, copy_of(s, in));
	}
	if (!c.first->next)
		return c.first;
	members->kids = c.first;
	chain_init(&kinds);
	add_pair(s, &kinds, "cross", list->at, members);
	out->kids = kinds.first;
	return out;
}

/* The lines of a text; the last newline ends the last line. */
static const struct ynode *
lines_of(struct specset *s, const struct ynode *text)
{
	struct ynode *list = make_node(s, Y_SEQ, text->at);
	const char *p = text->text, *end = p + text->n;
	struct chain c;

	chain_init(&c);
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl ? nl : end;

		chain_add(&c, make_text(s, p, (size_t)(stop - p), text->at));
		p = nl ? nl + 1 : end;
	}
	list->kids = c.first;
	return list;
}

static bool
lower_run(struct specset *s, const struct ynode *key, struct chain *transform)
{
	struct ynode *cmd = make_node(s, Y_SEQ, key->at);
	struct chain words;

	if (key->val->kind != Y_SCALAR)
		return diag_error(s->d, key->val->at, "'%s' is text for sh, this is %s; write '%s: |' and the lines below it",
		    key->text, ynode_kind_name(key->val), key->text);
	if (!key->val->text[strspn(key->val->text, " \t\r\n")])
		return diag_error(s->d, key->at, "'%s' is empty", key->text);
	chain_init(&words);
	chain_add(&words, make_text(s, "sh", 2, key->at));
	chain_add(&words, make_text(s, "-eu", 3, key->at));
	cmd->kids = words.first;
	add_pair(s, transform, "cmd", key->at, cmd)->lowered = true;
	add_pair(s, transform, "stdin", key->at, lines_of(s, key->val))->lowered = true;
	return true;
}

static const struct ynode *
lower_egress(struct specset *s, const struct ynode *n, bool in_list)
{
	struct ynode *out = make_node(s, n->kind == Y_SEQ ? Y_SEQ : Y_MAP, n->at);
	struct chain c;

	if (n->kind == Y_MAP || ynode_is_null(n) || (n->kind == Y_SEQ && in_list))
		return n;
	chain_init(&c);
	if (n->kind == Y_SCALAR)
		add_pair(s, &c, "URL", n->at, n);
	else
		for (const struct ynode *k = n->kids; k; k = k->next)
			chain_add(&c, copy_of(s, lower_egress(s, k, true)));
	out->kids = c.first;
	return out;
}

static bool
lower_pool(struct specset *s, const struct ynode *key, struct chain *top)
{
	const struct ynode *n = key->val->kind == Y_SEQ ? key->val->kids : key->val;
	struct ynode *pools = make_node(s, Y_MAP, key->val->at);
	struct chain c;

	chain_init(&c);
	for (; n; n = key->val->kind == Y_SEQ ? n->next : 0) {
		struct ynode *name;

		if (n->kind != Y_SCALAR)
			return diag_error(s->d, n->at, "'pool' is the name of a pool, this is %s; of several places write 'pools: {NAME: 2}'",
			    ynode_kind_name(n));
		name = copy_of(s, n);
		name->val = make_text(s, "1", 1, n->at);
		chain_add(&c, name);
	}
	pools->kids = c.first;
	add_pair(s, top, "pools", key->at, pools);
	return true;
}

/* A text is a list of one. */
static const struct ynode *
lower_texts(struct specset *s, const struct ynode *n)
{
	struct ynode *out;
	struct chain c;

	if (n->kind != Y_SCALAR || ynode_is_null(n))
		return n;
	out = make_node(s, Y_SEQ, n->at);
	chain_init(&c);
	chain_add(&c, copy_of(s, n));
	out->kids = c.first;
	return out;
}

static bool
is_mail(const struct ynode *n)
{
	return n->kind == Y_SCALAR && strchr(n->text, '@') && !strstr(n->text, "://") && strncmp(n->text, "env:", 4) &&
	    strncmp(n->text, "file:", 5);
}

/* A list of addresses by their kind. */
static const struct ynode *
lower_addresses(struct specset *s, const struct ynode *list)
{
	struct ynode *out = make_node(s, Y_MAP, list->at), *mail = make_node(s, Y_SEQ, list->at), *webhook = make_node(s, Y_SEQ, list->at);
	struct chain fields, mails, webhooks;

	chain_init(&fields);
	chain_init(&mails);
	chain_init(&webhooks);
	for (const struct ynode *k = list->kids; k; k = k->next)
		chain_add(is_mail(k) ? &mails : &webhooks, copy_of(s, k));
	mail->kids = mails.first;
	webhook->kids = webhooks.first;
	if (mail->kids)
		add_pair(s, &fields, "mail", list->at, mail);
	if (webhook->kids)
		add_pair(s, &fields, "webhook", list->at, webhook);
	out->kids = fields.first;
	return out;
}

const struct ynode *
lower_notify(struct specset *s, const struct ynode *n)
{
	struct ynode *out;
	struct chain c;

	if (ynode_is_null(n))
		return n;
	if (n->kind != Y_MAP)
		return lower_addresses(s, lower_texts(s, n));
	out = make_node(s, Y_MAP, n->at);
	chain_init(&c);
	for (const struct ynode *k = n->kids; k; k = k->next) {
		const struct field *f = field_find(&notify_table, k->text);
		struct ynode *key = copy_of(s, k);

		if (f && f->kind == FK_STRS)
			key->val = copy_of(s, lower_texts(s, k->val));
		chain_add(&c, key);
	}
	out->kids = c.first;
	return out;
}

/* Of 1.1 and 1.2: how many workers; 0, as many as the cluster likes. */
static bool
lower_parallelism(struct specset *s, const struct ynode *k, struct chain *top)
{
	struct ynode *obj = make_node(s, Y_MAP, k->at);
	struct chain c;

	chain_init(&c);
	add_pair(s, &c, "constant", k->at, k->val)->lowered = true;
	obj->kids = c.first;
	add_pair(s, top, "parallelism_spec", k->at, obj);
	return true;
}

/* VARIABLE: NAME/KEY or /FOLDER: NAME. */
static const struct ynode *
lower_secret(struct specset *s, const struct ynode *k)
{
	struct ynode *out = make_node(s, Y_MAP, k->at);
	const struct ynode *val = k->val;
	bool folder = k->text[0] == '/';
	size_t name = val->kind == Y_SCALAR ? strcspn(val->text, "/") : 0;
	struct chain c;

	if (!name || folder == (val->text[name] == '/'))
		return diag_error(s->d, val->at, folder ? "a secret in a folder is 'FOLDER: NAME'" : "a secret in a variable is 'VARIABLE: NAME/KEY'"),
		    (void *)0;
	chain_init(&c);
	add_part(s, &c, "name", val, 0, name);
	if (!folder)
		add_part(s, &c, "key", val, name + 1, val->n - name - 1);
	add_pair(s, &c, folder ? "mount_path" : "env_var", k->at, make_text(s, k->text, strlen(k->text), k->at));
	out->kids = c.first;
	return out;
}

/* A map in the short form, or one of the list's maps alone, as the list that it stands for. */
static const struct ynode *
lower_secrets(struct specset *s, const struct ynode *n)
{
	struct ynode *out;
	struct chain c;
	bool ok = true;

	if (n->kind != Y_MAP)
		return n;
	out = make_node(s, Y_SEQ, n->at);
	chain_init(&c);
	if (ynode_get(n, "name")) {
		chain_add(&c, copy_of(s, n));
		out->kids = c.first;
		return out;
	}
	for (const struct ynode *k = n->kids; k; k = k->next) {
		const struct ynode *one = lower_secret(s, k);

		if (one)
			chain_add(&c, copy_of(s, one));
		ok &= one != NULL;
	}
	out->kids = c.first;
	return ok ? out : 0;
}

/* A field of transform, wherever it was written. */
static bool
lower_transform(struct specset *s, struct chain *transform, const struct ynode *k)
{
	struct ynode *field = copy_of(s, k);

	if (!strcmp(k->text, "secrets"))
		field->val = (struct ynode *)lower_secrets(s, k->val);
	if (field->val)
		chain_add(transform, field);
	return field->val;
}

/* One field of a pipeline, to its place in the long form. */
static bool
lower_field(struct specset *s, const struct ynode *map, const struct ynode *k, struct chain *top, struct chain *transform)
{
	const struct shorthand *sh = shorthand_find(k->text);
	const char *dot = sh ? strchr(sh->target, '.') : 0;
	bool ok = true;

	if (!strcmp(k->text, "parallelism") && k->val->kind == Y_SCALAR)
		return lower_parallelism(s, k, top);
	if (!strcmp(k->text, "inputs") && !ynode_is_null(k->val)) {
		const struct ynode *in = lower_old_inputs(s, k->val, one_worker(map));

		if (in)
			add_pair(s, top, "input", k->at, in);
		return in;
	}
	if (field_name_is("input", k->text)) {
		const struct ynode *in = lower_input(s, k->val);

		if (in)
			add_pair(s, top, "input", k->at, in);
		return in;
	}
	if (!strcmp(k->text, "pool") && !ynode_is_null(k->val))
		return lower_pool(s, k, top);
	if (!strcmp(k->text, "notify"))
		add_pair(s, top, "notify", k->at, lower_notify(s, k->val));
	else if (!strcmp(k->text, "egress"))
		add_pair(s, top, "egress", k->at, lower_egress(s, k->val, false));
	else if (!strcmp(k->text, "run") && !ynode_is_null(k->val))
		return lower_run(s, k, transform);
	else if (!strcmp(k->text, "transform") && k->val->kind == Y_MAP)
		for (const struct ynode *t = k->val->kids; t; t = t->next)
			ok &= lower_transform(s, transform, t);
	else if (!strcmp(k->text, "secrets"))
		return lower_transform(s, transform, k);
	else if (sh && dot && !strncmp(sh->target, "transform.", 10))
		add_pair(s, transform, dot + 1, k->at, k->val)->lowered = true;
	else if (sh && dot) {
		struct ynode *obj = make_node(s, Y_MAP, k->at);
		struct chain c;

		chain_init(&c);
		add_pair(s, &c, dot + 1, k->at, k->val)->lowered = true;
		obj->kids = c.first;
		add_pair(s, top, arena_dup(s->a, sh->target, (size_t)(dot - sh->target)), k->at, obj);
	} else if (sh)
		add_pair(s, top, sh->target, k->at, k->val)->lowered = true;
	else
		chain_add(top, copy_of(s, k));
	return ok;
}

const struct ynode *
lower_pipeline(struct specset *s, const struct ynode *map, const struct ynode *name, bool *ok)
{
	struct ynode *out = make_node(s, Y_MAP, map->at), *tr;
	struct chain top, transform;
	const struct ynode *tr_key = 0;

	chain_init(&top);
	chain_init(&transform);
	if (name) {
		struct ynode *id = make_node(s, Y_MAP, name->at);
		struct chain c;

		chain_init(&c);
		add_pair(s, &c, "name", name->at, name);
		c.first->val->val = 0;
		id->kids = c.first;
		add_pair(s, &top, "pipeline", name->at, id);
	}
	for (const struct ynode *k = map->kids; k; k = k->next) {
		if (!strcmp(k->text, "transform")) {
			if (tr_key && s->lenient) {
				diag_warn(s->d, k->at, "'transform' is given twice; this one, the last, counts");
				diag_note(s->d, tr_key->at, "first here");
				chain_init(&transform);
			}
			tr_key = k;
		}
		*ok &= lower_field(s, map, k, &top, &transform);
	}
	if (transform.first) {
		tr = make_node(s, Y_MAP, tr_key ? tr_key->val->at : map->at);
		tr->kids = transform.first;
		add_pair(s, &top, "transform", tr_key ? tr_key->at : transform.first->at, tr);
	}
	out->kids = top.first;
	return out;
}
