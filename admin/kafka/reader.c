#include "kafka/reader.h"

#include "base/clock.h"
#include "kafka/handle.h"
#include "terminal/progress.h"

#include <poll.h>
#include <unistd.h>

enum { ASK_AGAIN_MS = 50 };

struct place {
	int64_t next; /* the offset to read next */
	int64_t end; /* the first offset past the end; with read_committed the last stable offset */
	bool reached;
};

struct reader {
	struct kafka_handle handle;
	char *topic, *group;
	int32_t partition_count;
	struct place *places; /* [partition_count] */
	int32_t unreached;
	int64_t total, done; /* offsets up to the ends, including those of transaction markers and
				of compacted records */
	uint64_t returned;   /* records */
	bool prints;
	rd_kafka_message_t *message; /* the last record borrows from it */
	enum admin_status status;
};

/* A reader belongs to no group, and asks for the coordinator of one all the same. */
static enum admin_status complain(const struct reader *reader, rd_kafka_resp_err_t error) {
	return error == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED
		   ? kafka_complain_of(&reader->handle, "Describe", "group", reader->group, error)
		   : kafka_complain_of(&reader->handle, "Read", "topic", reader->topic, error);
}

static enum admin_status find_partitions(struct reader *reader, int timeout_ms) {
	rd_kafka_topic_t *topic = rd_kafka_topic_new(reader->handle.rk, reader->topic, NULL);
	const struct rd_kafka_metadata *metadata = NULL;
	rd_kafka_resp_err_t error =
	    rd_kafka_metadata(reader->handle.rk, 0, topic, &metadata, timeout_ms);

	rd_kafka_topic_destroy(topic);
	rd_kafka_poll(reader->handle.rk, 0); /* runs on_error, which keeps the reason */
	if (!error) {
		error = metadata->topics[0].err;
		reader->partition_count = metadata->topics[0].partition_cnt;
		rd_kafka_metadata_destroy(metadata);
	}
	if (!error && reader->partition_count == 0)
		error = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
	return error ? complain(reader, error) : ADMIN_OK;
}

/* The partitions to read: the key's, or all. The key's follows from the default partitioner of
 * Kafka's Java client, which all keyed producers must use. */
static rd_kafka_topic_partition_list_t *partitions_new(const struct reader *reader,
						       const char *key) {
	rd_kafka_topic_partition_list_t *list =
	    rd_kafka_topic_partition_list_new(reader->partition_count);
	int32_t only = key ? rd_kafka_msg_partitioner_murmur2(NULL, key, strlen(key),
							      reader->partition_count, NULL, NULL)
			   : -1;

	for (int32_t i = 0; i < reader->partition_count; i++) {
		if (only < 0 || only == i)
			rd_kafka_topic_partition_list_add(list, reader->topic, i);
	}
	return list;
}

