#include "base/clock.h"

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
