#include "base/invariant.h"
#include "http/request.h"

enum { TEXT_MAX = 64 * 1024 * 1024 };

static const char *reason_of(int status) {
	static const char *const reasons[600] = {
		[200] = "OK",
		[201] = "Created",
		[202] = "Accepted",
		[204] = "No Content",
		[304] = "Not Modified",
		[400] = "Bad Request",
		[401] = "Unauthorized",
		[403] = "Forbidden",
		[404] = "Not Found",
		[405] = "Method Not Allowed",
		[409] = "Conflict",
		[412] = "Precondition Failed",
		[413] = "Content Too Large",
		[414] = "URI Too Long",
		[415] = "Unsupported Media Type",
		[417] = "Expectation Failed",
		[422] = "Unprocessable Content",
		[429] = "Too Many Requests",
		[431] = "Request Header Fields Too Large",
		[500] = "Internal Server Error",
		[501] = "Not Implemented",
		[503] = "Service Unavailable",
		[505] = "HTTP Version Not Supported",
	};

	return status >= 0 && (size_t)status < ARRAY_LEN(reasons) && reasons[status]
		   ? reasons[status]
		   : "";
}

void http_answer_header(struct http_answer *answer, const char *name, const char *value) {
	invariant(answer->header_count < HTTP_ANSWER_HEADERS_MAX,
		  "an answer has room for all its headers");
	answer->headers[answer->header_count++] = (struct http_header){ name, value };
}

void http_answer_text(struct http_answer *answer, int status, const char *text) {
	*answer = (struct http_answer){ .status = status,
					.content_type = "text/plain; charset=utf-8",
					.body = BUFFER_INIT(TEXT_MAX),
					.closes = answer->closes };
	buffer_append_string(&answer->body, text);
}

size_t http_answer_body_len(const struct http_answer *answer) {
	return answer->fixed ? answer->fixed_len : answer->body.len;
}

void http_answer_write_head(const struct http_answer *answer, const char *date, bool closes,
			    struct buffer *out) {
	buffer_printf(out, "HTTP/1.1 %d %s\r\ndate: %s\r\n", answer->status,
		      reason_of(answer->status), date);
	if (answer->content_type)
		buffer_printf(out, "content-type: %s\r\n", answer->content_type);
	for (size_t i = 0; i < answer->header_count; i++)
		buffer_printf(out, "%s: %s\r\n", answer->headers[i].name, answer->headers[i].value);
	if (answer->status != 204 && answer->status != 304)
		buffer_printf(out, "content-length: %zu\r\n", http_answer_body_len(answer));
	buffer_append_string(out, closes || answer->closes ? "connection: close\r\n\r\n" : "\r\n");
}
