/*
 * Which partitions are a worker's, and how far: each arrow of a partition's life, and what is told
 * to whom on it. Over fakes of the membership, the restorer, the dispatcher and the brokers.
 */
#include "domain/event_catalogue.h"
#include "fake_engine.h"
#include "pipeline/offsets.h"
#include "pipeline/ownership.h"
#include "pipeline/ownership_inputs.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { PARTITIONS = 3, TEXT_MAX = 512 };

/* What the fakes are told, in words. */
static char told[TEXT_MAX];

static void tell(const char *format, ...) {
	size_t len = strlen(told);
	va_list args;

	va_start(args, format);
	vsnprintf(told + len, sizeof(told) - len, format, args);
	va_end(args);
}

/* The answers of the fakes. */
static struct {
	int topics, accept, read, offsets, activate, add, step, orphan;
	int32_t partition_count;
	bool is_torn[PARTITIONS];  /* its offsets are of another changelog */
	bool is_ended[PARTITIONS]; /* restores that have ended and are not taken */
	bool is_restoring[PARTITIONS];
	enum restore_end restore_end;
	int64_t catalogue; /* of the position that is restored */
	int64_t low, high; /* of an input that was lost */
	int bounds;
} answers;

/* The brokers. */

int topics_check(const struct topics *topics _unused_, rd_kafka_t *client _unused_,
		 int timeout_ms _unused_, int32_t *partition_count) {
	*partition_count = answers.partition_count;
	return answers.topics;
}

int offsets_ask(const struct offsets_question *question) {
	tell("ask(");
	for (size_t i = 0; i < question->count; i++) {
		struct offsets_of *asked = &question->partitions[i];

		tell("%s%d", i ? " " : "", asked->partition);
		asked->next[0] = 10 + asked->partition;
		asked->next[1] = 20 + asked->partition;
		asked->result = answers.is_torn[asked->partition] ? OFFSETS_E_TORN : 0;
	}
	tell(") ");
	return answers.offsets;
}

int offsets_ask_bounds(rd_kafka_t *client _unused_, const char *topic _unused_,
		       int32_t partition _unused_, int64_t *low, int64_t *high) {
	*low = answers.low;
	*high = answers.high;
	return answers.bounds;
}

/* The membership. */

rd_kafka_t *membership_client(const struct membership *membership _unused_) {
	return NULL;
}

int membership_accept(struct membership *membership _unused_) {
	tell("accept ");
	return answers.accept;
}

int32_t membership_generation(const struct membership *membership _unused_) {
	return 1;
}

int membership_read(struct membership *membership _unused_, const struct membership_read *reads,
		    size_t count) {
	tell("read(");
	for (size_t i = 0; i < count; i++)
		tell("%s%s/%d@%lld", i ? " " : "", reads[i].topic, reads[i].partition,
		     (long long)reads[i].offset);
	tell(") ");
	return answers.read;
}

int64_t membership_input_end(const struct membership *membership _unused_,
			     const char *topic _unused_, int32_t partition) {
	return partition == 0 ? 100 : -1;
}

/* The dispatcher. */

int dispatcher_activate(struct dispatcher *dispatcher _unused_, struct dispatch_partition partition,
			int64_t latest_ms _unused_, int64_t now_ms _unused_, int64_t *pending) {
	tell("activate(%d epoch %u) ", partition.id, partition.epoch);
	*pending = 7;
	return answers.activate;
}

void dispatcher_suspend(struct dispatcher *dispatcher _unused_, int32_t partition_id) {
	tell("suspend(%d) ", partition_id);
}

void dispatcher_forget(struct dispatcher *dispatcher _unused_, int32_t partition_id) {
	tell("forget(%d) ", partition_id);
}

/* The restorer. */

int restorer_add(struct restorer *restorer _unused_, const struct restore_request *request) {
	tell("restore(%d) ", request->partition);
	answers.is_restoring[request->partition] = true;
	return answers.add;
}

void restorer_remove(struct restorer *restorer _unused_, int32_t partition) {
	if (answers.is_restoring[partition])
		tell("remove(%d) ", partition);
	answers.is_restoring[partition] = answers.is_ended[partition] = false;
}

bool restorer_has(const struct restorer *restorer _unused_, int32_t partition) {
	return answers.is_restoring[partition];
}

int restorer_step(struct restorer *restorer _unused_, int64_t budget_ms _unused_) {
	return answers.step;
}

