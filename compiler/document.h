/* document.h: what a document of YAML or JSON is, by the keys at its top. */
#ifndef COMPILER_DOCUMENT_H
#define COMPILER_DOCUMENT_H

#include <stdbool.h>

struct specset;
struct ynode;

enum doc_kind {
	DOC_SET,            /* `repos`, `pipelines`, `params`, `include` */
	DOC_PIPELINE,       /* anything of a pipeline: what else is wrong with it is told when it is loaded */
	DOC_KUBERNETES,     /* `apiVersion` and `kind` */
	DOC_INSPECTED,      /* what pachctl says of a pipeline that runs, its spec within */
	DOC_OTHER
};

enum doc_kind document_kind(const struct ynode *doc);       /* a map */

/* Records what to do with an object of Kubernetes instead.  False. */
bool document_kubernetes(struct specset *s, const struct ynode *doc);

/* Is none of these documents meant as a spec?  A folder of specs may hold data and other programs' settings. */
bool document_none(const struct ynode *docs);

#endif
