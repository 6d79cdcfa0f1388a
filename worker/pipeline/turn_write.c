#include "base/clock.h"
#include "pipeline/turn.h"

#include <inttypes.h>
#include <stdio.h>

static int produce_state(struct pipeline *p, struct partition *partition, const char *key, bool tombstone, int64_t *offset_out) {
	struct transaction_record record = {
		.topic = transaction_state_topic(p->transaction),
		.partition = partition->id,
		.key = key,
		.key_len = strlen(key),
		.value = tombstone ? NULL : p->record.data,
		.value_len = tombstone ? 0 : p->record.len,
		.offset_out = offset_out,
	};

	return transaction_produce(p->transaction, &record);
}

/* One change, to SQLite and to the changelog, as the same bytes. */
static int write_change(struct pipeline *p, struct partition *partition, const struct change *change, int64_t *offset_out) {
	int r;

	buffer_clear(&p->record);
	if (change->record)
		codec_encode_state(p->codec, change->record, &p->record);
	r = replica_apply(p->replica, partition->id, change, change->record ? p->record.data : NULL, change->record ? p->record.len : 0);
	if (r < 0)
		return r;
	return produce_state(p, partition, state_key_format(p->arena, &change->key), !change->record, offset_out);
}

static rd_kafka_headers_t *event_headers(const struct analytic_event *event) {
	rd_kafka_headers_t *headers;

	if (!event->request_id && !event->traceparent)
		return NULL;
	headers = rd_kafka_headers_new(2);
	if (event->request_id)
		rd_kafka_header_add(headers, "requestId", -1, event->request_id, -1);
	if (event->traceparent)
		rd_kafka_header_add(headers, "traceparent", -1, event->traceparent, -1);
	return headers;
}

static int write_event(struct pipeline *p, const struct analytic_event *event) {
	struct transaction_record record;

	buffer_clear(&p->record);
	codec_encode_event(p->codec, event, &p->record);
	record = (struct transaction_record){
		.topic = transaction_results_topic(p->transaction),
		.partition = RD_KAFKA_PARTITION_UA,
		.key = event->tenant_id,
		.key_len = strlen(event->tenant_id),
		.value = p->record.data,
		.value_len = p->record.len,
		.headers = event_headers(event),
	};
	return transaction_produce(p->transaction, &record);
}

static void count_event(struct turn *turn, struct partition *partition, const struct analytic_event *event) {
	enum metric_input input = event->subject == ANALYTIC_OPENID_CREDENTIAL ? METRIC_INPUT_ISSUANCE : METRIC_INPUT_ADMIN;

	switch (event->step) {
	case ANALYTIC_SUCCESS:
	case ANALYTIC_FAIL:
		turn->commands[input][event->repeat			     ? METRIC_COMMAND_REPEAT :
				      event->step == ANALYTIC_SUCCESS ? METRIC_COMMAND_SUCCESS :
								       METRIC_COMMAND_FAIL]++;
		if (event->data.kind == EVENT_DATA_RECOVERED && !event->repeat)
			partition->turn_pending += event->data.recovered;
		break;
	case ANALYTIC_RECEIVE:
		turn->deliveries[METRIC_DELIVERY_RECORDED]++;
		partition->turn_pending++;
		break;
	case ANALYTIC_PROCESS_SUCCESS:
		turn->deliveries[METRIC_DELIVERY_SUCCEEDED]++;
		partition->turn_pending--;
		break;
	case ANALYTIC_PROCESS_FAIL:
		turn->deliveries[METRIC_DELIVERY_DEAD]++;
		partition->turn_pending--;
		break;
	case ANALYTIC_RETRY:
		turn->deliveries[METRIC_DELIVERY_RETRIED]++;
		break;
	case ANALYTIC_STEP_NONE:
		turn->webhooks_disabled++;
		break;
	default:
		break;
	}
}

/* Deliveries, webhooks and keys are told to the dispatch after the commit. */
static void remember(struct pipeline *p, struct turn *turn, struct partition *partition, const struct change *change) {
	if (change->key.kind == STATE_RECEIPT || change->key.kind == STATE_POSITION)
		return;
	turn->changes = arena_grow(p->arena, turn->changes, turn->change_count, &turn->change_capacity, sizeof(*turn->changes));
	turn->changes[turn->change_count++] = (struct committed_change){ partition, change };
}

