#include "domain/webhook.h"

#include <string.h>

bool webhook_wants(const struct webhook *webhook, const char *type) {
	if (webhook->disabled)
		return false;
	for (size_t i = 0; i < webhook->event_count; i++)
		if (strcmp(webhook->events[i], type) == 0)
			return true;
	return false;
}

static bool was_told(const struct webhook_told *told) {
	return told->failing_since_ms || told->health_at_ms || told->disabled_at_ms ||
	       told->dead_at_ms;
}

bool webhook_is_newer(const struct webhook *webhook) {
	for (size_t i = 0; i < webhook->event_count; i++)
		if (event_type_is_newer(webhook->events[i]))
			return true;
	return webhook->description || webhook->header_count > 0 || webhook->signature_count > 0 ||
	       webhook->filter || webhook->rate_limit || webhook->secret_epoch ||
	       webhook->secret_overlap_until_ms || webhook->secret_master_key_id ||
	       webhook->former_secret_master_key_id || was_told(&webhook->told);
}

bool webhook_signs_with_hmac(const struct webhook *webhook) {
	for (size_t i = 0; i < webhook->signature_count; i++)
		if (webhook->signatures[i] == SIGNATURE_STANDARD_WEBHOOKS_HMAC)
			return true;
	return false;
}
