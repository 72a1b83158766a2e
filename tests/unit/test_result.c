/* Results: written, read again, sealed; a failure gives way to a success. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../base/buf.h"
#include "../../base/err.h"
#include "../../base/fs.h"
#include "../../base/layout.h"
#include "../../runtime/result.h"
#include "tap.h"

static const char ODD[] = "a b%\n\t\x01\xff\xfe=%-";

static void
fill(struct result *r, struct attempt *a, struct result_input *in, struct result_output *out)
{
	sha256_bytes("key", 3, &r->key);
	r->pipeline = "count";
	r->job = "20261122T070000-1";
	r->run = "r1";
	r->label = ODD;
	r->boot = "boot";
	r->host = "";
	r->command = "/bin/sh";
	r->state = "success";
	r->class = "";
	a->started = 1;
	a->ended = UINT64_MAX;
	a->exit = -1;
	a->signal = 9;
	a->utime_us = 2;
	a->stime_us = 3;
	a->maxrss_kb = 4;
	a->in_bytes = 5;
	a->out_bytes = 6;
	a->log = true;
	*in = (struct result_input){ .name = "in", .repo = "books", .path = "", .kind = 'd' };
	sha256_bytes("in", 2, &in->id);
	*out = (struct result_output){ .path = ODD, .size = 7, .kind = 'x' };
	sha256_bytes("out", 3, &out->id);
	r->attempt = a;
	r->input = in;
	r->output = out;
	r->n_attempt = r->n_input = r->n_output = 1;
}

static void
test_attempt(const struct attempt *got, const struct attempt *want)
{
	ok(got->started == want->started && got->ended == want->ended, "times");
	ok(got->exit == want->exit && got->signal == want->signal, "end");
	ok(got->utime_us == want->utime_us && got->stime_us == want->stime_us && got->maxrss_kb == want->maxrss_kb, "usage");
	ok(got->in_bytes == want->in_bytes && got->out_bytes == want->out_bytes && got->log == want->log, "bytes and log");
}

static void
test_round_trip(const struct result *w)
{
	struct result r = RESULT_INIT;
	struct err err = ERR_INIT;

	ok(result_read(&r, &w->key, false, &err) == 0, "a result that is not there");
	ok(!result_exists(&w->key), "does not exist");
	ok(result_write(w, &err) == 0, "write");
	ok(result_exists(&w->key), "it exists");
	if (!ok(result_read(&r, &w->key, false, &err) == 1, "read: %s", err.text))
		return;
	ok(oid_eq(&r.key, &w->key), "key");
	is_str(r.pipeline, "count", "pipeline");
	is_str(r.label, ODD, "a label with odd bytes");
	is_str(r.host, "", "an empty field");
	is_str(r.command, "/bin/sh", "command");
	is_str(r.state, "success", "state");
	ok(r.n_attempt == 1 && r.n_input == 1 && r.n_output == 1, "one attempt, input, output");
	test_attempt(&r.attempt[0], &w->attempt[0]);
	is_str(r.input[0].path, "", "an empty path");
	ok(r.input[0].kind == 'd' && oid_eq(&r.input[0].id, &w->input[0].id), "the input");
	is_str(r.output[0].path, ODD, "an output path with odd bytes");
	ok(r.output[0].kind == 'x' && r.output[0].size == 7 && oid_eq(&r.output[0].id, &w->output[0].id), "the output");
	result_release(&r);
	result_release(&r);
}

static void
test_failure(struct result *w)
{
	struct result r = RESULT_INIT;
	struct err err = ERR_INIT;

	sha256_bytes("failed", 6, &w->key);
	w->state = "failed";
	w->class = "exit status";
	w->n_output = 0;
	ok(result_write(w, &err) == 0, "write a failure");
	ok(!result_exists(&w->key), "is no result");
	ok(result_read(&r, &w->key, false, &err) == 0, "is not read as one");
	ok(result_read(&r, &w->key, true, &err) == 1, "is read as a failure");
	is_str(r.class, "exit status", "with its class");
	result_release(&r);
	w->state = "success";
	ok(result_write(w, &err) == 0 && result_exists(&w->key), "a success");
	ok(result_read(&r, &w->key, true, &err) == 0, "takes its place");
}

/* Each byte changed in turn must be found. */
static void
test_damage(const struct oid *key)
{
	char path[LAYOUT_MAX];
	struct result r = RESULT_INIT;
	struct err err = ERR_INIT;
	struct buf text = BUF_INIT;
	unsigned believed = 0, written = 0;

	layout_datum(path, key);
	ok(fs_read(path, &text, &err) == 1, "the file");
	for (size_t i = 0; i < text.n; i++) {
		text.s[i] ^= 1;
		written += fs_replace(path, text.s, text.n, 0444, &err) == 0;
		believed += result_read(&r, key, false, &err) != -1;
		result_release(&r);
		text.s[i] ^= 1;
	}
	is_u64(written, text.n, "each byte was changed");
	ok(believed == 0, "no changed byte is believed");
	ok(strstr(err.text, "is damaged") != NULL, "and the message says so: %s", err.text);
	fs_replace(path, text.s, text.n / 2, 0444, &err);
	ok(result_read(&r, key, false, &err) == -1, "nor half a file");
	fs_replace(path, text.s, 0, 0444, &err);
	ok(result_read(&r, key, false, &err) == -1, "nor an empty one");
	buf_release(&text);
}

static void
test_other_key(const struct oid *key)
{
	char from[LAYOUT_MAX], to[LAYOUT_MAX];
	struct result r = RESULT_INIT;
	struct err err = ERR_INIT;
	struct oid other;

	sha256_bytes("other", 5, &other);
	ok(fs_mkdirs_for(layout_datum(to, &other), &err) == 0 && link(layout_datum(from, key), to) == 0, "under another name");
	ok(result_read(&r, &other, false, &err) == -1, "a result of another key is not believed");
}

int
main(void)
{
	char dir[] = "/tmp/dassie-result.XXXXXX";
	struct result w = RESULT_INIT;
	struct attempt a = { 0 };
	struct result_input in;
	struct result_output out;
	struct err err = ERR_INIT;
	struct oid first;

	if (!mkdtemp(dir) || chdir(dir) < 0)
		return 2;
	fill(&w, &a, &in, &out);
	first = w.key;
	test_round_trip(&w);
	test_failure(&w);
	test_other_key(&first);
	test_damage(&first);
	if (chdir("/") < 0 || fs_remove_tree(dir, &err) < 0)
		return 2;
	return done();
}
