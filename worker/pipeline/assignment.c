/*
 * Which partitions are ours, and from where their inputs are read.
 *
 * In the rebalance callback nothing is waited for but a bounded commit (R5, R6): it tells the
 * consumer an empty assignment, and each partition is assigned to it, with explicit offsets, once
 * it is restored. So nothing that is read is ever paused, resumed or sought; librdkafka 2.0.2 has
 * faults in those.
 */
#include "base/clock.h"
#include "pipeline/context.h"
#include "pipeline/turn.h"
#include "rdkafka/refusal.h"

#include <errno.h>
#include <inttypes.h>

enum {
	TOPICS_TIMEOUT_MS = 5000,
	COMMITTED_TIMEOUT_MS = 5000,
	WATERMARK_TIMEOUT_MS = 5000,
	STOP_TIMEOUT_MS = 1000,
	ASK_PAUSE_MIN_MS = 100,
	ASK_PAUSE_MAX_MS = 1000
};

void assignment_drop_group(struct pipeline *p) {
	if (p->group)
		rd_kafka_consumer_group_metadata_destroy(p->group);
	p->group = NULL;
}

/*
 * librdkafka 2.0.2 has no accessor for the generation; its serialised form has: a magic text, then
 * the generation as a native int32. Generations below 0 are refused (R3): such metadata fences
 * nobody.
 */
static int read_generation(const rd_kafka_consumer_group_metadata_t *group, int32_t *generation) {
	static const char magic[] = "CGMDv2:";
	void *bytes = NULL;
	size_t size = 0;
	rd_kafka_error_t *error = rd_kafka_consumer_group_metadata_write(group, &bytes, &size);
	int r = -1;

	if (error) {
		rd_kafka_error_destroy(error);
		return -1;
	}
	if (size >= strlen(magic) + sizeof(*generation) &&
	    memcmp(bytes, magic, strlen(magic)) == 0) {
		memcpy(generation, (char *)bytes + strlen(magic), sizeof(*generation));
		r = *generation < 0 ? -1 : 0;
	}
	rd_kafka_mem_free(NULL, bytes);
	return r;
}

static int take_group(struct pipeline *p) {
	assignment_drop_group(p);
	p->group = rd_kafka_consumer_group_metadata(p->consumer);
	if (p->group && read_generation(p->group, &p->generation) == 0)
		return 0;
	log_error("group metadata is not usable", "worker=%s", p->config->worker_id);
	assignment_drop_group(p);
	p->fatal = PIPELINE_E_FATAL;
	return -1;
}

static void check_topics(struct pipeline *p) {
	int32_t count = p->partition_count;
	int r = topics_check(&p->topics, p->consumer, TOPICS_TIMEOUT_MS, &count);

	if (r == TOPICS_E_REFUSED)
		p->fatal = PIPELINE_E_FATAL;
	if (count != p->partition_count) {
		log_error("number of partitions changed: tenants would change their partition",
			  "before=%d now=%d", p->partition_count, count);
		p->fatal = PIPELINE_E_FATAL;
	}
}

static void set_state(struct pipeline *p, struct partition *partition, enum partition_state state) {
	partition_move(partition, state);
	atomic_store(&p->metrics.partitions[partition->id].state, (int)state);
}

static void begin_restore(struct pipeline *p, struct partition *partition) {
	set_state(p, partition, PARTITION_RESTORING);
	partition->is_restored = false; /* the loop begins with it */
}

static bool is_listed(const rd_kafka_topic_partition_list_t *list, const char *topic,
		      int32_t partition) {
	for (int i = 0; i < list->cnt; i++)
		if (list->elems[i].partition == partition &&
		    strcmp(list->elems[i].topic, topic) == 0)
			return true;
	return false;
}

/* Both input topics of a partition come together, or the topics do not fit. */
static bool is_assigned(struct pipeline *p, const rd_kafka_topic_partition_list_t *list,
			int32_t id) {
	bool admin = is_listed(list, p->topics.admin, id),
	     issuance = is_listed(list, p->topics.issuance, id);

	if (admin != issuance) {
		log_error("assignment is not of whole partitions: all workers must use the range "
			  "assignor",
			  "partition=%d", id);
		p->fatal = PIPELINE_E_FATAL;
	}
	return admin && issuance;
}

