/* The limits of a tenant's state. A limit only refuses additions: existing items stay and work,
 * even where the limit was lowered below their number. */
#pragma once

enum tenant_limit {
	TENANT_LIMIT_NONE,
	TENANT_LIMIT_WEBHOOKS,
	TENANT_LIMIT_SIGNING_KEYS, /* those in its JWKS */
	TENANT_LIMIT_PENDING_DELIVERIES,
	TENANT_LIMIT_COUNT,
};

/* The limit's configuration key, by which a refusal names it. */
const char *tenant_limit_key(enum tenant_limit limit);
