#include "base/clock.h"
#include "changelog/state_file.h"
#include "changelog/state_read.h"
#include "command/state_move.h"
#include "kafka/group.h"
#include "kafka/producer.h"
#include "kafka/record_codec.h"
#include "rdkafka/topic_names.h"
#include "terminal/interrupt.h"
#include "terminal/progress.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	RECORD_MAX = 16 * 1024 * 1024,
	TRANSACTION_RECORDS = 50 * 1000,
	TRANSACTION_BYTES = 64 * 1024 * 1024,
};

/* The writer of the positions with which an import ends, and the end of its transactional.id. */
static const char member_id[] = "state-import";

struct import {
	const struct invocation *invocation;
	const char *path;
	struct codec *codec;
	struct arena *arena;
	struct state_fold *present; /* of the changelog before */
	struct producer *producer;
	struct progress progress;
	uint64_t present_count; /* records there, without positions */
	uint64_t total, matching, seen, sent;
	size_t open_records, open_bytes; /* of the transaction */
	bool has_ended;                  /* before: its positions are there */
};

/* What is there already. */

static int judge_present(void *userdata, const char *key, int32_t partition, const void *value,
			 size_t len) {
	struct import *import = userdata;
	struct state_record record;
	const char *why = NULL;

	arena_reset(import->arena);
	if (codec_decode_state(import->codec, import->arena, value, len, &record, &why)) {
		terminal_complain("%s in partition %d cannot be read: %s", key, partition, why);
		return ADMIN_REFUSED;
	}
	if (record.kind != STATE_POSITION) {
		import->present_count++;
		return ADMIN_OK;
	}
	import->has_ended = true;
	if (!strcmp(record.position.member_id, member_id) && record.position.sequence == 1)
		return ADMIN_OK;
	terminal_complain("partition %d has been served by worker %s: state is imported into new "
			  "topics alone",
			  partition, record.position.member_id);
	return ADMIN_REFUSED;
}

static struct state_fold_key place_of(const struct import *import,
				      const struct state_file_record *record) {
	return (struct state_fold_key){ .partition = producer_partition_of(import->producer,
									   record->tenant_id),
					.bytes = record->key,
					.len = strlen(record->key) };
}

static bool is_present(const struct import *import, const struct state_file_record *record) {
	struct state_fold_key key = place_of(import, record);
	size_t len;
	const void *value = state_fold_find(import->present, &key, &len);

	return value && len == record->len && !memcmp(value, record->value, len);
}

/* What came behind a position would make its partition torn (R8). */
static enum admin_status count_present(void *userdata, const struct state_file_record *record) {
	struct import *import = userdata;

	if (is_present(import, record)) {
		import->matching++;
		return ADMIN_OK;
	}
	if (!import->has_ended)
		return ADMIN_OK;
	terminal_complain("an import has ended here, and had no such %s: state is imported into "
			  "new topics alone",
			  record->key);
	return ADMIN_REFUSED;
}

/* An import that was interrupted goes on; nothing else may be there. */
static enum admin_status look(struct import *import) {
	const struct state_read_options options = { .timeout_ms = import->invocation->timeout_ms };
	uint64_t records;
	enum admin_status status =
	    state_read(import->invocation->config, &options, import->present);

	if (!status)
		status = (enum admin_status)state_fold_walk(import->present, judge_present, import);
	if (!status && (import->present_count || import->has_ended))
		status =
		    state_file_walk(import->path, import->codec, count_present, import, &records);
	if (status || import->matching == import->present_count)
		return status;
	terminal_complain("webhook-state holds %" PRIu64 " records that are not of this file: "
			  "state is imported into new topics alone",
			  import->present_count - import->matching);
	return ADMIN_REFUSED;
}

/* Transactions. */

static enum admin_status put(struct import *import, const struct produced_record *record) {
	import->open_records++;
	import->open_bytes += record->key_len + record->len;
	return producer_send(import->producer, record);
}

static enum admin_status begin(struct import *import) {
	import->open_records = import->open_bytes = 0;
	return producer_begin(import->producer);
}

/* All of a transaction must be at the brokers before its time is over. */
static enum admin_status commit_if_full(struct import *import) {
	enum admin_status status;

	if (import->open_records < TRANSACTION_RECORDS && import->open_bytes < TRANSACTION_BYTES)
		return ADMIN_OK;
	status = producer_commit(import->producer);
	return status ? status : begin(import);
}

/* Puts a record into every partition, also into one that has no other; all of them, or none. */
static enum admin_status put_everywhere(struct import *import,
					enum admin_status (*put_record)(struct import *import,
									int32_t partition)) {
	int32_t count = producer_partition_count(import->producer);
	enum admin_status status = begin(import);

	for (int32_t i = 0; i < count && !status; i++)
		status = put_record(import, i);
	return status ? status : producer_commit(import->producer);
}

/* Marks. */

/* Says of no delivery that it is gone. */
static enum admin_status put_mark(struct import *import, int32_t partition) {
	const struct state_key key = { .kind = STATE_DELIVERY };
	struct produced_record mark = { .has_partition = true, .partition = partition };

	arena_reset(import->arena);
	mark.key = state_key_format(import->arena, &key);
	mark.key_len = strlen(mark.key);
	return put(import, &mark);
}

/*
 * First, of every partition: until its position comes it is torn (R8), and a worker that starts
 * meanwhile serves nobody without their webhooks.
 */
static enum admin_status send_marks(struct import *import) {
	return put_everywhere(import, put_mark);
}