static void suspend_all(struct pipeline *p) {
	for (int32_t i = 0; i < p->partition_count; i++) {
		struct partition *partition = &p->partitions[i];

		if (partition->state == PARTITION_ABSENT || partition->state == PARTITION_SUSPENDED)
			continue;
		dispatcher_suspend(p->dispatcher, partition->id);
		restorer_remove(p->restorer, partition);
		set_state(p, partition, PARTITION_SUSPENDED);
	}
}

static void on_assign(struct pipeline *p, const rd_kafka_topic_partition_list_t *list) {
	int32_t count = 0;

	suspend_all(p); /* an assignment may follow another without a revocation in between */
	check_topics(p);
	if (p->fatal || take_group(p) < 0)
		return;
	(void)client_take_session_timeout(); /* overcome */
	for (int32_t i = 0; i < p->partition_count; i++) {
		struct partition *partition = &p->partitions[i];

		if (is_assigned(p, list, i)) {
			begin_restore(p, partition);
			count++;
		} else if (partition->state == PARTITION_SUSPENDED) {
			dispatcher_forget(p->dispatcher, partition->id);
			partition->epoch = 0;
			set_state(p, partition, PARTITION_ABSENT);
		}
	}
	metric_refuse(&p->metrics, METRIC_REFUSED_INPUT, false);
	p->group_joined =
	    true;         /* last: it would be ready while no partition is being restored yet */
	pipeline_wake(p); /* to begin with the restores at once */
	log_info("partitions assigned", "count=%d of=%d generation=%d", count, p->partition_count,
		 p->generation);
}

void assignment_answered(int16_t api_key, int64_t rtt_us, void *pipeline) {
	/* Source: Kafka protocol guide, api keys. */
	enum { HEARTBEAT = 12, SYNC_GROUP = 14 };
	struct pipeline *p = pipeline;
	int64_t now_us = clock_monotonic_us(), lapsed_us;

	/* Other kinds come from the threads of other brokers, and the lease is of the coordinator's
	 * alone. */
	if (api_key != HEARTBEAT && api_key != SYNC_GROUP)
		return;
	lapsed_us = p->lease.until_us;
	if (!lease_answered(&p->lease, api_key == SYNC_GROUP ? LEASE_SYNC : LEASE_HEARTBEAT,
			    now_us - rtt_us, now_us))
		return;
	if (lapsed_us > 0 && lapsed_us <= now_us)
		log_warn("no proof of membership for a while: no attempt was begun meanwhile",
			 "ms=%lld", (long long)(now_us - lapsed_us) / 1000);
	engine_lease_set(p->engine, p->lease.until_us);
}

void assignment_close_gates(struct pipeline *p) {
	for (int32_t i = 0; i < p->partition_count; i++)
		engine_gate_set(p->engine, i, 0);
}

void assignment_lose(struct pipeline *p) {
	assignment_close_gates(p);
	suspend_all(p);
	assignment_drop_group(p);
}

static void on_revoke(struct pipeline *p) {
	bool lost = rd_kafka_assignment_lost(p->consumer);

	log_info("partitions revoked", "lost=%d generation=%d", lost, p->generation);
	assignment_close_gates(p);
	if (!lost)
		turn_run_outcomes(p);
	assignment_lose(p);
}

static rd_kafka_resp_err_t assign_none(rd_kafka_t *consumer) {
	rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
	rd_kafka_resp_err_t err = rd_kafka_assign(consumer, none);

	rd_kafka_topic_partition_list_destroy(none);
	return err;
}

void assignment_rebalance(rd_kafka_t *consumer, rd_kafka_resp_err_t err,
			  rd_kafka_topic_partition_list_t *list, void *pipeline) {
	struct pipeline *p = pipeline;

	inputs_close(p->inputs);
	if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
		on_assign(p, list);
		assign_none(consumer);
		return;
	}
	if (err != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
		log_warn("rebalance failed", "error=%s", log_quote(rd_kafka_err2str(err)));
	on_revoke(p);
	rd_kafka_assign(consumer, NULL);
}

/* Where the inputs go on. */

