/* The input of a handler besides its command: settings, look-ups, the time. */
#pragma once

#include "domain/command.h"
#include "domain/registry.h"
#include "domain/tenant_limit.h"
#include "domain/webhook_rules.h"

struct handler_settings {
	struct webhook_rules webhook_rules;
	int64_t receipt_retention_ms;
	int64_t issuance_receipt_retention_ms; /* 0: none */
	int64_t signing_key_overlap_ms;
	int64_t tenant_max[TENANT_LIMIT_COUNT]; /* 0: no limit */
};

/* Whether every worker of the group reads what this one may write (R13). */
enum group_edition {
	GROUP_EDITION_NEWEST,
	GROUP_EDITION_SOME_OLDER, /* what they cannot read is refused */
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
	enum group_edition edition;
	const char *older_workers;  /* SOME_OLDER: their names, "" where they are not known */
	int64_t pending_deliveries; /* of the command's tenant */
	int64_t now_ms;             /* wall */
};