int turn_write_effects(struct pipeline *p, struct turn *turn, struct partition *partition, const struct effects *effects) {
	int r = 0;

	/* Written for a partition that is not ours, it would tear its history. */
	if (partition->state != PARTITION_ACTIVE)
		abort();
	partition->turn_touched = true;
	for (size_t i = 0; i < effects->change_count && r == 0; i++) {
		r = write_change(p, partition, &effects->changes[i], NULL);
		remember(p, turn, partition, &effects->changes[i]);
		partition->turn_records++;
	}
	for (size_t i = 0; i < effects->event_count && r == 0; i++) {
		r = write_event(p, &effects->events[i]);
		count_event(turn, partition, &effects->events[i]);
	}
	return r;
}

static int write_position(struct pipeline *p, struct partition *partition) {
	struct state_record record = { .kind = STATE_POSITION, .position = partition->position };
	struct position *position = &record.position;
	struct change change = { .key.kind = STATE_POSITION, .record = &record };

	if (position->sequence == 0)
		position->store_id = uuid_random();
	position->sequence++;
	position->generation = p->generation;
	position->member_id = p->config->worker_id;
	position->admin_offset = partition->turn_next[INPUT_ADMIN];
	position->issuance_offset = partition->turn_next[INPUT_ISSUANCE];
	position->record_count = partition->turn_records;
	position->timestamp_ms = clock_wall_ms();
	partition->turn_position = *position;
	return write_change(p, partition, &change, &partition->turn_position_offset);
}

int turn_write_positions(struct pipeline *p) {
	int r = 0;

	for (int32_t i = 0; i < p->partition_count && r == 0; i++)
		if (p->partitions[i].turn_touched)
			r = write_position(p, &p->partitions[i]);
	return r;
}

static void add_number(rd_kafka_headers_t *headers, const char *name, int64_t value) {
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	rd_kafka_header_add(headers, name, -1, text, -1);
}

int turn_write_dead_letter(struct pipeline *p, const rd_kafka_message_t *message, const char *reason) {
	rd_kafka_timestamp_type_t timestamp_type;
	rd_kafka_headers_t *original, *headers;
	struct transaction_record record = {
		.topic = transaction_dead_letters_topic(p->transaction),
		.partition = RD_KAFKA_PARTITION_UA,
		.key = message->key,
		.key_len = message->key_len,
		.value = message->payload,
		.value_len = MIN(message->len, p->dead_letter_max),
	};

	headers = rd_kafka_message_headers(message, &original) ? rd_kafka_headers_new(6) : rd_kafka_headers_copy(original);
	rd_kafka_header_add(headers, "posthorn.error.reason", -1, reason, -1);
	rd_kafka_header_add(headers, "posthorn.error.topic", -1, rd_kafka_topic_name(message->rkt), -1);
	add_number(headers, "posthorn.error.partition", message->partition);
	add_number(headers, "posthorn.error.offset", message->offset);
	add_number(headers, "posthorn.error.timestamp", rd_kafka_message_timestamp(message, &timestamp_type));
	if (record.value_len < message->len)
		add_number(headers, "posthorn.error.truncated", (int64_t)message->len);
	record.headers = headers;
	log_warn("dead letter", "topic=%s partition=%d offset=%" PRId64 " reason=%s", rd_kafka_topic_name(message->rkt),
		 message->partition, message->offset, log_quote(reason));
	return transaction_produce(p->transaction, &record);
}

void turn_offset_metadata(const struct position *position, char out[64]) {
	char store_id[UUID_TEXT_SIZE];

	uuid_format(&position->store_id, store_id);
	snprintf(out, 64, "%s/%" PRId64, store_id, position->sequence);
}

static void add_offset(rd_kafka_topic_partition_list_t *list, const char *topic, const struct partition *partition, enum input input) {
	rd_kafka_topic_partition_t *offset = rd_kafka_topic_partition_list_add(list, topic, partition->id);
	char metadata[64];

	turn_offset_metadata(&partition->turn_position, metadata);
	offset->offset = partition->turn_next[input];
	offset->metadata = strdup(metadata); /* the list frees it */
	offset->metadata_size = strlen(metadata);
}

rd_kafka_topic_partition_list_t *turn_offsets(const struct pipeline *p) {
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(p->partition_count * POSITION_INPUTS);

	for (int32_t i = 0; i < p->partition_count; i++) {
		if (!p->partitions[i].turn_touched)
			continue;
		add_offset(list, p->topics.admin, &p->partitions[i], INPUT_ADMIN);
		add_offset(list, p->topics.issuance, &p->partitions[i], INPUT_ISSUANCE);
	}
	return list;
}
