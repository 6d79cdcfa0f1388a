/*
 * Turns: how they end, for each way in which a transaction or the replica fails, and what is left
 * then. Over a fake transaction, membership and engine; with a real replica and dispatcher.
 */
#include "avro/embedded.h"
#include "avro/frame.h"
#include "base/clock.h"
#include "base/config_load.h"
#include "domain/limits.h"
#include "fake_engine.h"
#include "fake_membership.h"
#include "fake_schema_registry.h"
#include "fake_transaction.h"
#include "pipeline/turn.h"
#include "pipeline/turn_state.h"
#include "replica_fixture.h"
#include "signature/master_key.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { PARTITIONS = 2 };

#define TENANT "tenant-a"

/* The replica fails where a test says so: the linker puts these before its functions. */
static int fails_turn_begin, fails_apply, fails_turn_end;

int __real_replica_turn_begin(struct replica *replica, int64_t now_ms);
int __wrap_replica_turn_begin(struct replica *replica, int64_t now_ms);
int __real_replica_apply(struct replica *replica, int32_t partition, const struct change *change,
			 const void *value, size_t len);
int __wrap_replica_apply(struct replica *replica, int32_t partition, const struct change *change,
			 const void *value, size_t len);
int __real_replica_turn_end(struct replica *replica, int64_t now_ms);
int __wrap_replica_turn_end(struct replica *replica, int64_t now_ms);

int __wrap_replica_turn_begin(struct replica *replica, int64_t now_ms) {
	return fails_turn_begin ? fails_turn_begin : __real_replica_turn_begin(replica, now_ms);
}

int __wrap_replica_apply(struct replica *replica, int32_t partition, const struct change *change,
			 const void *value, size_t len) {
	if (fails_apply)
		return fails_apply;
	return __real_replica_apply(replica, partition, change, value, len);
}

int __wrap_replica_turn_end(struct replica *replica, int64_t now_ms) {
	return fails_turn_end ? fails_turn_end : __real_replica_turn_end(replica, now_ms);
}

/* The dispatcher has these reports, where a test says so. */
static struct dispatch_report *has_reports;
static size_t report_count;

size_t __real_dispatcher_list_reports(const struct dispatcher *dispatcher, struct arena *arena,
				      size_t limit, struct dispatch_report **out);
size_t __wrap_dispatcher_list_reports(const struct dispatcher *dispatcher, struct arena *arena,
				      size_t limit, struct dispatch_report **out);

size_t __wrap_dispatcher_list_reports(const struct dispatcher *dispatcher, struct arena *arena,
				      size_t limit, struct dispatch_report **out) {
	if (!has_reports)
		return __real_dispatcher_list_reports(dispatcher, arena, limit, out);
	*out = has_reports;
	return report_count;
}

/* And so much waits for its threads. */
static size_t waiting;
static bool has_cancellations;

size_t __wrap_dispatcher_waiting(const struct dispatcher *dispatcher);
bool __real_dispatcher_has_cancellations(const struct dispatcher *dispatcher);
bool __wrap_dispatcher_has_cancellations(const struct dispatcher *dispatcher);

size_t __wrap_dispatcher_waiting(const struct dispatcher *dispatcher _unused_) {
	return waiting;
}

bool __wrap_dispatcher_has_cancellations(const struct dispatcher *dispatcher) {
	return has_cancellations || __real_dispatcher_has_cancellations(dispatcher);
}

struct world {
	struct fixture *replica; /* and codec and arena */
	struct config *config;
	struct master_keys *master_keys;
	struct topics topics;
	rd_kafka_t *client; /* without brokers: it names topics */
	rd_kafka_topic_t *admin, *issuance;
	struct engine *engine;
	struct tenant_pending *tenant_pending;
	struct pipeline_metrics metrics;
	struct dispatcher *dispatcher;
	struct partition items[PARTITIONS];
	struct partitions partitions;
	struct partition *partition; /* of TENANT */
	struct turns *turns;
	struct turn_stores stores;
	int64_t offset; /* of the next command */
};

static struct config *new_config(void) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);
	static const char *const settings[] = {
		"kafka.bootstrap.servers=127.0.0.1:9",
		"worker.master.key.file=/nonexistent",
		"worker.id=worker-1",
		"endpoint.allow.http=true",
		"endpoint.allow.networks=127.0.0.0/8",
		"delivery.threads=1",
	};
	struct config_source source = { .settings = settings,
					.setting_count = ARRAY_LEN(settings) };
	struct config *config = NULL;

	if (config_load(&source, &config, &problems))
		fail_msg("%s", problems.data);
	return config;
}

static struct master_keys *new_master_keys(const char *directory) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);
	_cleanup_(x_freep) char *path = x_asprintf("%s/key", directory);
	const char *paths[] = { path };
	struct master_keys *keys = NULL;

	assert_int_equal(master_key_generate(path, &problems), 0);
	assert_int_equal(master_keys_load(paths, 1, &keys, &problems), 0);
	unlink(path);
	return keys;
}

static void make_client(struct world *w) {
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	assert_int_equal(rd_kafka_conf_set(conf, "log_level", "0", NULL, 0), RD_KAFKA_CONF_OK);
	w->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
	w->admin = rd_kafka_topic_new(w->client, w->topics.admin, NULL);
	w->issuance = rd_kafka_topic_new(w->client, w->topics.issuance, NULL);
}

static void make_partitions(struct world *w) {
	int32_t id = rd_kafka_msg_partitioner_murmur2(w->admin, TENANT, strlen(TENANT), PARTITIONS,
						      NULL, NULL);

	w->partitions = (struct partitions){ PARTITIONS, w->items };
	for (int32_t i = 0; i < PARTITIONS; i++) {
		w->items[i] = (struct partition){
			.id = i, .state = PARTITION_ACTIVE, .epoch = 1, .poison = { -1, -1 }
		};
		partition_turn_reset(&w->items[i]);
	}
	w->partition = &w->items[id];
}

