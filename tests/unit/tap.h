/* tap.h: the Test Anything Protocol for unit tests: plan-less, one program a file.
 *
 *	int
 *	main(void)
 *	{
 *		ok(1 + 1 == 2, "addition of %d and %d", 1, 1);
 *		is_str(name, "count", "the name");
 *		is_u64(n, 3, "the number");
 *		return done();
 *	}
 */
#ifndef UNIT_TAP_H
#define UNIT_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static unsigned tap_run, tap_failed;

__attribute__((unused, format(printf, 2, 0))) static bool
tap_result(bool good, const char *fmt, va_list ap)
{
	char name[512];

	vsnprintf(name, sizeof(name), fmt, ap);
	for (char *p = name; *p; p++)
		if (*p == '\n' || *p == '#')
			*p = ' ';
	tap_failed += !good;
	printf("%sok %u - %s\n", good ? "" : "not ", ++tap_run, name);
	fflush(stdout);
	return good;
}

/* Returns the condition, so that a test can stop where going on makes no sense. */
__attribute__((unused, format(printf, 2, 3))) static bool
ok(bool good, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_result(good, fmt, ap);
	va_end(ap);
	return good;
}

/* Diagnostics: lines that begin with '#', whatever the value holds. */
__attribute__((unused)) static void
tap_show(const char *what, const char *value)
{
	printf("# %s: ", what);
	if (!value)
		printf("(null)");
	for (const char *p = value; p && *p; p++) {
		if (*p == '\n')
			printf("\n#      ");
		else if ((unsigned char)*p < ' ' && *p != '\t')
			printf("\\x%02x", (unsigned char)*p);
		else
			putchar(*p);
	}
	putchar('\n');
	fflush(stdout);
}

__attribute__((unused, format(printf, 3, 4))) static bool
is_str(const char *got, const char *want, const char *fmt, ...)
{
	bool good = got && want ? strcmp(got, want) == 0 : got == want;
	va_list ap;

	va_start(ap, fmt);
	tap_result(good, fmt, ap);
	va_end(ap);
	if (!good) {
		tap_show(" got", got);
		tap_show("want", want);
	}
	return good;
}

__attribute__((unused, format(printf, 3, 4))) static bool
is_u64(uint64_t got, uint64_t want, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_result(got == want, fmt, ap);
	va_end(ap);
	if (got != want)
		printf("#  got: %llu\n# want: %llu\n", (unsigned long long)got, (unsigned long long)want);
	return got == want;
}

/* The plan, at the end, and the exit status; a program that died before it has no plan, which fails. */
__attribute__((unused)) static int
done(void)
{
	printf("1..%u\n", tap_run);
	if (fflush(stdout) != 0 || ferror(stdout))
		return 2;
	return tap_failed > 0 || tap_run == 0;
}

#endif
