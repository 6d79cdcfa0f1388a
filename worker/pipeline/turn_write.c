#include "pipeline/turn_write.h"

#include "base/clock.h"
#include "base/invariant.h"
#include "pipeline/offsets.h"

/* Changes. */

static int produce_state(struct turn *turn, const struct partition *partition, const char *key,
			 bool is_tombstone, int64_t *offset_out) {
	const struct buffer *value = &turn->turns->record;
	struct transaction_record record = {
		.topic = transaction_state_topic(turn->transaction),
		.partition = partition->id,
		.key = key,
		.key_len = strlen(key),
		.value = is_tombstone ? NULL : value->data,
		.value_len = is_tombstone ? 0 : value->len,
		.offset_out = offset_out,
	};

	return transaction_produce(turn->transaction, &record);
}

/* One change, to SQLite and to the changelog, as the same bytes. */
static int write_change(struct turn *turn, const struct partition *partition,
			const struct change *change, int64_t *offset_out) {
	struct turns *t = turn->turns;
	const char *key;
	int r;

	buffer_clear(&t->record);
	if (change->record)
		codec_encode_state(t->settings.codec, change->record, &t->record);
	r = replica_apply(turn->replica, partition->id, change,
			  change->record ? t->record.data : NULL,
			  change->record ? t->record.len : 0);
	if (r < 0)
		return r;
	key = state_key_format(t->scratch, &change->key);
	return produce_state(turn, partition, key, !change->record, offset_out);
}

/* Events. */

static struct headers event_headers(const struct analytic_event *event) {
	struct headers headers = { 0 };

	if (event->request_id)
		headers_add(&headers, "requestId", event->request_id, -1);
	if (event->traceparent)
		headers_add(&headers, "traceparent", event->traceparent, -1);
	if (event->tracestate)
		headers_add(&headers, "tracestate", event->tracestate, -1);
	return headers;
}

static void encode_event(struct turns *t, const struct analytic_event *event) {
	uint32_t id;

	if (t->settings.config->results_framing != RESULTS_CONFLUENT)
		codec_encode_event(t->settings.codec, event, &t->record);
	else if (schema_registry_results_id(t->settings.schema_registry, &id))
		codec_encode_event_for(t->settings.codec, id, event, &t->record);
	else
		impossible("no turn begins before its events' schema id is known");
}

/* What an older worker of the group cannot write is not written by a newer one (R13): a reader of
 * the events meets the second edition when the upgrade is done. */
static struct analytic_event event_for_group(const struct turn *turn,
					     const struct analytic_event *event) {
	struct analytic_event written = *event;

	if (turn->edition == GROUP_EDITION_SOME_OLDER && event->data.kind == EVENT_DATA_DELIVERY)
		written.data.delivery = delivery_report_of_first_edition(&event->data.delivery);
	return written;
}

static int write_event(struct turn *turn, const struct analytic_event *event) {
	struct turns *t = turn->turns;
	struct analytic_event written = event_for_group(turn, event);
	struct transaction_record record;

	buffer_clear(&t->record);
	encode_event(t, &written);
	record = (struct transaction_record){
		.topic = transaction_results_topic(turn->transaction),
		.partition = RD_KAFKA_PARTITION_UA,
		.key = event->tenant_id,
		.key_len = strlen(event->tenant_id),
		.value = t->record.data,
		.value_len = t->record.len,
		.headers = event_headers(event),
	};
	return transaction_produce(turn->transaction, &record);
}

static enum metric_command answer_metric(const struct analytic_event *event) {
	if (event->repeat)
		return METRIC_COMMAND_REPEAT;
	return event->step == ANALYTIC_SUCCESS ? METRIC_COMMAND_SUCCESS : METRIC_COMMAND_FAIL;
}

static void count_answer(struct turn *turn, const struct analytic_event *event) {
	enum metric_input input =
	    event->subject == ANALYTIC_OPENID_CREDENTIAL       ? METRIC_INPUT_ISSUANCE
	    : event->subject == ANALYTIC_WEBHOOK_EVENT_PUBLISH ? METRIC_INPUT_EVENT
							       : METRIC_INPUT_ADMIN;

	turn->command_counts[input][answer_metric(event)]++;
}

static void count_event(struct turn *turn, struct partition *partition,
			const struct analytic_event *event) {
	switch (event->step) {
	case ANALYTIC_SUCCESS:
	case ANALYTIC_FAIL:
		count_answer(turn, event);
		break;
	case ANALYTIC_RECEIVE:
		turn->delivery_counts[METRIC_DELIVERY_RECORDED]++;
		partition->turn.pending++;
		break;
	case ANALYTIC_PROCESS_SUCCESS:
		turn->delivery_counts[METRIC_DELIVERY_SUCCEEDED]++;
		partition->turn.pending--;
		break;
	case ANALYTIC_PROCESS_FAIL:
		turn->delivery_counts[METRIC_DELIVERY_DEAD]++;
		partition->turn.pending--;
		break;
	case ANALYTIC_RETRY:
		turn->delivery_counts[METRIC_DELIVERY_RETRIED]++;
		break;
	case ANALYTIC_RESEND:
		turn->delivery_counts[METRIC_DELIVERY_RESENT]++;
		partition->turn.pending += event->data.delivery.attempt == 0;
		break;
	case ANALYTIC_STEP_NONE:
		turn->webhooks_disabled++;
		break;
	default:
		break;
	}
}

