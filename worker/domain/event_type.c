#include "domain/event_type.h"

#include <string.h>

static const char *const names[EVENT_TYPE_COUNT] = {
	[EVENT_TYPE_CREDENTIAL_ISSUED] = "OpenIdCredentialIssued",
	[EVENT_TYPE_CREDENTIAL_ISSUED_SUMMARY] = "OpenIdCredentialIssuedSummary",
	[EVENT_TYPE_WEBHOOK_TEST] = "WebhookTest",
};

const char *event_type_name(enum event_type type) {
	return names[type];
}

int event_type_parse(const char *name, enum event_type *out) {
	for (int type = 0; type < EVENT_TYPE_COUNT; type++) {
		if (strcmp(names[type], name) == 0) {
			*out = (enum event_type)type;
			return 0;
		}
	}
	return EVENT_TYPE_E_UNKNOWN;
}
