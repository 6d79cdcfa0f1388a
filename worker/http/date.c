#include "http/date.h"

#include "base/clock.h"

#include <time.h>

const char *http_date_now(struct http_date *date) {
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm tm;

	if (now == date->at_s)
		return date->text;
	date->at_s = now;
	gmtime_r(&now, &tm);
	strftime(date->text, sizeof(date->text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	return date->text;
}