/* The first offset of an input's partition and the one behind its last. Returns 0, or -EAGAIN. */
static int ask_offsets(struct pipeline *p, const char *topic, int32_t partition, int64_t *low,
		       int64_t *high) {
	rd_kafka_t *client = p->transaction ? transaction_client(p->transaction) : p->consumer;
	rd_kafka_resp_err_t err = rd_kafka_query_watermark_offsets(client, topic, partition, low,
								   high, WATERMARK_TIMEOUT_MS);

	if (!err)
		return 0;
	refusal_log_cause("ask for offsets", "topic", topic, rd_kafka_err2str(err));
	return -EAGAIN;
}

static void put_off_asking(struct pipeline *p) {
	backoff_fail(&p->offsets_backoff, clock_monotonic_ms(), ASK_PAUSE_MIN_MS, ASK_PAUSE_MAX_MS);
}

/* Offsets that a worker committed carry the position that they belong to; those that an operator
 * set do not. */
static bool is_ours(const rd_kafka_topic_partition_t *committed) {
	return committed->offset >= 0 && committed->metadata_size > 0;
}

static bool is_of_position(const rd_kafka_topic_partition_t *committed,
			   const struct position *position) {
	char metadata[64];

	turn_offset_metadata(position, metadata);
	return committed->metadata_size == strlen(metadata) &&
	       memcmp(committed->metadata, metadata, committed->metadata_size) == 0;
}

enum { OFFSET_TORN = 1 };

/*
 * The position record and the committed offset were one transaction, so they agree. Where they do
 * not:
 *  - an offset without our metadata was set by an operator, and is followed;
 *  - none at all: a first start begins with the first record there is; otherwise it expired, and
 * the position tells;
 *  - ours but of another position: the changelog is not the one that these offsets belong to. Loud,
 * and not served.
 */
static int choose_offset(struct pipeline *p, const struct partition *partition,
			 const rd_kafka_topic_partition_t *committed, int64_t position_offset,
			 int64_t *out) {
	bool has_position = partition->position.sequence > 0;
	int64_t end;

	if (is_ours(committed) &&
	    !(has_position && is_of_position(committed, &partition->position))) {
		log_error("committed offset is not of this changelog: was webhook-state deleted or "
			  "restored from elsewhere?",
			  "topic=%s partition=%d offset=%" PRId64 " metadata=%.*s",
			  committed->topic, partition->id, committed->offset,
			  (int)committed->metadata_size, (const char *)committed->metadata);
		return OFFSET_TORN;
	}
	if (committed->offset >= 0 && !is_ours(committed)) {
		if (!has_position || committed->offset != position_offset)
			log_warn("following an offset that was set by hand",
				 "topic=%s partition=%d offset=%" PRId64, committed->topic,
				 partition->id, committed->offset);
		*out = committed->offset;
		return 0;
	}
	if (has_position) {
		*out = position_offset;
		return 0;
	}
	return ask_offsets(p, committed->topic, partition->id, out, &end);
}

static int choose_offsets(struct pipeline *p, struct partition *partition) {
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(POSITION_INPUTS);
	rd_kafka_resp_err_t err;
	int r;

	rd_kafka_topic_partition_list_add(list, p->topics.admin, partition->id);
	rd_kafka_topic_partition_list_add(list, p->topics.issuance, partition->id);
	err = rd_kafka_committed(p->consumer, list, COMMITTED_TIMEOUT_MS);
	for (int i = 0; i < list->cnt && !err; i++)
		err = list->elems[i].err;
	if (err) {
		refusal_log_cause("ask for committed offsets", "group", p->config->group_id,
				  rd_kafka_err2str(err));
		r = -EAGAIN;
	} else {
		r = choose_offset(p, partition, &list->elems[0], partition->position.admin_offset,
				  &partition->next[INPUT_ADMIN]);
		if (r == 0)
			r = choose_offset(p, partition, &list->elems[1],
					  partition->position.issuance_offset,
					  &partition->next[INPUT_ISSUANCE]);
	}
	rd_kafka_topic_partition_list_destroy(list);
	return r;
}

/* Logs whose key it is, and which master keys are here. */
static void log_missing_master_key(const struct pipeline *p, int32_t partition,
				   const struct signing_key *key) {
	_cleanup_(buffer_destroy) struct buffer ids = BUFFER_INIT(1024);

	master_keys_append_ids(p->master_keys, &ids);
	log_error("a tenant's signing key is derived from a master key that this worker does not "
		  "have: worker.master.key.file must name its file",
		  "tenant=%s kid=%s master_key=%s master_keys_here=%s partition=%d",
		  log_quote(key->tenant_id), key->kid, key->master_key_id, ids.data, partition);
}

