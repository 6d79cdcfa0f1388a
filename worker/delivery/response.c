#include "delivery/response.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "domain/attempt.h"

#include <string.h>
#include <strings.h>

enum { RETRY_AFTER_TEXT_MAX = 64 };

static const char retry_after_name[] = "retry-after:";

void response_reset(struct response *response, size_t excerpt_max) {
	struct buffer excerpt = response->excerpt;

	buffer_clear(&excerpt);
	excerpt.max = excerpt_max;
	*response = (struct response){ .retry_after_ms = -1, .excerpt = excerpt };
}

void response_destroy(struct response *response) {
	buffer_destroy(&response->excerpt);
}

static size_t without_line_end(const char *line, size_t len) {
	while (len && (line[len - 1] == '\r' || line[len - 1] == '\n' || line[len - 1] == ' ' ||
		       line[len - 1] == '\t'))
		len--;
	return len;
}

static int64_t read_retry_after(const char *value, size_t len) {
	char text[RETRY_AFTER_TEXT_MAX];

	while (len && (*value == ' ' || *value == '\t'))
		value++, len--;
	len = without_line_end(value, len);
	if (len >= sizeof(text) || memchr(value, '\0', len))
		return -1;
	memcpy(text, value, len);
	text[len] = '\0';
	return retry_after_parse(text, clock_wall_ms());
}

bool response_is_header_end(const char *line, size_t len) {
	return len && (line[0] == '\r' || line[0] == '\n');
}

static bool is_status_line(const char *line, size_t len) {
	return len >= 5 && !strncasecmp(line, "HTTP/", 5);
}

bool response_take_header(struct response *response, const char *line, size_t len) {
	size_t name_len = sizeof(retry_after_name) - 1;

	response->header_bytes += len;
	if (++response->header_lines > RESPONSE_HEADER_LINES_MAX ||
	    response->header_bytes > RESPONSE_HEADER_BYTES_MAX) {
		response->excessive = true;
		return false;
	}
	if (response->status)
		return true;
	/* An interim response's headers are not those of the final one. Source: RFC 9110
	 * section 15.2. */
	if (is_status_line(line, len))
		response->retry_after_ms = -1;
	else if (len >= name_len && !strncasecmp(line, retry_after_name, name_len) &&
		 response->retry_after_ms < 0)
		response->retry_after_ms = read_retry_after(line + name_len, len - name_len);
	return true;
}

bool response_end_header(struct response *response, long status, int64_t now_us) {
	/* No request asks for another protocol, and none of its bytes are an HTTP response. Source:
	 * RFC 9110 section 15.2.2. */
	if (status == 101)
		return false;
	if (response->status || status < 200)
		return true;
	response->status = (int32_t)status;
	response->completed_us = now_us;
	return true;
}

bool response_take_body(struct response *response, const char *bytes, size_t len) {
	struct buffer *excerpt = &response->excerpt;

	response->body_bytes += len;
	if (!attempt_status_is_success(response->status))
		buffer_append(excerpt, bytes, MIN(len, excerpt->max - excerpt->len));
	return response->body_bytes <= RESPONSE_BODY_BYTES_MAX;
}

/* The bytes of \uXXXX, for a control character of one. */
enum { VISIBLE_MAX = 6 };

/* The excerpt's length as text; 0: it is none. A character may be cut at the end of a full one. */
static size_t text_len(const struct buffer *excerpt) {
	size_t cut_max = excerpt->len == excerpt->max ? 3 : 0;

	for (size_t cut = 0; cut <= cut_max && cut < excerpt->len; cut++)
		if (utf8_is_text(excerpt->data, excerpt->len - cut))
			return excerpt->len - cut;
	return 0;
}

char *response_excerpt(const struct response *response) {
	size_t len = text_len(&response->excerpt);
	struct buffer visible = BUFFER_INIT(len * VISIBLE_MAX + 1);
	_cleanup_(x_freep) char *text = len ? x_strndup(response->excerpt.data, len) : NULL;

	if (text)
		buffer_append_visible(&visible, text);
	return visible.data;
}
