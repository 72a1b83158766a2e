/* schema.c: the verb `schema`: the tables of fields.c for people and for editors.
 *
 * JSON Schema (draft 7, which is what editors know): one definition a table and one a kind of value.  Every field stands
 * in it by both its names, but an editor is asked to suggest the first only; one that is refused here carries why.
 * Fields whose holder is refused or without effect share its fate, so the document says that once, at the holder. */
#include "schema.h"

#include <stdio.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/talk.h"
#include "fields.h"
#include "verbs.h"

enum { TABLES_MAX = 64 };

/* The tables that can be reached, each once, a holder before what it holds. */
struct tables {
	const struct table *v[TABLES_MAX];
	enum field_status best[TABLES_MAX];     /* of the fields that hold it */
	size_t n;
};

static const char *const status_word[] = { "honoured", "mapped", "without effect", "refused" };

static void
tables_add(struct tables *to, const struct table *t, enum field_status status)
{
	size_t i = 0;

	while (i < to->n && to->v[i] != t)
		i++;
	if (i < to->n) {
		if (status < to->best[i])
			to->best[i] = status;
		return;
	}
	if (to->n == TABLES_MAX)
		BUG("raise TABLES_MAX");
	to->v[to->n] = t;
	to->best[to->n++] = status;
	for (i = 0; i < t->n; i++)
		if (t->field[i].sub)
			tables_add(to, t->field[i].sub, t->field[i].status > status ? t->field[i].status : status);
}

/* "transform": what a table is called in the schema and as a heading; 'pipeline' is the field that holds the name. */
static const char *
table_name(const struct table *t)
{
	return t == &pipeline_table ? "a-pipeline" : t == &set_table ? "a-spec" : t->path;
}

static const char *
kind_word(const struct field *f)
{
	static const char *const word[] = {
		[FK_STR] = "text", [FK_NUMBER] = "number", [FK_INT] = "whole number", [FK_BOOL] = "true or false", [FK_DURATION] = "duration",
		[FK_SIZE] = "size", [FK_STRS] = "list of texts", [FK_INTS] = "list of whole numbers", [FK_PAIRS] = "map of texts",
		[FK_OBJ] = "map", [FK_OBJS] = "list of maps", [FK_RAW] = "anything",
	};

	return !f->one ? word[f->kind] : f->kind == FK_OBJS ? "map or list" : "text or list";
}

/* The lowerCamelCase of a name in snake_case. */
static void
camel(char ret[128], const char *snake)
{
	size_t n = 0;

	for (; *snake && n < 127; snake++)
		if (*snake == '_' && snake[1])
			ret[n++] = *++snake >= 'a' && *snake <= 'z' ? (char)(*snake - 32) : *snake;
		else
			ret[n++] = *snake;
	ret[n] = 0;
}

/* --- the document ---------------------------------------------------------------------------------------------- */

static void
add_cell(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '|')
			buf_byte(b, '\\');
		buf_byte(b, *s);
	}
}

static void
add_row(struct buf *b, const struct table *t, const struct field *f, enum field_status held)
{
	const char *see = f->sub ? table_name(f->sub) : t != &set_table || f->kind != FK_RAW || !strcmp(f->name, "include") ? NULL :
	    table_name(!strcmp(f->name, "repos") ? &repo_table : !strcmp(f->name, "params") ? &param_table : &pipeline_table);

	buf_fmt(b, "| `%s`%s%s%s | ", f->name, f->alias ? ", `" : "", f->alias ? f->alias : "", f->alias ? "`" : "");
	if (see) {
		buf_fmt(b, "%s: [%s](#", f->sub ? kind_word(f) : "map by name", see);
		for (const char *s = see; *s; s++)
			if (*s != '.')
				buf_byte(b, *s);
		buf_str(b, ") | ");
	} else
		buf_fmt(b, "%s | ", kind_word(f));
	buf_fmt(b, "%s | ", status_word[f->status > held ? f->status : held]);
	add_cell(b, f->why);
	buf_str(b, " |\n");
}

static void
add_section(struct buf *b, const struct table *t, enum field_status held)
{
	buf_fmt(b, "\n## %s\n\n", t == &pipeline_table ? "A pipeline" : t == &set_table ? "A spec" : t->path);
	if (t == &set_table)
		buf_str(b, "The map that holds `repos` and `pipelines`.\n\n");
	else if (t != &pipeline_table && t != &repo_table)
		buf_fmt(b, "The fields of %s.\n\n", t->what);
	buf_str(b, "| field | value | here | what it means, or why not |\n|---|---|---|---|\n");
	for (size_t i = 0; i < t->n; i++)
		add_row(b, t, &t->field[i], held);
}