/* Whether to ask again: the partition was just created, or its leader has just moved. */
static bool is_transient(rd_kafka_resp_err_t error) {
	return error == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
	       error == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
	       error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

/* ListOffsets, for all partitions at once. It takes a time, -1 for the end, or -2 for the
 * beginning. It answers -1 for a time after the last record. Source: Kafka protocol guide,
 * ListOffsets. */
static rd_kafka_resp_err_t ask_offsets(struct reader *reader, rd_kafka_topic_partition_list_t *list,
				       int64_t time, int timeout_ms) {
	rd_kafka_resp_err_t error;

	for (int i = 0; i < list->cnt; i++)
		list->elems[i].offset = time;
	error = rd_kafka_offsets_for_times(reader->handle.rk, list, timeout_ms);
	for (int i = 0; !error && i < list->cnt; i++)
		error = list->elems[i].err;
	return error;
}

static enum admin_status find_offsets(struct reader *reader, rd_kafka_topic_partition_list_t *list,
				      int64_t time, int timeout_ms) {
	int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
	rd_kafka_resp_err_t error = ask_offsets(reader, list, time, timeout_ms);

	while (is_transient(error) && clock_monotonic_ms() < deadline_ms) {
		poll(NULL, 0, ASK_AGAIN_MS);
		error = ask_offsets(reader, list, time, timeout_ms);
	}
	return error ? complain(reader, error) : ADMIN_OK;
}

/* Asks for the ends first. Records that are produced afterwards lie past them, and are not missed
 * where the start is an end. */
static enum admin_status find_places(struct reader *reader, const struct reader_options *options,
				     rd_kafka_topic_partition_list_t *list) {
	int64_t time = options->start == READER_FROM_TIME ? MAX(options->since_ms, (int64_t)0)
							  : RD_KAFKA_OFFSET_BEGINNING;
	enum admin_status status =
	    find_offsets(reader, list, RD_KAFKA_OFFSET_END, (int)options->timeout_ms);

	if (status)
		return status;
	reader->places = x_calloc((size_t)reader->partition_count, sizeof(*reader->places));
	for (int i = 0; i < list->cnt; i++)
		reader->places[list->elems[i].partition].end =
		    MAX(list->elems[i].offset, (int64_t)0);
	if (options->start != READER_FROM_END)
		status = find_offsets(reader, list, time, (int)options->timeout_ms);
	for (int i = 0; !status && i < list->cnt; i++) {
		struct place *place = &reader->places[list->elems[i].partition];
		int64_t found = list->elems[i].offset;

		place->next = options->start == READER_FROM_END || found < 0 ? place->end : found;
		if (options->start == READER_RESUMED)
			place->next =
			    options->resume(options->resume_userdata, list->elems[i].partition,
					    place->next, place->end);
		place->reached = place->next >= place->end;
		reader->unreached += !place->reached;
		reader->total += MAX(place->end - place->next, (int64_t)0);
	}
	return status;
}

/* Assigns numeric offsets. A logical end would be resolved later, and a record produced until then
 * would be missed. */
static enum admin_status assign(struct reader *reader, const struct reader_options *options) {
	rd_kafka_topic_partition_list_t *list = partitions_new(reader, options->key);
	enum admin_status status = find_places(reader, options, list);
	rd_kafka_resp_err_t error;

	for (int i = 0; !status && i < list->cnt; i++)
		list->elems[i].offset = reader->places[list->elems[i].partition].next;
	if (!status) {
		error = rd_kafka_assign(reader->handle.rk, list);
		status = error ? complain(reader, error) : ADMIN_OK;
	}
	rd_kafka_topic_partition_list_destroy(list);
	return status;
}

enum admin_status reader_open(const struct config *config, const struct reader_options *options,
			      struct reader **out) {
	_cleanup_(reader_closep) struct reader *reader = x_calloc(1, sizeof(*reader));
	const struct kafka_handle_options handle_options = { .kind = CLIENT_READER };
	enum admin_status status = kafka_handle_open(&reader->handle, config, &handle_options);

	if (status)
		return status;
	reader->topic = x_strdup(options->topic);
	reader->group = x_strdup(config->group_id);
	reader->prints = options->prints;
	status = find_partitions(reader, (int)options->timeout_ms);
	if (!status) {
		rd_kafka_poll_set_consumer(reader->handle.rk);
		status = assign(reader, options);
	}
	if (!status)
		*out = TAKE(reader);
	return status;
}

void reader_close(struct reader *reader) {
	if (reader->message)
		rd_kafka_message_destroy(reader->message);
	kafka_handle_close(&reader->handle);
	free(reader->places);
	free(reader->topic);
	free(reader->group);
	free(reader);
}

/* Notes that everything before `offset` has been read, or does not exist. */
static void advance(struct reader *reader, int32_t partition, int64_t offset) {
	struct place *place = &reader->places[partition];

	reader->done += MAX(MIN(offset, place->end) - place->next, (int64_t)0);
	place->next = offset;
	if (offset < place->end || place->reached)
		return;
	place->reached = true;
	reader->unreached--;
}

static enum reader_event take_error(struct reader *reader, const rd_kafka_message_t *message) {
	if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
		advance(reader, message->partition,
			MAX(message->offset, reader->places[message->partition].end));
		return READER_NOTHING;
	}
	reader->status = complain(reader, message->err);
	return READER_FAILED;
}