bool restorer_take_ended(struct restorer *restorer _unused_, struct restore_result *out) {
	for (int32_t i = 0; i < PARTITIONS; i++) {
		if (!answers.is_ended[i])
			continue;
		answers.is_ended[i] = answers.is_restoring[i] = false;
		*out = (struct restore_result){ .partition = i,
						.end = answers.restore_end,
						.position = { .sequence = 5,
							      .catalogue = answers.catalogue },
						.position_offset = 50 };
		return true;
	}
	return false;
}

/* The replica, and the keys that sign. */

void master_keys_append_ids(const struct master_keys *keys _unused_, struct buffer *out) {
	buffer_append_string(out, "here");
}

const struct master_key *master_keys_find(const struct master_keys *keys _unused_,
					  const char *id _unused_) {
	return NULL;
}

int replica_find_orphan_key(struct replica *replica _unused_, struct arena *arena _unused_,
			    int32_t partition _unused_, int64_t now_ms _unused_,
			    bool (*has)(const void *, const char *) _unused_,
			    const void *userdata _unused_, struct orphan *out) {
	*out =
	    (struct orphan){ .tenant_id = "t", .kind = "kid", .name = "k", .master_key_id = "m" };
	return answers.orphan;
}

/* The world. */

struct world {
	struct topics topics;
	struct config config;
	struct engine *engine;
	struct master_keys *master_keys;
	struct pipeline_metrics metrics;
	struct ownership *ownership;
	struct partitions *partitions;
};

static int setup(void **state) {
	static char admin[] = "webhook-admin", issuance[] = "credential-issuance", group[] = "g";
	static struct world w;
	struct ownership_settings settings = { .config = &w.config,
					       .topics = &w.topics,
					       .metrics = &w.metrics };

	w = (struct world){ .config.group_id = group };
	w.topics = (struct topics){ .admin = admin, .issuance = issuance };
	settings.engine = w.engine = fake_engine_new();
	pipeline_metrics_init(&w.metrics, PARTITIONS);
	w.ownership = ownership_new(&settings, PARTITIONS);
	w.partitions = ownership_partitions(w.ownership);
	memset(&answers, 0, sizeof(answers));
	answers.partition_count = PARTITIONS;
	answers.orphan = REPLICA_E_NOT_FOUND;
	told[0] = '\0';
	*state = &w;
	return 0;
}

static int teardown(void **state) {
	struct world *w = *state;

	ownership_free(w->ownership);
	pipeline_metrics_destroy(&w->metrics);
	engine_free(w->engine);
	return 0;
}

#define assert_told(text)                                                                          \
	do {                                                                                       \
		assert_string_equal(told, text);                                                   \
		told[0] = '\0';                                                                    \
	} while (0)

/* Both inputs of each partition that is written in `digits`. */
static struct step assign(struct world *w, const char *digits) {
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
	struct step step;

	for (; *digits; digits++) {
		rd_kafka_topic_partition_list_add(list, w->topics.admin, *digits - '0');
		rd_kafka_topic_partition_list_add(list, w->topics.issuance, *digits - '0');
	}
	step = ownership_assign(w->ownership, list);
	rd_kafka_topic_partition_list_destroy(list);
	return step;
}

/* A letter for each partition's state. */
static const char *states(const struct world *w) {
	static const char letters[] = { [PARTITION_ABSENT] = '-',
					[PARTITION_RESTORING] = 'R',
					[PARTITION_ACTIVE] = 'A',
					[PARTITION_SUSPENDED] = 'S',
					[PARTITION_FAILED] = 'F' };
	static char text[PARTITIONS + 1];

	for (int32_t i = 0; i < PARTITIONS; i++) {
		text[i] = letters[w->partitions->items[i].state];
		assert_int_equal(atomic_load(&w->metrics.partitions[i].state),
				 w->partitions->items[i].state);
	}
	return text;
}

static void restore(struct world *w, int32_t partition, enum restore_end end) {
	struct step step = ownership_restore(w->ownership, 10);

	assert_int_equal(step.end, STEP_DONE);
	answers.is_ended[partition] = true;
	answers.restore_end = end;
	step = ownership_restore(w->ownership, 10);
	assert_int_equal(step.end, STEP_DONE);
}

static struct step activate(struct world *w) {
	return ownership_activate(w->ownership, NULL, NULL, 1000);
}

