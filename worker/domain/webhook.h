/* A tenant's webhook, as stored and shown. */
#pragma once

#include "base/uuid.h"
#include "domain/event_type.h"
#include "domain/signature_format.h"
#include "domain/webhook_filter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The built-in event types and the 256 of event.types, and its headers. */
enum { WEBHOOK_EVENTS_MAX = 262, WEBHOOK_HEADERS_MAX = 8 };

/* The sealed form of a value begins with the id of the master key that it is sealed with. */
enum { WEBHOOK_SEALED_KEY_ID_LEN = 16 };

/* A header that each callback carries. Its value is a secret: only its sealed form is kept, and it
 * is never shown. */
struct webhook_header {
	const char *name;
	const uint8_t *sealed; /* encrypted; NULL where the webhook is shown */
	size_t sealed_len;
};

/* What notices told of a webhook (domain/notice.h), wall; 0: nothing. */
struct webhook_told {
	/* Since when it failed, as WebhookFailing told; until the end of that is told. */
	int64_t failing_since_ms;
	int64_t health_at_ms; /* when WebhookFailing or WebhookRecovered was last told */
	int64_t disabled_at_ms, dead_at_ms;
};

struct webhook {
	struct uuid id;
	const char *tenant_id;
	const char *const *events; /* [event_count], in the tenant's order, without repeats */
	size_t event_count;        /* 1..WEBHOOK_EVENTS_MAX */
	const char *url;           /* normalised */
	bool disabled;
	int64_t created_at_ms;    /* wall */
	int64_t updated_at_ms;    /* wall */
	int64_t failing_since_ms; /* wall: when its failures began, while its breaker is open; 0:
				     none. Not a member of the API's webhook */

	/* Edition 2: NULL or 0 where it was not given. */
	const char *description;
	struct webhook_header *headers; /* [header_count], of at most WEBHOOK_HEADERS_MAX */
	size_t header_count;
	enum signature_format signatures[SIGNATURE_FORMAT_COUNT]; /* without repeats */
	size_t signature_count;                                   /* 0: as signature.formats says */
	const struct webhook_filter *filter; /* NULL: all that it subscribes to */
	int32_t rate_limit;                  /* requests a second to its endpoint; 0: none */
	int32_t secret_epoch;                /* how many secrets it got after its first one */
	int64_t secret_overlap_until_ms;     /* wall: until when the secret of the epoch before
						signs too; 0: not at all */
	const char *secret_master_key_id; /* what its secret is derived from; NULL: it has none */
	const char *former_secret_master_key_id; /* of the secret of the epoch before */
	struct webhook_told told;                /* not members of the API's webhook */
};

/* Whether an event of the type is to be delivered: the webhook subscribes to it and is not
 * disabled. */
bool webhook_wants(const struct webhook *webhook, const char *type);
/* Whether it has something that a worker of edition 1 cannot read (R13). */
bool webhook_is_newer(const struct webhook *webhook);
/* Whether it asks for the signatures that take a secret. */
bool webhook_signs_with_hmac(const struct webhook *webhook);
