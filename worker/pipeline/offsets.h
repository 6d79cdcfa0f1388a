/*
 * Where the inputs of a partition go on.
 *
 * A position record and its committed offsets were one transaction, so they agree; each committed
 * offset carries as metadata the position that it belongs to. Offsets of an earlier position were
 * left behind by the brokers: Kafka 4.1 can commit the records of a transaction and abort its
 * offsets, when the coordinator's broker dies and is back before another one leads. The changelog
 * has what the inputs did up to its position, so that is where they go on.
 */
#pragma once

#include "domain/state.h"
#include "rdkafka/topics.h"

#include <librdkafka/rdkafka.h>

enum { OFFSET_METADATA_SIZE = 64 };

/* "<store id>/<sequence>": the metadata of the offsets that are committed with a position. */
void offset_metadata(const struct position *position, char out[OFFSET_METADATA_SIZE]);

/* Adds an offset with that metadata. */
void offsets_add(rd_kafka_topic_partition_list_t *list, const char *topic, int32_t partition,
		 int64_t offset, const struct position *position);

/* An input's committed offset, as the group's coordinator tells it. */
struct committed_offset {
	int64_t offset;       /* below 0: none */
	const char *metadata; /* not terminated; borrowed */
	size_t metadata_len;
};

enum offset_choice {
	OFFSET_OF_POSITION,  /* they agree, or the committed offset expired */
	OFFSET_BEHIND,       /* it is of an earlier position of this changelog */
	OFFSET_SET_BY_HAND,  /* it is not a worker's: an operator's, who is followed */
	OFFSET_FIRST_RECORD, /* neither is there: a first start */
	OFFSET_TORN,         /* a worker's, but of a later position, or of another changelog */
};

/* R8, as a function of values. `position`: sequence 0 means that the changelog has none. */
enum offset_choice offset_choose(const struct committed_offset *committed,
				 const struct position *position);

enum { OFFSETS_E_TORN = 1 };

/* A partition that is asked about: `position` has its admin_offset, issuance_offset and
 * event_offset. */
struct offsets_of {
	int32_t partition;
	const struct position *position;
	int64_t *next; /* [POSITION_INPUTS]; filled where `result` is 0 */
	int result;    /* filled: 0, or OFFSETS_E_TORN (logged) */
};

struct offsets_question {
	rd_kafka_t *member; /* the consumer, whose group's offsets are asked for */
	rd_kafka_t *client; /* any other, for what a consumer answers late */
	const struct topics *topics;
	const char *group_id;
	struct offsets_of *partitions; /* [count], at least one */
	size_t count;
};

/*
 * Asks the brokers once for all partitions, and chooses for all their inputs. Offsets that were
 * left behind are committed anew, so that the group's lag is right (logged). Returns 0, or -EAGAIN
 * (logged) while the brokers do not answer: then nothing is filled that counts. Waits for some
 * seconds at most.
 */
int offsets_ask(const struct offsets_question *question) _must_check_;

/*
 * The first offset of an input's partition, and the one after its last. Returns 0, or -EAGAIN
 * (logged).
 */
int offsets_ask_bounds(rd_kafka_t *client, const char *topic, int32_t partition, int64_t *low,
		       int64_t *high) _must_check_;