/* The whole way of partition 0, alone. */
static void serve(struct world *w) {
	assert_int_equal(assign(w, "0").end, STEP_DONE);
	restore(w, 0, RESTORE_END_MOVED);
	assert_int_equal(activate(w).end, STEP_REREAD);
	assert_string_equal(states(w), "A--");
	told[0] = '\0';
}

static void from_assigned_to_served(void **state) {
	struct world *w = *state;

	assert_int_equal(assign(w, "02").end, STEP_DONE);
	assert_string_equal(states(w), "R-R");
	assert_told("accept ");
	print_message("both are restored\n");
	assert_int_equal(ownership_restore(w->ownership, 10).end, STEP_DONE);
	assert_told("restore(0) restore(2) ");
	print_message("and asked for once\n");
	assert_int_equal(ownership_restore(w->ownership, 10).end, STEP_DONE);
	assert_told("");
	print_message(
	    "one is restored: it is not served before it is known where its inputs go on\n");
	restore(w, 2, RESTORE_END_MOVED);
	assert_string_equal(states(w), "R-R");
	assert_int_equal(w->partitions->items[2].position.sequence, 5);
	assert_int_equal(w->partitions->items[2].position_offset, 50);
	print_message("then it is\n");
	assert_int_equal(activate(w).end, STEP_REREAD);
	assert_string_equal(states(w), "R-A");
	assert_told("ask(2) forget(2) activate(2 epoch 1) ");
	assert_int_equal(atomic_load(&w->metrics.partitions[2].pending), 7);
	print_message("and read, while the other is not\n");
	assert_int_equal(ownership_read(w->ownership).end, STEP_DONE);
	assert_told("read(webhook-admin/2@12 credential-issuance/2@22) ");
	assert_int_equal(activate(w).end, STEP_DONE);
}

