#include "base/clock.h"
#include "pipeline/turn.h"

#include <inttypes.h>
#include <stdio.h>

static int produce_state(struct pipeline *p, struct partition *partition, const char *key,
			 bool tombstone, int64_t *offset_out) {
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
static int write_change(struct pipeline *p, struct partition *partition,
			const struct change *change, int64_t *offset_out) {
	int r;

	buffer_clear(&p->record);
	if (change->record)
		codec_encode_state(p->codec, change->record, &p->record);
	r = replica_apply(p->replica, partition->id, change, change->record ? p->record.data : NULL,
			  change->record ? p->record.len : 0);
	if (r < 0)
		return r;
	return produce_state(p, partition, state_key_format(p->scratch, &change->key),
			     !change->record, offset_out);
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

static void count_event(struct turn *turn, struct partition *partition,
			const struct analytic_event *event) {
	enum metric_input input = event->subject == ANALYTIC_OPENID_CREDENTIAL
				      ? METRIC_INPUT_ISSUANCE
				      : METRIC_INPUT_ADMIN;

	switch (event->step) {
	case ANALYTIC_SUCCESS:
	case ANALYTIC_FAIL:
		turn->command_counts[input][event->repeat ? METRIC_COMMAND_REPEAT
					    : event->step == ANALYTIC_SUCCESS
						? METRIC_COMMAND_SUCCESS
						: METRIC_COMMAND_FAIL]++;
		if (event->data.kind == EVENT_DATA_RECOVERED && !event->repeat)
			partition->turn_pending += event->data.recovered;
		break;
	case ANALYTIC_RECEIVE:
		turn->delivery_counts[METRIC_DELIVERY_RECORDED]++;
		partition->turn_pending++;
		break;
	case ANALYTIC_PROCESS_SUCCESS:
		turn->delivery_counts[METRIC_DELIVERY_SUCCEEDED]++;
		partition->turn_pending--;
		break;
	case ANALYTIC_PROCESS_FAIL:
		turn->delivery_counts[METRIC_DELIVERY_DEAD]++;
		partition->turn_pending--;
		break;
	case ANALYTIC_RETRY:
		turn->delivery_counts[METRIC_DELIVERY_RETRIED]++;
		break;
	case ANALYTIC_STEP_NONE:
		turn->webhooks_disabled++;
		break;
	default:
		break;
	}
}

/* In one piece; without its texts and its body where there is no room for them, so that it is
 * looked up when its turn comes. */
static void remember_delivery(struct pipeline *p, struct turn *turn,
			      const struct partition *partition, const struct delivery *delivery) {
	bool is_whole = delivery->next_attempt_at_ms <= clock_wall_ms() &&
			turn->kept_bytes + delivery->body_len <= TURN_KEPT_MAX;
	struct committed_delivery *kept;

	turn->deliveries = arena_grow(p->arena, turn->deliveries, turn->delivery_count,
				      &turn->delivery_capacity, sizeof(*turn->deliveries));
	kept = &turn->deliveries[turn->delivery_count++];
	*kept = (struct committed_delivery){ .partition = partition, .is_whole = is_whole };
	kept->delivery =
	    is_whole ? delivery_copy(p->arena, delivery) : delivery_without_texts(delivery);
	turn->kept_bytes += is_whole ? delivery->body_len : 0;
}

static void remember_webhook(struct pipeline *p, struct turn *turn, const struct change *change) {
	struct webhook *copy = NULL;

	if (change->record) {
		copy = arena_memdup(p->arena, &change->record->webhook, sizeof(*copy));
		copy->tenant_id = arena_strdup(p->arena, copy->tenant_id);
		copy->url = arena_strdup(p->arena, copy->url);
	}
	turn->webhooks = arena_grow(p->arena, turn->webhooks, turn->webhook_count,
				    &turn->webhook_capacity, sizeof(*turn->webhooks));
	turn->webhooks[turn->webhook_count++] = (struct committed_webhook){ change->key.id, copy };
}

static void remember_key(struct pipeline *p, struct turn *turn, const char *tenant_id) {
	if (turn->key_tenant_count > 0 &&
	    strcmp(turn->key_tenants[turn->key_tenant_count - 1], tenant_id) == 0)
		return;
	turn->key_tenants = arena_grow(p->arena, turn->key_tenants, turn->key_tenant_count,
				       &turn->key_tenant_capacity, sizeof(*turn->key_tenants));
	turn->key_tenants[turn->key_tenant_count++] = arena_strdup(p->arena, tenant_id);
}

/* Handed to the dispatcher after the commit. */
static void remember(struct pipeline *p, struct turn *turn, const struct partition *partition,
		     const struct change *change) {
	switch (change->key.kind) {
	case STATE_DELIVERY:
		if (change->record && change->record->delivery.status == DELIVERY_PENDING)
			remember_delivery(p, turn, partition, &change->record->delivery);
		return;
	case STATE_WEBHOOK:
		remember_webhook(p, turn, change);
		return;
	case STATE_SIGNING_KEY:
		remember_key(p, turn, change->key.tenant_id);
		return;
	case STATE_RECEIPT:
	case STATE_POSITION:
		return;
	case STATE_KIND_COUNT:
		break;
	}
	abort();
}

int turn_write_effects(struct pipeline *p, struct turn *turn, struct partition *partition,
		       const struct effects *effects) {
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
		tenant_pending_note(p->tenant_pending, partition->id, &effects->events[i]);
	}
	turn->refused_by_limit[effects->reached]++;
	arena_reset(p->scratch);
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

void turn_offset_metadata(const struct position *position, char out[64]) {
	char store_id[UUID_TEXT_SIZE];

	uuid_format(&position->store_id, store_id);
	snprintf(out, 64, "%s/%" PRId64, store_id, position->sequence);
}

static void add_offset(rd_kafka_topic_partition_list_t *list, const char *topic,
		       const struct partition *partition, enum input input) {
	rd_kafka_topic_partition_t *offset =
	    rd_kafka_topic_partition_list_add(list, topic, partition->id);
	char metadata[64];

	turn_offset_metadata(&partition->turn_position, metadata);
	offset->offset = partition->turn_next[input];
	offset->metadata = strdup(metadata); /* the list frees it */
	offset->metadata_size = strlen(metadata);
}

rd_kafka_topic_partition_list_t *turn_offsets(const struct pipeline *p) {
	rd_kafka_topic_partition_list_t *list =
	    rd_kafka_topic_partition_list_new(p->partition_count * POSITION_INPUTS);

	for (int32_t i = 0; i < p->partition_count; i++) {
		if (!p->partitions[i].turn_touched)
			continue;
		add_offset(list, p->topics.admin, &p->partitions[i], INPUT_ADMIN);
		add_offset(list, p->topics.issuance, &p->partitions[i], INPUT_ISSUANCE);
	}
	return list;
}
