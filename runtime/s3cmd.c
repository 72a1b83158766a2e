/* s3cmd.c: the S3 client by hand: to look at a destination with the eyes of dassie, and for the tests.  Plumbing: `dassie egress` is the
 * command that people use. */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/mem.h"
#include "../base/sha256.h"
#include "../base/talk.h"
#include "http.h"
#include "netverbs.h"
#include "s3.h"
#include "s3check.h"

static const char usage[] =
    "usage: dassie s3 who|check|mb|ls|put|get|head|rm|uploads|abort s3://BUCKET[/KEY] [FILE…]\n"
    "\n"
    "  who     whose credentials are used, and where BUCKET is asked\n"
    "  check   try under KEY everything that an egress needs\n"
    "  mb      make BUCKET\n"
    "  ls      the keys that begin with KEY, one a line: size, ETag, key\n"
    "  put     each FILE to KEY followed by its name; of one FILE and a KEY without '/' at its end: to KEY; large ones in parts\n"
    "  get     KEY to stdout\n"
    "  head    what is known about KEY\n"
    "  rm      KEY, and the keys that are given after it\n"
    "  uploads what was begun in parts under KEY and never finished; abort: the same, and end it\n"
    "\n"
    "  --region R --profile P --endpoint URL --addressing auto|path|virtual --role-arn ARN --external-id ID\n"
    "  --sse S --kms-key K --acl A --storage-class C --tag N=V --meta N=V --content-type T --part-size BYTES --rate BYTES\n"
    "  --concurrency N --requester-pays --clock SECONDS --json --moved\n";

struct run {
	struct http *http;
	struct s3 *s3;
	struct s3_target target;
	struct s3_how how;
	struct s3_pair meta[16], tag[16];
	struct http_options options;
	uint64_t part_size;
	char *bucket, *key;
	bool json, abort, moved;
	int status;
};

/* One object in parts: as many as the client lets run. */
struct upload {
	struct run *run;
	char *key, *path, *id;
	uint64_t size, part_size;
	struct s3_part *part; struct oid *sha256;
	size_t n, left;
	bool failed;
};

struct part_of { struct upload *u; size_t i; };

static bool
failed(struct run *r, const struct s3_answer *a)
{
	if (!a->failure)
		return false;
	if (a->failure == S3_ABSENT)
		talk("there is no key '%s'", r->key);
	else
		talk("%s", a->text);
	r->status = EXIT_FAILED;
	return true;
}

static void
just_done(void *ctx, const struct s3_answer *a)
{
	failed(ctx, a);
}

/* --- put ------------------------------------------------------------------------------------------------------------------------------- */

static void
upload_free(struct upload *u)
{
	free(u->key);
	free(u->path);
	free(u->id);
	free(u->part);
	free(u->sha256);
	free(u);
}

static void
upload_done(void *ctx, const struct s3_answer *a)
{
	struct upload *u = ctx;

	failed(u->run, a);
	upload_free(u);
}

static void
part_done(void *ctx, const struct s3_answer *a)
{
	struct part_of *p = ctx;
	struct upload *u = p->u;

	u->failed |= failed(u->run, a);
	snprintf(u->part[p->i].etag, sizeof u->part[p->i].etag, "%s", a->etag);
	free(p);
	if (--u->left)
		return;
	if (u->failed)
		s3_abort(u->run->s3, u->key, u->id, upload_done, u);
	else
		s3_finish(u->run->s3, u->key, u->id, u->part, u->n, upload_done, u);
}

