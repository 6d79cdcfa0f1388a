/*
 * The head of a request: an accepted one keeps to the grammar (as regular expressions), frames its
 * body in one way, and is read as the same request when it is written out again; its end does not
 * depend on the pieces it comes in.
 */
#include "fuzz.h"
#include "http/head.h"

#include <ctype.h>
#include <regex.h>

enum { TEXT_MAX = 2 * HTTP_HEAD_MAX };

#define TOKEN "[!#$%&'*+.^_`|~0-9A-Za-z-]+"

static regex_t request_line, field_line;

static void start(void) {
	static bool is_ready;

	if (is_ready)
		return;
	/*
	 * In the C locale a character is a byte, so that bytes beyond ASCII stay possible in
	 * values.
	 */
	CHECK(!regcomp(&request_line, "^" TOKEN " [!-\"$-~]+ HTTP/1\\.[0-9]$",
		       REG_EXTENDED | REG_NOSUB));
	CHECK(!regcomp(&field_line, "^" TOKEN ":[^[:cntrl:]]*$", REG_EXTENDED | REG_NOSUB));
	is_ready = true;
}

/* --- Where it ends --- */

/* Of a head that is whole: no control character but tabs and the pairs of CR and LF. */
static bool is_well_formed(const uint8_t *data, size_t len) {
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\r' && i && i + 1 < len && data[i + 1] == '\n')
			i++;
		else if ((data[i] < 0x20 && data[i] != '\t') || data[i] == 0x7f)
			return false;
	}
	return true;
}

/* Its length, or 0. */
static size_t find_end(const uint8_t *data, size_t size) {
	const uint8_t *end = memmem(data, size, "\r\n\r\n", 4);
	size_t len = end ? (size_t)(end - data) + 4 : 0;

	return len <= HTTP_HEAD_MAX && is_well_formed(data, len) ? len : 0;
}

static size_t check_find(const uint8_t *data, size_t size) {
	struct http_refusal why = { 0 }, why_then = { 0 };
	size_t scanned = 0, then = 0;
	ssize_t len = http_head_find((const char *)data, size, &scanned, &why), len_then = 0;

	CHECK((len > 0 ? (size_t)len : 0) == find_end(data, size));
	CHECK(len >= 0 || (why.status && *why.message));
	/* A byte more each time. */
	for (size_t have = 0; have <= size && !len_then; have++)
		len_then = http_head_find((const char *)data, have, &then, &why_then);
	CHECK(len_then == len && why_then.status == why.status);
	return len > 0 ? (size_t)len : 0;
}

/* --- What it says --- */

static void check_lines(const uint8_t *data, size_t len, const struct http_head *head) {
	_cleanup_(x_freep) char *text = fuzz_text(data, len - 4);
	char *line, *rest = text;
	size_t count = 0;

	for (; (line = strsep(&rest, "\n")); count++) {
		size_t line_len = strlen(line);

		if (line_len && line[line_len - 1] == '\r')
			line[line_len - 1] = '\0';
		for (char *p = line; *p; p++)
			*p = *p == '\t' ? ' ' : *p;
		CHECK(!regexec(count ? &field_line : &request_line, line, 0, NULL, 0));
		if (!count)
			continue;
		CHECK(count <= head->field_count);
		CHECK(!strncmp(line, head->fields[count - 1].name,
			       strlen(head->fields[count - 1].name)));
	}
	CHECK(count == head->field_count + 1);
}

static size_t count_fields(const struct http_head *head, const char *name) {
	size_t count = 0;

	for (size_t i = 0; i < head->field_count; i++)
		count += !strcasecmp(head->fields[i].name, name);
	CHECK(http_head_field_count(head, name) == count);
	return count;
}

