#include "domain/event_type.h"

#include <string.h>

static const char *const builtin[EVENT_TYPE_BUILTIN_COUNT] = {
	[BUILTIN_CREDENTIAL_ISSUED] = EVENT_TYPE_CREDENTIAL_ISSUED,
	[BUILTIN_CREDENTIAL_ISSUED_SUMMARY] = EVENT_TYPE_CREDENTIAL_ISSUED_SUMMARY,
	[BUILTIN_WEBHOOK_FAILING] = "WebhookFailing",
	[BUILTIN_WEBHOOK_RECOVERED] = "WebhookRecovered",
	[BUILTIN_WEBHOOK_DISABLED] = "WebhookDisabled",
	[BUILTIN_DELIVERY_DEAD] = "DeliveryDead",
};

const char *event_type_builtin_name(enum event_type_builtin type) {
	return builtin[type];
}

/* Whether it is one of those from `first` on, up to `end`. */
static bool is_among(const char *type, int first, int end) {
	for (int i = first; i < end; i++)
		if (strcmp(type, builtin[i]) == 0)
			return true;
	return false;
}

bool event_type_is_of_credential(const char *type) {
	return is_among(type, 0, EVENT_TYPE_CREDENTIAL_COUNT);
}

bool event_type_is_notice(const char *type) {
	return is_among(type, EVENT_TYPE_CREDENTIAL_COUNT, EVENT_TYPE_BUILTIN_COUNT);
}

bool event_type_is_newer(const char *type) {
	return !event_type_is_of_credential(type) && strcmp(type, EVENT_TYPE_WEBHOOK_TEST) != 0;
}