static bool has_master_key(const void *master_keys, const char *id) {
	return master_keys_find(master_keys, id);
}

/*
 * A worker that cannot sign for its tenants, or would give new ones keys that the others cannot
 * derive, serves nobody: every master key that a listed key of the partition names must be here.
 * Keys come into a partition by a restore or from this worker's own hand, so it is asked once.
 * Returns 0, PIPELINE_E_FATAL after logging, or a negative errno.
 */
static int check_master_keys(struct pipeline *p, const struct partition *partition) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct signing_key key;
	int r = replica_find_orphan_key(p->replica, arena, partition->id, clock_wall_ms(),
					has_master_key, p->master_keys, &key);

	if (r == REPLICA_E_NOT_FOUND)
		return 0;
	if (r < 0)
		return r;
	log_missing_master_key(p, partition->id, &key);
	return PIPELINE_E_FATAL;
}

/* From here on it is served. Its epoch stays when nobody else has owned it meanwhile. */
static int activate(struct pipeline *p, struct partition *partition) {
	int64_t pending;
	int r;

	if (partition->has_moved || partition->epoch == 0) {
		dispatcher_forget(p->dispatcher, partition->id);
		partition->epoch = ++p->last_epoch;
		partition->has_moved = false;
	}
	partition_turn_reset(partition);
	memset(partition->offset_lost, 0, sizeof(partition->offset_lost));
	partition->poison[INPUT_ADMIN] = partition->poison[INPUT_ISSUANCE] = -1;
	set_state(p, partition, PARTITION_ACTIVE);
	p->input_stale = true;
	r = dispatcher_activate(p->dispatcher,
				(struct dispatch_partition){ partition->id, partition->epoch },
				clock_wall_ms(), &pending);
	if (r == 0)
		atomic_store(&p->metrics.partitions[partition->id].pending, pending);
	return r;
}

void assignment_restored(void *pipeline, struct partition *partition, enum restore_end end) {
	struct pipeline *p = pipeline;

	if (end == RESTORE_TORN) {
		set_state(p, partition, PARTITION_FAILED);
		return;
	}
	partition->is_restored = true;
	partition->has_moved |= end == RESTORE_MOVED;
}

static struct partition *find_restored(struct pipeline *p) {
	for (int32_t i = 0; i < p->partition_count; i++)
		if (p->partitions[i].state == PARTITION_RESTORING && p->partitions[i].is_restored)
			return &p->partitions[i];
	return NULL;
}

bool assignment_activate_restored(struct pipeline *p) {
	struct partition *partition = find_restored(p);
	int r;

	if (!partition || !backoff_is_over(&p->offsets_backoff, clock_monotonic_ms()))
		return false;
	r = choose_offsets(p, partition);
	if (r == -EAGAIN) {
		put_off_asking(p);
		return false;
	}
	backoff_clear(&p->offsets_backoff);
	if (r == OFFSET_TORN) {
		set_state(p, partition, PARTITION_FAILED);
		return true;
	}
	r = check_master_keys(p, partition);
	if (r == 0)
		r = activate(p, partition);
	if (r < 0)
		p->replica_error = r;
	if (r > 0)
		p->fatal = r;
	return true;
}

/*
 * librdkafka stops the fetchers of what is not assigned any more, later; when it is to stop one
 * again before the first stop is done, it aborts (2.0.2, rd_kafka_assignment_partition_stopped:
 * rktp_started). So they are stopped one time for all, and that is waited for: a seek is answered
 * after the stop, and refused by what is stopped.
 */
