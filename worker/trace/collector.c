#include "trace/collector.h"

#include "base/clock.h"
#include "base/log.h"

#include <inttypes.h>

enum {
	BODY_MAX = COLLECTOR_SPANS_MAX * COLLECTOR_SPAN_BYTES_MAX,
	ANSWER_MAX = 4096,
	WARN_EVERY_MS = 5 * 60 * 1000,
};

/* The handle. */

/* The rest of a long answer is not kept. */
static size_t take_answer(char *bytes, size_t size _unused_, size_t len, void *userdata) {
	struct collector *collector = userdata;

	buffer_append(&collector->answer, bytes, len);
	return len;
}

static int on_progress(void *userdata, curl_off_t a _unused_, curl_off_t b _unused_,
		       curl_off_t c _unused_, curl_off_t d _unused_) {
	const struct collector *collector = userdata;

	return collector->gives_up();
}

static void set_files(CURL *easy, const struct trace_settings *settings) {
	if (settings->ca_file) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, settings->ca_file);
		/* Debian's libcurl has a folder too, and would trust that as well. */
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (!settings->certificate_file)
		return;
	curl_easy_setopt(easy, CURLOPT_SSLCERT, settings->certificate_file);
	curl_easy_setopt(easy, CURLOPT_SSLKEY, settings->key_file);
	/* Else OpenSSL would ask the terminal for the one of a key that has one. */
	curl_easy_setopt(easy, CURLOPT_KEYPASSWD, "");
}

static void set_options(struct collector *collector) {
	CURL *easy = collector->easy;

	curl_easy_setopt(easy, CURLOPT_URL, collector->settings.url);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, collector->settings.headers);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "posthorn");
	/* A stop does not wait for a name server that hangs. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, collector);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, collector);
	set_files(easy, &collector->settings);
}

void collector_init(struct collector *collector, struct trace_settings *settings,
		    const char *version, bool (*gives_up)(void)) {
	*collector = (struct collector){ .settings = *settings,
					 .version = x_strdup(version),
					 .gives_up = gives_up,
					 .easy = x_checked(curl_easy_init()),
					 .body = BUFFER_INIT(BODY_MAX),
					 .answer = BUFFER_INIT(ANSWER_MAX) };
	*settings = (struct trace_settings){ 0 };
	collector->settings.headers = x_checked(
	    curl_slist_append(collector->settings.headers, "Content-Type: application/json"));
	set_options(collector);
}

void collector_destroy(struct collector *collector) {
	curl_easy_cleanup(collector->easy);
	buffer_destroy(&collector->body);
	buffer_destroy(&collector->answer);
	free(collector->version);
	trace_settings_destroy(&collector->settings);
}

/* Requests. */

void collector_write(struct collector *collector, char *const *spans, size_t count) {
	struct buffer *body = &collector->body;

	buffer_clear(body);
	buffer_append_string(body, "{\"resourceSpans\":[{\"resource\":");
	buffer_append_string(body, collector->settings.resource);
	buffer_append_string(body, ",\"scopeSpans\":[{\"scope\":{\"name\":\"posthorn\",");
	buffer_printf(body, "\"version\":\"%s\"},\"spans\":[", collector->version);
	for (size_t i = 0; i < count; i++) {
		buffer_append_string(body, i ? "," : "");
		buffer_append_string(body, spans[i]);
	}
	buffer_append_string(body, "]}]}]}");
}

static bool may_warn(struct collector *collector) {
	int64_t now_ms = clock_monotonic_ms();
	bool is_time = !collector->warned_ms || now_ms - collector->warned_ms >= WARN_EVERY_MS;

	if (is_time)
		collector->warned_ms = now_ms;
	return is_time;
}

/* The number of a partial success: "rejectedSpans":"2", or without quotes. A text that says so in
 * the message beside it has its quotes escaped. Source: OTLP 1.9, "Partial Success". */
static size_t rejected_of(const char *answer) {
	static const char name[] = "\"rejectedSpans\"";
	const char *found = answer ? strstr(answer, name) : NULL;

	if (!found)
		return 0;
	found += sizeof(name) - 1;
	found += strspn(found, " \t\r\n:\"");
	return *found >= '0' && *found <= '9' ? strtoul(found, NULL, 10) : 0;
}

static struct collector_result took(struct collector *collector, size_t count) {
	struct collector_result result = { .end = COLLECTOR_TOOK };
	size_t rejected = rejected_of(collector->answer.data);

	result.rejected = MIN(rejected, count);
	if (result.rejected && may_warn(collector))
		log_warn("the collector rejects spans", "spans=%zu of=%zu answer=%s",
			 result.rejected, count, log_quote(collector->answer.data));
	return result;
}

/* Source: OTLP 1.9, "OTLP/HTTP Response". */
static bool may_try_again(CURLcode code, long status) {
	return code != CURLE_OK || status == 429 || status == 502 || status == 503 || status == 504;
}

static struct collector_result failed(struct collector *collector, size_t count, CURLcode code,
				      long status) {
	curl_off_t retry_after_s = 0;

	if (may_warn(collector))
		log_warn("the collector does not take spans",
			 "spans=%zu status=%ld error=%s answer=%s", count, status,
			 log_quote(code == CURLE_OK ? "" : curl_easy_strerror(code)),
			 log_quote(collector->answer.data));
	if (!may_try_again(code, status))
		return (struct collector_result){ .end = COLLECTOR_REFUSED };
	if (code == CURLE_OK)
		curl_easy_getinfo(collector->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
	return (struct collector_result){ .end = COLLECTOR_LATER,
					  .pause_ms =
					      MIN(retry_after_s, (curl_off_t)INT32_MAX) * 1000 };
}

struct collector_result collector_post(struct collector *collector, size_t count,
				       int64_t timeout_ms) {
	long status = 0;
	CURLcode code;

	buffer_clear(&collector->answer);
	curl_easy_setopt(collector->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(collector->easy, CURLOPT_POSTFIELDS, collector->body.data);
	curl_easy_setopt(collector->easy, CURLOPT_POSTFIELDSIZE, (long)collector->body.len);
	code = curl_easy_perform(collector->easy);
	if (code == CURLE_OK)
		curl_easy_getinfo(collector->easy, CURLINFO_RESPONSE_CODE, &status);
	return status >= 200 && status < 300 ? took(collector, count)
					     : failed(collector, count, code, status);
}