static void
begun(void *ctx, const struct s3_answer *a)
{
	struct upload *u = ctx;

	if (failed(u->run, a)) {
		upload_free(u);
		return;
	}
	u->id = xstrdup(a->upload_id);
	u->n = u->left = (size_t)((u->size + u->part_size - 1) / u->part_size);
	u->part = xcalloc(u->n, sizeof *u->part);
	u->sha256 = xcalloc(u->n, sizeof *u->sha256);
	for (size_t i = 0; i < u->n; i++) {
		struct part_of *p = xmalloc(sizeof *p);
		struct s3_bytes bytes = { .path = u->path, .offset = i * u->part_size, .size = u->part_size };

		if (bytes.size > u->size - bytes.offset)
			bytes.size = u->size - bytes.offset;
		*p = (struct part_of){ u, i };
		u->part[i] = (struct s3_part){ .number = (unsigned)i + 1, .sha256 = &u->sha256[i], .size = bytes.size };
		s3_part(u->run->s3, u->key, u->id, (unsigned)i + 1, &bytes, &u->sha256[i], part_done, p);
	}
}

static void
put_in_parts(struct run *r, const char *key, const char *path, uint64_t size)
{
	struct upload *u = xcalloc(1, sizeof *u);

	*u = (struct upload){ .run = r, .key = xstrdup(key), .path = xstrdup(path), .size = size, .part_size = s3_part_size(size, r->part_size) };
	s3_begin(r->s3, key, &r->how, begun, u);
}

static int
put(struct run *r, char **file, int n)
{
	for (int i = 0; i < n; i++) {
		const char *slash = strrchr(file[i], '/');
		struct buf key = BUF_INIT;
		struct stat st;

		buf_str(&key, r->key);
		if (n > 1 || !key.n || key.s[key.n - 1] == '/')
			buf_str(&key, slash ? slash + 1 : file[i]);
		if (stat(file[i], &st) < 0) {
			talk("cannot look at '%s'", file[i]);
			r->status = EXIT_WORLD;
		} else if ((uint64_t)st.st_size > (r->part_size ? r->part_size : 16u << 20)) {
			put_in_parts(r, key.s, file[i], (uint64_t)st.st_size);
		} else {
			s3_put(r->s3, key.s, &(struct s3_bytes){ .path = file[i], .size = (uint64_t)st.st_size }, &r->how, just_done, r);
		}
		buf_release(&key);
	}
	return 0;
}

/* --- the others -------------------------------------------------------------------------------------------------------------------------- */

static bool
show_object(void *ctx, const struct s3_object *o)
{
	struct run *r = ctx;
	struct buf b = BUF_INIT;

	if (r->json) {
		json_open(&b, NULL, '{');
		json_str(&b, "key", o->key);
		json_i64(&b, "size", (int64_t)o->size);
		json_str(&b, "etag", o->etag);
		json_str(&b, "last_modified", o->last_modified);
		json_close(&b, '}');
	} else {
		buf_fmt(&b, "%llu %s %s", (unsigned long long)o->size, o->etag, o->key);
	}
	buf_byte(&b, '\n');
	fwrite(b.s, 1, b.n, stdout);
	buf_release(&b);
	return true;
}

static void
show_part(void *ctx, const struct s3_held *p)
{
	(void)ctx;
	printf("  %s part %u %llu %s\n", p->upload_id, p->number, (unsigned long long)p->size, p->etag);
}

static void
show_upload(void *ctx, const struct s3_held *u)
{
	struct run *r = ctx;

	printf("%s %s\n", u->upload_id, u->key);
	s3_list_parts(r->s3, u->key, u->upload_id, show_part, just_done, r);
	if (r->abort)
		s3_abort(r->s3, u->key, u->upload_id, just_done, r);
}

static bool
to_stdout(void *ctx, const void *p, size_t n)
{
	(void)ctx;
	return fwrite(p, 1, n, stdout) == n;
}

static void
show_head(void *ctx, const struct s3_answer *a)
{
	char hex[OID_HEX + 1] = "";

	if (failed(ctx, a))
		return;
	if (a->dassie_sha256)
		oid_hex(a->dassie_sha256, hex);
	printf("size %llu\netag %s\nchecksum %s\nversion %s\nmodified %s\nsha256 %s\ncommit %s\ndatum %s\npipeline %s\n", (unsigned long long)a->size,
	    a->etag, a->checksum_sha256, a->version_id, a->last_modified, hex, a->dassie_commit, a->dassie_datum, a->dassie_pipeline);
}

