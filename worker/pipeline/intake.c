#include "pipeline/intake.h"

#include "avro/frame.h"
#include "base/invariant.h"
#include "domain/limits.h"
#include "pipeline/input_topics.h"
#include "pipeline/reroute.h"
#include "pipeline/resume.h"
#include "pipeline/trace_context.h"
#include "rdkafka/headers.h"

enum input intake_input(const struct intake *intake, const rd_kafka_message_t *message) {
	return input_of_topic(intake->topics, rd_kafka_topic_name(message->rkt));
}

int32_t intake_partition(const struct intake *intake, const rd_kafka_message_t *message) {
	return rd_kafka_msg_partitioner_murmur2(message->rkt, message->key, message->key_len,
						intake->partition_count, NULL, NULL);
}

/* What can be told before the value is decoded. Returns the reason, or NULL. */
static const char *refuse_raw(const struct intake *intake, struct arena *arena,
			      const rd_kafka_message_t *message) {
	size_t headers;

	if (!message->payload)
		return "value is null";
	if ((int64_t)message->len > intake->command_max_bytes)
		return arena_printf(arena,
				    "value has %zu bytes, more than command.max.bytes = %lld",
				    message->len, (long long)intake->command_max_bytes);
	headers = headers_given_bytes(message);
	if ((int64_t)headers > intake->command_max_bytes)
		return arena_printf(arena,
				    "headers have %zu bytes, more than command.max.bytes = %lld",
				    headers, (long long)intake->command_max_bytes);
	if (!message->key)
		return "key is missing: it must be the tenantId";
	return NULL;
}

static const char *refuse_tenant(struct arena *arena, const rd_kafka_message_t *message,
				 const char *tenant_id) {
	size_t len = strlen(tenant_id);

	if (len == 0 || len > TENANT_ID_MAX)
		return arena_printf(arena, "tenantId has %zu bytes: it must have 1 to %d", len,
				    TENANT_ID_MAX);
	if (message->key_len != len || memcmp(message->key, tenant_id, len) != 0)
		return "key is not the command's tenantId";
	return NULL;
}

/*
 * A tenant's commands must all come to one partition. `murmur2_random` is how Java's producers
 * choose it; librdkafka's other partitioners spread one tenant over two owners.
 */
static int check_partition(const struct intake *intake, struct arena *arena,
			   const rd_kafka_message_t *message, const char **reason) {
	int32_t right = intake_partition(intake, message);
	bool again = reroute_was_done(message);

	if (right == message->partition)
		return 0;
	*reason = arena_printf(
	    arena,
	    "key belongs to partition %d%s: the producer must use the partitioner murmur2_random",
	    right, again ? ", and the record was handed on once already" : "");
	return again ? INTAKE_E_DEAD_LETTER : INTAKE_E_MISPLACED;
}

/* What is refused without its schema waits for none. */
bool intake_must_wait(const struct intake *intake, const rd_kafka_message_t *message) {
	uint32_t id;

	return intake->schema_registry && message->key &&
	       (int64_t)message->len <= intake->command_max_bytes &&
	       frame_schema_id(message->payload, message->len, &id) &&
	       schema_registry_ask(intake->schema_registry, id) == REGISTRY_WAIT;
}

struct command_envelope *intake_envelope(struct intake_record *record) {
	switch (record->input) {
	case INPUT_ADMIN:
		return &record->command.envelope;
	case INPUT_ISSUANCE:
		return &record->issuance.envelope;
	case INPUT_EVENT:
		return &record->event.envelope;
	}
	impossible("a record is of an input");
}

static int decode(const struct intake *intake, struct arena *arena,
		  const rd_kafka_message_t *message, struct intake_record *out,
		  const char **reason) {
	switch (out->input) {
	case INPUT_ADMIN:
		return codec_decode_command(intake->codec, arena, message->payload, message->len,
					    &out->command, reason);
	case INPUT_ISSUANCE:
		return codec_decode_issuance(intake->codec, arena, message->payload, message->len,
					     &out->issuance, reason);
	case INPUT_EVENT:
		return codec_decode_event_command(intake->codec, arena, message->payload,
						  message->len, &out->event, reason);
	}
	impossible("a record is of an input");
}

int intake_decode(const struct intake *intake, struct arena *arena,
		  const rd_kafka_message_t *message, struct intake_record *out,
		  const char **reason) {
	struct command_envelope *envelope;
	struct trace_context context;

	*reason = refuse_raw(intake, arena, message);
	if (*reason)
		return INTAKE_E_DEAD_LETTER;
	out->input = intake_input(intake, message);
	if (decode(intake, arena, message, out, reason))
		return INTAKE_E_DEAD_LETTER;
	envelope = intake_envelope(out);
	*reason = refuse_tenant(arena, message, envelope->tenant_id);
	if (*reason)
		return INTAKE_E_DEAD_LETTER;
	context = trace_context_read(arena, message);
	envelope->traceparent = context.traceparent;
	envelope->tracestate = context.tracestate;
	if (out->input == INPUT_ADMIN)
		out->command.resume_ms = resume_from_ms(message);
	return check_partition(intake, arena, message, reason);
}
