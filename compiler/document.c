/* document.c: specs lie among other files: values of a chart, a Secret, a list of sites that is data.
 *
 * Who names a file means it: the least of a pipeline's words in it makes it a spec, with errors.  Of what was only found in a folder
 * the words must be a pipeline's alone: `name`, `description`, `metadata`, `service`, `image` or `env` are everybody's. */
#include "document.h"

#include <stddef.h>
#include <string.h>

#include "diag.h"
#include "fields.h"
#include "spec.h"
#include "yaml.h"

static bool
has_one(const struct ynode *map, const char *const *key)
{
	for (; *key; key++)
		if (ynode_get(map, *key))
			return true;
	return false;
}

static bool
is_set(const struct ynode *doc)
{
	static const char *const key[] = { "pipelines", "repos", "params", "include", 0 };

	return has_one(doc, key) || (ynode_get(doc, "pools") && !ynode_get(doc, "input") && !ynode_get(doc, "pipeline"));
}

/* Is there anything of a pipeline in it? */
static bool
is_pipeline(const struct ynode *doc)
{
	for (const struct ynode *k = doc->kids; k; k = k->next)
		if (field_find(&pipeline_table, k->text) || shorthand_find(k->text) || field_find(&input_table, k->text) ||
		    field_find(&transform_table, k->text) || !strcmp(k->text, "name"))
			return true;
	return !doc->kids || !doc->kids->next;
}

enum doc_kind
document_kind(const struct ynode *doc)
{
	if (is_set(doc))
		return DOC_SET;
	if (ynode_get(doc, "apiVersion") && ynode_get(doc, "kind"))
		return DOC_KUBERNETES;
	if (ynode_get(doc, "details") && ynode_get(doc, "pipeline") && (ynode_get(doc, "version") || ynode_get(doc, "state")))
		return DOC_INSPECTED;
	return is_pipeline(doc) ? DOC_PIPELINE : DOC_OTHER;
}

/* A pipeline in an object of Kubernetes, as operators take it. */
static bool
wraps_pipeline(const struct ynode *doc)
{
	static const char *const key[] = { "pipeline", "transform", "input", 0 };
	const struct ynode *spec = ynode_get(doc, "spec");

	return spec && spec->kind == Y_MAP && has_one(spec, key);
}

bool
document_kubernetes(struct specset *s, const struct ynode *doc)
{
	const struct ynode *kind = ynode_get(doc, "kind");

	if (kind->kind == Y_SCALAR && !strcmp(kind->text, "Secret"))
		return diag_error(s->d, doc->at, "this is a Secret of Kubernetes, no spec: leave it out; secrets are files of yours, see 'secrets' in the "
		    "language's reference");
	if (!wraps_pipeline(doc) && kind->kind == Y_SCALAR && ynode_get(doc, "metadata"))
		return diag_error(s->d, kind->at, "this is a %.60s of Kubernetes, no spec: leave it out", kind->text);
	return diag_error(s->d, doc->at, "this is an object of Kubernetes; a spec is what is under its 'spec'");
}

static bool
may_be_spec(const struct ynode *doc)
{
	static const char *const key[] = { "pipeline", "transform", "input", "inputs", "run", "cmd", "stdin", "foreach", "matrix", 0 };

	if (doc->kind == Y_SEQ) {
		for (const struct ynode *k = doc->kids; k; k = k->next)
			if (may_be_spec(k))
				return true;
		return false;
	}
	return doc->kind == Y_MAP && (is_set(doc) || has_one(doc, key) || (ynode_get(doc, "apiVersion") && wraps_pipeline(doc)));
}

bool
document_none(const struct ynode *docs)
{
	bool any = false;

	for (const struct ynode *d = docs; d; d = d->next) {
		any |= !ynode_is_null(d);
		if (may_be_spec(d))
			return false;
	}
	return any;
}