static void make_dispatcher(struct world *w) {
	struct dispatcher_settings settings = { .config = w->config,
						.master_keys = w->master_keys,
						.engine = w->engine,
						.metrics = &w->metrics.dispatch,
						.tenant_pending = w->tenant_pending,
						.monotonic_ms = clock_monotonic_ms };

	w->dispatcher = dispatcher_new(&settings, clock_wall_ms());
	dispatcher_set_replica(w->dispatcher, w->replica->replica);
}

static void make_turns(struct world *w) {
	struct turns_settings settings = { .config = w->config,
					   .master_keys = w->master_keys,
					   .topics = &w->topics,
					   .cluster_id = CLUSTER,
					   .engine = w->engine,
					   .codec = w->replica->codec,
					   .partitions = &w->partitions,
					   .dispatcher = w->dispatcher,
					   .tenant_pending = w->tenant_pending,
					   .metrics = &w->metrics };

	w->turns = turns_new(&settings);
	w->stores = (struct turn_stores){ w->replica->replica, fake_transaction_new() };
}

static int setup(void **state) {
	struct world *w = x_calloc(1, sizeof(*w));
	void *fixture;

	if (fixture_setup(&fixture))
		return -1;
	w->replica = fixture;
	w->config = new_config();
	w->master_keys = new_master_keys(w->replica->directory);
	topics_init(&w->topics, "");
	make_client(w);
	make_partitions(w);
	w->engine = fake_engine_new();
	w->tenant_pending = tenant_pending_new();
	pipeline_metrics_init(&w->metrics, PARTITIONS);
	make_dispatcher(w);
	make_turns(w);
	fake_transaction = (struct fake_transaction){ .next_offset = 100 };
	fake_membership = (struct fake_membership){ .has_group = true, .generation = 3 };
	fails_turn_begin = fails_apply = fails_turn_end = 0;
	has_reports = NULL;
	report_count = 1;
	waiting = 0;
	has_cancellations = false;
	*state = w;
	return 0;
}

static int teardown(void **state) {
	struct world *w = *state;
	void *fixture = w->replica;

	fake_membership_clear();
	turns_free(w->turns);
	dispatcher_free(w->dispatcher);
	pipeline_metrics_destroy(&w->metrics);
	tenant_pending_free(w->tenant_pending);
	engine_free(w->engine);
	rd_kafka_topic_destroy(w->admin);
	rd_kafka_topic_destroy(w->issuance);
	rd_kafka_destroy(w->client);
	topics_destroy(&w->topics);
	master_keys_free(w->master_keys);
	config_free(w->config);
	free(w);
	return fixture_teardown(&fixture);
}

/* What comes in. */

static void add(struct world *w, rd_kafka_topic_t *topic, const struct buffer *value) {
	fake_membership_add(topic, w->partition->id, w->offset++, TENANT, value->data, value->len);
}

static struct command_envelope envelope(struct world *w) {
	return (struct command_envelope){
		.command_id = arena_printf(w->replica->arena, "c-%lld", (long long)w->offset),
		.tenant_id = TENANT,
		.request_id = "r",
		.client_id = "unit",
		.timestamp_ms = 1,
	};
}

static void create_webhook_at(struct world *w, const char *url, const char *event) {
	_cleanup_(buffer_destroy) struct buffer value = BUFFER_INIT(1024 * 1024);
	struct command command = { .envelope = envelope(w),
				   .operation = OPERATION_CREATE_WEBHOOK,
				   .events = &event,
				   .event_count = 1,
				   .url = url };

	codec_encode_command(w->replica->codec, &command, &value);
	add(w, w->admin, &value);
}

static void create_webhook(struct world *w) {
	create_webhook_at(w, "http://127.0.0.1:9/hook", "OpenIdCredentialIssued");
}

static void issue(struct world *w) {
	_cleanup_(buffer_destroy) struct buffer value = BUFFER_INIT(1024 * 1024);
	struct issuance issuance = { .envelope = envelope(w),
				     .user_id = "u",
				     .credential_id = "c",
				     .credential_configuration_id = "cc",
				     .credential_profile = "p",
				     .format = "f",
				     .credential_offer_id = "o",
				     .session_id = "s",
				     .claims = "{}",
				     .credential = "" };

	codec_encode_issuance(w->replica->codec, &issuance, &value);
	add(w, w->issuance, &value);
}

static void nonsense(struct world *w) {
	static char text[] = "nonsense";
	struct buffer value = { .data = text, .len = strlen(text) };

	add(w, w->admin, &value);
}

/* In the other partition than the tenant's. */
static struct partition *misplaced(struct world *w) {
	return &w->items[(w->partition->id + 1) % PARTITIONS];
}

static void misplace(struct world *w, void (*write)(struct world *w), int64_t offset) {
	struct partition *right = w->partition;

	w->partition = misplaced(w);
	w->offset = offset;
	write(w);
	w->partition = right;
}

/* As after the pause. */
static struct step run(struct world *w) {
	backoff_clear(&w->turns->undone);
	return turns_run(w->turns, &w->stores);
}

/* The batch is as large as can be. */
static void allow_all(struct world *w) {
	w->turns->budget.commands = w->turns->budget.commands_max;
}

static size_t rows(struct world *w) {
	return dump_count(w->replica, w->replica->replica);
}

/* How it ends. */

enum { THE_LAST = 1000 }; /* of its records: the position */

