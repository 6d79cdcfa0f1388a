#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_us(clockid_t id) {
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_wall_ms(void) {
	return read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_monotonic_ms(void) {
	return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_monotonic_us(void) {
	return read_us(CLOCK_MONOTONIC);
}

/* That many digits, with zeros before it. */
static void put_digits(char *at, unsigned value, int digits) {
	for (int i = digits; i-- > 0; value /= 10)
		at[i] = (char)('0' + value % 10);
}

static void format_far_year(const struct tm *tm, unsigned millis, char out[CLOCK_ISO8601_SIZE]) {
	size_t len = strftime(out, CLOCK_ISO8601_SIZE, "%Y-%m-%dT%H:%M:%S", tm);

	snprintf(out + len, CLOCK_ISO8601_SIZE - len, ".%03uZ", millis % 1000);
}

/* Several times a delivery: the C library's formatters take ten times as long. */
void clock_format_iso8601(int64_t wall_ms, char out[CLOCK_ISO8601_SIZE]) {
	time_t seconds = wall_ms / 1000;
	int millis = (int)(wall_ms % 1000), year;
	struct tm tm;

	if (millis < 0) {
		millis += 1000;
		seconds--;
	}
	if (!gmtime_r(&seconds, &tm))
		memset(&tm, 0, sizeof(tm));
	year = tm.tm_year + 1900;
	if (year < 1000 || year > 9999) {
		format_far_year(&tm, (unsigned)millis, out);
		return;
	}
	memcpy(out, "0000-00-00T00:00:00.000Z", sizeof("0000-00-00T00:00:00.000Z"));
	put_digits(out, (unsigned)year, 4);
	put_digits(out + 5, (unsigned)tm.tm_mon + 1, 2);
	put_digits(out + 8, (unsigned)tm.tm_mday, 2);
	put_digits(out + 11, (unsigned)tm.tm_hour, 2);
	put_digits(out + 14, (unsigned)tm.tm_min, 2);
	put_digits(out + 17, (unsigned)tm.tm_sec, 2);
	put_digits(out + 20, (unsigned)millis, 3);
}

int clock_parse_iso8601(const char *text, int64_t *wall_ms) {
	struct tm tm = { 0 };
	char check[CLOCK_ISO8601_SIZE];
	int millis;
	int64_t value;

	if (strlen(text) != strlen("2026-01-31T12:00:00.000Z"))
		return -EINVAL;
	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &millis) != 7)
		return -EINVAL;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	value = (int64_t)timegm(&tm) * 1000 + millis;
	/* timegm turns the 31st of February into a date of March: only a text that formats back
	 * to itself is a date. */
	clock_format_iso8601(value, check);
	if (strcmp(check, text) != 0)
		return -EINVAL;
	*wall_ms = value;
	return 0;
}

/* Reads ".123456" or nothing. Returns the place behind it, or NULL. */
static const char *read_fraction(const char *text, int *millis) {
	int unit = 100;

	*millis = 0;
	if (*text != '.')
		return text;
	if (!isdigit((unsigned char)*++text))
		return NULL;
	for (; isdigit((unsigned char)*text); text++, unit /= 10)
		*millis += unit * (*text - '0');
	return text;
}

/* Reads "Z" or "+01:00", the end of a time, as the minutes ahead of UTC. */
static int read_zone(const char *text, int *minutes) {
	unsigned hours, rest;
	char check[sizeof("+23:59")];

	*minutes = 0;
	if (!strcmp(text, "Z"))
		return 0;
	if (strlen(text) != sizeof(check) - 1 || (*text != '+' && *text != '-') ||
	    sscanf(text + 1, "%2u:%2u", &hours, &rest) != 2 || hours > 23 || rest > 59)
		return -EINVAL;
	snprintf(check, sizeof(check), "%c%02u:%02u", *text, hours % 100, rest % 100);
	if (strcmp(check, text) != 0)
		return -EINVAL;
	*minutes = (int)(hours * 60 + rest) * (*text == '-' ? -1 : 1);
	return 0;
}

int clock_parse_rfc3339(const char *text, int64_t *wall_ms) {
	enum { SECONDS_LEN = sizeof("2026-01-31T12:00:00") - 1 };
	char exact[SECONDS_LEN + sizeof(".000Z")];
	const char *zone;
	int millis, minutes;
	int64_t local_ms;

	if (strnlen(text, SECONDS_LEN) < SECONDS_LEN)
		return -EINVAL;
	zone = read_fraction(text + SECONDS_LEN, &millis);
	if (!zone || read_zone(zone, &minutes))
		return -EINVAL;
	snprintf(exact, sizeof(exact), "%.*s.%03uZ", SECONDS_LEN, text, (unsigned)millis % 1000);
	if (clock_parse_iso8601(exact, &local_ms))
		return -EINVAL;
	*wall_ms = local_ms - minutes * INT64_C(60000);
	return 0;
}
