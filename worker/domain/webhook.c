#include "domain/webhook.h"

bool webhook_wants(const struct webhook *webhook, enum event_type type) {
	if (webhook->disabled)
		return false;
	for (size_t i = 0; i < webhook->event_count; i++)
		if (webhook->events[i] == type)
			return true;
	return false;
}