static const struct {
	const char *name;
	enum fake_call fails;
	size_t fails_after;
	struct transaction_end end;
	enum step_end step;
	bool is_done;
} endings[] = {
	{ "committed", FAKE_NONE, 0, { 0 }, STEP_DONE, true },
	{ "the begin fails: the producer is lost",
	  FAKE_BEGIN,
	  0,
	  { .outcome = TRANSACTION_UNKNOWN },
	  STEP_RESYNC,
	  false },
	{ "the first record is refused",
	  FAKE_PRODUCE,
	  0,
	  { .outcome = TRANSACTION_ABORTED },
	  STEP_REREAD,
	  false },
	{ "an event is refused",
	  FAKE_PRODUCE,
	  2,
	  { .outcome = TRANSACTION_ABORTED },
	  STEP_REREAD,
	  false },
	{ "the position is refused, and so is the abort",
	  FAKE_PRODUCE,
	  THE_LAST,
	  { .outcome = TRANSACTION_UNKNOWN },
	  STEP_RESYNC,
	  false },
	{ "the flush fails",
	  FAKE_FLUSH,
	  0,
	  { .outcome = TRANSACTION_ABORTED },
	  STEP_REREAD,
	  false },
	{ "the flush fails, and so does the abort",
	  FAKE_FLUSH,
	  0,
	  { .outcome = TRANSACTION_UNKNOWN },
	  STEP_RESYNC,
	  false },
	{ "the commit is refused",
	  FAKE_COMMIT,
	  0,
	  { .outcome = TRANSACTION_ABORTED },
	  STEP_REREAD,
	  false },
	{ "the commit is refused: the group does not know this member",
	  FAKE_COMMIT,
	  0,
	  { .outcome = TRANSACTION_ABORTED, .is_fenced = true },
	  STEP_REREAD,
	  false },
	{ "nobody knows what became of the commit",
	  FAKE_COMMIT,
	  0,
	  { .outcome = TRANSACTION_UNKNOWN },
	  STEP_RESYNC,
	  false },
};

static void it_ends_as_its_transaction_does(void **state _unused_) {
	size_t last = 0;

	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		void *world;
		struct world *w;
		struct step step;

		print_message("%s\n", endings[i].name);
		assert_int_equal(setup(&world), 0);
		w = world;
		create_webhook(w);
		fake_transaction.fails = endings[i].fails;
		fake_transaction.fails_after = MIN(endings[i].fails_after, last);
		fake_transaction.end = endings[i].end;
		step = run(w);
		assert_int_equal(step.end, endings[i].step);
		assert_int_equal(step.is_fenced, endings[i].end.is_fenced);
		assert_int_equal(fake_transaction.begun, fake_transaction.ended);
		assert_int_equal(fake_transaction.committed, endings[i].is_done);
		assert_int_equal(w->partition->next[INPUT_ADMIN], endings[i].is_done);
		assert_int_equal(w->partition->position.sequence, endings[i].is_done);
		assert_int_equal(rows(w) > 0, endings[i].is_done);
		assert_int_equal(atomic_load(&w->metrics.undone_in_a_row), !endings[i].is_done);
		assert_int_equal(w->turns->budget.commands, endings[i].is_done ? 2 : 1);
		if (endings[i].is_done)
			last = fake_transaction.state_records + fake_transaction.results - 1;
		teardown(&world);
	}
}

static void it_ends_as_the_replica_does(void **state _unused_) {
	static const struct {
		const char *name;
		int *fails;
		size_t begun, committed;
	} ends[] = {
		{ "its turn does not begin: there is no transaction", &fails_turn_begin, 0, 0 },
		{ "a row is not written: the transaction is aborted", &fails_apply, 1, 0 },
		{ "its turn does not end: Kafka has it already", &fails_turn_end, 1, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		void *world;
		struct world *w;
		struct step step;

		print_message("%s\n", ends[i].name);
		assert_int_equal(setup(&world), 0);
		w = world;
		create_webhook(w);
		*ends[i].fails = -EIO;
		step = run(w);
		assert_int_equal(step.end, STEP_REPLICA_FAILED);
		assert_int_equal(step.error, -EIO);
		assert_int_equal(fake_transaction.begun, ends[i].begun);
		assert_int_equal(fake_transaction.ended, ends[i].begun);
		assert_int_equal(fake_transaction.committed, ends[i].committed);
		assert_int_equal(w->partition->next[INPUT_ADMIN], 0);
		assert_int_equal(w->partition->position.sequence, 0);
		teardown(&world);
	}
}

/* R7: rows without the place of their position could not be brought up to date. */
static void a_commit_whose_position_lies_nowhere(void **state) {
	struct world *w = *state;

	create_webhook(w);
	fake_transaction.hides_offsets = true;
	assert_int_equal(run(w).end, STEP_RESYNC);
	assert_int_equal(fake_transaction.committed, 1);
	assert_int_equal(w->partition->position.sequence, 0);
	assert_int_equal(rows(w), 0);
}

/* R8: what is written lies before what was committed earlier. */
static void a_changelog_that_was_made_again(void **state _unused_) {
	static const struct {
		const char *name;
		int64_t position_offset, next_offset;
		bool is_remade;
	} rows[] = {
		{ "the record right after the last position", 100, 101, false },
		{ "far after it", 100, 5000, false },
		{ "at its very offset", 100, 100, true },
		{ "before it", 100, 99, true },
		{ "at the beginning", 100, 0, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		void *world;
		struct world *w;

		print_message("%s\n", rows[i].name);
		assert_int_equal(setup(&world), 0);
		w = world;
		w->partition->position.sequence = 5;
		w->partition->position_offset = rows[i].position_offset;
		fake_transaction.next_offset = rows[i].next_offset;
		create_webhook(w);
		assert_int_equal(run(w).end, rows[i].is_remade ? STEP_RESYNC : STEP_DONE);
		assert_int_equal(fake_transaction.committed, !rows[i].is_remade);
		assert_int_equal(fake_transaction.ended, 1);
		teardown(&world);
	}
}

/* When there is none. */

static void nothing_is_begun_without_need(void **state) {
	struct world *w = *state;

	print_message("there is nothing to do\n");
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.begun, 0);
	print_message("no group fences what would be written (R3)\n");
	create_webhook(w);
	fake_membership.has_group = false;
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.begun, 0);
	assert_int_equal(fake_membership.taken, 0);
	print_message("only outcomes are wanted\n");
	fake_membership.has_group = true;
	assert_int_equal(turns_run_outcomes(w->turns, &w->stores).end, STEP_DONE);
	assert_int_equal(fake_membership.taken, 0);
	print_message("after one that was undone there is a pause\n");
	fake_transaction.fails = FAKE_COMMIT;
	assert_int_equal(run(w).end, STEP_REREAD);
	create_webhook(w);
	assert_int_equal(turns_run(w->turns, &w->stores).end, STEP_DONE);
	assert_int_equal(fake_transaction.begun, 1);
}

