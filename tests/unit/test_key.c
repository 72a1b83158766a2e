/* Datum keys: fixed values (a change of the format must be a decision), and what changes a key and what does not. */
#include "../../base/key.h"

#include <stdlib.h>

#include "../../base/manifest.h"
#include "../../base/mem.h"
#include "tap.h"

static struct oid step, ida, idb;

static const char *
hex(const struct oid *id)
{
	static char text[OID_HEX + 1];

	oid_hex(id, text);
	return text;
}

/* The same by the plain functions of sha256.h: what key.h says, word for word. */
static void
plainly(const struct key_match *m, size_t n, const struct key_var *v, size_t nv, struct oid *ret)
{
	struct sha256 h;

	sha256_init(&h);
	sha256_field_str(&h, "dassie-key 1");
	sha256_field_str(&h, "count");
	sha256_field_oid(&h, &step);
	sha256_field_str(&h, "salt");
	for (size_t i = 0, k; i < n; i = k) {
		for (k = i; k < n && strcmp(m[k].input, m[i].input) == 0; k++)
			;
		sha256_field_str(&h, m[i].input);
		sha256_field_u64(&h, k - i);
		for (size_t j = i; j < k; j++) {
			char kind[3] = { m[j].kind, m[j].empty ? 'e' : '\0', '\0' };

			sha256_field_str(&h, m[j].path);
			sha256_field_str(&h, kind);
			sha256_field_oid(&h, &m[j].id);
		}
	}
	sha256_field_u64(&h, nv);
	for (size_t i = 0; i < nv; i++) {
		sha256_field_str(&h, v[i].name);
		sha256_field_str(&h, v[i].value);
	}
	sha256_final(&h, ret);
}

static void
same_as_plainly(const struct key_match *m, size_t n, const struct key_var *v, size_t nv, const char *what)
{
	struct oid want, got;

	plainly(m, n, v, nv, &want);
	key_compute("count", &step, "salt", m, n, v, nv, &got);
	ok(oid_eq(&want, &got), "%s: as key.h says", what);
}

static void
formats(void)
{
	static char long_path[5000];
	struct key_match m[200] = {
		{ "a", "x.txt", 'f', false, ida }, { "a", "y.txt", 'x', false, idb }, { "b", "", 'd', false, ida }, { "c", "e", 'f', true, idb },
		{ "c", "d", 'd', true, idb },
	};
	struct key_var v[] = { { "PACH_DATUM_a_JOIN_ON", "1" }, { "PACH_DATUM_a_GROUP_BY", "" } };
	struct oid got;

	same_as_plainly(m, 0, v, 0, "nothing");
	same_as_plainly(m, 1, v, 0, "one match");
	same_as_plainly(m, 5, v, 2, "five matches of three inputs");
	memset(long_path, 'p', sizeof long_path - 1);
	for (size_t i = 5; i < 200; i++)
		m[i] = (struct key_match){ "d", long_path + sizeof long_path - 1 - i * 25, 'f', false, ida };
	same_as_plainly(m, 200, v, 2, "many and long matches");
	key_compute("count", &step, "salt", m, 1, v, 0, &got);
	is_str(hex(&got), "be495f22e198071c1beda36243f5b874a8576f59dda40113a10890fd61b496ef", "a key that must never change");
}

static void
differs(const struct key_match *m, size_t n, const struct oid *than, const char *what)
{
	struct oid key;

	key_compute("count", &step, "salt", m, n, NULL, 0, &key);
	ok(!oid_eq(&key, than), "%s changes the key", what);
}

static void
changes(void)
{
	struct key_match one[2] = { { "a", "x", 'f', false, ida }, { "a", "y", 'f', false, ida } }, two[2];
	struct key_var v = { "N", "1" };
	struct oid base, key;

	key_compute("count", &step, "salt", one, 1, NULL, 0, &base);
	two[0] = one[0];
	two[0].path = "z";
	differs(two, 1, &base, "the path");
	two[0] = one[0];
	two[0].input = "b";
	differs(two, 1, &base, "the input's name");
	two[0] = one[0];
	two[0].kind = 'x';
	differs(two, 1, &base, "the x bit");
	two[0] = one[0];
	two[0].id = idb;
	differs(two, 1, &base, "the content");
	two[0] = one[0];
	two[0].empty = true;
	differs(two, 1, &base, "empty_files");
	differs(one, 2, &base, "a match more");
	key_compute("count2", &step, "salt", one, 1, NULL, 0, &key);
	ok(!oid_eq(&key, &base), "the pipeline's name changes the key");
	key_compute("count", &ida, "salt", one, 1, NULL, 0, &key);
	ok(!oid_eq(&key, &base), "the step changes the key");
	key_compute("count", &step, "", one, 1, NULL, 0, &key);
	ok(!oid_eq(&key, &base), "the salt changes the key");
	key_compute("count", &step, "salt", one, 1, &v, 1, &key);
	ok(!oid_eq(&key, &base), "a captured value changes the key");
	/* One input with two files is not two inputs with one each; order and repeats count. */
	key_compute("count", &step, "salt", one, 2, NULL, 0, &base);
	two[0] = one[1];
	two[1] = one[0];
	differs(two, 2, &base, "the order of matches");
	two[0] = one[0];
	two[1] = one[1];
	two[1].input = "b";
	differs(two, 2, &base, "another input for the second file");
	one[0].empty = true;
	two[0] = one[0];
	two[0].id = idb;
	key_compute("count", &step, "salt", one, 1, NULL, 0, &base);
	key_compute("count", &step, "salt", two, 1, NULL, 0, &key);
	ok(!oid_eq(&key, &base), "so does the content of a file of which only the name is shown");
}

static void
directories(void)
{
	struct entry e[] = { { "a/x", 1, ida, 'f' }, { "a/y", 2, idb, 'f' }, { "b", 3, ida, 'f' } };
	struct manifest m = { .v = e, .n = 3 };
	struct oid all, a, again, other;
	struct sha256 h;

	key_dir_hash(&m, 0, 3, &all);
	key_dir_hash(&m, 0, 2, &a);
	ok(!oid_eq(&all, &a), "root and directory differ");
	sha256_init(&h);
	sha256_field_str(&h, "a/x");
	sha256_field_str(&h, "f");
	sha256_field_oid(&h, &ida);
	sha256_field_str(&h, "a/y");
	sha256_field_str(&h, "f");
	sha256_field_oid(&h, &idb);
	sha256_final(&h, &again);
	ok(oid_eq(&a, &again), "as key.h says");
	e[1].id = ida;
	key_dir_hash(&m, 0, 2, &other);
	ok(!oid_eq(&a, &other), "a file's content changes it");
	e[1].id = idb;
	e[1].kind = 'x';
	key_dir_hash(&m, 0, 2, &other);
	ok(!oid_eq(&a, &other), "so does the x bit");
}

int
main(void)
{
	sha256_bytes("step", 4, &step);
	sha256_bytes("a", 1, &ida);
	sha256_bytes("b", 1, &idb);
	formats();
	changes();
	directories();
	return done();
}
