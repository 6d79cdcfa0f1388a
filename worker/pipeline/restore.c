#include "pipeline/restore.h"

#include "base/clock.h"
#include "pipeline/restore_internal.h"
#include "rdkafka/refusal.h"
#include "rdkafka/takeover.h"

#include <errno.h>
#include <malloc.h>

enum {
	SLICE_RECORDS = 20000, /* taken in one step, so many at a time: */
	BATCH_RECORDS = 500,
	WATERMARK_TIMEOUT_MS = 2000,
	ASK_PAUSE_MIN_MS = 50,
	ASK_PAUSE_MAX_MS = 1000,
	NO_PROGRESS_LOUD_MS = 180 * 1000, /* R1 */
	REPORT_INTERVAL_MS = 10 * 1000,
	HELD_MS = 100, /* before an open transaction is somebody's who died, perhaps: a commit's
			  markers take a moment */
	TAKEOVER_INTERVAL_MS = 1000,
	QUEUE_LOW =
	    20000, /* records in librdkafka's queue: what is below half of what it may hold */
	NUDGE_INTERVAL_MS = 10,
	NUDGE_TIMEOUT_MS = 20,
	TOMBSTONES_SAFE_MS = 7 * 24 * 3600 * 1000 /
	    2, /* half of the changelog's delete.retention.ms (R7) */
};

struct restorer *restorer_new(const struct restorer_settings *settings, restore_done_fn done,
			      void *userdata) {
	struct restorer *r = x_calloc(1, sizeof(*r));

	*r = (struct restorer){ .settings = *settings,
				.done = done,
				.userdata = userdata,
				.fold = fold_new(),
				.arena = arena_new() };
	portion_init(&r->portion, settings->codec, settings->metrics, settings->wake_fd);
	return r;
}

static void close_clients(struct restorer *r) {
	if (r->queue)
		rd_kafka_queue_destroy(r->queue);
	if (r->topic)
		rd_kafka_topic_destroy(r->topic);
	client_free(r->reader);
	client_free(r->watermark);
	r->queue = NULL;
	r->topic = NULL;
	r->reader = r->watermark = NULL;
	r->knows_leaders = false;
}

static int open_clients(struct restorer *r) {
	if (r->reader)
		return 0;
	r->reader = client_new(r->settings.config, CLIENT_RESTORE, NULL);
	r->watermark = client_new(r->settings.config, CLIENT_WATERMARK, NULL);
	if (!r->reader || !r->watermark)
		return -EPERM;
	r->queue = rd_kafka_queue_get_consumer(r->reader);
	r->topic = rd_kafka_topic_new(r->reader, r->settings.topics->state, NULL);
	client_wake_by(r->queue, r->settings.wake_fd);
	return 0;
}

void restorer_free(struct restorer *r) {
	if (!r)
		return;
	while (r->restores)
		restorer_remove(r, r->restores->partition);
	close_clients(r);
	fold_free(r->fold);
	portion_destroy(&r->portion);
	arena_free(r->arena);
	free(r);
}

void restorer_set_replica(struct restorer *r, struct replica *replica) {
	r->replica = r->portion.replica = replica;
	r->write_error = 0;
}

static struct partition_metrics *metrics_of(const struct restorer *r,
					    const struct partition *partition) {
	return &r->settings.metrics->partitions[partition->id];
}

/* From nothing: the partition's rows are dropped first, so that what is not in the changelog is not
 * in the replica. */
static int start_from_scratch(struct restorer *r, struct restore *restore, const char *why) {
	restore_write_settle(r);
	if (restore->next_offset > 0 || restore->moved)
		log_warn("partition is restored from scratch", "partition=%d reason=%s",
			 restore->partition->id, log_quote(why));
	restore->source = ++r->last_source;
	restore->unwritten = 0;
	restore->next_offset = 0;
	restore->verify_offset = -1;
	restore->target = -1;
	restore->at_end = false;
	restore->moved = true;
	history_init(&restore->history);
	buffer_clear(&restore->position);
	r->assignment_stale = true;
	return replica_drop_partition(r->replica, restore->partition->id);
}

