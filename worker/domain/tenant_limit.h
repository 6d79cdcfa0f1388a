/* What a tenant may have at most. What is there already stays and works, also where a limit was
 * lowered beneath it: only more is refused. */
#pragma once

enum tenant_limit {
	TENANT_LIMIT_NONE,
	TENANT_LIMIT_WEBHOOKS,
	TENANT_LIMIT_SIGNING_KEYS, /* those that are listed in its JWKS */
	TENANT_LIMIT_PENDING_DELIVERIES,
	TENANT_LIMIT_COUNT,
};

/* The configuration key, which is how a refusal names it. */
const char *tenant_limit_key(enum tenant_limit limit);
