#include "pipeline/offsets.h"

#include "base/invariant.h"
#include "base/memory.h"
#include "base/number.h"
#include "pipeline/input_topics.h"
#include "rdkafka/refusal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum { COMMITTED_TIMEOUT_MS = 5000, WATERMARK_TIMEOUT_MS = 5000, BEGINNINGS_TIMEOUT_MS = 5000 };

void offset_metadata(const struct position *position, char out[OFFSET_METADATA_SIZE]) {
	char store_id[UUID_TEXT_SIZE];

	uuid_format(&position->store_id, store_id);
	snprintf(out, OFFSET_METADATA_SIZE, "%s/%" PRId64, store_id, position->sequence);
}

void offsets_add(rd_kafka_topic_partition_list_t *list, const char *topic, int32_t partition,
		 int64_t offset, const struct position *position) {
	rd_kafka_topic_partition_t *element =
	    rd_kafka_topic_partition_list_add(list, topic, partition);
	char metadata[OFFSET_METADATA_SIZE];

	offset_metadata(position, metadata);
	element->offset = offset;
	element->metadata = strdup(metadata); /* the list frees it */
	element->metadata_size = strlen(metadata);
}

static bool is_of_position(const struct committed_offset *committed,
			   const struct position *position) {
	char metadata[OFFSET_METADATA_SIZE];

	offset_metadata(position, metadata);
	return committed->metadata_len == strlen(metadata) &&
	       memcmp(committed->metadata, metadata, committed->metadata_len) == 0;
}

static bool is_of_earlier_position(const struct committed_offset *committed,
				   const struct position *position) {
	char metadata[OFFSET_METADATA_SIZE], store_id[UUID_TEXT_SIZE];
	int64_t sequence;

	if (committed->metadata_len >= sizeof(metadata))
		return false;
	memcpy(metadata, committed->metadata, committed->metadata_len);
	metadata[committed->metadata_len] = '\0';
	uuid_format(&position->store_id, store_id);
	return strncmp(metadata, store_id, UUID_TEXT_SIZE - 1) == 0 &&
	       metadata[UUID_TEXT_SIZE - 1] == '/' &&
	       number_parse(metadata + UUID_TEXT_SIZE, 1, position->sequence - 1, &sequence) == 0;
}