/* Where the replica stands decides where to read from: at the position record that it reflected
 * last, which must still be that one (R7). */
static int choose_start(struct restorer *r, struct restore *restore) {
	int64_t offset, stored_at_ms, now_ms = clock_wall_ms();
	struct position position;
	int error = replica_offset_get(r->replica, restore->partition->id, &offset, &stored_at_ms);

	if (error < 0)
		return error;
	if (offset <= 0)
		return start_from_scratch(r, restore, "the replica has nothing of it");
	if (now_ms - stored_at_ms > TOMBSTONES_SAFE_MS) {
		restore->next_offset = offset;
		return start_from_scratch(r, restore,
					  "the replica is older than tombstones are kept");
	}
	error = replica_position_get(r->replica, restore->partition->id, &position, r->arena);
	if (error < 0)
		return error;
	if (error == REPLICA_E_NOT_FOUND) {
		restore->next_offset = offset;
		return start_from_scratch(r, restore, "the replica has no position of it");
	}
	history_continue(&restore->history, &position, offset - 1);
	restore->last_writer = x_strdup(position.member_id);
	restore->verify_offset = restore->next_offset = offset - 1;
	return 0;
}

int restorer_add(struct restorer *r, struct partition *partition) {
	struct restore *restore = x_calloc(1, sizeof(*restore));
	int error;

	*restore = (struct restore){
		.partition = partition,
		.source = ++r->last_source,
		.position = BUFFER_INIT(SIZE_MAX),
		.target = -1,
		.verify_offset = -1,
		.started_ms = clock_monotonic_ms(),
		.progress_ms = clock_monotonic_ms(),
		.next = r->restores,
	};
	restore_write_settle(r);
	history_init(&restore->history);
	r->restores = restore;
	partition->restore = restore;
	r->assignment_stale = true;
	error = open_clients(r);
	return error < 0 ? error : choose_start(r, restore);
}

void restorer_remove(struct restorer *r, struct partition *partition) {
	struct restore *restore = partition->restore;

	if (!restore)
		return;
	restore_write_settle(r);
	for (struct restore **at = &r->restores; *at; at = &(*at)->next)
		if (*at == restore) {
			*at = restore->next;
			break;
		}
	partition->restore = NULL;
	r->assignment_stale = true;
	buffer_destroy(&restore->position);
	free(restore->last_writer);
	free(restore);
	if (!r->restores) {
		metric_refuse(r->settings.metrics, METRIC_REFUSED_CHANGELOG, false);
		fold_clear(r->fold);
		fold_clear(r->portion.fold);
		backoff_clear(&r->ask_backoff);
		close_clients(r);
		malloc_trim(0); /* what it took of memory is not needed again soon */
	}
}

static void tell_unknown(const struct restorer *r, const char *operation, rd_kafka_resp_err_t err) {
	_cleanup_(x_freep) char *cause =
	    x_asprintf("%s: a broker is down or cannot be reached; it is tried again by itself",
		       rd_kafka_err2str(err));

	refusal_log_cause(operation, "topic", r->settings.topics->state, cause);
}

/* Returns 1 when the target is known, 0 when the brokers did not say, or a negative errno. */
static int ask_target(struct restorer *r, struct restore *restore) {
	int64_t low, high;
	rd_kafka_resp_err_t err = rd_kafka_query_watermark_offsets(
	    r->watermark, r->settings.topics->state, restore->partition->id, &low, &high,
	    WATERMARK_TIMEOUT_MS);

	if (err && refusal_log(err, "Describe", "topic", r->settings.topics->state)) {
		metric_refuse(r->settings.metrics, METRIC_REFUSED_CHANGELOG, true);
		return 0;
	}
	if (err) {
		tell_unknown(r, "ask for the end", err);
		return 0;
	}
	if (restore->next_offset >= high && restore->next_offset > 0) {
		int error = start_from_scratch(
		    r, restore, "the replica is ahead of the changelog: the topic was made anew");

		if (error < 0)
			return error;
	}
	restore->next_offset = MAX(restore->next_offset, low);
	restore->target = high;
	restore->at_end = restore->next_offset >= high;
	atomic_store(&metrics_of(r, restore->partition)->restore_target, high);
	return 1;
}

