/*
 * Where a webhook's callbacks go and who signs them. Immutable and counted: the jobs of one webhook
 * share a route until its webhook or its tenant's signing key changes. Any thread may hold one.
 */
#pragma once

#include "base/memory.h"
#include "base/uuid.h"
#include "domain/url.h"
#include "signature/callback_profile.h"
#include "signature/signer.h"

#include <stdatomic.h>
#include <stdint.h>

struct route {
	atomic_int references;
	struct uuid webhook_id;
	char *tenant_id;           /* owned */
	char *url;                 /* owned; normalised */
	struct url_parts parts;    /* of `url`; in `storage` */
	char *storage;             /* owned */
	char *host_key;            /* owned; "host:port", the key of connection pools and bounds */
	uint64_t host_hash;        /* of `host_key`: chooses the thread and the shard */
	struct Curl_URL *location; /* owned; `url` as curl parsed it */
	struct signer *signer;     /* counted */
	struct callback_profile *profile; /* owned; NULL: its callbacks are as usual */
};

/* Copies the texts, takes a reference of the signer, and takes over `profile`, which may be NULL.
 * `url` is normalised (domain/url.h); aborts on any other. The caller owns the first reference. */
struct route *route_new(const struct uuid *webhook_id, const char *tenant_id, const char *url,
			struct signer *signer, struct callback_profile *profile);
struct route *route_ref(struct route *route);
/* Safe on NULL. */
void route_unref(struct route *route);
DEFINE_CLEANUP(struct route, route_unref)
