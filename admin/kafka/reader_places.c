#include "kafka/reader_places.h"

#include "base/clock.h"

#include <poll.h>

enum { ASK_AGAIN_MS = 50 };

enum admin_status reader_complain(const struct reader *reader, rd_kafka_resp_err_t error) {
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
	return error ? reader_complain(reader, error) : ADMIN_OK;
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
	return error ? reader_complain(reader, error) : ADMIN_OK;
}

/* Lets the caller choose where the partitions are read from, each of which has its begin as the
 * place. */
static enum admin_status resume(struct reader *reader, const struct reader_options *options,
				const rd_kafka_topic_partition_list_t *list) {
	char *cluster_id = rd_kafka_clusterid(reader->handle.rk, (int)options->timeout_ms);
	enum admin_status status =
	    cluster_id ? ADMIN_OK : reader_complain(reader, RD_KAFKA_RESP_ERR__TIMED_OUT);

	for (int i = 0; !status && i < list->cnt; i++) {
		struct place *place = &reader->places[list->elems[i].partition];

		place->next =
		    options->resume(options->resume_userdata,
				    &(struct reader_extent){ cluster_id, list->elems[i].partition,
							     place->next, place->end });
		if (place->next < 0)
			status = ADMIN_NO_OUTCOME;
	}
	if (cluster_id)
		rd_kafka_mem_free(reader->handle.rk, cluster_id);
	return status;
}

static void count_places(struct reader *reader, const rd_kafka_topic_partition_list_t *list) {
	for (int i = 0; i < list->cnt; i++) {
		struct place *place = &reader->places[list->elems[i].partition];

		place->reached = place->next >= place->end;
		reader->unreached += !place->reached;
		reader->total += MAX(place->end - place->next, (int64_t)0);
	}
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
	}
	if (!status && options->start == READER_RESUMED)
		status = resume(reader, options, list);
	if (!status)
		count_places(reader, list);
	return status;
}

/* Assigns numeric offsets. A logical end would be resolved later, and a record produced until then
 * would be missed. */
static enum admin_status assign_places(struct reader *reader,
				       rd_kafka_topic_partition_list_t *list) {
	rd_kafka_resp_err_t error;

	for (int i = 0; i < list->cnt; i++)
		list->elems[i].offset = reader->places[list->elems[i].partition].next;
	error = rd_kafka_assign(reader->handle.rk, list);
	return error ? reader_complain(reader, error) : ADMIN_OK;
}

static enum admin_status assign(struct reader *reader, const struct reader_options *options) {
	rd_kafka_topic_partition_list_t *list = partitions_new(reader, options->key);
	enum admin_status status = find_places(reader, options, list);

	if (!status)
		status = assign_places(reader, list);
	rd_kafka_topic_partition_list_destroy(list);
	return status;
}

/* From the ends of before: those that were passed over meanwhile are read again. */
static void extend_places(struct reader *reader, const rd_kafka_topic_partition_list_t *list) {
	for (int i = 0; i < list->cnt; i++) {
		struct place *place = &reader->places[list->elems[i].partition];

		place->next = place->end;
		place->end = MAX(place->end, list->elems[i].offset);
	}
	count_places(reader, list);
}

enum admin_status reader_assign_further(struct reader *reader, int64_t timeout_ms) {
	rd_kafka_topic_partition_list_t *list = NULL;
	rd_kafka_resp_err_t error = rd_kafka_assignment(reader->handle.rk, &list);
	enum admin_status status;

	if (error)
		return reader_complain(reader, error);
	status = find_offsets(reader, list, RD_KAFKA_OFFSET_END, (int)timeout_ms);
	if (!status) {
		extend_places(reader, list);
		status = assign_places(reader, list);
	}
	rd_kafka_topic_partition_list_destroy(list);
	return status;
}

enum admin_status reader_assign(struct reader *reader, const struct reader_options *options) {
	enum admin_status status = find_partitions(reader, (int)options->timeout_ms);

	if (status)
		return status;
	rd_kafka_poll_set_consumer(reader->handle.rk);
	return assign(reader, options);
}