static void a_worker_of_other_event_types_is_told_of(void **state _unused_) {
	static char degree[] = "degree", licence[] = "licence";
	char *ours[] = { degree, licence }, *reversed[] = { licence, degree };
	const struct {
		const char *name;
		int64_t theirs;
		int disagreements;
	} rows[] = {
		{ "its worker had none", 0, 0 },
		{ "the same, in another order",
		  event_catalogue_hash((struct event_catalogue){ reversed, 2 }), 0 },
		{ "one of them", event_catalogue_hash((struct event_catalogue){ ours, 1 }), 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		void *world;
		struct world *w;

		print_message("%s\n", rows[i].name);
		setup(&world);
		w = world;
		w->config.event_types = (struct name_list){ ours, 2 };
		answers.catalogue = rows[i].theirs;
		serve(w);
		assert_int_equal(atomic_load(&w->metrics.catalogue_disagreements),
				 rows[i].disagreements);
		teardown(&world);
	}
}

static void an_assignment_that_ends_the_worker(void **state) {
	static const struct {
		const char *name;
		int topics;
		int32_t partition_count;
		int accept;
		bool is_half;
	} rows[] = {
		{ "a topic was deleted", TOPICS_E_REFUSED, PARTITIONS, 0, false },
		{ "there are more partitions", 0, PARTITIONS + 1, 0, false },
		{ "there are fewer", 0, PARTITIONS - 1, 0, false },
		{ "it has one input of a partition", 0, PARTITIONS, 0, true },
		{ "its metadata fence nobody", 0, PARTITIONS, -EPROTO, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = *state;
		rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(2);

		print_message("%s\n", rows[i].name);
		answers.topics = rows[i].topics;
		answers.partition_count = rows[i].partition_count;
		answers.accept = rows[i].accept;
		rd_kafka_topic_partition_list_add(list, w->topics.admin, 0);
		if (!rows[i].is_half)
			rd_kafka_topic_partition_list_add(list, w->topics.issuance, 0);
		assert_int_equal(ownership_assign(w->ownership, list).end, STEP_FATAL);
		assert_string_equal(states(w), "---");
		rd_kafka_topic_partition_list_destroy(list);
	}
}

/* Brokers that do not answer change nothing: the topics are asked for again with the next one. */
static void an_assignment_while_brokers_do_not_answer(void **state) {
	struct world *w = *state;

	answers.topics = -ETIMEDOUT;
	assert_int_equal(assign(w, "1").end, STEP_DONE);
	assert_string_equal(states(w), "-R-");
}

/* R5: the epoch stays where nobody else has owned the partition. */
static void epochs(void **state _unused_) {
	static const struct {
		const char *name;
		enum restore_end end;
		const char *between; /* an assignment in between, without partition 0; NULL: none */
		const char *told;
	} rows[] = {
		{ "it comes back, and nobody else has owned it", RESTORE_END_UNMOVED, NULL,
		  "ask(0) activate(0 epoch 1) " },
		{ "it comes back, and others have", RESTORE_END_MOVED, NULL,
		  "ask(0) forget(0) activate(0 epoch 2) " },
		{ "it was others', who did nothing", RESTORE_END_UNMOVED, "1",
		  "ask(0) forget(0) activate(0 epoch 2) " },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		void *world;
		struct world *w;

		print_message("%s\n", rows[i].name);
		setup(&world);
		w = world;
		serve(w);
		ownership_suspend(w->ownership);
		assert_string_equal(states(w), "S--");
		if (rows[i].between)
			assert_int_equal(assign(w, rows[i].between).end, STEP_DONE);
		assert_int_equal(assign(w, "0").end, STEP_DONE);
		restore(w, 0, rows[i].end);
		told[0] = '\0';
		assert_int_equal(activate(w).end, STEP_REREAD);
		assert_told(rows[i].told);
		teardown(&world);
	}
}

static void being_given_away(void **state) {
	struct world *w = *state;

	assert_int_equal(assign(w, "012").end, STEP_DONE);
	restore(w, 0, RESTORE_END_MOVED);
	assert_int_equal(activate(w).end, STEP_REREAD);
	answers.restore_end = RESTORE_END_TORN;
	restore(w, 1, RESTORE_END_TORN);
	assert_string_equal(states(w), "AFR");
	told[0] = '\0';
	ownership_suspend(w->ownership);
	assert_string_equal(states(w), "SSS");
	assert_told("suspend(0) suspend(1) suspend(2) remove(2) ");
	print_message("twice is once\n");
	ownership_suspend(w->ownership);
	assert_told("");
	print_message("one comes back, the others are others'\n");
	assert_int_equal(assign(w, "1").end, STEP_DONE);
	assert_string_equal(states(w), "-R-");
	assert_told("accept forget(0) forget(2) ");
	assert_int_equal(w->partitions->items[0].epoch, 0);
}

static void a_further_assignment_without_a_revocation(void **state) {
	struct world *w = *state;

	serve(w);
	assert_int_equal(assign(w, "01").end, STEP_DONE);
	assert_string_equal(states(w), "RR-");
	assert_told("suspend(0) accept ");
}

static void gates_close_at_once(void **state) {
	struct world *w = *state;

	serve(w);
	for (int32_t i = 0; i < PARTITIONS; i++)
		w->engine->gates[i] = 9;
	ownership_close_gates(w->ownership);
	for (int32_t i = 0; i < PARTITIONS; i++)
		assert_int_equal(w->engine->gates[i], 0);
	assert_string_equal(states(w), "A--");
}

/* R9: what the brokers hold is not known. */
static void a_resync(void **state) {
	struct world *w = *state;

	assert_int_equal(assign(w, "012").end, STEP_DONE);
	restore(w, 0, RESTORE_END_MOVED);
	assert_int_equal(activate(w).end, STEP_REREAD);
	restore(w, 1, RESTORE_END_MOVED);
	told[0] = '\0';
	print_message("one is served, one restored, one is being restored\n");
	ownership_resync(w->ownership);
	assert_string_equal(states(w), "RRR");
	assert_told("suspend(0) suspend(1) suspend(2) remove(2) ");
	print_message("none of them is restored now\n");
	assert_int_equal(activate(w).end, STEP_DONE);
	assert_string_equal(states(w), "RRR");
	print_message("all are restored again\n");
	assert_int_equal(ownership_restore(w->ownership, 10).end, STEP_DONE);
	assert_told("restore(0) restore(1) restore(2) ");
	print_message("and nothing is read meanwhile\n");
	assert_int_equal(ownership_read(w->ownership).end, STEP_DONE);
	assert_told("read() ");
}

static void activation_that_is_put_off_or_fails(void **state _unused_) {
	static const struct {
		const char *name;
		int offsets;
		bool is_torn;
		int orphan, activate;
		enum step_end end;
		const char *states;
		int failures;
	} rows[] = {
		{ "the brokers do not tell the offsets", -EAGAIN, false, REPLICA_E_NOT_FOUND, 0,
		  STEP_DONE, "R--", 1 },
		{ "the offsets are of another changelog", 0, true, REPLICA_E_NOT_FOUND, 0,
		  STEP_DONE, "F--", 0 },
		{ "a master key is not here", 0, false, 0, 0, STEP_FATAL, "R--", 0 },
		{ "the replica fails at the keys", 0, false, -EIO, 0, STEP_REPLICA_FAILED, "R--",
		  0 },
		{ "the replica fails at the backlog", 0, false, REPLICA_E_NOT_FOUND, -EIO,
		  STEP_REPLICA_FAILED, "A--", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);
		void *world;
		struct world *w;

		print_message("%s\n", rows[i].name);
		setup(&world);
		w = world;
		assert_int_equal(assign(w, "0").end, STEP_DONE);
		restore(w, 0, RESTORE_END_MOVED);
		answers.offsets = rows[i].offsets;
		answers.is_torn[0] = rows[i].is_torn;
		answers.orphan = rows[i].orphan;
		answers.activate = rows[i].activate;
		assert_int_equal(activate(w).end, rows[i].end);
		assert_string_equal(states(w), rows[i].states);
		assert_int_equal(ownership_failures(w->ownership), rows[i].failures);
		teardown(&world);
	}
}

/* The brokers are asked once, and the inputs are read once. */
static void what_is_restored_together_is_served_together(void **state) {
	struct world *w = *state;

	assert_int_equal(assign(w, "012").end, STEP_DONE);
	for (int32_t i = 0; i < PARTITIONS; i++)
		restore(w, i, RESTORE_END_MOVED);
	answers.is_torn[0] = true;
	told[0] = '\0';
	print_message("but one whose offsets are of another changelog\n");
	assert_int_equal(activate(w).end, STEP_REREAD);
	assert_told("ask(0 1 2) forget(1) activate(1 epoch 1) forget(2) activate(2 epoch 2) ");
	assert_string_equal(states(w), "FAA");
	assert_int_equal(ownership_read(w->ownership).end, STEP_DONE);
	assert_told("read(webhook-admin/1@11 credential-issuance/1@21 "
		    "webhook-admin/2@12 credential-issuance/2@22) ");
}

/* The turns wait no longer than that (R6). */
static void serving_begins_one_at_least_in_its_time(void **state) {
	struct world *w = *state;

	assert_int_equal(assign(w, "01").end, STEP_DONE);
	restore(w, 0, RESTORE_END_MOVED);
	restore(w, 1, RESTORE_END_MOVED);
	assert_int_equal(ownership_activate(w->ownership, NULL, NULL, 0).end, STEP_REREAD);
	assert_string_equal(states(w), "AR-");
	assert_int_equal(ownership_activate(w->ownership, NULL, NULL, 0).end, STEP_REREAD);
	assert_string_equal(states(w), "AA-");
	assert_int_equal(activate(w).end, STEP_DONE);
}

static void restores_that_fail(void **state) {
	static const struct {
		const char *name;
		int add, step;
		enum step_end end;
		bool more;
	} rows[] = {
		{ "it waits for the brokers", 0, 0, STEP_DONE, false },
		{ "there is more to do", 0, 1, STEP_DONE, true },
		{ "the replica fails", 0, -EIO, STEP_REPLICA_FAILED, true },
		{ "it does not begin", -EIO, 0, STEP_REPLICA_FAILED, true },
	};
	struct world *w = *state;

	assert_int_equal(assign(w, "0").end, STEP_DONE);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct step step;

		print_message("%s\n", rows[i].name);
		answers.add = rows[i].add;
		answers.step = rows[i].step;
		answers.is_restoring[0] = false;
		step = ownership_restore(w->ownership, 10);
		assert_int_equal(step.end, rows[i].end);
		assert_int_equal(step.more, rows[i].more);
		assert_int_equal(step.error, step.end == STEP_REPLICA_FAILED ? -EIO : 0);
		assert_string_equal(states(w), "R--");
	}
}

static void lose_input(struct world *w, const char *topic) {
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

	rd_kafka_topic_partition_list_add(list, topic, 0);
	ownership_note_lost(w->ownership, list);
	rd_kafka_topic_partition_list_destroy(list);
}

static void an_input_that_is_lost(void **state _unused_) {
	static const struct {
		const char *name;
		int64_t low, high;
		int bounds;
		enum step_end end;
		int64_t next, lost;
	} rows[] = {
		{ "retention ran past it: on from the first record", 35, 90, 0, STEP_REREAD, 35,
		  15 },
		{ "all are gone: on from the end", 90, 90, 0, STEP_REREAD, 90, 70 },
		{ "the topic was cut: on from its end", 0, 5, 0, STEP_REREAD, 5, 0 },
		{ "it is there after all", 0, 90, 0, STEP_REREAD, 20, 0 },
		{ "the brokers do not answer", 35, 90, -EAGAIN, STEP_DONE, 20, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		void *world;
		struct world *w;

		print_message("%s\n", rows[i].name);
		setup(&world);
		w = world;
		serve(w);
		assert_int_equal(ownership_skip_lost(w->ownership, NULL).end, STEP_DONE);
		answers.low = rows[i].low;
		answers.high = rows[i].high;
		answers.bounds = rows[i].bounds;
		lose_input(w, w->topics.issuance);
		assert_int_equal(ownership_skip_lost(w->ownership, NULL).end, rows[i].end);
		assert_int_equal(w->partitions->items[0].next[INPUT_ISSUANCE], rows[i].next);
		assert_int_equal(w->partitions->items[0].next[INPUT_ADMIN], 10);
		assert_int_equal(atomic_load(&w->metrics.records_lost[METRIC_INPUT_ISSUANCE]),
				 rows[i].lost);
		assert_int_equal(ownership_failures(w->ownership), rows[i].bounds != 0);
		teardown(&world);
	}
}

/* Each skip has the inputs read again, all of them. */
static void inputs_that_are_lost_together_are_skipped_together(void **state) {
	struct world *w = *state;

	serve(w);
	answers.low = 35;
	answers.high = 90;
	lose_input(w, w->topics.admin);
	lose_input(w, w->topics.issuance);
	assert_int_equal(ownership_skip_lost(w->ownership, NULL).end, STEP_REREAD);
	assert_int_equal(w->partitions->items[0].next[INPUT_ADMIN], 35);
	assert_int_equal(w->partitions->items[0].next[INPUT_ISSUANCE], 35);
	assert_int_equal(ownership_skip_lost(w->ownership, NULL).end, STEP_DONE);
}

static void the_lag_is_of_what_is_served(void **state) {
	struct world *w = *state;

	serve(w);
	ownership_update_lag(w->ownership);
	assert_int_equal(atomic_load(&w->metrics.partitions[0].lag[METRIC_INPUT_ADMIN]), 90);
	assert_int_equal(atomic_load(&w->metrics.partitions[0].lag[METRIC_INPUT_ISSUANCE]), 80);
	assert_int_equal(atomic_load(&w->metrics.partitions[1].lag[METRIC_INPUT_ADMIN]), -1);
	ownership_suspend(w->ownership);
	ownership_update_lag(w->ownership);
	assert_int_equal(atomic_load(&w->metrics.partitions[0].lag[METRIC_INPUT_ADMIN]), -1);
}

static void a_consumer_that_cannot_read(void **state) {
	struct world *w = *state;

	serve(w);
	answers.read = -EIO;
	assert_int_equal(ownership_read(w->ownership).end, STEP_FATAL);
}

#define OWNERSHIP_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		OWNERSHIP_TEST(from_assigned_to_served),
		cmocka_unit_test(a_worker_of_other_event_types_is_told_of),
		OWNERSHIP_TEST(an_assignment_that_ends_the_worker),
		OWNERSHIP_TEST(an_assignment_while_brokers_do_not_answer),
		cmocka_unit_test(epochs),
		OWNERSHIP_TEST(being_given_away),
		OWNERSHIP_TEST(a_further_assignment_without_a_revocation),
		OWNERSHIP_TEST(gates_close_at_once),
		OWNERSHIP_TEST(a_resync),
		cmocka_unit_test(activation_that_is_put_off_or_fails),
		OWNERSHIP_TEST(what_is_restored_together_is_served_together),
		OWNERSHIP_TEST(serving_begins_one_at_least_in_its_time),
		OWNERSHIP_TEST(restores_that_fail),
		cmocka_unit_test(an_input_that_is_lost),
		OWNERSHIP_TEST(inputs_that_are_lost_together_are_skipped_together),
		OWNERSHIP_TEST(the_lag_is_of_what_is_served),
		OWNERSHIP_TEST(a_consumer_that_cannot_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