static int ask_targets(struct restorer *r) {
	for (struct restore *restore = r->restores; restore; restore = restore->next) {
		int answer = restore->target < 0 ? ask_target(r, restore) : 1;

		if (answer <= 0)
			return answer;
	}
	return 1;
}

/* A partition that is assigned before its leader is known is looked at again only by a timer of one
 * second. Returns 1, or 0 when no broker answered. */
static int ask_leaders(struct restorer *r) {
	const rd_kafka_metadata_t *metadata;
	rd_kafka_resp_err_t err;

	if (r->knows_leaders)
		return 1;
	err = rd_kafka_metadata(r->reader, 0, r->topic, &metadata, WATERMARK_TIMEOUT_MS);
	if (err) {
		tell_unknown(r, "ask for the leaders", err);
		return 0;
	}
	rd_kafka_metadata_destroy(metadata);
	r->knows_leaders = true;
	return 1;
}

/* Returns as they do; after a question without an answer none is asked for a while. */
static int ask(struct restorer *r) {
	int answer;

	if (!backoff_is_over(&r->ask_backoff, clock_monotonic_ms()))
		return 0;
	answer = ask_targets(r);
	if (answer > 0)
		answer = ask_leaders(r);
	if (answer == 0)
		backoff_fail(&r->ask_backoff, clock_monotonic_ms(), ASK_PAUSE_MIN_MS,
			     ASK_PAUSE_MAX_MS);
	else
		backoff_clear(&r->ask_backoff);
	return answer;
}

static void assign(struct restorer *r) {
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);

	for (struct restore *restore = r->restores; restore; restore = restore->next)
		if (!restore->at_end && !restore->torn)
			rd_kafka_topic_partition_list_add(list, r->settings.topics->state,
							  restore->partition->id)
			    ->offset = restore->next_offset;
	rd_kafka_assign(r->reader, list);
	rd_kafka_topic_partition_list_destroy(list);
	r->assignment_stale = false;
}

static struct restore *find(struct restorer *r, int32_t partition) {
	struct restore *restore = r->restores;

	while (restore && restore->partition->id != partition)
		restore = restore->next;
	return restore;
}

/* The record that the replica reflected last must still be there as it was, or have been replaced
 * by a later one. */
static int verify(struct restorer *r, struct restore *restore, const struct position *found) {
	restore->verify_offset = -1;
	if (found && history_same_position(found, &restore->history.position))
		return 0;
	return start_from_scratch(r, restore,
				  "the changelog is not the one that the replica was made from");
}

static int take_position(struct restorer *r, struct restore *restore,
			 const rd_kafka_message_t *message) {
	const struct history *history = &restore->history;
	struct state_record record;
	const char *why;

	if (codec_decode_state(r->settings.codec, r->arena, message->payload, message->len, &record,
			       &why) ||
	    record.kind != STATE_POSITION) {
		restore->torn = "a position record cannot be decoded";
		return 0;
	}
	free(restore->last_writer);
	restore->last_writer = x_strdup(record.position.member_id);
	if (message->offset == restore->verify_offset)
		return verify(r, restore, &record.position);
	if (!restore->moved &&
	    uuid_compare(&record.position.store_id, &history->position.store_id) != 0)
		return start_from_scratch(r, restore,
					  "the changelog has another store id than the replica");
	/* Not torn: a group that was deleted, or that nobody was in for offsets.retention.minutes,
	 * counts from the start again. */
	if (history->has_position && record.position.generation < history->position.generation)
		log_warn("generation of the consumer group falls in the changelog",
			 "partition=%d offset=%lld", restore->partition->id,
			 (long long)message->offset);
	restore->torn = history_position(&restore->history, &record.position, message->offset);
	return 0;
}

