#include "dispatch/routing.h"

#include "base/log.h"

#include <assert.h>

enum { KEY_RETRY_MS = 60 * 1000 };

static_assert(CALLBACK_SIGN_RFC9421 == 1 << SIGNATURE_RFC9421 &&
		  CALLBACK_SIGN_STANDARD_WEBHOOKS == 1 << SIGNATURE_STANDARD_WEBHOOKS,
	      "a format's number is its bit");

/* NULL (logged) when no master key derives it. Since a worker without one of its master keys does
 * not start, the key's record is damaged then. */
static struct signer *derive_signer(const struct dispatch_routing *routing,
				    const struct signing_key *key) {
	const struct master_key *master =
	    master_keys_find(routing->master_keys, key->master_key_id);
	_cleanup_(signer_unrefp) struct signer *signer =
	    master ? signer_derive(master, key->tenant_id, key->epoch) : NULL;

	if (signer && strcmp(signer_kid(signer), key->kid) == 0)
		return TAKE(signer);
	log_error("the tenant's signing key cannot be derived", "tenant=%s kid=%s master_key=%s",
		  log_quote(key->tenant_id), key->kid, key->master_key_id);
	return NULL;
}

/* The signer of the tenant's newest key; NULL (logged) without one. Returns 0 or a negative errno.
 */
static int load_signer(const struct dispatch_routing *routing, const char *tenant_id,
		       struct signer **out) {
	const struct registry *registry = replica_registry(routing->replica);
	struct signing_key newest;
	int r =
	    registry->signing_key_newest(registry->userdata, routing->arena, tenant_id, &newest);

	if (r < 0)
		return r;
	if (r == REGISTRY_E_NOT_FOUND)
		log_error("tenant has no signing key", "tenant=%s", log_quote(tenant_id));
	else
		*out = derive_signer(routing, &newest);
	return 0;
}

static void log_unreadable(const struct webhook *webhook, const char *what) {
	char id[UUID_TEXT_SIZE];

	uuid_format(&webhook->id, id);
	log_error("a webhook's secret cannot be derived or opened with the master keys that are "
		  "here: its callbacks wait",
		  "tenant=%s webhook=%s secret=%s", log_quote(webhook->tenant_id), id, what);
}

/* Returns false (logged) where no master key derives it; `master_key_id` is NULL where the record
 * is damaged. */
static bool add_secret(const struct dispatch_routing *routing, const struct webhook *webhook,
		       const char *master_key_id, int64_t until_ms,
		       struct callback_profile *profile) {
	const struct master_key *master =
	    master_key_id ? master_keys_find(routing->master_keys, master_key_id) : NULL;

	if (master)
		callback_profile_add_secret(profile, master,
					    webhook->secret_epoch - (until_ms ? 1 : 0), until_ms);
	else
		log_unreadable(webhook, "hmac");
	return master;
}

static bool add_secrets(const struct dispatch_routing *routing, const struct webhook *webhook,
			struct callback_profile *profile) {
	int64_t until_ms = webhook->secret_overlap_until_ms;

	return add_secret(routing, webhook, webhook->secret_master_key_id, 0, profile) &&
	       (!until_ms || !webhook->former_secret_master_key_id ||
		add_secret(routing, webhook, webhook->former_secret_master_key_id, until_ms,
			   profile));
}

static bool add_formats(const struct dispatch_routing *routing, const struct webhook *webhook,
			struct callback_profile *profile) {
	unsigned formats = 0;

	if (webhook->signature_count == 0)
		return true;
	for (size_t i = 0; i < webhook->signature_count; i++)
		formats |= 1U << webhook->signatures[i];
	callback_profile_set_formats(profile, formats & ~(1U << SIGNATURE_STANDARD_WEBHOOKS_HMAC));
	return !webhook_signs_with_hmac(webhook) || add_secrets(routing, webhook, profile);
}

static bool add_headers(const struct dispatch_routing *routing, const struct webhook *webhook,
			struct callback_profile *profile) {
	for (size_t i = 0; i < webhook->header_count; i++) {
		const struct webhook_header *header = &webhook->headers[i];

		if (callback_profile_add_header(profile, routing->master_keys, header->name,
						header->sealed, header->sealed_len) == 0)
			continue;
		log_unreadable(webhook, "header");
		return false;
	}
	return true;
}

/* Makes the webhook's profile; NULL where it asked for nothing. Returns false (logged) where a
 * secret of it cannot be had: a callback without it is none that the webhook asked for. */
static bool load_profile(const struct dispatch_routing *routing, const struct webhook *webhook,
			 struct callback_profile **out) {
	_cleanup_(callback_profile_freep) struct callback_profile *profile = NULL;

	*out = NULL;
	if (webhook->signature_count == 0 && webhook->header_count == 0)
		return true;
	profile = callback_profile_new(webhook->tenant_id, &webhook->id);
	if (!add_formats(routing, webhook, profile) || !add_headers(routing, webhook, profile))
		return false;
	*out = TAKE(profile);
	return true;
}

int dispatch_routing_load(const struct dispatch_routing *routing,
			  struct dispatch_endpoint *endpoint, const char *tenant_id,
			  int64_t now_ms) {
	const struct registry *registry = replica_registry(routing->replica);
	_cleanup_(signer_unrefp) struct signer *signer = NULL;
	struct callback_profile *profile;
	struct webhook webhook;
	int r;

	if (endpoint->route)
		return 0;
	r = registry->webhook_get(registry->userdata, routing->arena, tenant_id,
				  &endpoint->webhook_id, &webhook);
	if (r < 0)
		return r;
	if (r == REGISTRY_E_NOT_FOUND || webhook.disabled) {
		dispatch_endpoint_cancel(routing->health->endpoints, endpoint,
					 r == REGISTRY_E_NOT_FOUND ? "webhook-deleted"
								   : "webhook-disabled");
		return 0;
	}
	dispatch_health_recall(routing->health, endpoint, &webhook);
	endpoint->rate_limit = webhook.rate_limit;
	if (webhook.secret_overlap_until_ms <= now_ms)
		webhook.secret_overlap_until_ms = 0; /* its master key may be gone */
	r = load_signer(routing, tenant_id, &signer);
	if (r < 0)
		return r;
	if (signer && load_profile(routing, &webhook, &profile))
		endpoint->route =
		    route_new(&endpoint->webhook_id, tenant_id, webhook.url, signer, profile);
	else
		endpoint->next_due_ms = now_ms + KEY_RETRY_MS;
	return 0;
}
