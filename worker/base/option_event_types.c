#include "base/config.h"
#include "base/elements.h"
#include "base/option.h"

#include <ctype.h>

enum { NAME_MAX_BYTES = 128 };

_Static_assert(EVENT_TYPES_MAX == 256, "the message says so");

static bool is_name(const char *text) {
	if (!isalpha((unsigned char)*text) || strlen(text) > NAME_MAX_BYTES)
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("._-", *text))
			return false;
	return true;
}

/* Of domain/event_type.h, and those that may come: an event of one's own is told from posthorn's.
 */
static bool is_reserved(const char *text) {
	static const char *const prefixes[] = { "OpenIdCredential", "Webhook", "Delivery" };

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (strncmp(text, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

static bool has(const struct name_list *list, const char *text) {
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

static const char *judge(const struct name_list *list, const char *text) {
	if (!is_name(text))
		return "must be names with commas between, each of a letter and up to 127 letters, "
		       "digits, '.', '_' and '-'";
	if (is_reserved(text))
		return "must not begin with OpenIdCredential, Webhook or Delivery";
	if (has(list, text))
		return "must not have a name twice";
	return list->count == EVENT_TYPES_MAX ? "must have at most 256 names" : NULL;
}

static void clear_event_types(void *field) {
	struct name_list *list = field;

	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct name_list){ 0 };
}

static int set_event_types(const struct option *option _unused_, const char *text, void *field,
			   struct buffer *rule) {
	_cleanup_(x_freep) char *copy = x_strdup(text);
	struct name_list *list = field;
	char *rest = *copy ? copy : NULL;

	clear_event_types(list);
	list->items = x_calloc(EVENT_TYPES_MAX, sizeof(*list->items));
	for (char *name; (name = elements_next(&rest));) {
		const char *why = judge(list, name);

		if (why) {
			buffer_append_string(rule, why);
			return CONFIG_E_REFUSED;
		}
		list->items[list->count++] = x_strdup(name);
	}
	return 0;
}

const struct option_kind option_event_types = { .set = set_event_types,
						.clear = clear_event_types };
