/* The types of event that a callback carries. Plain strings on the wire, so that a wrong one is a
 * refused value and not an undecodable record. */
#pragma once

enum event_type {
	EVENT_TYPE_CREDENTIAL_ISSUED,         /* "OpenIdCredentialIssued", carries the credential */
	EVENT_TYPE_CREDENTIAL_ISSUED_SUMMARY, /* "OpenIdCredentialIssuedSummary", the same without
						 it */
	EVENT_TYPE_SUBSCRIBABLE_COUNT,
	EVENT_TYPE_WEBHOOK_TEST =
	    EVENT_TYPE_SUBSCRIBABLE_COUNT, /* "WebhookTest", sent on demand, never subscribed to */
	EVENT_TYPE_COUNT,
};

const char *event_type_name(enum event_type type);

enum { EVENT_TYPE_E_UNKNOWN = 1 };

/* Any of the types; 0, or EVENT_TYPE_E_UNKNOWN. */
int event_type_parse(const char *name, enum event_type *out) __attribute__((warn_unused_result));