static enum reader_event take_record(struct reader *reader, const rd_kafka_message_t *message,
				     struct record *out) {
	rd_kafka_timestamp_type_t timestamp_type;

	advance(reader, message->partition, message->offset + 1);
	*out =
	    (struct record){ .key = message->key,
			     .key_len = message->key_len,
			     .value = message->payload,
			     .len = message->len,
			     .partition = message->partition,
			     .offset = message->offset,
			     .timestamp_ms = rd_kafka_message_timestamp(message, &timestamp_type),
			     .message = reader->message };
	return READER_RECORD;
}

bool record_header_at(const struct record *record, size_t index, struct record_header *out) {
	rd_kafka_headers_t *headers;

	return !rd_kafka_message_headers(record->message, &headers) &&
	       !rd_kafka_header_get_all(headers, index, &out->name, &out->value, &out->len);
}

bool record_header_get(const struct record *record, const char *name, struct record_header *out) {
	rd_kafka_headers_t *headers;

	out->name = name;
	return !rd_kafka_message_headers(record->message, &headers) &&
	       !rd_kafka_header_get_last(headers, name, &out->value, &out->len);
}

enum reader_event reader_next(struct reader *reader, int wait_ms, struct record *out) {
	if (reader->message)
		rd_kafka_message_destroy(reader->message);
	reader->message = rd_kafka_consumer_poll(reader->handle.rk, wait_ms);
	if (!reader->message)
		return READER_NOTHING;
	return reader->message->err ? take_error(reader, reader->message)
				    : take_record(reader, reader->message, out);
}

bool reader_login_is_refused(struct reader *reader) {
	return kafka_login_is_refused(&reader->handle);
}

bool reader_is_unanswered(const struct reader *reader) {
	return kafka_is_silent(&reader->handle);
}

bool reader_is_at_end(const struct reader *reader) {
	return reader->unreached == 0;
}

enum reader_event reader_next_until_end(struct reader *reader, int wait_ms, struct record *out) {
	int64_t deadline_ms = clock_monotonic_ms() + wait_ms;

	while (reader->unreached) {
		int64_t left_ms = MAX(deadline_ms - clock_monotonic_ms(), (int64_t)0);
		enum reader_event event = reader_next(reader, (int)left_ms, out);

		if (event == READER_FAILED || (event == READER_NOTHING && !left_ms))
			return event;
		if (event == READER_RECORD && out->offset < reader->places[out->partition].end)
			return event;
	}
	return READER_END;
}

enum admin_status reader_status(const struct reader *reader) {
	return reader->status;
}

enum admin_status reader_complain_timeout(const struct reader *reader, const char *what,
					  int64_t timeout_ms) {
	return kafka_complain_timeout(&reader->handle, what, timeout_ms);
}

static enum admin_status walk(struct reader *reader, int64_t timeout_ms, reader_fn fn,
			      void *userdata, struct progress *progress) {
	enum admin_status status = ADMIN_OK;
	struct record record;

	while (!status) {
		switch (reader_next_until_end(reader, (int)timeout_ms, &record)) {
		case READER_END:
			return ADMIN_OK;
		case READER_RECORD:
			status = fn(userdata, &record);
			progress_update(progress, reader->done, ++reader->returned);
			break;
		case READER_NOTHING:
			return reader_complain_timeout(reader, reader->topic, timeout_ms);
		case READER_FAILED:
			return reader_status(reader);
		}
	}
	return status;
}

enum admin_status reader_walk(struct reader *reader, int64_t timeout_ms, reader_fn fn,
			      void *userdata) {
	enum admin_status status;
	struct progress progress;

	progress_start(&progress, reader->total);
	if (reader->prints && isatty(STDOUT_FILENO) == 1)
		progress.shown = false;
	status = walk(reader, timeout_ms, fn, userdata, &progress);
	progress_finish(&progress, reader->done, reader->returned);
	return status;
}
