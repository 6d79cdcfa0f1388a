/* The types of event in callbacks: the built-in ones, and those of event.types. They are plain
 * strings everywhere, so that a type which is not known here is kept and shown as it is. */
#pragma once

#include <stdbool.h>

#define EVENT_TYPE_CREDENTIAL_ISSUED "OpenIdCredentialIssued" /* carries the credential */
#define EVENT_TYPE_CREDENTIAL_ISSUED_SUMMARY                                                       \
	"OpenIdCredentialIssuedSummary"       /* the same without it                     */
#define EVENT_TYPE_WEBHOOK_TEST "WebhookTest" /* sent on demand, never subscribed to */

/* The built-in types that are subscribed to, by the bit that stands for each in a set. */
enum event_type_builtin {
	BUILTIN_CREDENTIAL_ISSUED,
	BUILTIN_CREDENTIAL_ISSUED_SUMMARY,
	EVENT_TYPE_BUILTIN_COUNT,
};

const char *event_type_builtin_name(enum event_type_builtin type);
/* Whether the type is none of this program's: of event.types, or unknown. */
bool event_type_is_own(const char *type);