/* A record that was read before the partition's offset was set. */
static void only_records_that_come_next_are_handled(void **state _unused_) {
	static const struct {
		const char *name;
		int64_t next;
		enum partition_state state;
		bool is_handled;
	} rows[] = {
		{ "the next one", 0, PARTITION_ACTIVE, true },
		{ "one that was handled before", 1, PARTITION_ACTIVE, false },
		{ "of a partition that is being restored", 0, PARTITION_RESTORING, false },
		{ "of a partition that was given away", 0, PARTITION_SUSPENDED, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		void *world;
		struct world *w;

		print_message("%s\n", rows[i].name);
		assert_int_equal(setup(&world), 0);
		w = world;
		w->partition->next[INPUT_ADMIN] = rows[i].next;
		w->partition->state = rows[i].state;
		create_webhook(w);
		assert_int_equal(run(w).end, STEP_DONE);
		assert_int_equal(fake_transaction.committed, rows[i].is_handled);
		teardown(&world);
	}
}

/* Batches. */

static void a_batch_doubles_and_is_cut_to_an_eighth(void **state) {
	static const struct {
		const char *name;
		enum fake_call fails;
		size_t offsets_before, offsets_after; /* of the input */
	} rows[] = {
		{ "the first has one", FAKE_NONE, 0, 1 },
		{ "then two", FAKE_NONE, 1, 3 },
		{ "then four", FAKE_NONE, 3, 7 },
		{ "eight are undone", FAKE_COMMIT, 7, 7 },
		{ "one of them is committed", FAKE_NONE, 7, 8 },
		{ "then two", FAKE_NONE, 8, 10 },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("%s\n", rows[i].name);
		fake_membership_clear();
		w->offset = w->partition->next[INPUT_ADMIN];
		for (int k = 0; k < 20; k++)
			create_webhook(w);
		assert_int_equal(w->partition->next[INPUT_ADMIN], rows[i].offsets_before);
		fake_transaction.fails = rows[i].fails;
		assert_int_equal(run(w).end, rows[i].fails ? STEP_REREAD : STEP_DONE);
		assert_int_equal(w->partition->next[INPUT_ADMIN], rows[i].offsets_after);
	}
}

/* Records that are too large. */

static struct step refuse(struct world *w, bool is_letter) {
	fake_transaction.fails = FAKE_COMMIT;
	fake_transaction.end.has_large_letter = is_letter;
	fake_transaction.end.has_large_record = !is_letter;
	return run(w);
}

static void reread(struct world *w, int commands) {
	fake_membership_clear();
	w->offset = w->partition->next[INPUT_ADMIN];
	for (int i = 0; i < commands; i++)
		create_webhook(w);
}

/* Only a command that is alone in its turn is known to be what is too large. */
static void poison_is_found_by_shrinking_batches(void **state) {
	struct world *w = *state;

	allow_all(w);
	reread(w, 3);
	print_message("three commands, one of which is too large\n");
	assert_int_equal(refuse(w, false).end, STEP_REREAD);
	assert_int_equal(w->partition->poison[INPUT_ADMIN], -1);
	w->turns->budget.commands = 1;
	reread(w, 3);
	print_message("the first alone: it is the one\n");
	assert_int_equal(refuse(w, false).end, STEP_REREAD);
	assert_int_equal(w->partition->poison[INPUT_ADMIN], 0);
	reread(w, 3);
	print_message("it is a dead letter\n");
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.letters, 1);
	assert_int_equal(w->partition->next[INPUT_ADMIN], 1);
	print_message("and the poison is forgotten\n");
	assert_int_equal(w->partition->poison[INPUT_ADMIN], -1);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.letters, 0);
	assert_int_equal(w->partition->next[INPUT_ADMIN], 3);
}

/* What an earlier transaction was told says nothing of a turn that has none. */
static void an_innocent_command_is_no_poison(void **state) {
	struct world *w = *state;

	allow_all(w);
	reread(w, 2);
	assert_int_equal(refuse(w, false).end, STEP_REREAD);
	w->turns->budget.commands = 1;
	reread(w, 2);
	fails_turn_begin = -EIO;
	assert_int_equal(run(w).end, STEP_REPLICA_FAILED);
	assert_int_equal(w->partition->poison[INPUT_ADMIN], -1);
	fails_turn_begin = 0;
	reread(w, 2);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.letters, 0);
}

static void a_letter_that_is_too_large_keeps_less(void **state) {
	struct world *w = *state;
	size_t before = w->turns->letter_limit.bytes;

	nonsense(w);
	assert_int_equal(refuse(w, true).end, STEP_REREAD);
	assert_true(w->turns->letter_limit.bytes < before);
	assert_int_equal(w->partition->poison[INPUT_ADMIN], -1);
	print_message("then a turn has one letter\n");
	fake_membership_clear();
	allow_all(w);
	w->offset = 0;
	for (int i = 0; i < 3; i++)
		nonsense(w);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.letters, 1);
	assert_int_equal(w->partition->next[INPUT_ADMIN], 1);
}

/* Records in another partition than their key's. */

static uint64_t rerouted(struct world *w, enum metric_input input) {
	return atomic_load(&w->metrics.rerouted[input]);
}

static void a_misplaced_record_is_handed_on(void **state) {
	static const struct {
		const char *name;
		void (*write)(struct world *w);
		enum metric_input input;
		enum topic topic;
	} rows[] = {
		{ "an admin command", create_webhook, METRIC_INPUT_ADMIN, TOPIC_ADMIN },
		{ "an issuance", issue, METRIC_INPUT_ISSUANCE, TOPIC_ISSUANCE },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("%s\n", rows[i].name);
		misplace(w, rows[i].write, 7);
		assert_int_equal(run(w).end, STEP_DONE);
		assert_int_equal(fake_transaction.inputs, 1);
		assert_int_equal(fake_transaction.input_topic, rows[i].topic);
		assert_int_equal(fake_transaction.input_partition, w->partition->id);
		assert_int_equal(fake_transaction.results + fake_transaction.letters, 0);
		print_message("its offset goes with it\n");
		assert_int_equal(fake_transaction.offsets, 2);
		assert_int_equal(misplaced(w)->next[rows[i].input], 8);
		assert_int_equal(rerouted(w, rows[i].input), 1);
		assert_int_equal(atomic_load(&w->metrics.commands[rows[i].input][0]), 0);
	}
}

