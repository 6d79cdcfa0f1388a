#include "domain/event_catalogue.h"

#include "base/config.h"
#include "domain/field_hash.h"
#include "domain/webhook.h"

#include <string.h>

_Static_assert(WEBHOOK_EVENTS_MAX - EVENT_TYPES_MAX - EVENT_TYPE_BUILTIN_COUNT == 0,
	       "a webhook may subscribe to all");

bool event_catalogue_has_own(struct event_catalogue catalogue, const char *type) {
	for (size_t i = 0; i < catalogue.own_count; i++)
		if (strcmp(catalogue.own[i], type) == 0)
			return true;
	return false;
}

bool event_catalogue_has(struct event_catalogue catalogue, const char *type) {
	for (int i = 0; i < EVENT_TYPE_BUILTIN_COUNT; i++)
		if (strcmp(event_type_builtin_name((enum event_type_builtin)i), type) == 0)
			return true;
	return event_catalogue_has_own(catalogue, type);
}

static int64_t hash_name(const char *name) {
	uint8_t digest[FIELD_HASH_SIZE];
	struct field_hash hash;
	int64_t value;

	field_hash_init(&hash, "posthorn event type");
	field_hash_add_text(&hash, name);
	field_hash_finish(&hash, digest);
	memcpy(&value, digest, sizeof(value));
	return value;
}

/* The sum does not depend on the order. */
int64_t event_catalogue_hash(struct event_catalogue catalogue) {
	uint64_t sum = 0;

	for (size_t i = 0; i < catalogue.own_count; i++)
		sum += (uint64_t)hash_name(catalogue.own[i]);
	return catalogue.own_count > 0 && sum == 0 ? 1 : (int64_t)sum;
}
