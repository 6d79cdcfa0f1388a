#include "domain/event_type.h"

#include <string.h>

static const char *const builtin[EVENT_TYPE_BUILTIN_COUNT] = {
	[BUILTIN_CREDENTIAL_ISSUED] = EVENT_TYPE_CREDENTIAL_ISSUED,
	[BUILTIN_CREDENTIAL_ISSUED_SUMMARY] = EVENT_TYPE_CREDENTIAL_ISSUED_SUMMARY,
};

const char *event_type_builtin_name(enum event_type_builtin type) {
	return builtin[type];
}

bool event_type_is_own(const char *type) {
	return strcmp(type, EVENT_TYPE_CREDENTIAL_ISSUED) != 0 &&
	       strcmp(type, EVENT_TYPE_CREDENTIAL_ISSUED_SUMMARY) != 0 &&
	       strcmp(type, EVENT_TYPE_WEBHOOK_TEST) != 0;
}