static void handing_on_is_undone_with_its_turn(void **state) {
	struct world *w = *state;

	misplace(w, create_webhook, 0);
	fake_transaction.fails = FAKE_COMMIT;
	assert_int_equal(run(w).end, STEP_REREAD);
	assert_int_equal(rerouted(w, METRIC_INPUT_ADMIN), 0);
	assert_int_equal(misplaced(w)->next[INPUT_ADMIN], 0);
}

/* It is found out by an abort, which must not come again with each turn. */
static void an_input_that_may_not_be_written(void **state) {
	struct world *w = *state;

	misplace(w, create_webhook, 0);
	fake_transaction.fails = FAKE_FLUSH;
	fake_transaction.end.may_not_write[TOPIC_ADMIN] = true;
	assert_int_equal(run(w).end, STEP_REREAD);
	print_message("then it is a dead letter\n");
	misplace(w, create_webhook, 0);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.inputs, 0);
	assert_int_equal(fake_transaction.letters, 1);
	print_message("of the other input nothing is known\n");
	misplace(w, issue, 0);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.inputs, 1);
	print_message("it is tried again after a time\n");
	w->turns->reroute.refused_until_ms[INPUT_ADMIN] = clock_monotonic_ms();
	misplace(w, create_webhook, 1);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.inputs, 1);
}

static void without_rerouting_it_is_a_dead_letter(void **state) {
	struct world *w = *state;

	w->turns->reroute.is_on = false;
	misplace(w, create_webhook, 0);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.inputs, 0);
	assert_int_equal(fake_transaction.letters, 1);
	assert_int_equal(rerouted(w, METRIC_INPUT_ADMIN), 0);
}

/* With the header that says where it came from. */
static void a_misplaced_record_that_becomes_too_large(void **state) {
	struct world *w = *state;

	misplace(w, create_webhook, 0);
	assert_int_equal(refuse(w, false).end, STEP_REREAD);
	assert_int_equal(misplaced(w)->poison[INPUT_ADMIN], 0);
	misplace(w, create_webhook, 0);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.inputs, 0);
	assert_int_equal(fake_transaction.letters, 1);
	assert_int_equal(misplaced(w)->next[INPUT_ADMIN], 1);
}

/* A command of several turns. */

/* The tenant's only webhook. */
static struct uuid webhook_id(struct world *w) {
	const struct registry *registry = replica_registry(w->replica->replica);
	const struct webhook_query query = { .limit = 1, .bytes_max = SIZE_MAX };
	struct webhook_list list;

	assert_int_equal(
	    registry->webhook_list(registry->userdata, w->replica->arena, TENANT, &query, &list),
	    0);
	assert_int_equal(list.count, 1);
	return list.items[0].id;
}

static void recover(struct world *w) {
	_cleanup_(buffer_destroy) struct buffer value = BUFFER_INIT(1024);
	char id[UUID_TEXT_SIZE];
	struct uuid webhook = webhook_id(w);
	struct command command = { .envelope = envelope(w),
				   .operation = OPERATION_RECOVER_DELIVERIES,
				   .id = id };

	uuid_format(&webhook, id);
	codec_encode_command(w->replica->codec, &command, &value);
	add(w, w->admin, &value);
}

/* Of more deliveries than a turn bears. */
static void recover_many(struct world *w) {
	create_webhook(w);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(replica_begin(w->replica->replica), 0);
	for (uint32_t n = 0; n <= RECOVER_MAX; n++) {
		struct state_record record = delivery_of(n, 0, DELIVERY_DEAD, 1 + n);

		record.delivery.tenant_id = TENANT;
		record.delivery.webhook_id = webhook_id(w);
		put(w->replica, w->partition->id, record);
	}
	assert_int_equal(replica_commit(w->replica->replica), 0);
	recover(w);
}

static void a_command_that_goes_on_is_written_again(void **state) {
	struct world *w = *state;

	recover_many(w);
	w->turns->reroute.is_on = false; /* is about other records */
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.inputs, 1);
	assert_int_equal(fake_transaction.input_topic, TOPIC_ADMIN);
	assert_int_equal(fake_transaction.input_partition, w->partition->id);
	print_message("START and each delivery are told, and not yet the answer\n");
	assert_int_equal(fake_transaction.results, 1 + RECOVER_MAX);
	assert_int_equal(atomic_load(&w->metrics.deliveries[METRIC_DELIVERY_RESENT]), RECOVER_MAX);
}

static void one_that_may_not_be_written_again_is_refused(void **state) {
	struct world *w = *state;

	recover_many(w);
	fake_transaction.fails = FAKE_FLUSH;
	fake_transaction.end.may_not_write[TOPIC_ADMIN] = true;
	assert_int_equal(run(w).end, STEP_REREAD);
	w->offset--;
	recover(w);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.inputs, 0);
	print_message("START and the answer are told, and there is nothing but the position\n");
	assert_int_equal(fake_transaction.results, 2);
	assert_int_equal(fake_transaction.state_records, 1);
	assert_int_equal(atomic_load(&w->metrics.commands[METRIC_INPUT_ADMIN][METRIC_COMMAND_FAIL]),
			 1);
}

/* Outcomes. */

/* A webhook and a delivery of it, which the engine has. Returns its job. */
static struct job *deliver(struct world *w) {
	allow_all(w);
	create_webhook(w);
	assert_int_equal(run(w).end, STEP_DONE);
	issue(w);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(dispatcher_refill(w->dispatcher, clock_wall_ms()), 0);
	return job_list_pop(&w->engine->submitted);
}

static void end_job(struct world *w, struct job *job, enum job_end end) {
	job->end = end;
	job->result = (struct attempt_result){ .reason = ATTEMPT_OK,
					       .status = 204,
					       .retry_after_ms = -1,
					       .finished_at_ms = clock_wall_ms() };
	fake_engine_end(w->engine, job);
}

static uint64_t count_of(struct world *w, enum metric_delivery what) {
	return atomic_load(&w->metrics.deliveries[what]);
}

