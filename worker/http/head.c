#include "http/head.h"

#include <strings.h>

static int refuse_head(struct http_refusal *why, int status, const char *message) {
	*why = (struct http_refusal){ status, message };
	return HTTP_HEAD_E_REFUSED;
}

/* --- The end --- */

static bool is_control(char c) {
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

/* Whether the byte at `at` is allowed there: CR and LF only as a pair. */
static bool is_in_place(const char *bytes, size_t at) {
	bool follows_cr = at > 0 && bytes[at - 1] == '\r';

	if (bytes[at] == '\n' || follows_cr)
		return bytes[at] == '\n' && follows_cr && at > 1;
	return bytes[at] == '\r' || !is_control(bytes[at]);
}

ssize_t http_head_find(const char *bytes, size_t len, size_t *scanned, struct http_refusal *why) {
	size_t end = MIN(len, (size_t)HTTP_HEAD_MAX);

	for (; *scanned < end; (*scanned)++) {
		if (!is_in_place(bytes, *scanned))
			return -refuse_head(
			    why, 400,
			    "The head has a character that is not allowed in it, or a "
			    "line that does not end with CR LF.");
		if (bytes[*scanned] == '\n' && bytes[*scanned - 2] == '\n')
			return (ssize_t)++ * scanned;
	}
	if (end < HTTP_HEAD_MAX)
		return 0;
	if (!memchr(bytes, '\n', end))
		return -refuse_head(why, 414, "The target of the request is too long.");
	return -refuse_head(why, 431, "The head of the request has more than 16 KiB.");
}

/* --- Characters --- */

static bool is_digit(char c) {
	return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_one_of(char c, const char *set) {
	return c && strchr(set, c);
}

/* Source: RFC 9110 section 5.6.2. */
static bool is_token_character(char c) {
	return is_letter(c) || is_digit(c) || is_one_of(c, "!#$%&'*+-.^_`|~");
}

static bool is_token(const char *text) {
	const char *p = text;

	while (is_token_character(*p))
		p++;
	return p > text && !*p;
}

/* Removes blanks from both ends. Source: RFC 9112 section 5 (OWS). */
static char *strip(char *text) {
	char *end;

	text += strspn(text, " \t");
	end = text + strlen(text);
	while (end > text && is_one_of(end[-1], " \t"))
		end--;
	*end = '\0';
	return text;
}

/* --- Host --- */

static bool is_name_character(char c) {
	return is_letter(c) || is_digit(c) || is_one_of(c, "-._~!$&'()*+,;=%");
}

/* The end of the host at the beginning of an authority, or NULL. Source: RFC 3986 section 3.2.2. */
static const char *host_end(const char *text) {
	const char *p = text;

	if (*p == '[') {
		for (p++; is_letter(*p) || is_digit(*p) || is_one_of(*p, ":."); p++)
			;
		return *p == ']' && p > text + 1 ? p + 1 : NULL;
	}
	while (is_name_character(*p))
		p++;
	return p;
}

/* User information is not allowed (section 4.2.4). Source: RFC 9110 sections 4.2.3 and 7.2. */
static int set_host(struct http_head *out, const char *authority, struct http_refusal *why) {
	const char *end = host_end(authority), *port = end && *end == ':' ? end + 1 : end;
	size_t len = end ? (size_t)(end - authority) : 0;

	while (port && is_digit(*port))
		port++;
	if (!port || *port || len > HTTP_HOST_MAX)
		return refuse_head(why, 400, "The host is malformed.");
	if (len && authority[len - 1] == '.')
		len--;
	for (size_t i = 0; i < len; i++)
		out->host[i] = authority[i] >= 'A' && authority[i] <= 'Z'
				   ? (char)(authority[i] - 'A' + 'a')
				   : authority[i];
	out->host[len] = '\0';
	return 0;
}

/* --- The request line --- */

static size_t count_parameters(const char *query) {
	size_t count = 1;

	for (; *query; query++)
		count += *query == '&';
	return count;
}

/* Returns the part of an absolute-form target behind its scheme, or NULL for another form.
 * Source: RFC 9112 section 3.2.2. */
static char *skip_scheme(char *target) {
	return strncasecmp(target, "http://", 7) == 0    ? target + 7
	       : strncasecmp(target, "https://", 8) == 0 ? target + 8
							 : NULL;
}

/* Splits "host/path" of an absolute form, whose host counts before the header's. Moves the
 * authority to the left to make room for its NUL. */
static int split_authority(struct http_head *out, char **target, struct http_refusal *why) {
	char *authority = skip_scheme(*target);
	size_t len = strcspn(authority, "/?");
	char *rest = authority + len;

	authority = memmove(authority - 1, authority, len);
	authority[len] = '\0';
	if (!len)
		return refuse_head(why, 400, "The host is malformed.");
	*target = rest;
	return set_host(out, authority, why);
}

static int split_target(struct http_head *out, char *target, struct http_refusal *why) {
	bool is_absolute = skip_scheme(target);
	char *query;

	for (const char *p = target; *p; p++) {
		if (*p <= ' ' || *p > '~' || *p == '#') /* a byte above 0x7f is less than a blank or
							   more, depending on char's sign */
			return refuse_head(
			    why, 400,
			    "The target of the request has a character that is not allowed in it.");
	}
	if (is_absolute && split_authority(out, &target, why))
		return HTTP_HEAD_E_REFUSED;
	query = strchr(target, '?');
	if (query)
		*query++ = '\0';
	out->path = *target || !is_absolute                     ? target
		    : !query && !strcmp(out->method, "OPTIONS") ? "*"
								: "/";
	out->query = query;
	if (out->path[0] != '/' &&
	    (strcmp(out->path, "*") != 0 || query || strcmp(out->method, "OPTIONS") != 0))
		return refuse_head(why, 400, "The target of the request is not a path.");
	if (query && count_parameters(query) > HTTP_PARAMETERS_MAX)
		return refuse_head(why, 414, "The query has more than 100 parameters.");
	return 0;
}

/* Reads an unknown minor version as 1.1. Source: RFC 9110 section 2.5. */
static int read_version(const char *text, bool *is_1_0, struct http_refusal *why) {
	if (strncmp(text, "HTTP/", 5) != 0 || !is_digit(text[5]) || text[6] != '.' ||
	    !is_digit(text[7]) || text[8])
		return refuse_head(why, 400, "The request line is malformed.");
	if (text[5] != '1')
		return refuse_head(why, 505, "Only HTTP/1.1 is supported.");
	*is_1_0 = text[7] == '0';
	return 0;
}

/* Method, target and version, with one blank between. Source: RFC 9112 section 3. */
static int read_request_line(char *line, struct http_head *out, bool *is_1_0,
			     struct http_refusal *why) {
	char *target = strchr(line, ' '), *version = target ? strchr(target + 1, ' ') : NULL;

	if (!version)
		return refuse_head(why, 400, "The request line is malformed.");
	*target++ = '\0';
	*version++ = '\0';
	out->method = line;
	if (!is_token(line) || !*target)
		return refuse_head(why, 400, "The request line is malformed.");
	if (read_version(version, is_1_0, why))
		return HTTP_HEAD_E_REFUSED;
	if (version - target > HTTP_TARGET_MAX)
		return refuse_head(why, 414, "The target of the request is too long.");
	return split_target(out, target, why);
}

/* --- Fields --- */

static int read_field(char *line, struct http_head *out, struct http_refusal *why) {
	char *colon = strchr(line, ':');

	if (*line == ' ' || *line == '\t')
		return refuse_head(why, 400, "A header continues on a second line.");
	if (!colon)
		return refuse_head(why, 400, "A line of the head has no colon.");
	*colon = '\0';
	if (!is_token(line))
		return refuse_head(why, 400, "The name of a header is malformed.");
	if (out->field_count == HTTP_FIELDS_MAX)
		return refuse_head(why, 431, "The request has more than 100 headers.");
	out->fields[out->field_count++] = (struct http_header){ line, strip(colon + 1) };
	return 0;
}

const char *http_head_field(const struct http_head *head, const char *name) {
	for (size_t i = 0; i < head->field_count; i++) {
		if (strcasecmp(head->fields[i].name, name) == 0)
			return head->fields[i].value;
	}
	return NULL;
}

size_t http_head_field_count(const struct http_head *head, const char *name) {
	size_t count = 0;

	for (size_t i = 0; i < head->field_count; i++)
		count += strcasecmp(head->fields[i].name, name) == 0;
	return count;
}

/* There must be one Host, even beside an absolute-form target; HTTP/1.0 may have none. Source:
 * RFC 9112 section 3.2. */
static int check_host(struct http_head *head, bool is_1_0, struct http_refusal *why) {
	struct http_head other;
	const char *host = http_head_field(head, "host");

	if (!host)
		return is_1_0 ? 0 : refuse_head(why, 400, "There is no Host header.");
	if (http_head_field_count(head, "host") > 1)
		return refuse_head(why, 400, "There is more than one Host header.");
	return set_host(head->host[0] ? &other : head, host, why);
}

/* Source: RFC 9112 section 6.3, RFC 9110 section 8.6. */
static int read_length(const char *text, uint64_t *out, struct http_refusal *why) {
	const char *p = text;

	*out = 0;
	for (; is_digit(*p); p++) {
		if (*out > (UINT64_MAX - 9) / 10)
			return refuse_head(why, 413, "The body is too large.");
		*out = *out * 10 + (uint64_t)(*p - '0');
	}
	return p > text && !*p ? 0 : refuse_head(why, 400, "Content-Length is not a number.");
}

/* Source: RFC 9112 section 6.1. */
static int check_coding(const char *coding, bool is_1_0, struct http_refusal *why) {
	size_t len = strlen(coding);

	if (is_1_0)
		return refuse_head(why, 400, "HTTP/1.0 has no transfer coding.");
	if (strcasecmp(coding, "chunked") == 0)
		return 0;
	if (len > 8 && is_one_of(coding[len - 8], ", \t") &&
	    strcasecmp(coding + len - 7, "chunked") == 0 && !strcasestr(coding, "chunked,"))
		return refuse_head(why, 501,
				   "The only transfer coding that is understood is chunked.");
	return refuse_head(why, 400, "The only transfer coding that is understood is chunked.");
}

/* Refuses framing that two programs in a row could read in two ways. Source: RFC 9112 sections
 * 6.3 and 11.2. */
static int read_framing(struct http_head *head, bool is_1_0, struct http_refusal *why) {
	const char *length = http_head_field(head, "content-length"),
		   *coding = http_head_field(head, "transfer-encoding");

	if ((length && coding) || http_head_field_count(head, "content-length") > 1 ||
	    http_head_field_count(head, "transfer-encoding") > 1)
		return refuse_head(why, 400, "The length of the body is given twice.");
	if (coding) {
		head->framing = HTTP_FRAMING_CHUNKED;
		return check_coding(coding, is_1_0, why);
	}
	if (!length)
		return 0;
	head->framing = HTTP_FRAMING_LENGTH;
	return read_length(length, &head->content_length, why);
}

/* Whether a list of tokens contains the token, in any case. */
static bool has_token(const char *list, const char *token) {
	size_t len = strlen(token);

	for (; *list; list += strcspn(list, ",")) {
		list += strspn(list, ", \t");
		if (strncasecmp(list, token, len) == 0 &&
		    (!list[len] || is_one_of(list[len], ", \t")))
			return true;
	}
	return false;
}

/* Source: RFC 9110 sections 7.6.1 and 10.1.1. */
static int read_wishes(struct http_head *head, bool is_1_0, struct http_refusal *why) {
	const char *expect = http_head_field(head, "expect");

	head->closes = is_1_0;
	for (size_t i = 0; i < head->field_count; i++)
		head->closes =
		    head->closes || (strcasecmp(head->fields[i].name, "connection") == 0 &&
				     has_token(head->fields[i].value, "close"));
	if (!expect || is_1_0)
		return 0;
	head->expects_continue = true;
	if (strcasecmp(expect, "100-continue") != 0 || http_head_field_count(head, "expect") > 1)
		return refuse_head(why, 417,
				   "The only expectation that can be met is 100-continue.");
	return 0;
}

int http_head_parse(char *bytes, size_t len, struct http_head *out, struct http_refusal *why) {
	char *line = bytes, *end = bytes + len - 2; /* at the empty line */
	bool is_1_0 = false;

	*out = (struct http_head){ .method = "", .path = "" };
	for (char *next; line < end; line = next) {
		char *cr = memchr(line, '\r', (size_t)(end - line));
		int r;

		*cr = '\0';
		next = cr + 2;
		r = line == bytes ? read_request_line(line, out, &is_1_0, why)
				  : read_field(line, out, why);
		if (r)
			return r;
	}
	if (check_host(out, is_1_0, why) || read_framing(out, is_1_0, why))
		return HTTP_HEAD_E_REFUSED;
	return read_wishes(out, is_1_0, why);
}
