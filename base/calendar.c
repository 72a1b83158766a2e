/* calendar.c: days and times of cron.h. Years begin in March for counting, so that the leap day comes last (Howard Hinnant's
 * days_from_civil and civil_from_days). */
#include "cron.h"

int64_t
cron_days(int64_t year, int month, int day)
{
	int64_t era, y = year - (month <= 2), of_era, of_year;

	era = (y >= 0 ? y : y - 399) / 400;
	of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	of_era = (y - era * 400) * 365 + (y - era * 400) / 4 - (y - era * 400) / 100 + of_year;
	return era * 146097 + of_era - 719468;
}

void
cron_civil(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, of_era = z - era * 146097;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;

	*ret_day = (int)(of_year - (153 * m + 2) / 5 + 1);
	*ret_month = (int)(m < 10 ? m + 3 : m - 9);
	*ret_year = y + era * 400 + (*ret_month <= 2);
}

int
cron_month_days(int64_t year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

int
cron_weekday(int64_t days)
{
	return (int)(((days + 4) % 7 + 7) % 7);
}

/* Two, or as many as n says, digits at *s. */
static bool
digits(const char **s, int n, int lo, int hi, int *ret)
{
	*ret = 0;
	for (; n > 0; n--, ++*s) {
		if (**s < '0' || **s > '9')
			return false;
		*ret = *ret * 10 + (**s - '0');
	}
	return *ret >= lo && *ret <= hi;
}

bool
cron_time(const char *s, int64_t *ret)
{
	int year, month, day, hour, minute, second, sign = 0, oh = 0, om = 0;

	if (!digits(&s, 4, 0, 9999, &year) || *s++ != '-' || !digits(&s, 2, 1, 12, &month) || *s++ != '-' ||
	    !digits(&s, 2, 1, cron_month_days(year, month), &day) || (*s != 'T' && *s != 't' && *s != ' '))
		return false;
	s++;
	if (!digits(&s, 2, 0, 23, &hour) || *s++ != ':' || !digits(&s, 2, 0, 59, &minute) || *s++ != ':' || !digits(&s, 2, 0, 60, &second))
		return false;
	if (*s == '.') {
		if (*++s < '0' || *s > '9')
			return false;
		while (*s >= '0' && *s <= '9')
			s++;
	}
	if (*s == '+' || *s == '-') {
		sign = *s++ == '+' ? 1 : -1;
		if (!digits(&s, 2, 0, 23, &oh) || *s++ != ':' || !digits(&s, 2, 0, 59, &om))
			return false;
	} else if (*s != 'Z' && *s != 'z') {
		return false;
	} else {
		s++;
	}
	*ret = cron_days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - sign * (oh * 3600 + om * 60);
	return !*s;
}

/* By hand: a year of a thousand schedules is half a million of them. */
static char *
put_digits(char *to, int v, int n, char behind)
{
	for (int i = n - 1; i >= 0; i--, v /= 10)
		to[i] = (char)('0' + v % 10);
	to[n] = behind;
	return to + n + 1;
}

void
cron_time_text(char ret[32], int64_t at)
{
	int64_t days = (at >= 0 ? at : at - 86399) / 86400, year;
	int month, day, s = (int)(at - days * 86400);

	cron_civil(days, &year, &month, &day);
	ret = put_digits(ret, year < 0 ? 0 : year > 9999 ? 9999 : (int)year, 4, '-');
	ret = put_digits(put_digits(ret, month, 2, '-'), day, 2, 'T');
	ret = put_digits(put_digits(put_digits(ret, s / 3600, 2, ':'), s / 60 % 60, 2, ':'), s % 60, 2, 'Z');
	*ret = '\0';
}