static void
add_shorthands(struct buf *b)
{
	buf_str(b, "\n## Shorthands\n\nOf a pipeline, beside its fields above; each lowers to one of them.\n\n| shorthand | lowers to | means |\n|---|---|---|\n");
	for (size_t i = 0; i < shorthand_count; i++) {
		buf_fmt(b, "| `%s` | `%s` | ", shorthand_table[i].name, shorthand_table[i].target);
		add_cell(b, shorthand_table[i].why);
		buf_str(b, " |\n");
	}
	buf_str(b, "| `input: REPO[@BRANCH]/GLOB` | `input.pfs` | the files of a repo; `REPO/` and `REPO` are all of it as one datum |\n"
	    "| `schedule: EXPRESSION` | `schedule.spec` | when make is run |\n"
	    "| `egress: URL` | `egress.URL` | where the output is pushed; a list of URLs is a list of egresses |\n");
}

static void
fields_document(struct buf *b, const struct tables *t)
{
	buf_str(b, "# Every field\n\n<!-- Written by dassie schema --fields from the compiler's own tables; change those. -->\n\n"
	    "What a spec can say, in the order of the compiler's tables. Names are written in snake_case or lowerCamelCase, also mixed in one file\n"
	    "(`datum_tries`, `datumTries`). `null` is the same as not given. A field that is in no table is an error.\n\n"
	    "| here | means |\n|---|---|\n"
	    "| honoured | does what Pachyderm's documentation says, or, for dassie's own, what this page says |\n"
	    "| mapped | means something else on one machine; the row says what |\n"
	    "| without effect | accepted, and told in one line a compilation; it has a meaning only in a cluster. `--strict` makes it an error |\n"
	    "| refused | an error; the row says what to do instead |\n\n"
	    "A *duration* is `30s`, `10m`, `1h30m`, or seconds without a unit; a *size* is `512M`, `10Gi`, or bytes; whole numbers and `true` or `false` (in any\n"
	    "case) may stand in quotes.\n");
	for (size_t i = 0; i < t->n; i++)
		add_section(b, t->v[i], t->best[i]);
	add_shorthands(b);
}

/* --- the schema ------------------------------------------------------------------------------------------------ */

static void
add_ref(struct buf *b, const char *name)
{
	struct buf t = BUF_INIT;

	buf_fmt(&t, "#/definitions/%s", name);
	json_str(b, "$ref", t.s);
	buf_release(&t);
}

static void
add_type(struct buf *b, const struct field *f)
{
	static const char *const name[] = {
		[FK_STR] = "text", [FK_NUMBER] = "number", [FK_INT] = "int", [FK_BOOL] = "bool", [FK_DURATION] = "duration",
		[FK_SIZE] = "size", [FK_STRS] = "texts", [FK_INTS] = "ints", [FK_PAIRS] = "map", [FK_RAW] = "any",
	};

	if (f->kind == FK_STRS && f->one) {
		json_open(b, "anyOf", '[');
		for (size_t i = 0; i < 2; i++) {
			json_open(b, NULL, '{');
			add_ref(b, name[i ? FK_STRS : FK_STR]);
			json_close(b, '}');
		}
		json_close(b, ']');
		return;
	}
	if (f->kind != FK_OBJ && f->kind != FK_OBJS) {
		add_ref(b, name[f->kind]);
		return;
	}
	json_open(b, "anyOf", '[');
	if (f->kind == FK_OBJ || f->one) {
		json_open(b, NULL, '{');
		add_ref(b, table_name(f->sub));
		json_close(b, '}');
	}
	if (f->kind == FK_OBJS) {
		json_open(b, NULL, '{');
		json_str(b, "type", "array");
		json_open(b, "items", '{');
		if (f->one || f->sub == &input_table) {
			/* A shorthand in a list. */
			json_open(b, "anyOf", '[');
			json_open(b, NULL, '{');
			add_ref(b, table_name(f->sub));
			json_close(b, '}');
			json_open(b, NULL, '{');
			json_str(b, "type", "string");
			json_close(b, '}');
			json_close(b, ']');
		} else {
			add_ref(b, table_name(f->sub));
		}
		json_close(b, '}');
		json_close(b, '}');
	}
	if (f->sub == &secret_table) {
		/* VARIABLE: NAME/KEY, or one of the list's maps alone. */
		json_open(b, NULL, '{');
		add_ref(b, "map");
		json_close(b, '}');
	}
	if (f->sub == &notify_table) {
		static const char *const short_form[] = { "texts", "text" };

		for (size_t i = 0; i < 2; i++) {
			json_open(b, NULL, '{');
			add_ref(b, short_form[i]);
			json_close(b, '}');
		}
	}
	if (f->sub == &input_table || f->one || f->sub == &schedule_table || f->sub == &gpu_table) {
		json_open(b, NULL, '{');
		if (f->sub == &gpu_table)
			add_ref(b, "int");
		else
			json_str(b, "type", "string");
		json_close(b, '}');
	}
	json_open(b, NULL, '{');
	json_str(b, "type", "null");
	json_close(b, '}');
	json_close(b, ']');
}

