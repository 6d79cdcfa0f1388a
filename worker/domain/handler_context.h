/* The input of a handler besides its command: settings, look-ups, the time. */
#pragma once

#include "domain/command.h"
#include "domain/registry.h"
#include "domain/tenant_limit.h"
#include "domain/url_policy.h"

struct handler_settings {
	struct url_policy url_policy;
	int64_t receipt_retention_ms;
	int64_t issuance_receipt_retention_ms; /* 0: none */
	int64_t signing_key_overlap_ms;
	int64_t tenant_max[TENANT_LIMIT_COUNT]; /* 0: no limit */
};

/* Derives a tenant's key pair of an epoch and fills kid, x and master_key_id. The caller fills
 * the other fields. */
typedef void (*signing_key_derive_fn)(void *userdata, struct arena *arena, const char *tenant_id,
				      int32_t epoch, struct signing_key *out);

struct handler_context {
	const struct handler_settings *settings;
	const struct registry *registry;
	signing_key_derive_fn derive_key;
	void *derive_key_userdata;
	const struct command_source *source;
	int64_t pending_deliveries; /* of the command's tenant */
	int64_t now_ms;             /* wall */
};
