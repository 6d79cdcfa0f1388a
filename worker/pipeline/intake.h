/*
 * The intake: checks a record of an input topic and decodes it. A record that cannot be processed
 * becomes a dead letter, inside the transaction; it never stops the partition (docs/api.md, "Dead
 * letters").
 */
#pragma once

#include "avro/codec.h"
#include "domain/command.h"
#include "pipeline/partition.h"
#include "rdkafka/topics.h"
#include "registry/schema_registry.h"

#include <librdkafka/rdkafka.h>

struct intake_record {
	enum input input;
	union {
		struct command command;
		struct issuance issuance;
		struct event_command event;
	};
};

struct intake {
	struct codec *codec;
	const struct topics *topics;
	int32_t partition_count;
	int64_t command_max_bytes;
	struct schema_registry *schema_registry; /* NULL: none is configured */
};

/* Whether the record's schema is asked for at the schema registry: then it is not decoded yet. */
bool intake_must_wait(const struct intake *intake, const rd_kafka_message_t *message);

/* The partition that a key belongs to, which is how Java's producers choose it. */
int32_t intake_partition(const struct intake *intake, const rd_kafka_message_t *message);

/* Which input topic a message is of. */
enum input intake_input(const struct intake *intake, const rd_kafka_message_t *message);

/* The envelope inside the record. */
struct command_envelope *intake_envelope(struct intake_record *record);

enum {
	INTAKE_E_DEAD_LETTER = 1,
	INTAKE_E_MISPLACED = 2, /* right but for its partition, and not yet handed on */
};

/* Checks and decodes a message. Returns 0, or one of these with the reason, which lives in the
 * arena. */
int intake_decode(const struct intake *intake, struct arena *arena,
		  const rd_kafka_message_t *message, struct intake_record *out,
		  const char **reason) _must_check_;
