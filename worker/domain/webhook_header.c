#include "domain/webhook_header.h"

#include "base/memory.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Source: RFC 9110 section 7.6.1 (hop by hop) and the callback's own. */
static const char *const reserved_names[] = {
	"accept",
	"connection",
	"date",
	"expect",
	"forwarded",
	"host",
	"http2-settings",
	"keep-alive",
	"proxy-authenticate",
	"proxy-authentication-info",
	"proxy-authorization",
	"proxy-connection",
	"te",
	"traceparent",
	"tracestate",
	"trailer",
	"transfer-encoding",
	"upgrade",
	"user-agent",
	"via",
};

static const char *const reserved_prefixes[] = { "content-", "webhook-", "signature", "posthorn-" };

static bool is_reserved(const char *name) {
	for (size_t i = 0; i < ARRAY_LEN(reserved_names); i++)
		if (strcasecmp(name, reserved_names[i]) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(reserved_prefixes); i++)
		if (strncasecmp(name, reserved_prefixes[i], strlen(reserved_prefixes[i])) == 0)
			return true;
	return false;
}

_Static_assert(WEBHOOK_HEADER_NAME_MAX == 128 && WEBHOOK_HEADER_VALUE_MAX == 4096,
	       "the messages say so");

const char *webhook_header_name_fault(const char *name) {
	size_t len = name ? strnlen(name, WEBHOOK_HEADER_NAME_MAX + 1) : 0;

	if (len == 0)
		return "Must not be empty";
	if (len > WEBHOOK_HEADER_NAME_MAX)
		return "Must be at most 128 bytes";
	if (name[strspn(name, "!#$%&'*+-.^_`|~0123456789"
			      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")])
		return "Must be a header's name: letters, digits and !#$%&'*+-.^_`|~";
	return is_reserved(name) ? "Is reserved" : NULL;
}

static bool is_blank(char c) {
	return c == ' ' || c == '\t';
}

const char *webhook_header_value_fault(const char *value) {
	size_t len = strnlen(value, WEBHOOK_HEADER_VALUE_MAX + 1);

	if (len == 0)
		return "Must not be empty";
	if (len > WEBHOOK_HEADER_VALUE_MAX)
		return "Must be at most 4096 bytes";
	for (const char *c = value; *c; c++)
		if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
			return "Must have no control characters but tabs";
	return is_blank(value[0]) || is_blank(value[len - 1]) ? "Must not begin or end with a blank"
							      : NULL;
}
