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

void clock_format_iso8601(int64_t wall_ms, char out[CLOCK_ISO8601_SIZE]) {
	time_t seconds = wall_ms / 1000;
	int millis = (int)(wall_ms % 1000);
	struct tm tm;
	size_t len;

	if (millis < 0) {
		millis += 1000;
		seconds--;
	}
	if (!gmtime_r(&seconds, &tm))
		memset(&tm, 0, sizeof(tm));
	len = strftime(out, CLOCK_ISO8601_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + len, CLOCK_ISO8601_SIZE - len, ".%03uZ", (unsigned)millis % 1000);
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
