#include "domain/url.h"

#include "base/buffer.h"
#include "base/invariant.h"
#include "base/log.h"
#include "domain/url_host.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>

/* A url cut at its delimiters, not yet checked. Source: RFC 3986 appendix B. */
struct raw_url {
	bool is_https;
	const char *host; /* with the brackets of an IPv6 address */
	const char *port; /* NULL without a colon; may be empty */
	const char *path;
	const char *query; /* without "?"; NULL without one */
};

static const char NOT_ABSOLUTE[] = "Must be an absolute https url";
static const char TOO_LONG[] = "Must be at most 2048 bytes, also after normalisation";
_Static_assert(URL_MAX == 2048, "TOO_LONG says so");

static int refuse_url(const char **why, const char *rule) {
	*why = rule;
	return URL_E_REFUSED;
}

static int check_characters(const char *text, const char **why) {
	if (strlen(text) > URL_MAX)
		return refuse_url(why, TOO_LONG);
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p < 0x20 || *p == 0x7f)
			return refuse_url(why, "Must not contain control characters");
	if (*text == ' ' || (*text && text[strlen(text) - 1] == ' '))
		return refuse_url(why, "Must not begin or end with a space");
	if (strchr(text, '#'))
		return refuse_url(why, "Must not have a fragment");
	return 0;
}

/* Cuts the scheme off. */
static int take_scheme(const char **text, const struct url_policy *policy, bool *is_https,
		       const char **why) {
	*is_https = strncasecmp(*text, "https://", strlen("https://")) == 0;
	if (!*is_https &&
	    (!policy->allow_http || strncasecmp(*text, "http://", strlen("http://")) != 0))
		return refuse_url(why, NOT_ABSOLUTE);
	*text = strstr(*text, "://") + strlen("://");
	return 0;
}

/* The colon before the port is the one behind the brackets, or without brackets the only one. */
static void cut_port(char *authority, struct raw_url *out) {
	char *bracket = *authority == '[' ? strchr(authority, ']') : NULL;
	char *colon = strchr(bracket ? bracket : authority, ':');

	out->host = authority;
	if (!colon)
		return;
	*colon = '\0';
	out->port = colon + 1;
}

static int cut(struct arena *arena, const char *text, const struct url_policy *policy,
	       struct raw_url *out, const char **why) {
	size_t authority_len, path_len;
	char *authority;
	int r;

	*out = (struct raw_url){ 0 };
	r = take_scheme(&text, policy, &out->is_https, why);
	if (r)
		return r;
	authority_len = strcspn(text, "/?");
	authority = arena_strndup(arena, text, authority_len);
	if (strchr(authority, '@'))
		return refuse_url(why, "Must not have user info");
	cut_port(authority, out);
	text += authority_len;
	path_len = strcspn(text, "?");
	out->path = arena_strndup(arena, text, path_len);
	if (text[path_len] == '?')
		out->query = text + path_len + 1;
	return 0;
}

/* Parses a decimal port, 1..65535. `out` is 0 for the default port, also where the port is
 * absent or empty. */
static int parse_port(const struct raw_url *raw, uint16_t *out, const char **why) {
	const int default_port = raw->is_https ? 443 : 80;
	int port = 0;

	*out = 0;
	if (!raw->port || !*raw->port)
		return 0;
	for (const char *p = raw->port; *p; p++) {
		if (!isdigit((unsigned char)*p))
			return refuse_url(why, "Must have a port that is a number");
		port = port * 10 + (*p - '0');
		if (port > UINT16_MAX)
			return refuse_url(why, "Must have a port between 1 and 65535");
	}
	if (port == 0)
		return refuse_url(why, "Must have a port between 1 and 65535");
	*out = port == default_port ? 0 : (uint16_t)port;
	return 0;
}

/* Source: RFC 3986 section 2.3. */
static bool is_unreserved(unsigned char c) {
	return isalnum(c) || (c && strchr("-._~", c));
}

/* Whether the character may stand unencoded in path and query: pchar, "/" and "?", but not "'",
 * on which signers and clients disagree. */
static bool stays(unsigned char c) {
	return is_unreserved(c) || (c && strchr("!$&()*+,;=:@/?", c));
}

static int hex_value(char c) {
	if (!isxdigit((unsigned char)c))
		return -1;
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static void append_percent(struct buffer *out, unsigned char c) {
	static const char digits[] = "0123456789ABCDEF";
	const char text[] = { '%', digits[c >> 4], digits[c & 15] };

	buffer_append(out, text, sizeof(text));
}

static void append_byte(struct buffer *out, unsigned char c, bool is_plain) {
	if (is_plain)
		buffer_append_char(out, (char)c);
	else
		append_percent(out, c);
}

/* Source: RFC 3986 sections 2.4 and 6.2.2. */
static int append_encoded(struct buffer *out, const char *text, const char **why) {
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		int high, low;

		if (c != '%') {
			append_byte(out, c, stays(c));
			continue;
		}
		high = hex_value(text[1]);
		low = high < 0 ? -1 : hex_value(text[2]);
		if (low < 0)
			return refuse_url(why, "Must not have a broken percent-encoding");
		c = (unsigned char)(high << 4 | low);
		append_byte(out, c, is_unreserved(c));
		text += 2;
	}
	return 0;
}

