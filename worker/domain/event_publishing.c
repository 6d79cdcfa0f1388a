#include "domain/event_publishing.h"

#include "domain/callback_body.h"
#include "domain/command_run.h"
#include "domain/field_hash.h"
#include "domain/id.h"
#include "domain/json_text.h"
#include "domain/limits.h"
#include "domain/recording.h"

#include <string.h>

static void validate_payload(struct validation *validation, const char *payload) {
	if (payload)
		json_text_validate(validation, "payload", payload, JSON_TEXT_ANY,
				   "Must be JSON but not null, without a name twice, with numbers "
				   "that a double holds");
	else
		validation_add(validation, "payload", "body", NULL,
			       "Must be given, and not be null");
}

static void validate_fields(struct validation *validation, const struct event_command *command,
			    struct event_catalogue catalogue) {
	if (!command->event_type || !event_catalogue_has_own(catalogue, command->event_type))
		validation_add(validation, "eventType", "body", command->event_type,
			       VALIDATION_INVALID);
	validate_identifier(validation, "subject", command->subject, true);
	validate_payload(validation, command->payload);
}

void validate_event(struct validation *validation, const struct event_command *command,
		    struct event_catalogue catalogue) {
	validate_envelope(validation, &command->envelope);
	validate_fields(validation, command, catalogue);
}

/* An empty one is the same as none. */
static const char *subject_of(const struct event_command *command) {
	return command->subject && *command->subject ? command->subject : NULL;
}

struct match {
	const struct event_command *command;
	struct event_facts facts;
	int *filtered;
};

static bool takes(void *userdata, const struct subscriber *subscriber) {
	struct match *match = userdata;

	return subscriber_takes(subscriber, match->command->event_type, &match->facts,
				match->filtered);
}

static int find_matches(struct command_run *run, const struct event_command *command,
			struct subscriber **out, size_t *count) {
	struct match match = { command,
			       { .subject = subject_of(command) },
			       &run->effects->filtered };
	const struct subscriber_query query = { .takes = takes,
						.userdata = &match,
						.limit = FANOUT_MAX };
	const struct registry *registry = run->context->registry;

	return registry->subscribers(registry->userdata, run->effects->arena,
				     run->envelope->tenant_id, &query, out, count);
}

/* Builds the event. Returns false after adding that it does not fit. */
static bool build(struct command_run *run, const struct event_command *command,
		  const struct uuid *event_id, size_t matches, struct buffer *out) {
	event_json_own(out, command, event_id);
	if (!out->overflowed && matches < FANOUT_MAX && matches * out->len <= FANOUT_BYTES_MAX)
		return true;
	recording_add_too_large(run, "payload", command->payload);
	return false;
}

static int record(struct command_run *run, const struct event_command *command,
		  const struct subscriber *subscribers, size_t count, const struct buffer *json) {
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		struct recording recording = { &subscribers[i].webhook_id, command->event_type,
					       subject_of(command) };

		r = record_delivery(run, &recording, json, NULL);
	}
	return r;
}

static int publish(struct command_run *run, const void *userdata) {
	_cleanup_(buffer_destroy) struct buffer json = BUFFER_INIT(EVENT_JSON_MAX);
	const struct event_command *command = userdata;
	struct event_data data = { .kind = EVENT_DATA_PUBLISHED };
	struct subscriber *subscribers;
	struct uuid event_id;
	size_t count;
	int r;

	validate_fields(&run->validation, command, run->context->settings->webhook_rules.catalogue);
	if (command_run_refused(run))
		return 0;
	r = find_matches(run, command, &subscribers, &count);
	if (r < 0)
		return r;
	if (command_run_exceeds(run, TENANT_LIMIT_PENDING_DELIVERIES,
				run->context->pending_deliveries, (int64_t)count))
		return 0;
	event_id =
	    id_of_event(run->envelope->tenant_id, run->envelope->command_id, command->event_type);
	if (!build(run, command, &event_id, count, &json) && command_run_refused(run))
		return 0;
	r = record(run, command, subscribers, count, &json);
	if (r < 0)
		return r;
	data.published = (struct event_published){ event_id, command->event_type, (int32_t)count };
	command_run_answer(run, 202, &data);
	return 0;
}

static void fingerprint(const struct event_command *command, uint8_t out[FIELD_HASH_SIZE]) {
	struct field_hash hash;

	field_hash_init(&hash, "posthorn event");
	field_hash_add_text(&hash, command->event_type);
	field_hash_add_text(&hash, command->subject);
	field_hash_add_text(&hash, command->payload);
	field_hash_add_problem(&hash, command->envelope.faults);
	field_hash_finish(&hash, out);
}

int handle_event(const struct handler_context *context, const struct event_command *command,
		 struct effects *out) {
	struct command_run run = {
		.context = context,
		.envelope = &command->envelope,
		.subject = ANALYTIC_WEBHOOK_EVENT_PUBLISH,
		.effects = out,
	};
	struct receipt_rule receipt = {
		.is_kept = context->settings->issuance_receipt_retention_ms > 0,
		.retention_ms = context->settings->issuance_receipt_retention_ms,
	};

	if (receipt.is_kept)
		fingerprint(command, receipt.fingerprint);
	return command_run_perform(&run, &receipt, publish, command);
}
