/* The types of event in callbacks. They are plain strings on the wire, so a wrong one is a
 * refused value and not an undecodable record. */
#pragma once

#include "base/memory.h"

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

/* Parses any of the types. Returns 0, or EVENT_TYPE_E_UNKNOWN. */
int event_type_parse(const char *name, enum event_type *out) _must_check_;
