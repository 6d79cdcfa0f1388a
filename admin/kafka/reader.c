#include "kafka/reader.h"

#include "base/clock.h"
#include "kafka/reader_places.h"
#include "terminal/progress.h"

#include <unistd.h>

static const struct kafka_setting resumed_settings[] = { { "auto.offset.reset", "error" }, { 0 } };

enum admin_status reader_open(const struct config *config, const struct reader_options *options,
			      struct reader **out) {
	_cleanup_(reader_closep) struct reader *reader = x_calloc(1, sizeof(*reader));
	const struct kafka_handle_options handle_options = {
		.kind = CLIENT_READER,
		.settings = options->start == READER_RESUMED ? resumed_settings : NULL,
	};
	enum admin_status status = kafka_handle_open(&reader->handle, config, &handle_options);

	if (status)
		return status;
	reader->topic = x_strdup(options->topic);
	reader->group = x_strdup(config->group_id);
	reader->prints = options->prints;
	status = reader_assign(reader, options);
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
	if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
		atomic_store(&reader->has_lost_its_place, true);
	reader->status = reader_complain(reader, message->err);
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

bool reader_has_lost_its_place(const struct reader *reader) {
	return atomic_load(&reader->has_lost_its_place);
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

enum admin_status reader_extend(struct reader *reader, int64_t timeout_ms) {
	return reader_assign_further(reader, timeout_ms);
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
