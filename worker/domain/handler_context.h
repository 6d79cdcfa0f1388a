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
	int64_t webhook_secret_overlap_ms;      /* 0: a replaced secret ends at once */
	int64_t tenant_max[TENANT_LIMIT_COUNT]; /* 0: no limit */
};

/* Whether every worker of the group reads what this one may write (R13). */
enum group_edition {
	GROUP_EDITION_NEWEST,
	GROUP_EDITION_SOME_OLDER, /* what they cannot read is refused */
};

/* What follows from the worker's master keys. `userdata` goes first into each call; what a call
 * makes lives in the arena. */
struct handler_keys {
	void *userdata;
	/* Derives a tenant's key pair of an epoch and fills kid, x and master_key_id. The caller
	 * fills the other fields. */
	void (*derive_key)(void *userdata, struct arena *arena, const char *tenant_id,
			   int32_t epoch, struct signing_key *out);
	/* The id of the master key that new secrets are derived from. */
	const char *(*newest_id)(void *userdata);
	/* Seals the value for the webhook's header, whose name is set. */
	void (*seal_header)(void *userdata, struct arena *arena, const struct webhook *webhook,
			    const char *value, struct webhook_header *header);
	/* Seals the value of the webhook's `former` header anew. Returns 0, or 1 where it does not
	 * open. */
	int (*reseal_header)(void *userdata, struct arena *arena, const struct webhook *webhook,
			     const struct webhook_header *former, struct webhook_header *header);
	/* The webhook's secret, sealed for the public key. Returns 0, or 1 for a key that seals
	 * nothing. */
	int (*seal_secret)(void *userdata, struct arena *arena, const struct webhook *webhook,
			   const uint8_t public_key[PUBLIC_KEY_LEN], const char **out);
};

struct handler_context {
	const struct handler_settings *settings;
	const struct registry *registry;
	const struct handler_keys *keys;
	const struct command_source *source;
	enum group_edition edition;
	const char *older_workers;  /* SOME_OLDER: their names, "" where they are not known */
	bool may_resume;            /* the worker may write the command's record again, with which
				       it goes on in a later turn */
	int64_t pending_deliveries; /* of the command's tenant */
	int64_t now_ms;             /* wall */
};