/* Source: RFC 9112 sections 3.2, 6.1 to 6.3. */
static void check_framing(const struct http_head *head) {
	size_t lengths = count_fields(head, "content-length"),
	       codings = count_fields(head, "transfer-encoding");
	const char *length = http_head_field(head, "content-length"),
		   *coding = http_head_field(head, "transfer-encoding");

	CHECK(lengths + codings <= 1 && count_fields(head, "host") <= 1);
	CHECK((head->framing == HTTP_FRAMING_LENGTH) == lengths &&
	      (head->framing == HTTP_FRAMING_CHUNKED) == codings);
	CHECK(!coding || !strcasecmp(coding, "chunked"));
	CHECK(!length || (*length && !length[strspn(length, "0123456789")] &&
			  strtoull(length, NULL, 10) == head->content_length));
	CHECK(length || !head->content_length);
}

static void check_parts(const struct http_head *head) {
	CHECK(*head->path == '/' || (!strcmp(head->path, "*") && !strcmp(head->method, "OPTIONS")));
	CHECK(!strpbrk(head->path, "?# ") && (!head->query || !strpbrk(head->query, "# ")));
	for (const char *p = head->host; *p; p++)
		CHECK(!isupper((unsigned char)*p) && isgraph((unsigned char)*p) &&
		      !strchr("/?#@\\", *p));
	for (size_t i = 0; i < head->field_count; i++) {
		const char *value = head->fields[i].value;
		size_t len = strlen(value);

		CHECK(!len || (!strchr(" \t", value[0]) && !strchr(" \t", value[len - 1])));
	}
}

/* --- There and back --- */

static bool is_same(const char *a, const char *b) {
	return a && b ? !strcmp(a, b) : a == b;
}

/* The head as a proxy would write it. */
static void write_head(const struct http_head *head, bool is_1_0, struct buffer *out) {
	buffer_printf(out, "%s %s%s%s HTTP/1.%d\r\n", head->method, head->path,
		      head->query ? "?" : "", head->query ? head->query : "", is_1_0 ? 0 : 1);
	for (size_t i = 0; i < head->field_count; i++)
		buffer_printf(out, "%s: %s\r\n", head->fields[i].name, head->fields[i].value);
	buffer_append_string(out, "\r\n");
}

static void check_again(const struct http_head *head, bool is_1_0) {
	_cleanup_(buffer_destroy) struct buffer text = BUFFER_INIT(TEXT_MAX);
	struct http_refusal why = { 0 };
	struct http_head again;
	size_t scanned = 0;

	write_head(head, is_1_0, &text);
	if (text.len > HTTP_HEAD_MAX)
		return;
	CHECK(http_head_find(text.data, text.len, &scanned, &why) == (ssize_t)text.len);
	CHECK(!http_head_parse(text.data, text.len, &again, &why));
	CHECK(is_same(head->method, again.method) && is_same(head->path, again.path) &&
	      is_same(head->query, again.query));
	CHECK(head->framing == again.framing && head->content_length == again.content_length);
	CHECK(head->closes == again.closes && head->expects_continue == again.expects_continue);
	CHECK(head->field_count == again.field_count);
	for (size_t i = 0; i < head->field_count; i++)
		CHECK(is_same(head->fields[i].name, again.fields[i].name) &&
		      is_same(head->fields[i].value, again.fields[i].value));
}

static void check_parse(const uint8_t *data, size_t len) {
	/* Memory of exactly its size: the parser writes into it. */
	_cleanup_(x_freep) char *bytes = memcpy(x_malloc(len), data, len);
	const uint8_t *line_end = memmem(data, len, "\r\n", 2);
	struct http_refusal why = { 0 };
	struct http_head head;

	if (http_head_parse(bytes, len, &head, &why)) {
		CHECK(why.status >= 400 && why.status <= 505 && *why.message &&
		      head.field_count <= HTTP_FIELDS_MAX);
		return;
	}
	check_lines(data, len, &head);
	check_framing(&head);
	check_parts(&head);
	check_again(&head, line_end[-1] == '0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	size_t len;

	start();
	len = check_find(data, size);
	if (len)
		check_parse(data, len);
	return 0;
}
