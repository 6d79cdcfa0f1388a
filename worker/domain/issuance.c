#include "domain/issuance.h"

#include "domain/callback_body.h"
#include "domain/command_run.h"
#include "domain/field_hash.h"
#include "domain/id.h"
#include "domain/json_text.h"
#include "domain/limits.h"
#include "domain/recording.h"

/* The webhooks that take the issued credential, and the number of deliveries that makes. */
struct matches {
	struct subscriber *subscribers;
	size_t subscriber_count;
	size_t delivery_count;
};

/* The JSON of each event type, built when the first webhook wants it. */
struct events {
	struct buffer json[EVENT_TYPE_CREDENTIAL_COUNT];
};

static void events_destroy(struct events *events) {
	for (size_t type = 0; type < ARRAY_LEN(events->json); type++)
		buffer_destroy(&events->json[type]);
}

static void validate_claims(struct validation *validation, const char *claims) {
	if (claims)
		json_text_validate(
		    validation, "claims", claims, JSON_TEXT_OBJECT,
		    "Must be a JSON object, without a name twice, with numbers that a "
		    "double holds");
}

static void validate_credential(struct validation *validation, const char *credential) {
	if (*credential)
		json_text_validate(
		    validation, "credential", credential, JSON_TEXT_OBJECT_OR_STRING,
		    "Must be a JSON object, without a name twice, with numbers that a "
		    "double holds, or a JSON string");
}

static void validate_issuance(struct validation *validation, const struct issuance *issuance) {
	validate_identifier(validation, "userId", issuance->user_id, true);
	validate_identifier(validation, "credentialId", issuance->credential_id, false);
	validate_identifier(validation, "credentialConfigurationId",
			    issuance->credential_configuration_id, false);
	validate_identifier(validation, "credentialProfile", issuance->credential_profile, false);
	validate_identifier(validation, "format", issuance->format, false);
	validate_identifier(validation, "credentialOfferId", issuance->credential_offer_id, true);
	validate_identifier(validation, "sessionId", issuance->session_id, true);
	validate_claims(validation, issuance->claims);
	validate_credential(validation, issuance->credential);
}

static bool takes(const struct subscriber *subscriber, int type) {
	return subscriber->types >> type & 1;
}

static int count_types(const struct subscriber *subscriber) {
	int count = 0;

	for (int type = 0; type < EVENT_TYPE_CREDENTIAL_COUNT; type++)
		count += takes(subscriber, type);
	return count;
}

struct match {
	struct event_facts facts;
	size_t delivery_count;
	int *filtered;
};

static bool is_match(void *userdata, const struct subscriber *subscriber) {
	struct match *match = userdata;
	int count = count_types(subscriber);

	if (subscriber->filter && !webhook_filter_matches(subscriber->filter, &match->facts)) {
		*match->filtered += count;
		return false;
	}
	match->delivery_count += (size_t)count;
	return count > 0;
}

static int find_matches(struct command_run *run, const struct issuance *issuance,
			struct matches *out) {
	struct match match = {
		.facts = { issuance->credential_configuration_id, issuance->format,
			   issuance->credential_profile, issuance->credential_id },
		.filtered = &run->effects->filtered,
	};
	const struct subscriber_query query = { .takes = is_match,
						.userdata = &match,
						.limit = FANOUT_MAX };
	const struct registry *registry = run->context->registry;
	int r =
	    registry->subscribers(registry->userdata, run->effects->arena, run->envelope->tenant_id,
				  &query, &out->subscribers, &out->subscriber_count);

	out->delivery_count = match.delivery_count;
	return r;
}

/* The total of all bodies: one command's deliveries are one transaction, however many webhooks
 * the tenant has. */
static size_t fanout_bytes(const struct matches *matches, const struct events *events) {
	size_t bytes = 0;

	for (size_t i = 0; i < matches->subscriber_count; i++)
		for (int type = 0; type < EVENT_TYPE_CREDENTIAL_COUNT; type++)
			bytes += takes(&matches->subscribers[i], type) ? events->json[type].len : 0;
	return bytes;
}

static bool build_event(const struct issuance *issuance, enum event_type_builtin type,
			struct buffer *out) {
	const struct command_envelope *envelope = &issuance->envelope;
	struct uuid event_id =
	    id_of_event(envelope->tenant_id, envelope->command_id, event_type_builtin_name(type));

	*out = BUFFER_INIT(EVENT_JSON_MAX);
	event_json_issued(out, issuance, type, &event_id);
	return !out->overflowed;
}

