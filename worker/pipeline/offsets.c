#include "pipeline/offsets.h"

#include "base/invariant.h"
#include "base/memory.h"
#include "rdkafka/refusal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum { NOT_READ_YET = -2 }; /* of webhook-events: its first record is the next */
enum { COMMITTED_TIMEOUT_MS = 5000, WATERMARK_TIMEOUT_MS = 5000 };

void offset_metadata(const struct position *position, char out[OFFSET_METADATA_SIZE]) {
	char store_id[UUID_TEXT_SIZE];

	uuid_format(&position->store_id, store_id);
	snprintf(out, OFFSET_METADATA_SIZE, "%s/%" PRId64, store_id, position->sequence);
}

static bool is_of_position(const struct committed_offset *committed,
			   const struct position *position) {
	char metadata[OFFSET_METADATA_SIZE];

	offset_metadata(position, metadata);
	return committed->metadata_len == strlen(metadata) &&
	       memcmp(committed->metadata, metadata, committed->metadata_len) == 0;
}

enum offset_choice offset_choose(const struct committed_offset *committed,
				 const struct position *position) {
	bool has_position = position->sequence > 0, is_committed = committed->offset >= 0;

	if (is_committed && committed->metadata_len == 0)
		return OFFSET_SET_BY_HAND;
	if (is_committed && !(has_position && is_of_position(committed, position)))
		return OFFSET_TORN;
	return has_position ? OFFSET_OF_POSITION : OFFSET_FIRST_RECORD;
}

int offsets_ask_bounds(rd_kafka_t *client, const char *topic, int32_t partition, int64_t *low,
		       int64_t *high) {
	rd_kafka_resp_err_t err = rd_kafka_query_watermark_offsets(client, topic, partition, low,
								   high, WATERMARK_TIMEOUT_MS);

	if (!err)
		return 0;
	refusal_log_cause("ask for offsets", "topic", topic, rd_kafka_err2str(err));
	return -EAGAIN;
}

static int log_torn(const rd_kafka_topic_partition_t *committed) {
	log_error(
	    "committed offset is not of this changelog: was webhook-state deleted or restored "
	    "from elsewhere?",
	    "topic=%s partition=%d offset=%" PRId64 " metadata=%.*s", committed->topic,
	    committed->partition, committed->offset, (int)committed->metadata_size,
	    (const char *)committed->metadata);
	return OFFSETS_E_TORN;
}

/* The offset of one input. */
static int choose(const struct offsets_question *question,
		  const rd_kafka_topic_partition_t *committed, int64_t position_offset,
		  int64_t *out) {
	struct committed_offset offset = { committed->offset, committed->metadata,
					   committed->metadata_size };
	int64_t end;

	switch (offset_choose(&offset, question->position)) {
	case OFFSET_OF_POSITION:
		if (position_offset == NOT_READ_YET)
			return offsets_ask_bounds(question->client, committed->topic,
						  committed->partition, out, &end);
		*out = position_offset;
		return 0;
	case OFFSET_SET_BY_HAND:
		if (question->position->sequence == 0 || committed->offset != position_offset)
			log_warn("following an offset that was set by hand",
				 "topic=%s partition=%d offset=%" PRId64, committed->topic,
				 committed->partition, committed->offset);
		*out = committed->offset;
		return 0;
	case OFFSET_FIRST_RECORD:
		return offsets_ask_bounds(question->client, committed->topic, committed->partition,
					  out, &end);
	case OFFSET_TORN:
		return log_torn(committed);
	}
	impossible("a choice is one of four");
}

static rd_kafka_resp_err_t ask_committed(const struct offsets_question *question,
					 rd_kafka_topic_partition_list_t *list) {
	rd_kafka_resp_err_t err;

	rd_kafka_topic_partition_list_add(list, question->topics->admin, question->partition);
	rd_kafka_topic_partition_list_add(list, question->topics->issuance, question->partition);
	rd_kafka_topic_partition_list_add(list, question->topics->events, question->partition);
	err = rd_kafka_committed(question->member, list, COMMITTED_TIMEOUT_MS);
	for (int i = 0; i < list->cnt && !err; i++)
		err = list->elems[i].err;
	if (err)
		refusal_log_cause("ask for committed offsets", "group", question->group_id,
				  rd_kafka_err2str(err));
	return err;
}

int offsets_ask(const struct offsets_question *question, int64_t next[POSITION_INPUTS]) {
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(POSITION_INPUTS);
	const struct position *position = question->position;
	int r = ask_committed(question, list) ? -EAGAIN : 0;

	if (r == 0)
		r = choose(question, &list->elems[0], position->admin_offset, &next[0]);
	if (r == 0)
		r = choose(question, &list->elems[1], position->issuance_offset, &next[1]);
	if (r == 0)
		r = choose(question, &list->elems[2],
			   position->event_offset ? position->event_offset : NOT_READ_YET,
			   &next[2]);
	rd_kafka_topic_partition_list_destroy(list);
	return r;
}