enum offset_choice offset_choose(const struct committed_offset *committed,
				 const struct position *position) {
	bool has_position = position->sequence > 0, is_committed = committed->offset >= 0;

	if (is_committed && committed->metadata_len == 0)
		return OFFSET_SET_BY_HAND;
	if (is_committed && !(has_position && is_of_position(committed, position)))
		return has_position && is_of_earlier_position(committed, position) ? OFFSET_BEHIND
										   : OFFSET_TORN;
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

static void log_behind(const rd_kafka_topic_partition_t *committed, int64_t named) {
	log_warn("committed offset is of an earlier position than the changelog's: Kafka committed "
		 "a transaction without its offsets, and perhaps without some of its events; the "
		 "input goes on where the changelog says",
		 "topic=%s partition=%d offset=%" PRId64 " next=%" PRId64 " metadata=%.*s",
		 committed->topic, committed->partition, committed->offset, named,
		 (int)committed->metadata_size, (const char *)committed->metadata);
}

/* All partitions that are asked about, of all inputs: one list, in that order. */

static const char *topic_of(const struct offsets_question *question, int input) {
	return input_topic_name(question->topics, (enum input)input);
}

static rd_kafka_resp_err_t ask_committed(const struct offsets_question *question,
					 rd_kafka_topic_partition_list_t *list) {
	rd_kafka_resp_err_t err;

	for (size_t i = 0; i < question->count; i++)
		for (int input = 0; input < POSITION_INPUTS; input++)
			rd_kafka_topic_partition_list_add(list, topic_of(question, input),
							  question->partitions[i].partition);
	err = rd_kafka_committed(question->member, list, COMMITTED_TIMEOUT_MS);
	for (int i = 0; i < list->cnt && !err; i++)
		err = list->elems[i].err;
	if (err)
		refusal_log_cause("ask for committed offsets", "group", question->group_id,
				  rd_kafka_err2str(err));
	return err;
}

/* The next offset that the position names. */
static int64_t named_by(const struct position *position, int input) {
	const int64_t named[] = { position->admin_offset, position->issuance_offset,
				  position->event_offset ? position->event_offset
							 : RD_KAFKA_OFFSET_BEGINNING };

	return named[input];
}

/* RD_KAFKA_OFFSET_BEGINNING where the first record is the next. Adds to `behind` what is to be
 * committed anew. */
static int choose(const rd_kafka_topic_partition_t *committed, const struct position *position,
		  int64_t named, int64_t *out, rd_kafka_topic_partition_list_t *behind) {
	struct committed_offset offset = { committed->offset, committed->metadata,
					   committed->metadata_size };

	switch (offset_choose(&offset, position)) {
	case OFFSET_OF_POSITION:
		*out = named;
		return 0;
	case OFFSET_BEHIND:
		log_behind(committed, named);
		offsets_add(behind, committed->topic, committed->partition, named, position);
		*out = named;
		return 0;
	case OFFSET_SET_BY_HAND:
		if (position->sequence == 0 || committed->offset != named)
			log_warn("following an offset that was set by hand",
				 "topic=%s partition=%d offset=%" PRId64, committed->topic,
				 committed->partition, committed->offset);
		*out = committed->offset;
		return 0;
	case OFFSET_FIRST_RECORD:
		*out = RD_KAFKA_OFFSET_BEGINNING;
		return 0;
	case OFFSET_TORN:
		return log_torn(committed);
	}
	impossible("a choice is one of four");
}

/* Nobody waits: the next transaction, or the partition's next owner, does it where this fails. */
static void commit_anew(const struct offsets_question *question,
			const rd_kafka_topic_partition_list_t *behind) {
	rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;

	if (behind->cnt > 0)
		err = rd_kafka_commit(question->member, behind, 1);
	if (err)
		refusal_log_cause("commit offsets", "group", question->group_id,
				  rd_kafka_err2str(err));
}

static void choose_all(const struct offsets_question *question,
		       const rd_kafka_topic_partition_list_t *committed) {
	rd_kafka_topic_partition_list_t *behind = rd_kafka_topic_partition_list_new(0);
	const rd_kafka_topic_partition_t *of = committed->elems;

	for (size_t i = 0; i < question->count; i++, of += POSITION_INPUTS) {
		struct offsets_of *asked = &question->partitions[i];

		asked->result = 0;
		for (int input = 0; input < POSITION_INPUTS && asked->result == 0; input++)
			asked->result =
			    choose(&of[input], asked->position, named_by(asked->position, input),
				   &asked->next[input], behind);
	}
	commit_anew(question, behind);
	rd_kafka_topic_partition_list_destroy(behind);
}

/* Those that begin with their first record; each one's opaque is where that is wanted. */
static rd_kafka_topic_partition_list_t *list_beginnings(const struct offsets_question *question) {
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(0);

	for (size_t i = 0; i < question->count; i++) {
		const struct offsets_of *asked = &question->partitions[i];

		for (int input = 0; input < POSITION_INPUTS && asked->result == 0; input++) {
			rd_kafka_topic_partition_t *element;

			if (asked->next[input] != RD_KAFKA_OFFSET_BEGINNING)
				continue;
			element = rd_kafka_topic_partition_list_add(list, topic_of(question, input),
								    asked->partition);
			element->offset = RD_KAFKA_OFFSET_BEGINNING;
			element->opaque = &asked->next[input];
		}
	}
	return list;
}

/*
 * One request for all: ListOffsets has the beginning as a time. Source: Kafka protocol guide,
 * ListOffsets, EARLIEST_TIMESTAMP.
 */
static int begin_at_first_records(const struct offsets_question *question) {
	rd_kafka_topic_partition_list_t *list = list_beginnings(question);
	rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;

	if (list->cnt > 0)
		err = rd_kafka_offsets_for_times(question->client, list, BEGINNINGS_TIMEOUT_MS);
	for (int i = 0; i < list->cnt && !err; i++) {
		err = list->elems[i].err;
		*(int64_t *)list->elems[i].opaque = list->elems[i].offset;
	}
	if (err)
		refusal_log_cause("ask for offsets", "topic", list->elems[0].topic,
				  rd_kafka_err2str(err));
	rd_kafka_topic_partition_list_destroy(list);
	return err ? -EAGAIN : 0;
}

int offsets_ask(const struct offsets_question *question) {
	rd_kafka_topic_partition_list_t *committed =
	    rd_kafka_topic_partition_list_new((int)question->count * POSITION_INPUTS);
	int r = ask_committed(question, committed) ? -EAGAIN : 0;

	if (r == 0) {
		choose_all(question, committed);
		r = begin_at_first_records(question);
	}
	rd_kafka_topic_partition_list_destroy(committed);
	return r;
}