static rd_kafka_resp_err_t stop_all(rd_kafka_t *consumer, rd_kafka_topic_partition_list_t *list) {
	rd_kafka_resp_err_t err = assign_none(consumer);

	if (err)
		return err;
	rd_kafka_error_destroy(rd_kafka_seek_partitions(consumer, list, STOP_TIMEOUT_MS));
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t assign_anew(struct pipeline *p, rd_kafka_topic_partition_list_t *list) {
	rd_kafka_resp_err_t err;

	inputs_close(p->inputs);
	err = stop_all(p->consumer, list);
	if (err)
		return err;
	for (int i = 0; i < list->cnt; i++)
		inputs_open(p->inputs, p->consumer, list->elems[i].topic, list->elems[i].partition,
			    p->wake_fd);
	return rd_kafka_assign(p->consumer, list);
}

void assignment_apply(struct pipeline *p) {
	rd_kafka_topic_partition_list_t *list =
	    rd_kafka_topic_partition_list_new(p->partition_count * POSITION_INPUTS);
	rd_kafka_resp_err_t err;

	for (int32_t i = 0; i < p->partition_count; i++) {
		const struct partition *partition = &p->partitions[i];

		if (partition->state != PARTITION_ACTIVE)
			continue;
		rd_kafka_topic_partition_list_add(list, p->topics.admin, i)->offset =
		    partition->next[INPUT_ADMIN];
		rd_kafka_topic_partition_list_add(list, p->topics.issuance, i)->offset =
		    partition->next[INPUT_ISSUANCE];
	}
	err = assign_anew(p, list);
	rd_kafka_topic_partition_list_destroy(list);
	p->input_stale = false;
	if (err) {
		log_error("cannot assign", "error=%s", log_quote(rd_kafka_err2str(err)));
		p->fatal = PIPELINE_E_FATAL;
	}
}

void assignment_resync(struct pipeline *p) {
	transaction_close(
	    TAKE(p->transaction)); /* made anew by the loop; that settles what was left open */
	for (int32_t i = 0; i < p->partition_count; i++) {
		struct partition *partition = &p->partitions[i];

		if (partition->state != PARTITION_ACTIVE && partition->state != PARTITION_RESTORING)
			continue;
		dispatcher_suspend(p->dispatcher, partition->id);
		restorer_remove(p->restorer, partition);
		if (partition->state == PARTITION_ACTIVE)
			set_state(p, partition, PARTITION_RESTORING);
		partition->is_restored = false;
	}
	p->input_stale = true;
}

void assignment_begin_restores(struct pipeline *p) {
	for (int32_t i = 0; i < p->partition_count && !p->replica_error; i++) {
		struct partition *partition = &p->partitions[i];
		int r;

		if (partition->state != PARTITION_RESTORING || partition->restore ||
		    partition->is_restored)
			continue;
		r = restorer_add(p->restorer, partition);
		if (r < 0)
			p->replica_error = r;
	}
}

void assignment_offset_lost(struct pipeline *p, const char *topic, int32_t partition_id) {
	p->partitions[partition_id]
	    .offset_lost[strcmp(topic, p->topics.admin) == 0 ? INPUT_ADMIN : INPUT_ISSUANCE] = true;
}

static void count_lost(struct pipeline *p, enum input input, int64_t expected, int64_t low) {
	enum metric_input metric =
	    input == INPUT_ADMIN ? METRIC_INPUT_ADMIN : METRIC_INPUT_ISSUANCE;

	metric_add(&p->metrics.inputs_lost[metric], 1);
	metric_add(&p->metrics.records_lost[metric], (uint64_t)MAX(low - expected, (int64_t)0));
}

static void skip_lost(struct pipeline *p, struct partition *partition, enum input input) {
	const char *topic = input == INPUT_ADMIN ? p->topics.admin : p->topics.issuance;
	int64_t low, high, expected = partition->next[input];

	if (!backoff_is_over(&p->offsets_backoff, clock_monotonic_ms()))
		return;
	if (ask_offsets(p, topic, partition->id, &low, &high)) {
		put_off_asking(p);
		return;
	}
	backoff_clear(&p->offsets_backoff);
	partition->offset_lost[input] = false;
	partition->next[input] = expected < low ? low : MIN(expected, high);
	count_lost(p, input, expected, low);
	log_error(
	    "the records to be read next are not there: deleted before they were read, or cut off",
	    "topic=%s partition=%d expected=%" PRId64 " first=%" PRId64 " end=%" PRId64
	    " going_on_at=%" PRId64,
	    topic, partition->id, expected, low, high, partition->next[input]);
	p->input_stale = true;
}

void assignment_skip_lost(struct pipeline *p) {
	for (int32_t i = 0; i < p->partition_count; i++)
		for (int input = 0; input < POSITION_INPUTS; input++)
			if (p->partitions[i].offset_lost[input] &&
			    p->partitions[i].state == PARTITION_ACTIVE)
				skip_lost(p, &p->partitions[i], (enum input)input);
}
