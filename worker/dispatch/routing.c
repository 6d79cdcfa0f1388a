#include "dispatch/routing.h"

#include "base/log.h"

enum { KEY_RETRY_MS = 60 * 1000 };

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

int dispatch_routing_load(const struct dispatch_routing *routing,
			  struct dispatch_endpoint *endpoint, const char *tenant_id,
			  int64_t now_ms) {
	const struct registry *registry = replica_registry(routing->replica);
	_cleanup_(signer_unrefp) struct signer *signer = NULL;
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
	r = load_signer(routing, tenant_id, &signer);
	if (r < 0)
		return r;
	if (signer)
		endpoint->route = route_new(&endpoint->webhook_id, tenant_id, webhook.url, signer);
	else
		endpoint->next_due_ms = now_ms + KEY_RETRY_MS;
	return 0;
}
