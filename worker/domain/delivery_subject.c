#include "domain/delivery_subject.h"

#include "domain/event_type.h"

#include <jansson.h>

/* The end of the JSON string that begins at `text`, behind its closing quote; NULL: it is none. */
static const char *string_end(const char *text) {
	if (*text++ != '"')
		return NULL;
	while (*text && *text != '"')
		text += *text == '\\' && text[1] ? 2 : 1;
	return *text ? text + 1 : NULL;
}

/* The value of the JSON string between `begin` and `end`. */
static const char *string_value(struct arena *arena, const char *begin, const char *end) {
	size_t len = (size_t)(end - begin);
	json_t *json;
	const char *value;

	if (!memchr(begin, '\\', len))
		return arena_strndup(arena, begin + 1, len - 2);
	json = json_loadb(begin, len, JSON_DECODE_ANY, NULL);
	value = arena_strdup_null(arena, json_string_value(json));
	json_decref(json);
	return value;
}

/* The body begins as callback_body wrote it, up to the member. Neither an id, a time nor a type in
 * front of it can have a quote. */
static const char *credential_id(struct arena *arena, const char *body) {
	static const char user[] = "\"payload\":{\"userId\":", id[] = ",\"credentialId\":";
	const char *at = strstr(body, user), *end;

	at = at ? string_end(at + sizeof(user) - 1) : NULL;
	if (!at || strncmp(at, id, sizeof(id) - 1) != 0)
		return NULL;
	at += sizeof(id) - 1;
	end = string_end(at);
	return end ? string_value(arena, at, end) : NULL;
}

const char *delivery_subject(struct arena *arena, const struct delivery *delivery) {
	bool is_credential = !strcmp(delivery->event_type, EVENT_TYPE_CREDENTIAL_ISSUED) ||
			     !strcmp(delivery->event_type, EVENT_TYPE_CREDENTIAL_ISSUED_SUMMARY);

	return is_credential && delivery->body ? credential_id(arena, delivery->body)
					       : delivery->subject;
}