static void
show_refused_key(void *ctx, const char *key, const char *text)
{
	(void)ctx;
	talk("cannot delete '%s': %s", key, text);
}

static void
show_who(struct run *r)
{
	struct err err = ERR_INIT;

	if (s3_login(r->s3, &err) < 0) {
		talk_err(&err);
		r->status = EXIT_FAILED;
		return;
	}
	printf("credentials %s\nidentity %s\nregion %s\nendpoint %s\n", s3_credentials_from(r->s3), s3_who(r->s3), s3_region(r->s3), s3_endpoint(r->s3));
}

static void
show_line(void *ctx, const char *line)
{
	(void)ctx;
	puts(line);
}

static void
check(struct run *r)
{
	struct s3_check what = { r->key, &r->how, true, true, true };
	struct err err = ERR_INIT;

	if (s3_check(r->s3, r->http, &what, show_line, NULL, &err) == 0)
		return;
	talk_err(&err);
	r->status = EXIT_FAILED;
}

static int
start(struct run *r, const char *verb, char **more, int n)
{
	if (!strcmp(verb, "check")) {
		check(r);
	} else if (!strcmp(verb, "who")) {
		show_who(r);
	} else if (!strcmp(verb, "mb")) {
		s3_make_bucket(r->s3, just_done, r);
	} else if (!strcmp(verb, "ls")) {
		s3_list(r->s3, r->key, show_object, just_done, r);
	} else if (!strcmp(verb, "put") && n) {
		return put(r, more, n);
	} else if (!strcmp(verb, "get")) {
		s3_get(r->s3, r->key, NULL, to_stdout, just_done, r);
	} else if (!strcmp(verb, "head")) {
		s3_head(r->s3, r->key, NULL, show_head, r);
	} else if (!strcmp(verb, "rm")) {
		more[-1] = r->key;
		if (n)
			s3_delete_many(r->s3, (const char *const *)more - 1, (size_t)n + 1, show_refused_key, just_done, r);
		else
			s3_delete(r->s3, r->key, just_done, r);
	} else if (!strcmp(verb, "uploads") || !strcmp(verb, "abort")) {
		r->abort = *verb == 'a';
		s3_list_uploads(r->s3, r->key, show_upload, just_done, r);
	} else {
		return -1;
	}
	return 0;
}

/* --- arguments ----------------------------------------------------------------------------------------------------------------------------- */

enum { O_REGION = 256, O_PROFILE, O_ENDPOINT, O_ADDRESSING, O_ROLE, O_EXTERNAL, O_SSE, O_KMS, O_ACL, O_CLASS, O_TAG, O_META, O_TYPE, O_PART, O_RATE,
	O_CONCURRENCY, O_PAYER, O_CLOCK, O_JSON, O_MOVED, O_HELP };

static const struct option options[] = {
	{ "region", 1, NULL, O_REGION }, { "profile", 1, NULL, O_PROFILE }, { "endpoint", 1, NULL, O_ENDPOINT },
	{ "addressing", 1, NULL, O_ADDRESSING }, { "role-arn", 1, NULL, O_ROLE }, { "external-id", 1, NULL, O_EXTERNAL }, { "sse", 1, NULL, O_SSE },
	{ "kms-key", 1, NULL, O_KMS }, { "acl", 1, NULL, O_ACL }, { "storage-class", 1, NULL, O_CLASS }, { "tag", 1, NULL, O_TAG },
	{ "meta", 1, NULL, O_META }, { "content-type", 1, NULL, O_TYPE }, { "part-size", 1, NULL, O_PART }, { "rate", 1, NULL, O_RATE },
	{ "concurrency", 1, NULL, O_CONCURRENCY }, { "requester-pays", 0, NULL, O_PAYER }, { "clock", 1, NULL, O_CLOCK }, { "json", 0, NULL, O_JSON },
	{ "moved", 0, NULL, O_MOVED }, { "help", 0, NULL, O_HELP }, { NULL, 0, NULL, 0 },
};