static void an_outcome_waits_until_it_is_committed(void **state) {
	struct world *w = *state;
	struct job *job = deliver(w);

	assert_non_null(job);
	end_job(w, job, JOB_ATTEMPTED);
	print_message("the turn is undone\n");
	fake_transaction.fails = FAKE_COMMIT;
	assert_int_equal(run(w).end, STEP_REREAD);
	assert_int_equal(count_of(w, METRIC_DELIVERY_SUCCEEDED), 0);
	assert_int_equal(w->turns->outcomes.count, 1);
	print_message("the replica fails\n");
	fails_turn_begin = -EIO;
	assert_int_equal(run(w).end, STEP_REPLICA_FAILED);
	assert_int_equal(w->turns->outcomes.count, 1);
	fails_turn_begin = 0;
	print_message("its partition is being restored\n");
	w->partition->state = PARTITION_RESTORING;
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(w->turns->outcomes.count, 1);
	print_message("it is committed, without commands\n");
	w->partition->state = PARTITION_ACTIVE;
	assert_int_equal(turns_run_outcomes(w->turns, &w->stores).end, STEP_DONE);
	assert_int_equal(count_of(w, METRIC_DELIVERY_SUCCEEDED), 1);
	assert_int_equal(w->turns->outcomes.count, 0);
}

/* Before partitions are given away, all are to be committed. */
static void outcomes_without_room_are_told(void **state) {
	struct world *w = *state;
	struct job *jobs[2];

	allow_all(w);
	create_webhook(w);
	create_webhook(w);
	issue(w);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(dispatcher_refill(w->dispatcher, clock_wall_ms()), 0);
	assert_int_equal(w->engine->submitted.count, ARRAY_LEN(jobs));
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
		jobs[i] = job_list_pop(&w->engine->submitted);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
		end_job(w, jobs[i], JOB_ATTEMPTED);
	w->turns->budget.time_ms = 0;
	assert_true(turns_run_outcomes(w->turns, &w->stores).more);
	assert_int_equal(count_of(w, METRIC_DELIVERY_SUCCEEDED), 1);
	assert_false(turns_run_outcomes(w->turns, &w->stores).more);
	assert_int_equal(count_of(w, METRIC_DELIVERY_SUCCEEDED), 2);
}

/* As after a turn, with threads that have been busy all the time. */
static void be_loaded(struct world *w) {
	w->turns->pace = (struct pace){ .asked_us = clock_monotonic_us() + 3600 * INT64_C(1000000),
					.turned_us = clock_monotonic_us() + 3600 * INT64_C(1000000),
					.is_busy = true };
	waiting = 500;
}

static void a_turn_is_put_off_while_threads_have_enough(void **state) {
	struct world *w = *state;
	struct job *job = deliver(w);
	size_t begun = fake_transaction.begun;

	assert_non_null(job);
	end_job(w, job, JOB_ATTEMPTED);
	be_loaded(w);
	print_message("neither outcomes nor commands are taken\n");
	issue(w);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_true(turns_are_put_off(w->turns));
	assert_int_equal(fake_transaction.begun, begun);
	assert_int_equal(w->engine->ended.count, 1);
	assert_non_null(fake_membership.messages);
	print_message("before partitions are given away outcomes do not wait\n");
	assert_int_equal(turns_run_outcomes(w->turns, &w->stores).end, STEP_DONE);
	assert_int_equal(count_of(w, METRIC_DELIVERY_SUCCEEDED), 1);
	print_message("after one that was undone the next does not wait\n");
	be_loaded(w);
	waiting = 0;
	fake_transaction.fails = FAKE_COMMIT;
	assert_int_equal(run(w).end, STEP_REREAD);
	waiting = 500;
	w->offset--;
	issue(w);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_false(turns_are_put_off(w->turns));
	assert_int_equal(w->partition->next[INPUT_ISSUANCE], w->offset);
}

static void what_is_to_be_withdrawn_does_not_wait(void **state) {
	struct world *w = *state;

	create_webhook(w);
	be_loaded(w);
	has_cancellations = true;
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.committed, 1);
}

/* R5 */
static void an_outcome_of_an_older_epoch_is_discarded(void **state) {
	struct world *w = *state;
	struct job *job = deliver(w);
	size_t begun = fake_transaction.begun;

	assert_non_null(job);
	w->partition->epoch++;
	end_job(w, job, JOB_ATTEMPTED);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.begun, begun);
	assert_int_equal(count_of(w, METRIC_DELIVERY_DISCARDED), 1);
	assert_int_equal(w->turns->outcomes.count, 0);
}

/* The clock was set back between the attempt's end and the turn (R10). */
static void an_outcome_of_the_future_ended_now(void **state) {
	struct world *w = *state;
	struct job *job = deliver(w);
	struct uuid id = job->delivery.id;
	const struct registry *registry = replica_registry(w->replica->replica);
	enum delivery_status status;
	int64_t due_ms, before_ms = clock_wall_ms();

	job->end = JOB_ATTEMPTED;
	job->result = (struct attempt_result){ .reason = ATTEMPT_STATUS,
					       .status = 503,
					       .retry_after_ms = 1000,
					       .finished_at_ms = before_ms + 3600000 };
	fake_engine_end(w->engine, job);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(registry->delivery_find(registry->userdata, &id, &status, &due_ms), 0);
	assert_int_equal(status, DELIVERY_PENDING);
	assert_in_range(due_ms, before_ms + 1000, clock_wall_ms() + 60000);
}

/* R10: else the partition would look as if no clock had been ahead. */
static void the_time_of_a_position_never_decreases(void **state) {
	struct world *w = *state;
	int64_t ahead_ms = clock_wall_ms() + 3600000;

	w->partition->position.timestamp_ms = ahead_ms;
	for (int turns = 1; turns <= 2; turns++) {
		create_webhook(w);
		assert_int_equal(run(w).end, STEP_DONE);
		assert_int_equal(w->partition->position.sequence, turns);
		assert_int_equal(w->partition->position.timestamp_ms, ahead_ms);
	}
	print_message("once that time has come it goes on\n");
	w->partition->position.timestamp_ms = 1;
	create_webhook(w);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_in_range(w->partition->position.timestamp_ms, ahead_ms - 3600000, clock_wall_ms());
}

