#include "command/dead_letter_filter.h"

#include "command/flags.h"

#include <errno.h>
#include <inttypes.h>

/* "3:1207" */
static int read_place(const char *text, struct dead_letter_place *out) {
	long long partition, offset;
	char *end;

	errno = 0;
	partition = strtoll(text, &end, 10);
	if (errno || end == text || *end != ':' || partition < 0 || partition > INT32_MAX)
		return -EINVAL;
	text = end + 1;
	offset = strtoll(text, &end, 10);
	if (errno || end == text || *end || offset < 0)
		return -EINVAL;
	*out = (struct dead_letter_place){ .partition = (int32_t)partition, .offset = offset };
	return 0;
}

static enum admin_status add_places(struct dead_letter_filter *filter, const char *text) {
	size_t count;
	_cleanup_(x_freep) const char **list = arguments_split_list(text, &count);

	filter->places =
	    x_realloc(filter->places, (filter->place_count + count) * sizeof(*filter->places));
	for (size_t i = 0; i < count; i++) {
		if (read_place(list[i], &filter->places[filter->place_count++])) {
			terminal_complain(
			    "--at is \"%s\", must be PARTITION:OFFSET, as dead-letters list "
			    "shows it",
			    list[i]);
			return ADMIN_USAGE;
		}
	}
	return ADMIN_OK;
}

static enum admin_status read_places(const struct invocation *invocation,
				     struct dead_letter_filter *filter) {
	enum admin_status status = ADMIN_OK;
	size_t count;
	_cleanup_(x_freep) const char **given =
	    arguments_get_all(invocation->arguments, "at", &count);

	for (size_t i = 0; !status && i < count; i++)
		status = add_places(filter, given[i]);
	return status;
}

enum admin_status dead_letter_filter_read(const struct invocation *invocation,
					  struct dead_letter_filter *out) {
	enum admin_status status;

	*out =
	    (struct dead_letter_filter){ .tenant_id = invocation->tenant,
					 .reason = arguments_get(invocation->arguments, "reason"),
					 .topic = arguments_get(invocation->arguments, "topic") };
	if (out->topic && strcmp(out->topic, topic_base_name(TOPIC_ADMIN)) != 0 &&
	    strcmp(out->topic, topic_base_name(TOPIC_ISSUANCE)) != 0 &&
	    strcmp(out->topic, topic_base_name(TOPIC_EVENTS)) != 0) {
		terminal_complain(
		    "--topic is \"%s\", must be webhook-admin, credential-issuance or "
		    "webhook-events",
		    out->topic);
		return ADMIN_USAGE;
	}
	status = flags_read_since(invocation, &out->has_since, &out->since_ms);
	return status ? status : read_places(invocation, out);
}

void dead_letter_filter_destroy(struct dead_letter_filter *filter) {
	free(filter->places);
	*filter = (struct dead_letter_filter){ 0 };
}

static bool is_of_tenant(const struct dead_letter *letter, const char *tenant_id) {
	const struct record *record = letter->record;

	if (letter->tenant_id && !strcmp(letter->tenant_id, tenant_id))
		return true;
	return record->key && record->key_len == strlen(tenant_id) &&
	       !memcmp(record->key, tenant_id, record->key_len);
}

static bool is_from_topic(const struct dead_letter *letter, const char *topic) {
	return letter->is_input && !strcmp(topic, topic_base_name(letter->input));
}

static bool is_at_place(struct dead_letter_filter *filter, const struct record *record) {
	for (size_t i = 0; i < filter->place_count; i++) {
		struct dead_letter_place *place = &filter->places[i];

		if (place->partition == record->partition && place->offset == record->offset)
			return place->seen = true;
	}
	return false;
}

bool dead_letter_filter_wants(struct dead_letter_filter *filter, const struct dead_letter *letter) {
	return (!filter->places || is_at_place(filter, letter->record)) &&
	       (!filter->tenant_id || is_of_tenant(letter, filter->tenant_id)) &&
	       (!filter->reason || strstr(letter->reason, filter->reason)) &&
	       (!filter->topic || is_from_topic(letter, filter->topic)) &&
	       (!filter->has_since || letter->record->timestamp_ms >= filter->since_ms);
}

enum admin_status dead_letter_filter_complain_unseen(const struct dead_letter_filter *filter) {
	enum admin_status status = ADMIN_OK;

	for (size_t i = 0; i < filter->place_count; i++) {
		const struct dead_letter_place *place = &filter->places[i];

		if (place->seen)
			continue;
		terminal_complain("there is no dead letter at %d:%" PRId64, place->partition,
				  place->offset);
		status = ADMIN_REFUSED;
	}
	return status;
}