static int take_record(struct restorer *r, struct restore *restore,
		       const rd_kafka_message_t *message, int64_t now_ms) {
	static const char position_key[] = "position";
	bool is_position = message->key_len == strlen(position_key) &&
			   memcmp(message->key, position_key, message->key_len) == 0;
	bool is_verified = message->offset == restore->verify_offset;
	int error = 0;

	if (message->offset < restore->next_offset || restore->torn)
		return 0;
	restore->progress_ms = now_ms;
	restore->takeover_at_ms = 0;
	restore->records++;
	if (is_position)
		error = take_position(r, restore, message);
	else if (is_verified)
		error = verify(r, restore, NULL);
	else
		history_record(&restore->history, message->offset);
	if (error < 0 || r->assignment_stale)
		return error; /* from scratch: this record comes again */
	restore->moved |= !is_verified;
	restore->verify_offset = -1;
	restore->next_offset = message->offset + 1;
	restore->unwritten++;
	if (!is_position) {
		fold_put(r->fold, restore->source, message->key, message->key_len, message->payload,
			 message->payload ? message->len : 0);
	} else {
		buffer_clear(&restore->position);
		buffer_append(&restore->position, message->payload, message->len);
	}
	return 0;
}

/* A read_committed reader's end is where the first open transaction begins. */
static void take_end(struct restore *restore, int64_t offset, int64_t now_ms) {
	restore->at_end = offset >= restore->target;
	restore->takeover_at_ms = restore->at_end ? 0 : now_ms + HELD_MS;
}

/* It goes on by itself once it may. */
static void handle_refused(struct restorer *r, rd_kafka_resp_err_t err) {
	if (refusal_log(err, "Read", "topic", r->settings.topics->state))
		metric_refuse(r->settings.metrics, METRIC_REFUSED_CHANGELOG, true);
	else
		log_warn("cannot read the changelog", "error=%s", log_quote(rd_kafka_err2str(err)));
}