/* It was not attempted: nothing happened, and it is due again. */
static void a_refused_job_is_no_outcome(void **state) {
	struct world *w = *state;
	struct job *job = deliver(w);
	size_t begun = fake_transaction.begun;

	assert_non_null(job);
	end_job(w, job, JOB_REFUSED);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.begun, begun);
	assert_int_equal(dispatcher_refill(w->dispatcher, clock_wall_ms()), 0);
	assert_int_equal(w->engine->submitted.count, 1);
}

/* R4: what a turn records leaves only when it is committed. */
static void nothing_leaves_before_the_commit(void **state) {
	struct world *w = *state;

	allow_all(w);
	create_webhook(w);
	assert_int_equal(run(w).end, STEP_DONE);
	issue(w);
	fake_transaction.fails = FAKE_COMMIT;
	assert_int_equal(run(w).end, STEP_REREAD);
	assert_int_equal(dispatcher_refill(w->dispatcher, clock_wall_ms()), 0);
	assert_int_equal(w->engine->submitted.count, 0);
	assert_int_equal(tenant_pending_get(w->tenant_pending, TENANT), 0);
	w->offset--;
	issue(w);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(dispatcher_refill(w->dispatcher, clock_wall_ms()), 0);
	assert_int_equal(w->engine->submitted.count, 1);
	assert_int_equal(tenant_pending_get(w->tenant_pending, TENANT), 1);
}

/* R2: of each touched partition the offsets of the inputs that were read go with the transaction,
 * of no other. */
static void offsets_go_with_the_transaction(void **state) {
	struct world *w = *state;

	create_webhook(w);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.offsets, 2);
}

static struct uuid id_of_the_webhook(struct world *w) {
	const struct registry *registry = replica_registry(w->replica->replica);
	const struct webhook_query query = { .limit = 10, .bytes_max = SIZE_MAX };
	struct webhook_list list;

	assert_int_equal(
	    registry->webhook_list(registry->userdata, w->replica->arena, TENANT, &query, &list),
	    0);
	assert_int_equal(list.count, 1);
	return list.items[0].id;
}

/* R2: also a report that changes nothing is a transaction with offsets. */
static void a_report_alone_touches_its_partition(void **state) {
	struct world *w = *state;
	struct dispatch_report reported = { .partition_id = w->partition->id,
					    .report = { .tenant_id = TENANT,
							.url = "http://127.0.0.1:9/hook" } };
	struct endpoint_report *report = &reported.report;

	create_webhook(w);
	assert_int_equal(run(w).end, STEP_DONE);
	has_reports = &reported;
	print_message("of a webhook that was deleted\n");
	report->webhook_id = uuid_random();
	report->is_gone = true;
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.offsets, 2);
	assert_int_equal(fake_transaction.state_records, 1);
	print_message("of an endpoint that never failed\n");
	report->webhook_id = id_of_the_webhook(w);
	report->is_gone = false;
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.offsets, 2);
	assert_int_equal(fake_transaction.state_records, 1);
	print_message("of one that is gone\n");
	report->is_gone = true;
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.state_records, 2);
	print_message("of one that is disabled already\n");
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.offsets, 2);
	assert_int_equal(fake_transaction.state_records, 1);
}

/* R4, R14. */
static void a_notice_is_of_its_causes_transaction(void **state) {
	struct world *w = *state;
	struct dispatch_report gone = {
		.partition_id = w->partition->id,
		.report = { .tenant_id = TENANT, .url = "http://127.0.0.1:9/hook", .is_gone = true }
	};
	atomic_uint_fast64_t *told =
	    &w->metrics.notices[BUILTIN_WEBHOOK_DISABLED][METRIC_NOTICE_TOLD];

	create_webhook(w);
	assert_int_equal(run(w).end, STEP_DONE);
	gone.report.webhook_id = id_of_the_webhook(w);
	create_webhook_at(w, "http://127.0.0.1:8/watch", "WebhookDisabled");
	assert_int_equal(run(w).end, STEP_DONE);
	has_reports = &gone;
	fake_transaction.fails = FAKE_COMMIT;
	fake_transaction.end.outcome = TRANSACTION_ABORTED;
	assert_int_equal(run(w).end, STEP_REREAD);
	assert_int_equal(dispatcher_refill(w->dispatcher, clock_wall_ms()), 0);
	assert_int_equal(w->engine->submitted.count, 0);
	assert_int_equal(atomic_load(told), 0);
	print_message(
	    "the webhook, the delivery and the position; and an event of the first two\n");
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.state_records, 3);
	assert_int_equal(fake_transaction.results, 2);
	assert_int_equal(dispatcher_refill(w->dispatcher, clock_wall_ms()), 0);
	assert_int_equal(w->engine->submitted.count, 1);
	assert_int_equal(atomic_load(told), 1);
	assert_int_equal(tenant_pending_get(w->tenant_pending, TENANT), 1);
	print_message("and it is told once\n");
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.state_records, 1);
}

static void reports_without_room_wait_for_the_next_turn(void **state) {
	struct world *w = *state;
	struct dispatch_report failing[2] = { 0 };

	create_webhook(w);
	assert_int_equal(run(w).end, STEP_DONE);
	for (int i = 0; i < 2; i++)
		failing[i] = (struct dispatch_report){
			.partition_id = w->partition->id,
			.report = { .webhook_id = id_of_the_webhook(w),
				    .tenant_id = TENANT,
				    .url = "http://127.0.0.1:9/hook",
				    .failing_since_ms = clock_wall_ms() - i },
		};
	has_reports = failing;
	report_count = 2;
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.state_records, 3);
	w->turns->budget.bytes = 1;
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(fake_transaction.state_records, 2);
}

/* The schema registry. */

static void use_registry(struct world *w) {
	w->turns->settings.schema_registry = w->turns->intake.schema_registry =
	    (struct schema_registry *)w;
	fake_schema_registry = (struct fake_schema_registry){ .answer = REGISTRY_WAIT };
}

