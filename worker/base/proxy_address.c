#include "base/proxy_address.h"

#include "base/number.h"
#include "base/utf8.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

static const char form[] = "must be http://host:port or http://user:password@host:port";

void proxy_address_destroy(struct proxy_address *address) {
	if (address->password)
		explicit_bzero(address->password, strlen(address->password));
	free(address->password);
	free(address->user);
	free(address->location);
	*address = (struct proxy_address){ 0 };
}

static int hex_value(char c) {
	if (!isxdigit((unsigned char)c))
		return -1;
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* The character at `*text`, which is moved to its last byte; -1 for a broken percent-encoding. */
static int take_character(const char **text) {
	int high, low;

	if (**text != '%')
		return (unsigned char)**text;
	high = hex_value((*text)[1]);
	low = high < 0 ? -1 : hex_value((*text)[2]);
	*text += 2;
	return low < 0 ? -1 : high << 4 | low;
}

/* Decodes in place. Returns whether the result is text without control characters. */
static bool decode(char *text) {
	char *out = text;

	for (const char *in = text; *in; in++) {
		int c = take_character(&in);

		if (c < 0x20 || c == 0x7f)
			return false;
		*out++ = (char)c;
	}
	*out = '\0';
	return utf8_is_text(text, (size_t)(out - text));
}

static bool is_ipv6(const char *text, size_t len) {
	char address[INET6_ADDRSTRLEN];
	struct in6_addr parsed;

	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	return inet_pton(AF_INET6, address, &parsed) == 1;
}

/* host:port, an IPv6 address in brackets; a "/" behind it is what people copy. */
static bool is_place(char *place) {
	size_t len = strlen(place);
	const char *colon = strrchr(place, ':');
	int64_t port;

	if (len && place[len - 1] == '/')
		place[len - 1] = '\0';
	if (!colon || !isdigit((unsigned char)colon[1]) ||
	    number_parse(colon + 1, 1, UINT16_MAX, &port) < 0)
		return false;
	if (*place == '[')
		return colon[-1] == ']' && is_ipv6(place + 1, (size_t)(colon - place) - 2);
	for (const char *p = place; p < colon; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-._", *p))
			return false;
	return colon > place;
}

/* With basic authentication a user cannot have a colon. Source: RFC 7617 section 2. */
static int take_login(char *login, struct proxy_address *out, const char **why) {
	char *colon = strchr(login, ':');

	if (colon)
		*colon = '\0';
	*why = "must have a user without a colon, and control characters in neither user nor "
	       "password; other signs may be percent-encoded";
	if (!*login || !decode(login) || strchr(login, ':') || (colon && !decode(colon + 1)))
		return -EINVAL;
	out->user = x_strdup(login);
	out->password = colon ? x_strdup(colon + 1) : NULL;
	return 0;
}

static int parse(char *text, struct proxy_address *out, const char **why) {
	char *at, *place = text + strlen("http://");
	int r = 0;

	*why = form;
	if (strncasecmp(text, "http://", strlen("http://")) != 0)
		return -EINVAL;
	at = strrchr(place, '@');
	if (at) {
		*at = '\0';
		r = take_login(place, out, why);
		place = at + 1;
	}
	if (r)
		return r;
	*why = form;
	if (!is_place(place))
		return -EINVAL;
	out->location = x_asprintf("http://%s", place);
	return 0;
}

int proxy_address_parse(const char *text, struct proxy_address *out, const char **why) {
	struct proxy_address address = { 0 };
	char *copy = x_strdup(text);
	int r = parse(copy, &address, why);

	explicit_bzero(copy, strlen(text));
	free(copy);
	if (r)
		proxy_address_destroy(&address);
	else
		*out = address;
	return r;
}
