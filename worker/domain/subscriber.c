#include "domain/registry.h"
#include "domain/url.h"

#include <string.h>

static bool has_more(const struct webhook *webhook) {
	for (size_t i = 0; i < webhook->event_count; i++)
		if (!event_type_is_of_credential(webhook->events[i]))
			return true;
	return webhook->filter;
}

static bool takes_notices(const struct webhook *webhook) {
	for (size_t i = 0; i < webhook->event_count; i++)
		if (event_type_is_notice(webhook->events[i]))
			return true;
	return false;
}

unsigned subscriber_types(const struct webhook *webhook) {
	unsigned types = 0;

	if (webhook->disabled)
		return 0;
	for (int type = 0; type < EVENT_TYPE_CREDENTIAL_COUNT; type++)
		types |= (unsigned)webhook_wants(
			     webhook, event_type_builtin_name((enum event_type_builtin)type))
			 << type;
	if (has_more(webhook))
		types |= SUBSCRIBER_HAS_MORE;
	return takes_notices(webhook) ? types | SUBSCRIBER_TAKES_NOTICES : types;
}

void subscriber_add_more(struct subscriber *subscriber, struct arena *arena,
			 const struct webhook *webhook) {
	const char **more = arena_alloc(arena, webhook->event_count * sizeof(*more));

	for (size_t i = 0; i < webhook->event_count; i++)
		if (!event_type_is_of_credential(webhook->events[i]))
			more[subscriber->more_count++] = webhook->events[i];
	subscriber->more_types = more;
	subscriber->filter = webhook->filter;
	if (subscriber->types & SUBSCRIBER_TAKES_NOTICES)
		subscriber->endpoint = url_endpoint(arena, webhook->url);
}

static const char **copy_texts(struct arena *arena, const char *const *texts, size_t count) {
	const char **copy = arena_alloc(arena, count * sizeof(*copy));

	for (size_t i = 0; i < count; i++)
		copy[i] = arena_strdup(arena, texts[i]);
	return copy;
}

static struct text_list copy_list(struct arena *arena, const struct text_list *list) {
	return (struct text_list){ copy_texts(arena, list->items, list->count), list->count };
}

void subscriber_copy_more(struct subscriber *subscriber, struct arena *arena) {
	const struct webhook_filter *filter = subscriber->filter;
	struct webhook_filter copy;

	subscriber->more_types = copy_texts(arena, subscriber->more_types, subscriber->more_count);
	subscriber->endpoint = arena_strdup_null(arena, subscriber->endpoint);
	if (!filter)
		return;
	copy = (struct webhook_filter){
		.credential_configuration_ids =
		    copy_list(arena, &filter->credential_configuration_ids),
		.formats = copy_list(arena, &filter->formats),
		.credential_profiles = copy_list(arena, &filter->credential_profiles),
		.subjects = copy_list(arena, &filter->subjects),
	};
	subscriber->filter = arena_memdup(arena, &copy, sizeof(copy));
}

static bool has_type(const struct subscriber *subscriber, const char *type) {
	for (size_t i = 0; i < subscriber->more_count; i++)
		if (strcmp(subscriber->more_types[i], type) == 0)
			return true;
	return false;
}

bool subscriber_takes(const struct subscriber *subscriber, const char *type,
		      const struct event_facts *facts, int *filtered) {
	if (!has_type(subscriber, type))
		return false;
	if (!subscriber->filter || webhook_filter_matches(subscriber->filter, facts))
		return true;
	++*filtered;
	return false;
}