static int take_message(struct restorer *r, const rd_kafka_message_t *message, int64_t now_ms) {
	struct restore *restore = message->rkt ? find(r, message->partition) : NULL;

	if (!message->err || message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
		metric_refuse(r->settings.metrics, METRIC_REFUSED_CHANGELOG, false);
	if (restore && message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
		take_end(restore, message->offset, now_ms);
	else if (restore && !message->err)
		return take_record(r, restore, message, now_ms);
	else if (restore && message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
		return start_from_scratch(r, restore,
					  "the changelog no longer has the replica's offset");
	else if (message->err)
		handle_refused(r, message->err);
	return 0;
}

/* Destroys the messages. What follows in the batch after the assignment became stale is read again.
 */
static int take_batch(struct restorer *r, rd_kafka_message_t **messages, ssize_t count) {
	int64_t now_ms = clock_monotonic_ms();
	int error = 0;

	for (ssize_t i = 0; i < count; i++) {
		if (error == 0 && !r->assignment_stale)
			error = take_message(r, messages[i], now_ms);
		rd_kafka_message_destroy(messages[i]);
	}
	arena_reset(r->arena);
	return error;
}

static int poll_records(struct restorer *r, int64_t deadline_ms, int *polled) {
	*polled = 0;
	while (*polled < SLICE_RECORDS && !r->assignment_stale) {
		rd_kafka_message_t *messages[BATCH_RECORDS];
		ssize_t count = rd_kafka_consume_batch_queue(r->queue, 0, messages, BATCH_RECORDS);
		int error;

		if (count <= 0)
			return 0;
		*polled += (int)count;
		error = take_batch(r, messages, count);
		if (error < 0)
			return error;
		if (clock_monotonic_ms() >= deadline_ms)
			return 0;
	}
	return 0;
}

static void put_off_takeover(struct restorer *r, const char *worker_id, int64_t until_ms) {
	for (struct restore *restore = r->restores; restore; restore = restore->next)
		if (restore->takeover_at_ms && restore->last_writer &&
		    strcmp(restore->last_writer, worker_id) == 0)
			restore->takeover_at_ms = until_ms;
}

/*
 * What held a partition back for so long was left open by a worker that died: most likely by the
 * last one that wrote to it. Its own producer's transactions are settled before a worker restores
 * anything. Where it was another's, the coordinator's timeout ends it.
 */
static void end_transactions_of_the_dead(struct restorer *r) {
	for (struct restore *restore = r->restores; restore; restore = restore->next) {
		int64_t now_ms = clock_monotonic_ms();

		if (!restore->takeover_at_ms || now_ms < restore->takeover_at_ms ||
		    !restore->last_writer ||
		    strcmp(restore->last_writer, r->settings.config->worker_id) == 0)
			continue;
		put_off_takeover(r, restore->last_writer, now_ms + TAKEOVER_INTERVAL_MS);
		if (takeover_end_transaction(r->settings.config, r->settings.topics, r->reader,
					     restore->last_writer) == 0)
			return; /* the brokers tell what follows from it */
	}
}

static void complain(struct restore *restore, int64_t now_ms) {
	if (now_ms - restore->progress_ms <= NO_PROGRESS_LOUD_MS ||
	    now_ms - restore->loud_ms <= NO_PROGRESS_LOUD_MS)
		return;
	log_error("restore makes no progress", "partition=%d offset=%lld target=%lld",
		  restore->partition->id, (long long)restore->next_offset,
		  (long long)restore->target);
	restore->loud_ms = now_ms;
}

/* For who waits for a long one: how much is left, how fast it goes, and the partition that has most
 * before it. */
static void tell(struct restorer *r, int64_t now_ms) {
	int64_t left = 0, most = -1, since_ms = now_ms - r->report_at_ms + REPORT_INTERVAL_MS, rate;
	const struct restore *last = NULL;
	int count = 0;

	for (const struct restore *restore = r->restores; restore;
	     restore = restore->next, count++) {
		int64_t offsets = restore->target - restore->next_offset;

		left += MAX(offsets, (int64_t)0);
		if (offsets > most) {
			most = offsets;
			last = restore;
		}
	}
	rate = MAX(r->reported_left - left, (int64_t)0) * 1000 / since_ms;
	if (last && r->reported_left >= 0)
		log_info("restoring",
			 "partitions=%d left=%lld a_second=%lld seconds_left=%lld "
			 "furthest_partition=%d offset=%lld target=%lld",
			 count, (long long)left, (long long)rate,
			 (long long)(rate ? left / rate : -1), last->partition->id,
			 (long long)last->next_offset, (long long)last->target);
	r->reported_left = left;
	r->report_at_ms = now_ms + REPORT_INTERVAL_MS;
}

static void report_progress(struct restorer *r) {
	int64_t now_ms = clock_monotonic_ms();

	for (struct restore *restore = r->restores; restore; restore = restore->next) {
		atomic_store(&metrics_of(r, restore->partition)->restore_offset,
			     restore->next_offset);
		complain(restore, now_ms);
	}
	if (now_ms >= r->report_at_ms)
		tell(r, now_ms);
}

/* Whether anything of the partition is other than when this worker last had it, whichever restore
 * it was that brought it. */
static bool has_moved(const struct restore *restore) {
	return restore->moved ||
	       !history_same_position(&restore->history.position, &restore->partition->position);
}

static void hand_over(struct restorer *r, struct restore *restore) {
	struct partition *partition = restore->partition;
	enum restore_end end = restore->torn        ? RESTORE_TORN
			       : has_moved(restore) ? RESTORE_MOVED
						    : RESTORE_UNMOVED;

	if (restore->torn)
		log_error("changelog's history is torn: the partition is not served",
			  "partition=%d offset=%lld reason=%s", partition->id,
			  (long long)restore->next_offset, log_quote(restore->torn));
	partition->position = restore->history.position;
	partition->position_offset = restore->history.position_offset;
	log_info("partition restored", "partition=%d records=%lld offset=%lld ms=%lld",
		 partition->id, (long long)restore->records, (long long)restore->next_offset,
		 (long long)(clock_monotonic_ms() - restore->started_ms));
	restorer_remove(r, partition);
	r->done(r->userdata, partition, end);
}

static bool has_ended(const struct restore *restore) {
	return restore->torn ||
	       (restore->target >= 0 && restore->at_end && restore->unwritten == 0);
}

/* Returns REPLICA_E_MORE when a partition has ended and the replica is not ready for it yet, 0, or
 * a negative errno. */
static int finish_ended(struct restorer *r) {
	int error = 0;

	for (struct restore *restore = r->restores, *next; restore && error == 0; restore = next) {
		next = restore->next;
		if (!has_ended(restore))
			continue;
		restore_write_settle(r);
		if (r->write_error < 0)
			error = r->write_error;
		else if (restore->verify_offset >= 0 && !restore->torn)
			error = start_from_scratch(
			    r, restore, "the changelog no longer has what the replica reflects");
		else
			error = replica_fill_end(
			    r->replica); /* from here on there is something to lose, and to read */
		if (error == 0 && has_ended(restore))
			hand_over(r, restore);
	}
	return error;
}

/*
 * librdkafka 2.0.2 stops fetching while its queue is full, and looks at the queue again after a
 * second, or when the broker's thread wakes for something else: any request wakes it. One partition
 * after the other, because each may have another broker; not those that wait for an open
 * transaction, of which there is nothing to fetch. The answer is of no use, so it is not waited for
 * longer than a step may take. Source: librdkafka, issue 2879.
 */
static void keep_fetching(struct restorer *r) {
	int64_t low, high, now_ms = clock_monotonic_ms();
	const struct restore *next = NULL;

	if (now_ms < r->nudge_at_ms || rd_kafka_queue_length(r->queue) > QUEUE_LOW)
		return;
	r->nudge_at_ms = now_ms + NUDGE_INTERVAL_MS;
	for (const struct restore *restore = r->restores; restore; restore = restore->next)
		if (!restore->at_end && !restore->takeover_at_ms &&
		    restore->partition->id > r->nudged_partition &&
		    (!next || restore->partition->id < next->partition->id))
			next = restore;
	r->nudged_partition = next ? next->partition->id : -1;
	if (next)
		(void)rd_kafka_query_watermark_offsets(r->reader, r->settings.topics->state,
						       next->partition->id, &low, &high,
						       NUDGE_TIMEOUT_MS);
}

/* Reads what is there, or writes what was read: never both, so that a step is as short as its
 * budget. */
static int read_or_write(struct restorer *r, int64_t deadline_ms) {
	int polled, error;

	if (restore_write_waits(r))
		return 0;
	if (restore_write_is_due(r))
		return restore_write_slice(r, deadline_ms);
	if (r->assignment_stale)
		assign(r);
	keep_fetching(r);
	error = poll_records(r, deadline_ms, &polled);
	return error < 0 ? error : polled > 0;
}

int restorer_step(struct restorer *r, int64_t budget_ms) {
	int more, error;

	if (r->write_error < 0)
		return r->write_error;
	if (!r->restores)
		return 0;
	error = ask(r);
	if (error <= 0)
		return error;
	more = read_or_write(r, clock_monotonic_ms() + budget_ms);
	if (more < 0)
		return more;
	end_transactions_of_the_dead(r);
	report_progress(r);
	error = finish_ended(r);
	restore_write_prepare(r);
	return error != 0 ? error
			  : r->restores && !restore_write_waits(r) &&
				(more || r->assignment_stale || restore_write_is_due(r));
}

bool restorer_has_replica(const struct restorer *r) {
	return r->portion.is_aside;
}

int restorer_failures(const struct restorer *r) {
	return r->ask_backoff.failures;
}