static bool is_segment(const char *segment, size_t len, const char *dots) {
	return len == strlen(dots) && strncmp(segment, dots, len) == 0;
}

/* Works in place; `path` begins with "/". Source: RFC 3986 section 5.2.4. */
static void remove_dot_segments(char *path) {
	char *out = path;

	for (const char *in = path; *in;) {
		const char *segment = in + 1;
		size_t len = strcspn(segment, "/");
		bool is_last = !segment[len], is_up = is_segment(segment, len, "..");

		in = segment + len;
		if (is_up)
			while (out > path && *--out != '/')
				;
		if (is_up || is_segment(segment, len, ".")) {
			if (is_last)
				*out++ = '/';
			continue;
		}
		memmove(out, segment - 1, len + 1);
		out += len + 1;
	}
	*out = '\0';
}

static int append_path(struct arena *arena, struct buffer *out, const char *path,
		       const char **why) {
	_cleanup_(buffer_destroy) struct buffer encoded = BUFFER_INIT(URL_MAX * 3);
	char *clean;
	int r = append_encoded(&encoded, path, why);

	if (r)
		return r;
	clean = arena_strdup(arena, encoded.len ? encoded.data : "/");
	remove_dot_segments(clean);
	buffer_append_string(out, clean);
	return 0;
}

/* Drops an empty query: libcurl 8.14 does not send its "?" (7.88 does), so "@query" would sign
 * something else. */
static int append_query(struct buffer *out, const char *query, const char **why) {
	if (!query || !*query)
		return 0;
	buffer_append_char(out, '?');
	return append_encoded(out, query, why);
}

static int assemble(struct arena *arena, const struct raw_url *raw, const struct url_policy *policy,
		    struct buffer *out, const char **why) {
	uint16_t port;
	char *host;
	int r;

	r = url_host_normalise(arena, raw->host, policy, &host, why);
	if (r)
		return r;
	r = parse_port(raw, &port, why);
	if (r)
		return r;
	buffer_append_string(out, raw->is_https ? "https://" : "http://");
	buffer_append_string(out, host);
	if (port)
		buffer_printf(out, ":%u", port);
	r = append_path(arena, out, raw->path, why);
	return r ? r : append_query(out, raw->query, why);
}

/* Whether libcurl reads the url as it is written. Otherwise it would send to another place than
 * was checked. */
static bool curl_agrees(const char *url) {
	CURLU *handle = x_checked(curl_url());
	char *read = NULL;
	bool agrees;

	agrees = curl_url_set(handle, CURLUPART_URL, url, 0) == CURLUE_OK &&
		 curl_url_get(handle, CURLUPART_URL, &read, 0) == CURLUE_OK &&
		 strcmp(read, url) == 0;
	curl_free(read);
	curl_url_cleanup(handle);
	return agrees;
}

int url_normalise(struct arena *arena, const char *text, const struct url_policy *policy,
		  char **out, const char **why) {
	_cleanup_(buffer_destroy) struct buffer url = BUFFER_INIT(URL_MAX);
	struct raw_url raw;
	int r;

	r = check_characters(text, why);
	if (r)
		return r;
	r = cut(arena, text, policy, &raw, why);
	if (r)
		return r;
	r = assemble(arena, &raw, policy, &url, why);
	if (r)
		return r;
	if (url.overflowed)
		return refuse_url(why, TOO_LONG);
	if (!curl_agrees(url.data))
		return refuse_url(why, "Invalid value");
	*out = arena_strndup(arena, url.data, url.len);
	return 0;
}

static uint16_t split_port(const char *authority, bool is_https) {
	const char *bracket = strchr(authority, ']'),
		   *colon = strchr(bracket ? bracket : authority, ':');

	if (!colon)
		return is_https ? 443 : 80;
	return (uint16_t)strtoul(colon + 1, NULL, 10);
}

static const char *split_host(struct arena *arena, const char *authority) {
	if (*authority == '[')
		return arena_strndup(arena, authority + 1, strcspn(authority, "]") - 1);
	return arena_strndup(arena, authority, strcspn(authority, ":"));
}

void url_split(struct arena *arena, const char *url, struct url_parts *out) {
	const char *separator = strstr(url, "://"), *authority, *path, *query;

	authority = separator ? separator + strlen("://") : NULL;
	path = authority ? strchr(authority, '/') : NULL;
	invariant_with(path && path != authority, "only a normalised url is split", "url=%s",
		       log_quote(url));
	query = strchr(path, '?');
	*out = (struct url_parts){
		.scheme = arena_strndup(arena, url, (size_t)(separator - url)),
		.authority = arena_strndup(arena, authority, (size_t)(path - authority)),
		.path = query ? arena_strndup(arena, path, (size_t)(query - path))
			      : arena_strdup(arena, path),
		.query = query ? arena_strdup(arena, query) : NULL,
	};
	out->host = split_host(arena, out->authority);
	out->port = split_port(out->authority, strcmp(out->scheme, "https") == 0);
}

char *url_origin(struct arena *arena, const char *url) {
	struct url_parts parts;

	url_split(arena, url, &parts);
	return arena_printf(arena, "%s://%s", parts.scheme, parts.authority);
}

char *url_endpoint(struct arena *arena, const char *url) {
	struct url_parts parts;

	url_split(arena, url, &parts);
	return arena_printf(arena, "%s:%u", parts.host, (unsigned)parts.port);
}
