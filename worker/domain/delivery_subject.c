#include "domain/delivery_subject.h"

#include "domain/event_type.h"
#include "domain/json_text.h"

#include <string.h>

/* A credential is issued to a user, or to nobody that its command names. */
static const char *user_id_end(const char *at) {
	static const char none[] = "null";

	return strncmp(at, none, sizeof(none) - 1) == 0 ? at + sizeof(none) - 1
							: json_text_string_end(at);
}

/* The body begins as callback_body wrote it, up to the member. Neither an id, a time nor a type in
 * front of it can have a quote. */
static const char *credential_id(struct arena *arena, const char *body) {
	static const char user[] = "\"payload\":{\"userId\":", id[] = ",\"credentialId\":";
	const char *at = strstr(body, user), *end;

	at = at ? user_id_end(at + sizeof(user) - 1) : NULL;
	if (!at || strncmp(at, id, sizeof(id) - 1) != 0)
		return NULL;
	at += sizeof(id) - 1;
	end = json_text_string_end(at);
	return end ? json_text_string_value(arena, at, end) : NULL;
}

const char *delivery_subject(struct arena *arena, const struct delivery *delivery) {
	return event_type_is_of_credential(delivery->event_type) && delivery->body
		   ? credential_id(arena, delivery->body)
		   : delivery->subject;
}