static void
add_property(struct buf *b, const struct field *f, const char *name, bool suggest)
{
	struct buf why = BUF_INIT;

	if (f->status == FS_HONOURED)
		buf_str(&why, f->why);
	else
		buf_fmt(&why, "(%s here) %s", status_word[f->status], f->why);
	json_open(b, name, '{');
	json_str(b, "description", why.s);
	if (!suggest || f->status == FS_REFUSED || f->quiet)
		json_bool(b, "doNotSuggest", true);
	if (f->status == FS_REFUSED)
		json_str(b, "deprecationMessage", f->why);
	add_type(b, f);
	json_close(b, '}');
	buf_release(&why);
}

static void
add_properties(struct buf *b, const struct table *t)
{
	char other[128];

	for (size_t i = 0; i < t->n; i++) {
		const struct field *f = &t->field[i];

		add_property(b, f, f->name, true);
		camel(other, f->name);
		if (strcmp(other, f->name))
			add_property(b, f, other, false);
		if (f->alias && strcmp(f->alias, other))
			add_property(b, f, f->alias, false);
	}
}

static const struct field *
target_field(const struct shorthand *sh)
{
	const char *dot = strchr(sh->target, '.');
	const struct table *t = &pipeline_table;
	char first[128];

	if (dot) {
		snprintf(first, sizeof first, "%.*s", (int)(dot - sh->target), sh->target);
		t = field_find(t, first)->sub;
	}
	return field_find(t, dot ? dot + 1 : sh->target);
}

static void
add_short_properties(struct buf *b)
{
	char other[128];

	for (size_t i = 0; i < shorthand_count; i++) {
		const struct shorthand *sh = &shorthand_table[i];
		struct field f = *target_field(sh);

		f.why = sh->why;
		if (!strcmp(sh->name, "pool"))
			f.kind = FK_RAW;
		if (!strcmp(sh->name, "run"))
			f.kind = FK_STR;
		add_property(b, &f, sh->name, true);
		camel(other, sh->name);
		if (strcmp(other, sh->name))
			add_property(b, &f, other, false);
	}
	json_open(b, "$schema", '{');
	json_str(b, "type", "string");
	json_close(b, '}');
}

static void
add_table(struct buf *b, const struct table *t)
{
	json_open(b, table_name(t), '{');
	json_str(b, "type", "object");
	json_bool(b, "additionalProperties", false);
	json_open(b, "properties", '{');
	if (t == &set_table) {
		static const char *const name[] = { "repos", "pipelines", "params" }, *const of[] = { "repos", "a-pipeline", "params" };

		for (int i = 0; i < 3; i++) {
			json_open(b, name[i], '{');
			json_str(b, "description", t->field[i].why);
			json_open(b, "type", '[');
			json_str(b, NULL, "object");
			json_str(b, NULL, "null");
			json_close(b, ']');
			json_open(b, "additionalProperties", '{');
			json_open(b, "anyOf", '[');
			json_open(b, NULL, '{');
			add_ref(b, of[i]);
			json_close(b, '}');
			if (i != 1) {
				json_open(b, NULL, '{');
				add_ref(b, "text");
				json_close(b, '}');
			}
			json_close(b, ']');
			json_close(b, '}');
			json_close(b, '}');
		}
		for (size_t i = 3; i < t->n; i++)
			add_property(b, &t->field[i], t->field[i].name, true);
		json_open(b, "$schema", '{');
		json_str(b, "type", "string");
		json_close(b, '}');
	} else {
		add_properties(b, t);
	}
	if (t == &pipeline_table)
		add_short_properties(b);
	json_close(b, '}');
	json_close(b, '}');
}