/* Records. */

static enum admin_status send_record(void *userdata, const struct state_file_record *record) {
	struct import *import = userdata;
	struct state_fold_key key = place_of(import, record);
	const struct produced_record produced = { .key = record->key,
						  .key_len = key.len,
						  .value = record->value,
						  .len = record->len,
						  .has_partition = true,
						  .partition = key.partition };
	enum admin_status status;

	if (interrupt_came())
		return ADMIN_INTERRUPTED;
	import->seen++;
	progress_update(&import->progress, (int64_t)import->seen, import->seen);
	if (is_present(import, record))
		return ADMIN_OK;
	import->sent++;
	status = put(import, &produced);
	return status ? status : commit_if_full(import);
}

static enum admin_status send_records(struct import *import) {
	enum admin_status status = begin(import);
	uint64_t records;

	progress_start(&import->progress, (int64_t)import->total);
	if (!status)
		status =
		    state_file_walk(import->path, import->codec, send_record, import, &records);
	if (!status)
		status = producer_commit(import->producer);
	progress_finish(&import->progress, (int64_t)import->seen, import->seen);
	return status;
}

/* Positions. */

/* The first offset of an input's partition. */
static enum admin_status ask_first(struct import *import, enum topic topic, int32_t partition,
				   int64_t *out) {
	_cleanup_(x_freep) char *name = topic_name(import->invocation->config->topic_prefix, topic);
	int64_t end;

	return producer_ask_bounds(import->producer, name, partition, out, &end);
}

/*
 * The position that a worker goes on from: the first of its changelog, of a transaction without
 * other records, and at the first commands of its inputs (R8). Its offset of webhook-events is 0: a
 * worker begins with the first record there is.
 */
static enum admin_status make_position(struct import *import, int32_t partition,
				       struct position *out) {
	enum admin_status status;

	*out = (struct position){ .store_id = uuid_random(),
				  .sequence = 1,
				  .member_id = member_id,
				  .timestamp_ms = clock_wall_ms() };
	status = ask_first(import, TOPIC_ADMIN, partition, &out->admin_offset);
	if (!status)
		status = ask_first(import, TOPIC_ISSUANCE, partition, &out->issuance_offset);
	return status;
}

static enum admin_status put_position(struct import *import, int32_t partition) {
	_cleanup_(buffer_destroy) struct buffer value = BUFFER_INIT(RECORD_MAX);
	struct state_record record = { .kind = STATE_POSITION };
	struct state_key key = { .kind = STATE_POSITION };
	enum admin_status status = make_position(import, partition, &record.position);
	struct produced_record produced = { .has_partition = true, .partition = partition };

	if (status)
		return status;
	arena_reset(import->arena);
	codec_encode_state(import->codec, &record, &value);
	produced.key = state_key_format(import->arena, &key);
	produced.key_len = strlen(produced.key);
	produced.value = value.data;
	produced.len = value.len;
	return put(import, &produced);
}

/* Last, of every partition: all of them are served from then on, or none. */
static enum admin_status send_positions(struct import *import) {
	return put_everywhere(import, put_position);
}

/* All. */

/* An import that is still under way elsewhere ends with that. */
static enum admin_status open_producer(struct import *import) {
	const struct config *config = import->invocation->config;
	_cleanup_(x_freep) char *topic = topic_name(config->topic_prefix, TOPIC_STATE);
	_cleanup_(x_freep) char *id = x_asprintf("%s-%s", config->group_id, member_id);
	const struct producer_options options = { .topic = topic,
						  .timeout_ms = import->invocation->timeout_ms,
						  .transactional_id = id };

	return producer_open(config, &options, &import->producer);
}

/* Before anything is written, and before the positions: it may take long in between. */
static enum admin_status check_nobody_works(const struct import *import) {
	return group_check_is_empty(import->invocation->config, import->invocation->timeout_ms);
}

static enum admin_status send_all(struct import *import) {
	enum admin_status status = send_marks(import);

	if (!status)
		status = send_records(import);
	if (!status)
		status = check_nobody_works(import);
	return status ? status : send_positions(import);
}

static enum admin_status run(struct import *import) {
	enum admin_status status =
	    state_file_walk(import->path, import->codec, NULL, NULL, &import->total);

	if (!status)
		status = check_nobody_works(import);
	if (!status)
		status = open_producer(import);
	if (!status)
		status = look(import);
	interrupt_catch();
	return status || import->has_ended ? status : send_all(import);
}

static enum admin_status check_usage(const struct invocation *invocation) {
	if (!invocation->tenant)
		return ADMIN_OK;
	terminal_complain("state import writes all of its file: --tenant is for state export");
	return ADMIN_USAGE;
}

enum admin_status state_import(const struct invocation *invocation) {
	_cleanup_(codec_freep) struct codec *codec = record_codec_new(invocation->config);
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(state_fold_freep) struct state_fold *present = state_fold_new();
	struct import import = { .invocation = invocation,
				 .path = invocation->arguments->operands[0],
				 .codec = codec,
				 .arena = arena,
				 .present = present };
	enum admin_status status = codec ? check_usage(invocation) : ADMIN_USAGE;

	if (!status)
		status = run(&import);
	producer_closep(&import.producer);
	if (!status)
		printf(invocation->json ? "{\"records\":%" PRIu64 ",\"sent\":%" PRIu64 "}\n"
					: "%" PRIu64 " records, %" PRIu64 " of them sent now\n",
		       import.total, import.sent);
	return status;
}
