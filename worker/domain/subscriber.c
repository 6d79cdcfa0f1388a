#include "domain/registry.h"

#include <string.h>

static bool has_more(const struct webhook *webhook) {
	for (size_t i = 0; i < webhook->event_count; i++)
		if (event_type_is_own(webhook->events[i]))
			return true;
	return webhook->filter;
}

unsigned subscriber_types(const struct webhook *webhook) {
	unsigned types = 0;

	if (webhook->disabled)
		return 0;
	for (int type = 0; type < EVENT_TYPE_BUILTIN_COUNT; type++)
		types |= (unsigned)webhook_wants(
			     webhook, event_type_builtin_name((enum event_type_builtin)type))
			 << type;
	return has_more(webhook) ? types | SUBSCRIBER_HAS_MORE : types;
}

void subscriber_add_more(struct subscriber *subscriber, struct arena *arena,
			 const struct webhook *webhook) {
	const char **own = arena_alloc(arena, webhook->event_count * sizeof(*own));

	for (size_t i = 0; i < webhook->event_count; i++)
		if (event_type_is_own(webhook->events[i]))
			own[subscriber->own_count++] = webhook->events[i];
	subscriber->own_types = own;
	subscriber->filter = webhook->filter;
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

	subscriber->own_types = copy_texts(arena, subscriber->own_types, subscriber->own_count);
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