/* "NAME=VALUE", cut in place. */
static void
add_pair(struct s3_pair *v, size_t *n, char *s)
{
	char *equals = strchr(s, '=');

	if (!equals || *n == 16)
		return;
	*equals = '\0';
	v[(*n)++] = (struct s3_pair){ s, equals + 1 };
}

static bool
take_option(struct run *r, int o, char *arg)
{
	struct s3_target *t = &r->target;

	switch (o) {
	case O_REGION: t->region = (struct s3_said){ arg, "--region" }; break;
	case O_PROFILE: t->profile = (struct s3_said){ arg, "--profile" }; break;
	case O_ENDPOINT: t->endpoint = (struct s3_said){ arg, "--endpoint" }; break;
	case O_ADDRESSING: t->addressing = *arg == 'p' ? S3_PATH : *arg == 'v' ? S3_VIRTUAL : S3_AUTO; break;
	case O_ROLE: t->role_arn = (struct s3_said){ arg, "--role-arn" }; break;
	case O_EXTERNAL: t->external_id = arg; break;
	case O_SSE: r->how.sse = arg; break;
	case O_KMS: r->how.kms_key = arg; break;
	case O_ACL: r->how.acl = arg; break;
	case O_CLASS: r->how.storage_class = arg; break;
	case O_TAG: add_pair(r->tag, &r->how.n_tag, arg); break;
	case O_META: add_pair(r->meta, &r->how.n_meta, arg); break;
	case O_TYPE: r->how.content_type = arg; break;
	case O_PART: r->part_size = strtoull(arg, NULL, 10); break;
	case O_RATE: r->options.rate = strtoull(arg, NULL, 10); break;
	case O_CONCURRENCY: r->options.concurrency = (unsigned)strtoul(arg, NULL, 10); break;
	case O_PAYER: t->requester_pays = true; break;
	case O_CLOCK: t->clock_s = strtoll(arg, NULL, 10); break;
	case O_JSON: r->json = true; break;
	case O_MOVED: r->moved = true; break;
	default: return false;
	}
	return true;
}

static bool
take_url(struct run *r, const char *url)
{
	const char *bucket = url + 5, *slash;

	if (strncmp(url, "s3://", 5) != 0)
		return false;
	slash = strchr(bucket, '/');
	r->bucket = slash ? xmemdup(bucket, (size_t)(slash - bucket)) : xstrdup(bucket);
	r->key = xstrdup(slash ? slash + 1 : "");
	r->target.bucket = r->bucket;
	return true;
}

static int
work(struct run *r, const char *verb, char **more, int n)
{
	struct err err = ERR_INIT;
	uint64_t sent, received;

	if (!(r->http = http_new(&r->options, &err)))
		return talk_err(&err);
	r->s3 = s3_new(r->http, &r->target, &err);
	if (!r->s3) {
		http_free(r->http);
		return talk_err(&err);
	}
	if (start(r, verb, more, n) < 0) {
		fputs(usage, stderr);
		r->status = EXIT_USAGE;
	}
	while (http_step(r->http, 1000) > 0)
		;
	http_moved(r->http, &sent, &received);
	if (r->moved)
		talk("%llu bytes sent, %llu received", (unsigned long long)sent, (unsigned long long)received);
	s3_free(r->s3);
	http_free(r->http);
	return talk_done(r->status);
}

int
net_s3(int argc, char **argv)
{
	struct run r = { 0 };
	int o, status;

	r.how.meta = r.meta;
	r.how.tag = r.tag;
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (!take_option(&r, o, optarg)) {
			fputs(usage, o == O_HELP ? stdout : stderr);
			return o == O_HELP ? talk_done(EXIT_DONE) : EXIT_USAGE;
		}
	}
	if (argc - optind < 2 || !take_url(&r, argv[optind + 1])) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	status = work(&r, argv[optind], argv + optind + 2, argc - optind - 2);
	free(r.bucket);
	free(r.key);
	return status;
}
