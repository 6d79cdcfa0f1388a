#include "domain/signature_format.h"

#include <string.h>

static const char *const names[SIGNATURE_FORMAT_COUNT] = {
	[SIGNATURE_RFC9421] = "rfc9421",
	[SIGNATURE_STANDARD_WEBHOOKS] = "standard-webhooks",
	[SIGNATURE_STANDARD_WEBHOOKS_HMAC] = "standard-webhooks-hmac",
};

const char *signature_format_name(enum signature_format format) {
	return names[format];
}

int signature_format_parse(const char *name, enum signature_format *out) {
	for (int format = 0; format < SIGNATURE_FORMAT_COUNT; format++) {
		if (strcmp(names[format], name) == 0) {
			*out = (enum signature_format)format;
			return 0;
		}
	}
	return SIGNATURE_FORMAT_E_UNKNOWN;
}