/* Builds the events that are subscribed to. Returns false where one does not fit into a body, or
 * all of them not into a transaction. */
static bool build_events(const struct issuance *issuance, const struct matches *matches,
			 struct events *out) {
	unsigned types = 0;

	for (size_t i = 0; i < matches->subscriber_count; i++)
		types |= matches->subscribers[i].types;
	for (int type = 0; type < EVENT_TYPE_CREDENTIAL_COUNT; type++)
		if (types >> type & 1 &&
		    !build_event(issuance, (enum event_type_builtin)type, &out->json[type]))
			return false;
	return matches->subscriber_count < FANOUT_MAX &&
	       fanout_bytes(matches, out) <= FANOUT_BYTES_MAX;
}

static int record_one(struct command_run *run, const struct subscriber *subscriber,
		      enum event_type_builtin type, const struct buffer *json) {
	struct recording recording = { &subscriber->webhook_id, event_type_builtin_name(type),
				       NULL };

	return record_delivery(run, &recording, json, NULL);
}

static int record_deliveries(struct command_run *run, const struct matches *matches,
			     const struct events *events) {
	int r = 0;

	for (size_t i = 0; i < matches->subscriber_count; i++)
		for (int type = 0; type < EVENT_TYPE_CREDENTIAL_COUNT && r == 0; type++)
			if (takes(&matches->subscribers[i], type))
				r = record_one(run, &matches->subscribers[i],
					       (enum event_type_builtin)type, &events->json[type]);
	return r;
}

static void add_too_large(struct command_run *run, const struct issuance *issuance) {
	bool has_credential = *issuance->credential;

	recording_add_too_large(run, has_credential ? "credential" : "claims",
				has_credential ? issuance->credential : issuance->claims);
}

static int issue_credential(struct command_run *run, const void *userdata) {
	_cleanup_(events_destroy) struct events events = { 0 };
	const struct issuance *issuance = userdata;
	struct event_data data = { .kind = EVENT_DATA_CREDENTIAL_ISSUED };
	struct matches matches = { 0 };
	int r;

	validate_issuance(&run->validation, issuance);
	if (command_run_refused(run))
		return 0;
	r = find_matches(run, issuance, &matches);
	if (r < 0)
		return r;
	if (command_run_exceeds(run, TENANT_LIMIT_PENDING_DELIVERIES,
				run->context->pending_deliveries, (int64_t)matches.delivery_count))
		return 0;
	if (!build_events(issuance, &matches, &events))
		add_too_large(run, issuance);
	if (command_run_refused(run))
		return 0;
	r = record_deliveries(run, &matches, &events);
	if (r < 0)
		return r;
	data.credential_issued =
	    (struct credential_issued){ issuance->credential_id, (int32_t)matches.delivery_count };
	command_run_answer(run, 200, &data);
	return 0;
}

static void fingerprint(const struct issuance *issuance, uint8_t out[FIELD_HASH_SIZE]) {
	struct field_hash hash;

	field_hash_init(&hash, "posthorn issuance");
	field_hash_add_text(&hash, issuance->user_id);
	field_hash_add_text(&hash, issuance->credential_id);
	field_hash_add_text(&hash, issuance->credential_configuration_id);
	field_hash_add_text(&hash, issuance->credential_profile);
	field_hash_add_text(&hash, issuance->format);
	field_hash_add_text(&hash, issuance->credential_offer_id);
	field_hash_add_text(&hash, issuance->session_id);
	field_hash_add_text(&hash, issuance->claims);
	field_hash_add_text(&hash, issuance->credential);
	field_hash_add_problem(&hash, issuance->envelope.faults);
	field_hash_finish(&hash, out);
}

int handle_issuance(const struct handler_context *context, const struct issuance *issuance,
		    struct effects *out) {
	struct command_run run = {
		.context = context,
		.envelope = &issuance->envelope,
		.subject = ANALYTIC_OPENID_CREDENTIAL,
		.effects = out,
	};
	struct receipt_rule receipt = {
		.is_kept = context->settings->issuance_receipt_retention_ms > 0,
		.retention_ms = context->settings->issuance_receipt_retention_ms,
	};

	if (receipt.is_kept)
		fingerprint(issuance, receipt.fingerprint);
	return command_run_perform(&run, &receipt, issue_credential, issuance);
}
