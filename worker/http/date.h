/* The date of a message, formatted once a second. Not thread-safe. */
#pragma once

#include <stdint.h>

/* Zeroed: no date yet. */
struct http_date {
	int64_t at_s;
	char text[32];
};

/* The time now as IMF-fixdate; it lives until the next call. Source: RFC 9110 section 5.6.7. */
const char *http_date_now(struct http_date *date);
