#include "domain/attempt.h"

#include "base/memory.h"

#include <ctype.h>
#include <time.h>

#define TEN(tens)                                                                                  \
	"status-" #tens "0", "status-" #tens "1", "status-" #tens "2", "status-" #tens "3",        \
	    "status-" #tens "4", "status-" #tens "5", "status-" #tens "6", "status-" #tens "7",    \
	    "status-" #tens "8", "status-" #tens "9"
#define HUNDRED(h)                                                                                 \
	TEN(h##0), TEN(h##1), TEN(h##2), TEN(h##3), TEN(h##4), TEN(h##5), TEN(h##6), TEN(h##7),    \
	    TEN(h##8), TEN(h##9)

enum {
	STATUS_MIN = 100,
	STATUS_MAX = 999,
	RETRY_AFTER_LONGEST = sizeof("Wednesday, 06-Nov-94 08:49:37 GMT") * 2
};

/* Static texts, so that a reason can be kept by pointer for the life of the process. */
static const char status_texts[STATUS_MAX - STATUS_MIN + 1][sizeof("status-503")] = {
	HUNDRED(1), HUNDRED(2), HUNDRED(3), HUNDRED(4), HUNDRED(5),
	HUNDRED(6), HUNDRED(7), HUNDRED(8), HUNDRED(9),
};

static const char *const reason_texts[ATTEMPT_REASON_COUNT] = {
	[ATTEMPT_OK] = NULL,
	[ATTEMPT_STATUS] = "status",
	[ATTEMPT_TIMEOUT] = "timeout",
	[ATTEMPT_CONNECT] = "connect",
	[ATTEMPT_DNS] = "dns",
	[ATTEMPT_TLS] = "tls",
	[ATTEMPT_ADDRESS_REFUSED] = "address-refused",
	[ATTEMPT_PROTOCOL] = "protocol",
	[ATTEMPT_INTERNAL] = "internal",
	[ATTEMPT_PROXY_CONNECT] = "proxy-connect",
	[ATTEMPT_PROXY_REFUSED] = "proxy-refused",
	[ATTEMPT_PROXY_GATEWAY] = "proxy-gateway",
	[ATTEMPT_PROXY_BROKEN] = "proxy-broken",
};

/* The tenant's words, where they are not the operator's. */
static const char *const public_texts[ATTEMPT_REASON_COUNT] = {
	[ATTEMPT_DNS] = "no-address",      [ATTEMPT_ADDRESS_REFUSED] = "no-address",
	[ATTEMPT_PROXY_CONNECT] = "proxy", [ATTEMPT_PROXY_REFUSED] = "proxy",
	[ATTEMPT_PROXY_GATEWAY] = "proxy", [ATTEMPT_PROXY_BROKEN] = "proxy",
};

const char *attempt_reason_text(const struct attempt_result *result) {
	if (result->reason == ATTEMPT_STATUS && result->status >= STATUS_MIN &&
	    result->status <= STATUS_MAX)
		return status_texts[result->status - STATUS_MIN];
	return reason_texts[result->reason];
}

const char *attempt_reason_public(const struct attempt_result *result) {
	const char *text = public_texts[result->reason];

	return text ? text : attempt_reason_text(result);
}

const char *attempt_reason_translate(const char *recorded) {
	for (enum attempt_reason reason = ATTEMPT_OK; recorded && reason < ATTEMPT_REASON_COUNT;
	     reason++)
		if (public_texts[reason] && strcmp(recorded, reason_texts[reason]) == 0)
			return public_texts[reason];
	return recorded;
}

/* delay-seconds = 1*DIGIT. A number above `max_s` becomes `max_s`. */
static int64_t parse_delay_s(const char *text) {
	const int64_t max_s = 10LL * 366 * 24 * 3600;
	int64_t value = 0;

	for (; isdigit((unsigned char)*text); text++)
		value = MIN(value * 10 + (*text - '0'), max_s);
	return *text ? -1 : value;
}

/*
 * strptime accepts any blanks, or none, for a blank of the format, and timegm corrects impossible
 * dates (the 31st of February, a wrong weekday). So only a text that formats back to itself is
 * valid.
 */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the formats come from the table below */
static bool parse_date(const char *text, const char *format, time_t *out) {
	struct tm tm = { 0 };
	char check[RETRY_AFTER_LONGEST];

	/* The year 31 is not 2031: a year has four digits, or the two of its own form. */
	if (!strptime(text, format, &tm) || tm.tm_year < 1000 - 1900)
		return false;
	*out = timegm(&tm);
	return strftime(check, sizeof(check), format, &tm) && strcmp(check, text) == 0;
}
#pragma GCC diagnostic pop

/* All three forms must be understood. Source: RFC 9110 section 5.6.7. */
static int64_t parse_http_date(const char *text, int64_t now_ms) {
	static const char *const formats[] = { "%a, %d %b %Y %H:%M:%S GMT",
					       "%A, %d-%b-%y %H:%M:%S GMT",
					       "%a %b %e %H:%M:%S %Y" };
	time_t date;

	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (parse_date(text, formats[i], &date))
			return MAX((int64_t)date * 1000 - now_ms, (int64_t)0);
	return -1;
}

int64_t retry_after_parse(const char *value, int64_t now_ms) {
	char text[RETRY_AFTER_LONGEST];
	size_t len;
	int64_t delay_s;

	value += strspn(value, " \t");
	len = strlen(value);
	while (len > 0 && strchr(" \t\r\n", value[len - 1]))
		len--;
	if (len == 0 || len >= sizeof(text))
		return -1;
	memcpy(text, value, len);
	text[len] = '\0';
	if (!isdigit((unsigned char)text[0]))
		return parse_http_date(text, now_ms);
	delay_s = parse_delay_s(text);
	return delay_s < 0 ? -1 : delay_s * 1000;
}
