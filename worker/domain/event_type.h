/* The types of event in callbacks: the built-in ones, and those of event.types. They are plain
 * strings everywhere, so that a type which is not known here is kept and shown as it is. */
#pragma once

#include <stdbool.h>

#define EVENT_TYPE_CREDENTIAL_ISSUED "OpenIdCredentialIssued" /* carries the credential */
#define EVENT_TYPE_CREDENTIAL_ISSUED_SUMMARY                                                       \
	"OpenIdCredentialIssuedSummary"       /* the same without it                     */
#define EVENT_TYPE_WEBHOOK_TEST "WebhookTest" /* sent on demand, never subscribed to */

/* The built-in types that are subscribed to. */
enum event_type_builtin {
	/* A credential's: each stands for a bit in a set. */
	BUILTIN_CREDENTIAL_ISSUED,
	BUILTIN_CREDENTIAL_ISSUED_SUMMARY,
	EVENT_TYPE_CREDENTIAL_COUNT,

	/* Notices: domain/notice.h. */
	BUILTIN_WEBHOOK_FAILING = EVENT_TYPE_CREDENTIAL_COUNT,
	BUILTIN_WEBHOOK_RECOVERED,
	BUILTIN_WEBHOOK_DISABLED,
	BUILTIN_DELIVERY_DEAD,
	EVENT_TYPE_BUILTIN_COUNT,
};

const char *event_type_builtin_name(enum event_type_builtin type);
bool event_type_is_of_credential(const char *type);
bool event_type_is_notice(const char *type);
/* Whether workers of 0.1.0 do not know it (R13): a notice's, of event.types, or unknown. */
bool event_type_is_newer(const char *type);
