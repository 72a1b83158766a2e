/* web.c: what other machines and other programs' files say: XML and JSON answers, AWS's files, URLs. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "../../base/desturl.h"
#include "../../base/mem.h"
#include "../../base/percent.h"
#include "../../runtime/awsconf.h"
#include "../../runtime/jsonin.h"
#include "../../runtime/s3call.h"
#include "../../runtime/xml.h"

static size_t
weigh(const struct xml *x, unsigned deep)
{
	size_t n = 0;

	want(deep <= 65, "a document is not deeper than it may be");
	for (; x; x = x->next)
		n += 1 + strlen(x->name) + strlen(x->text ? x->text : "") + weigh(x->kids, deep + 1);
	return n;
}

static void
xml(const char *text, size_t n)
{
	struct arena a = ARENA_INIT;
	const struct xml *x = xml_parse(&a, text, n);

	weigh(x, 1);
	xml_text(x, "Code");
	xml_text(xml_kid(x, "Error"), "Message");
	arena_release(&a);
}

static void
json(const char *text, size_t n)
{
	struct jsonin *j = jsonin_parse(text, n);

	if (j) {
		jsonin_text(j, NULL, "AccessKeyId");
		jsonin_text(j, "Credentials", "SecretAccessKey");
		jsonin_number(j, NULL, "Version");
		jsonin_number(j, "Credentials", "Expiration");
	}
	jsonin_free(j);
}

static void
aws(const char *text, bool credentials)
{
	struct awsconf c = AWSCONF_INIT;

	awsconf_add(&c, "file", credentials, text);
	awsconf_get(&c, "profile", "default", "region", NULL);
	awsconf_endpoint(&c, "default", "s3", NULL);
	awsconf_profiles(&c);
	awsconf_release(&c);
}

static void
url(const char *text)
{
	struct arena a = ARENA_INIT;
	struct desturl u;
	struct s3_place p = { 0 };
	char msg[DESTURL_MSG] = "", *copy = arena_str(&a, text);

	if (desturl_parse(&u, text, &a, msg)) {
		want(u.scheme && u.host && u.bucket && u.prefix, "every part is there");
		if (desturl_query(&u, "secure"))
			desturl_yes(desturl_query(&u, "secure"));
	} else {
		want(msg[0] && memchr(msg, '\0', sizeof msg), "what is wrong is told");
	}
	percent_decode(copy);
	want(strlen(copy) <= strlen(text), "decoding does not lengthen");
	if (s3_place_parse(&p, text))
		free(s3_place_words(&p));
	s3_place_release(&p);
	arena_release(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	xml(text, size);
	json(text, size);
	aws(text, false);
	aws(text, true);
	url(text);
	free(text);
	return 0;
}