/* A command in Confluent's frame, in this partition. */
static void create_webhook_by_id(struct world *w, uint32_t id, int32_t partition) {
	_cleanup_(buffer_destroy) struct buffer framed = BUFFER_INIT(1024 * 1024),
						value = BUFFER_INIT(1024 * 1024);
	const char *events[] = { "OpenIdCredentialIssued" };
	struct command command = { .envelope = envelope(w),
				   .operation = OPERATION_CREATE_WEBHOOK,
				   .events = events,
				   .event_count = 1,
				   .url = "http://127.0.0.1:9/hook" };
	uint8_t header[FRAME_CONFLUENT_HEADER_SIZE];

	codec_encode_command(w->replica->codec, &command, &framed);
	frame_write_confluent(id, header);
	buffer_append(&value, header, sizeof(header));
	buffer_append(&value, framed.data + FRAME_HEADER_SIZE, framed.len - FRAME_HEADER_SIZE);
	fake_membership_add(w->admin, partition, w->offset++, TENANT, value.data, value.len);
}

static void learn_command(struct world *w, uint32_t id) {
	const struct embedded_schema *own = embedded_schema_find("edition-1/webhook-command.avsc");

	codec_learn_id(w->replica->codec, id, (const char *)own->json, own->len);
}

static void a_record_waits_for_its_schema(void **state) {
	struct world *w = *state;

	use_registry(w);
	create_webhook_by_id(w, 7, w->partition->id);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(rows(w), 0);
	assert_non_null(fake_membership.held);
	assert_int_equal(w->partition->next[INPUT_ADMIN], 0);
	print_message("others do not wait for it\n");
	issue(w);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(w->metrics.commands[METRIC_INPUT_ISSUANCE][METRIC_COMMAND_SUCCESS], 1);
	assert_int_equal(w->partition->next[INPUT_ADMIN], 0);
	print_message("nor does anything happen before an answer\n");
	assert_int_equal(run(w).end, STEP_DONE);
	assert_non_null(fake_membership.held);
	print_message("after it the record is handled\n");
	learn_command(w, 7);
	fake_schema_registry = (struct fake_schema_registry){ REGISTRY_KNOWN, .answers = 1 };
	assert_int_equal(run(w).end, STEP_DONE);
	assert_null(fake_membership.held);
	assert_int_equal(w->metrics.commands[METRIC_INPUT_ADMIN][METRIC_COMMAND_SUCCESS], 1);
	assert_int_equal(w->partition->next[INPUT_ADMIN], 1);
}

static void a_record_of_an_unknown_schema_is_a_dead_letter(void **state) {
	struct world *w = *state;

	use_registry(w);
	fake_schema_registry.answer = REGISTRY_UNKNOWN;
	create_webhook_by_id(w, 7, w->partition->id);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(w->metrics.commands[METRIC_INPUT_ADMIN][METRIC_COMMAND_DEAD_LETTER], 1);
	assert_int_equal(w->partition->next[INPUT_ADMIN], 1);
}

/* Its reason does not depend on its schema. */
static void what_is_refused_anyway_waits_for_no_schema(void **state) {
	struct world *w = *state;

	use_registry(w);
	w->turns->intake.command_max_bytes = 8;
	create_webhook_by_id(w, 7, w->partition->id);
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(w->metrics.commands[METRIC_INPUT_ADMIN][METRIC_COMMAND_DEAD_LETTER], 1);
}

static void no_turn_begins_before_its_events_schema_is_known(void **state) {
	struct world *w = *state;

	use_registry(w);
	w->config->results_framing = RESULTS_CONFLUENT;
	create_webhook(w);
	assert_false(turns_may_run(w->turns));
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(turns_run_outcomes(w->turns, &w->stores).end, STEP_DONE);
	assert_int_equal(rows(w), 0);
	fake_schema_registry.has_results_id = true;
	fake_schema_registry.results_id = 31;
	assert_int_equal(run(w).end, STEP_DONE);
	assert_int_equal(w->metrics.commands[METRIC_INPUT_ADMIN][METRIC_COMMAND_SUCCESS], 1);
}

#define TURN_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_ends_as_its_transaction_does),
		cmocka_unit_test(it_ends_as_the_replica_does),
		TURN_TEST(a_commit_whose_position_lies_nowhere),
		cmocka_unit_test(a_changelog_that_was_made_again),
		TURN_TEST(nothing_is_begun_without_need),
		cmocka_unit_test(only_records_that_come_next_are_handled),
		TURN_TEST(a_batch_doubles_and_is_cut_to_an_eighth),
		TURN_TEST(poison_is_found_by_shrinking_batches),
		TURN_TEST(an_innocent_command_is_no_poison),
		TURN_TEST(a_letter_that_is_too_large_keeps_less),
		TURN_TEST(a_misplaced_record_is_handed_on),
		TURN_TEST(handing_on_is_undone_with_its_turn),
		TURN_TEST(an_input_that_may_not_be_written),
		TURN_TEST(without_rerouting_it_is_a_dead_letter),
		TURN_TEST(a_misplaced_record_that_becomes_too_large),
		TURN_TEST(a_command_that_goes_on_is_written_again),
		TURN_TEST(one_that_may_not_be_written_again_is_refused),
		TURN_TEST(an_outcome_waits_until_it_is_committed),
		TURN_TEST(outcomes_without_room_are_told),
		TURN_TEST(a_turn_is_put_off_while_threads_have_enough),
		TURN_TEST(what_is_to_be_withdrawn_does_not_wait),
		TURN_TEST(an_outcome_of_an_older_epoch_is_discarded),
		TURN_TEST(an_outcome_of_the_future_ended_now),
		TURN_TEST(the_time_of_a_position_never_decreases),
		TURN_TEST(a_refused_job_is_no_outcome),
		TURN_TEST(nothing_leaves_before_the_commit),
		TURN_TEST(offsets_go_with_the_transaction),
		TURN_TEST(a_report_alone_touches_its_partition),
		TURN_TEST(a_notice_is_of_its_causes_transaction),
		TURN_TEST(reports_without_room_wait_for_the_next_turn),
		TURN_TEST(a_record_waits_for_its_schema),
		TURN_TEST(a_record_of_an_unknown_schema_is_a_dead_letter),
		TURN_TEST(what_is_refused_anyway_waits_for_no_schema),
		TURN_TEST(no_turn_begins_before_its_events_schema_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
