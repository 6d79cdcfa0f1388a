#include "domain/tenant_limit.h"

static const char *const keys[TENANT_LIMIT_COUNT] = {
	[TENANT_LIMIT_NONE] = "",
	[TENANT_LIMIT_WEBHOOKS] = "tenant.max.webhooks",
	[TENANT_LIMIT_SIGNING_KEYS] = "tenant.max.signing.keys",
	[TENANT_LIMIT_PENDING_DELIVERIES] = "tenant.max.pending.deliveries",
};

const char *tenant_limit_key(enum tenant_limit limit) {
	return keys[limit];
}
