#include "gateway/body_members.h"

#include "base/clock.h"

static struct arena *arena_of(const struct reading *reading) {
	return reading->exchange->http->arena;
}

/* Adds a detail, whose value is the member's JSON; but not an object or an array, which may hold a
 * secret. */
static void add_wrong(struct reading *reading, const char *param, json_t *value, const char *msg) {
	bool is_plain = !json_is_string(value) && !json_is_object(value) && !json_is_array(value);
	char *text = is_plain ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

	exchange_wrong(reading->exchange, &reading->problem, param, "body",
		       json_is_string(value) ? json_string_value(value) : text, msg);
	free(text);
}

/* The same without the value, which may be a secret. */
static void add_wrong_secret(struct reading *reading, const char *param, const char *msg) {
	exchange_wrong(reading->exchange, &reading->problem, param, "body", NULL, msg);
}

static const char *read_text(struct reading *reading, const char *param, json_t *value) {
	if (json_is_string(value))
		return arena_strdup(arena_of(reading), json_string_value(value));
	add_wrong(reading, param, value, "Must be a string");
	return NULL;
}

static void read_url(struct reading *reading, json_t *value) {
	reading->command->url = read_text(reading, "url", value);
}

static void read_texts(struct reading *reading, const char *param, json_t *value,
		       const char ***items, size_t *count) {
	if (!json_is_array(value)) {
		add_wrong(reading, param, value, "Must be an array of strings");
		return;
	}
	*items = arena_zalloc(arena_of(reading), (json_array_size(value) + 1) * sizeof(**items));
	*count = json_array_size(value);
	for (size_t i = 0; i < *count; i++)
		(*items)[i] =
		    read_text(reading, arena_printf(arena_of(reading), "%s[%zu]", param, i),
			      json_array_get(value, i));
}

static void read_events(struct reading *reading, json_t *value) {
	read_texts(reading, "events", value, &reading->command->events,
		   &reading->command->event_count);
}

static void read_signatures(struct reading *reading, json_t *value) {
	if (!json_is_null(value))
		read_texts(reading, "signatures", value, &reading->command->signatures,
			   &reading->command->signature_count);
}

static void read_header_member(struct reading *reading, size_t i, const char *name, json_t *value) {
	struct header_given *header = &reading->command->headers[i];
	const char *param = arena_printf(arena_of(reading), "headers[%zu].%s", i, name);
	bool is_name = !strcmp(name, "name"), is_value = !strcmp(name, "value");

	if (!is_name && !is_value)
		add_wrong_secret(reading, param, "Is not known");
	else if (is_value && json_is_null(value))
		return; /* as if it was not given */
	else if (!json_is_string(value))
		add_wrong_secret(reading, param, "Must be a string");
	else
		*(is_name ? &header->name : &header->value) =
		    arena_strdup(arena_of(reading), json_string_value(value));
}

static void read_header(struct reading *reading, size_t i, json_t *value) {
	const char *name;
	json_t *member;

	if (!json_object_get(value, "name"))
		add_wrong_secret(reading, arena_printf(arena_of(reading), "headers[%zu].name", i),
				 "Must be given");
	json_object_foreach(value, name, member) read_header_member(reading, i, name, member);
}