/* What a kind of value looks like.  Text may be written without quotes, and is a number to YAML then. */
static void
add_kinds(struct buf *b)
{
	static const struct { const char *name, *members; } kind[] = {
		{ "text", "\"type\":[\"string\",\"number\",\"boolean\",\"null\"]" },
		{ "number", "\"type\":[\"number\",\"string\",\"null\"]" },
		{ "int", "\"anyOf\":[{\"type\":[\"integer\",\"null\"]},{\"type\":\"string\",\"pattern\":\"^(0|-?[1-9][0-9]*)$\"},{\"type\":\"string\",\"pattern\":\"[$][{]\"}]" },
		{ "bool", "\"anyOf\":[{\"type\":[\"boolean\",\"null\"]},{\"type\":\"string\",\"pattern\":\"^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[Yy][Ee][Ss]|[Nn][Oo]|[Oo][Nn]|[Oo][Ff][Ff])$\"},{\"type\":\"string\",\"pattern\":\"[$][{]\"}]" },
		{ "duration", "\"anyOf\":[{\"type\":[\"number\",\"null\"]},{\"type\":\"string\",\"pattern\":\"^([0-9.]+(ns|us|µs|ms|s|m|h)?)+$\"},{\"type\":\"string\",\"pattern\":\"[$][{]\"}]" },
		{ "size", "\"anyOf\":[{\"type\":[\"number\",\"null\"]},{\"type\":\"string\",\"pattern\":\"^([0-9.]+([kKMGTPE]i?B?|B|m)?)?$\"},{\"type\":\"string\",\"pattern\":\"[$][{]\"}]" },
		{ "texts", "\"type\":[\"array\",\"null\"],\"items\":{\"type\":[\"string\",\"number\",\"boolean\"]}" },
		{ "ints", "\"type\":[\"array\",\"null\"],\"items\":{\"$ref\":\"#/definitions/int\"}" },
		{ "map", "\"type\":[\"object\",\"null\"],\"additionalProperties\":{\"type\":[\"string\",\"number\",\"boolean\",\"null\"]}" },
		{ "any", "" },
	};

	for (size_t i = 0; i < sizeof kind / sizeof *kind; i++) {
		json_open(b, kind[i].name, '{');
		buf_str(b, kind[i].members);
		json_close(b, '}');
	}
}

static void
schema_document(struct buf *b, const struct tables *t)
{
	const struct table *const whole[] = { &set_table, &pipeline_table };

	json_open(b, NULL, '{');
	json_str(b, "$schema", "http://json-schema.org/draft-07/schema#");
	json_str(b, "title", "dassie pipeline spec");
	json_open(b, "anyOf", '[');
	for (int i = 0; i < 2; i++) {
		json_open(b, NULL, '{');
		add_ref(b, table_name(whole[i]));
		json_close(b, '}');
	}
	json_open(b, NULL, '{');
	json_str(b, "type", "array");
	json_open(b, "items", '{');
	add_ref(b, table_name(&pipeline_table));
	json_close(b, '}');
	json_close(b, '}');
	json_close(b, ']');
	json_open(b, "definitions", '{');
	add_kinds(b);
	for (size_t i = 0; i < t->n; i++)
		add_table(b, t->v[i]);
	json_close(b, '}');
	json_close(b, '}');
	buf_byte(b, '\n');
}

static void
all_tables(struct tables *t)
{
	tables_add(t, &set_table, FS_HONOURED);
	tables_add(t, &repo_table, FS_HONOURED);
	tables_add(t, &param_table, FS_HONOURED);
	tables_add(t, &pipeline_table, FS_HONOURED);
}

void
schema_json(struct buf *b)
{
	struct tables t = { .n = 0 };

	all_tables(&t);
	schema_document(b, &t);
}

int
verb_schema(int argc, char **argv)
{
	struct tables t = { .n = 0 };
	struct buf b = BUF_INIT;

	if (argc > 2 || (argc == 2 && strcmp(argv[1], "--fields") != 0)) {
		bool help = argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));

		fputs("usage: dassie schema [--fields]\nPrint the JSON Schema of specs, for editors; with --fields, the table of all fields as Markdown.\n",
		    help ? stdout : stderr);
		return talk_done(help ? EXIT_DONE : EXIT_USAGE);
	}
	if (argc == 2) {
		all_tables(&t);
		fields_document(&b, &t);
	} else {
		schema_json(&b);
	}
	fwrite(b.s, 1, b.n, stdout);
	buf_release(&b);
	return talk_done(EXIT_DONE);
}