/* Both. */

static int write_changes(struct turn *turn, struct partition *partition,
			 const struct effects *effects) {
	struct dispatch_partition dispatched = { partition->id, partition->epoch };
	int r = 0;

	for (size_t i = 0; i < effects->change_count && r == 0; i++) {
		r = write_change(turn, partition, &effects->changes[i], NULL);
		partition->turn.records++;
	}
	turn_changes_note(&turn->changes, turn->turns->arena, dispatched, effects, clock_wall_ms());
	return r;
}

static int write_events(struct turn *turn, struct partition *partition,
			const struct effects *effects) {
	int r = 0;

	for (size_t i = 0; i < effects->event_count && r == 0; i++) {
		r = write_event(turn, &effects->events[i]);
		count_event(turn, partition, &effects->events[i]);
		tenant_pending_note(turn->turns->settings.tenant_pending, partition->id,
				    &effects->events[i]);
	}
	return r;
}

static void count_notices(struct turn *turn, const struct effects *effects) {
	for (int i = 0; i < EVENT_TYPE_BUILTIN_COUNT; i++) {
		turn->told[i] += effects->told >> i & 1;
		turn->left_out[i] += effects->left_out >> i & 1;
	}
}

int turn_write_effects(struct turn *turn, struct partition *partition,
		       const struct effects *effects) {
	int r;

	invariant(partition->state == PARTITION_ACTIVE,
		  "a record for a partition that is not served would tear its history (R8)");
	invariant(partition->turn.position.sequence == 0,
		  "the position is the last record of a partition in a transaction (R8)");
	partition->turn.is_touched = true;
	r = write_changes(turn, partition, effects);
	if (r == 0)
		r = write_events(turn, partition, effects);
	turn->refused_by_limit[effects->reached]++;
	turn->filtered += (uint64_t)effects->filtered;
	count_notices(turn, effects);
	arena_reset(turn->turns->scratch);
	return r;
}

/* Positions. */

/* Until an event of one's own was read, the position has nothing that is new (R13). */
static bool has_read_events(const struct partition *partition) {
	return partition->position.event_offset > 0 ||
	       partition->turn.next[INPUT_EVENT] > partition->next[INPUT_EVENT];
}

static int write_position(struct turn *turn, struct partition *partition) {
	struct turns *t = turn->turns;
	struct state_record record = { .kind = STATE_POSITION, .position = partition->position };
	struct position *position = &record.position;
	struct change change = { .key.kind = STATE_POSITION, .record = &record };

	if (position->sequence == 0)
		position->store_id = uuid_random();
	position->sequence++;
	position->generation = membership_generation(t->settings.membership);
	position->member_id = t->settings.config->worker_id;
	position->admin_offset = partition->turn.next[INPUT_ADMIN];
	position->issuance_offset = partition->turn.next[INPUT_ISSUANCE];
	if (has_read_events(partition))
		position->event_offset = partition->turn.next[INPUT_EVENT];
	if (position->catalogue != 0 || turn->edition == GROUP_EDITION_NEWEST)
		position->catalogue = t->catalogue_hash;
	position->record_count = partition->turn.records;
	/* Whoever takes the partition over has to know that a clock was ahead (R10). */
	position->timestamp_ms = MAX(clock_wall_ms(), position->timestamp_ms);
	partition->turn.position = *position;
	return write_change(turn, partition, &change, &partition->turn.position_offset);
}

int turn_write_positions(struct turn *turn) {
	const struct partitions *partitions = turn->turns->settings.partitions;
	int r = 0;

	for (int32_t i = 0; i < partitions->count && r == 0; i++)
		if (partitions->items[i].turn.is_touched)
			r = write_position(turn, &partitions->items[i]);
	return r;
}

static void add_offset(rd_kafka_topic_partition_list_t *list, const char *topic,
		       const struct partition *partition, enum input input) {
	invariant(partition->turn.position.sequence == partition->position.sequence + 1,
		  "a transaction closes each partition with its position (R8)");
	offsets_add(list, topic, partition->id, partition->turn.next[input],
		    &partition->turn.position);
}

rd_kafka_topic_partition_list_t *turn_offsets(const struct turn *turn) {
	const struct turns_settings *settings = &turn->turns->settings;
	rd_kafka_topic_partition_list_t *list =
	    rd_kafka_topic_partition_list_new(settings->partitions->count * POSITION_INPUTS);

	for (int32_t i = 0; i < settings->partitions->count; i++) {
		const struct partition *partition = &settings->partitions->items[i];

		if (!partition->turn.is_touched)
			continue;
		add_offset(list, settings->topics->admin, partition, INPUT_ADMIN);
		add_offset(list, settings->topics->issuance, partition, INPUT_ISSUANCE);
		if (partition->turn.position.event_offset > 0)
			add_offset(list, settings->topics->events, partition, INPUT_EVENT);
	}
	return list;
}