static void read_headers(struct reading *reading, json_t *value) {
	size_t count = json_array_size(value);

	if (json_is_null(value))
		return;
	if (!json_is_array(value)) {
		add_wrong_secret(reading, "headers", "Must be an array of objects");
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (!json_is_object(json_array_get(value, i))) {
			add_wrong_secret(reading, "headers", "Must be an array of objects");
			return;
		}
	reading->command->headers =
	    arena_zalloc(arena_of(reading), (count + 1) * sizeof(*reading->command->headers));
	reading->command->header_count = count;
	for (size_t i = 0; i < count; i++)
		read_header(reading, i, json_array_get(value, i));
}

static void read_disabled(struct reading *reading, json_t *value) {
	if (json_is_boolean(value))
		reading->command->disabled = json_is_true(value);
	else
		add_wrong(reading, "disabled", value, "Must be true or false");
}

static void read_description(struct reading *reading, json_t *value) {
	if (!json_is_null(value))
		reading->command->description = read_text(reading, "description", value);
}

static void read_rate_limit(struct reading *reading, json_t *value) {
	json_int_t number = json_integer_value(value);

	if (json_is_null(value))
		return;
	if (!json_is_integer(value) || number < INT32_MIN || number > INT32_MAX) {
		add_wrong(reading, "rateLimit", value, "Must be a whole number of 32 bits");
		return;
	}
	reading->command->has_rate_limit = true;
	reading->command->rate_limit = (int32_t)number;
}

static struct text_list *list_of(struct webhook_filter *filter, const char *name) {
	if (!strcmp(name, "credentialConfigurationId"))
		return &filter->credential_configuration_ids;
	if (!strcmp(name, "format"))
		return &filter->formats;
	if (!strcmp(name, "credentialProfile"))
		return &filter->credential_profiles;
	return !strcmp(name, "subject") ? &filter->subjects : NULL;
}

static void read_filter(struct reading *reading, json_t *value) {
	struct webhook_filter *filter = arena_zalloc(arena_of(reading), sizeof(*filter));
	const char *name;
	json_t *items;

	if (json_is_null(value))
		return;
	if (!json_is_object(value)) {
		add_wrong(reading, "filter", value, "Must be an object");
		return;
	}
	reading->command->filter = filter;
	json_object_foreach(value, name, items) {
		struct text_list *list = list_of(filter, name);
		const char *param = arena_printf(arena_of(reading), "filter.%s", name);

		if (list)
			read_texts(reading, param, items, &list->items, &list->count);
		else
			add_wrong(reading, param, items, "Is not known");
	}
}

static void read_time(struct reading *reading, const char *param, json_t *value, int64_t *out) {
	if (json_is_integer(value))
		*out = json_integer_value(value);
	else if (!json_is_string(value) || clock_parse_iso8601(json_string_value(value), out))
		add_wrong(
		    reading, param, value,
		    "Must be a time such as 2026-01-31T12:00:00.000Z, or milliseconds since 1970");
}

static void read_since(struct reading *reading, json_t *value) {
	reading->has_since = true;
	read_time(reading, "since", value, &reading->command->since_ms);
}

static void read_until(struct reading *reading, json_t *value) {
	reading->command->has_until = !json_is_null(value);
	if (reading->command->has_until)
		read_time(reading, "until", value, &reading->command->until_ms);
}

static void read_recovered_subject(struct reading *reading, json_t *value) {
	if (!json_is_null(value))
		reading->command->subject = read_text(reading, "subject", value);
}

static void read_recovered_status(struct reading *reading, json_t *value) {
	if (!json_is_null(value))
		reading->command->status = read_text(reading, "status", value);
}

static void read_type(struct reading *reading, json_t *value) {
	reading->exchange->event.event_type = read_text(reading, "type", value);
}

static void read_subject(struct reading *reading, json_t *value) {
	if (!json_is_null(value))
		reading->exchange->event.subject = read_text(reading, "subject", value);
}

/* Byte for byte. */
static void read_payload(struct reading *reading, json_t *value _unused_) {
	reading->exchange->event.payload =
	    arena_strndup(arena_of(reading), reading->text.bytes, reading->text.len);
}

struct member {
	const char *name;
	void (*read)(struct reading *reading, json_t *value);
};

static const struct member webhook_members[] = {
	{ "events", read_events },
	{ "url", read_url },
	{ "disabled", read_disabled },
	{ "description", read_description },
	{ "headers", read_headers },
	{ "signatures", read_signatures },
	{ "filter", read_filter },
	{ "rateLimit", read_rate_limit },
	{ 0 },
};
static const struct member recover_members[] = {
	{ "since", read_since },
	{ "until", read_until },
	{ "subject", read_recovered_subject },
	{ "status", read_recovered_status },
	{ 0 },
};
static const struct member event_members[] = {
	{ "type", read_type }, { "subject", read_subject }, { "payload", read_payload }, { 0 }
};
static const struct member no_members[] = { { 0 } };

static const struct member *members_of(enum operation operation) {
	switch (operation) {
	case OPERATION_CREATE_WEBHOOK:
	case OPERATION_UPDATE_WEBHOOK:
		return webhook_members;
	case OPERATION_RECOVER_DELIVERIES:
		return recover_members;
	case OPERATION_UNKNOWN:
		return event_members;
	default:
		return no_members;
	}
}

void body_members_read(struct reading *reading, const char *name, json_t *value) {
	const struct member *members = members_of(reading->command->operation);

	while (members->name && strcmp(members->name, name) != 0)
		members++;
	if (members->name)
		members->read(reading, value);
	else
		add_wrong(reading, arena_strdup(arena_of(reading), name), value, "Is not known");
}
