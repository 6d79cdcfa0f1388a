/*
 * A receiver's answer, line by line as curl hands it over, and the body behind it: the kept part
 * stays within its bounds, the verdict falls once, and Retry-After is the number or the date that
 * curl reads.
 *
 * Seeds: the literals of tests/unit/delivery_answers.c, tests/unit/delivery_failure.c and
 * tests/unit/domain_delivery.c.
 */
#include "delivery/response.h"
#include "domain/attempt.h"
#include "fuzz.h"

#include <curl/curl.h>

/* 2026-01-31T12:00:00Z, and a wait that is longer than any: ten years. */
#define NOW_MS INT64_C(1769860800000)
#define LONGEST_MS (INT64_C(10) * 366 * 24 * 3600 * 1000)

static long status_of(const char *line, size_t len) {
	_cleanup_(x_freep) char *text = fuzz_text((const uint8_t *)line, len);
	const char *blank = strchr(text, ' ');

	return blank ? strtol(blank, NULL, 10) % 1000 : 0;
}

static const char zeros[2 * RESPONSE_BODY_BYTES_MAX + 1];

static void check_response(const char *text, size_t len) {
	struct response response = RESPONSE_INIT;
	long status = 0;
	size_t bytes = 0;
	int lines = 0;

	for (size_t at = 0; at < len; lines++) {
		const char *line = text + at, *end = memchr(line, '\n', len - at);
		size_t line_len = end ? (size_t)(end - line) + 1 : len - at;
		struct response before = response;
		bool goes_on = response_take_header(&response, line, line_len);

		at += line_len;
		bytes += line_len;
		CHECK(response.header_bytes == bytes && response.header_lines == lines + 1);
		CHECK(goes_on ==
		      (lines < RESPONSE_HEADER_LINES_MAX && bytes <= RESPONSE_HEADER_BYTES_MAX));
		CHECK(response.excessive == !goes_on);
		CHECK(response.retry_after_ms >= -1);
		/* What follows the verdict changes nothing. */
		CHECK(!before.status || before.retry_after_ms == response.retry_after_ms);
		if (!goes_on)
			return;
		if (!strncasecmp(line, "HTTP/", MIN(line_len, (size_t)5)) && line_len > 5)
			status = status_of(line, line_len);
		if (!response_is_header_end(line, line_len))
			continue;
		goes_on = response_end_header(&response, status, 1);
		CHECK(goes_on == (status != 101));
		CHECK(response.status ==
		      (before.status || status == 101 || status < 200 ? before.status : status));
		if (!goes_on)
			return;
	}
	response.excerpt.max = 64;
	for (size_t body = len; body <= 2 * RESPONSE_BODY_BYTES_MAX; body += 1 + body)
		if (!response_take_body(&response, zeros, body))
			break;
	response_destroy(&response);
	CHECK(response.body_bytes <= 4 * RESPONSE_BODY_BYTES_MAX);
}

static void check_seconds(const char *text, int64_t waits_ms) {
	size_t digits;
	int64_t wanted = 0;

	text += strspn(text, " \t");
	digits = strspn(text, "0123456789");
	if (!digits || text[digits + strspn(text + digits, " \t\r\n")])
		return;
	for (size_t i = 0; i < digits; i++)
		wanted = MIN(10 * wanted + text[i] - '0', LONGEST_MS / 1000);
	CHECK(waits_ms == wanted * 1000 || (waits_ms == -1 && digits > 64));
}

static void check_date(const char *text, int64_t waits_ms) {
	int64_t date_ms;

	text += strspn(text, " \t");
	if (waits_ms < 0 || !text[strspn(text, "0123456789 \t\r\n")])
		return;
	date_ms = (int64_t)curl_getdate(text, NULL) * 1000;
	CHECK(date_ms >= 0 ? waits_ms == MAX(date_ms - NOW_MS, INT64_C(0)) : waits_ms == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	_cleanup_(x_freep) char *text = fuzz_text(data, size);
	int64_t waits_ms = retry_after_parse(text, NOW_MS);

	CHECK(waits_ms >= -1);
	check_seconds(text, waits_ms);
	check_date(text, waits_ms);
	check_response((const char *)data, size);
	return 0;
}
