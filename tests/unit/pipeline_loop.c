/*
 * The loop: its steps in their order, and what follows from each end of one. Over fakes of all
 * parts, which tell what is asked of them.
 */
#include "fake_engine.h"
#include "pipeline/loop.h"
#include "pipeline/ownership_inputs.h"
#include "pipeline/wake.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { TEXT_MAX = 2048 };

static char told[TEXT_MAX];
static atomic_bool stopping;
static bool has_slept; /* after the last round, before the end */

static void tell(const char *text) {
	snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s%s", told[0] ? " " : "",
		 text);
}

/* What the fakes answer. */
static struct {
	bool has_no_stores, owns_replica, is_lost, has_cancellations, holds_turns, puts_off;
	int outcome_turns; /* how many the outcomes fill */
	struct step prepare, restore, activate, turn, outcomes, skip, read, assign;
	int refill, flush, open;
	enum membership_event news[4]; /* in this order */
	size_t news_count, news_taken;
} answers;

/* The membership. */

void membership_poll(struct membership *membership _unused_) {
	tell("poll");
}

bool membership_has_news(const struct membership *membership _unused_) {
	return answers.news_taken < answers.news_count;
}

struct membership_news *membership_take_news(struct membership *membership _unused_) {
	struct membership_news *news = x_calloc(1, sizeof(*news));

	news->event = answers.news[answers.news_taken++];
	return news;
}

void membership_news_free(struct membership_news *news) {
	free(news);
}

bool membership_is_lost(const struct membership *membership _unused_) {
	return answers.is_lost;
}

int32_t membership_generation(const struct membership *membership _unused_) {
	return 1;
}

void membership_leave(struct membership *membership _unused_) {
	tell("leave");
}

void membership_close(struct membership *membership _unused_) {
	tell("close");
}

int membership_open(struct membership *membership _unused_) {
	tell("open");
	return answers.open;
}

int membership_join(struct membership *membership _unused_) {
	tell("join");
	return 0;
}

void membership_drop_group(struct membership *membership _unused_) {
	tell("drop-group");
}

/* The ownership. */

struct step ownership_assign(struct ownership *ownership _unused_,
			     const rd_kafka_topic_partition_list_t *list _unused_) {
	tell("assign");
	return answers.assign;
}

void ownership_note_lost(struct ownership *ownership _unused_,
			 const rd_kafka_topic_partition_list_t *list _unused_) {
	tell("note-lost");
}

void ownership_close_gates(struct ownership *ownership _unused_) {
	tell("close-gates");
}

void ownership_suspend(struct ownership *ownership _unused_) {
	tell("suspend");
}

void ownership_resync(struct ownership *ownership _unused_) {
	tell("resync");
}

bool ownership_has(const struct ownership *ownership _unused_,
		   enum partition_state state _unused_) {
	return false;
}

struct step ownership_restore(struct ownership *ownership _unused_, int64_t budget_ms _unused_) {
	tell("restore");
	return answers.restore;
}

struct step ownership_activate(struct ownership *ownership _unused_,
			       struct replica *replica _unused_, rd_kafka_t *client _unused_,
			       int64_t budget_ms _unused_) {
	tell("activate");
	return answers.activate;
}

struct step ownership_read(struct ownership *ownership _unused_) {
	tell("read");
	return answers.read;
}

struct step ownership_skip_lost(struct ownership *ownership _unused_, rd_kafka_t *client _unused_) {
	tell("skip");
	return answers.skip;
}

struct step ownership_let_on(struct ownership *ownership _unused_) {
	return step_done(false);
}

struct step ownership_heed_group(struct ownership *ownership _unused_) {
	return step_done(false);
}

void ownership_update_group(struct ownership *ownership _unused_) {
}

void ownership_update_lag(struct ownership *ownership _unused_) {
}

void membership_watch(struct membership *membership _unused_) {
}

int ownership_failures(const struct ownership *ownership _unused_) {
	return 2;
}

/* The stores. */

struct step stores_prepare(struct stores *stores _unused_) {
	tell("prepare");
	return answers.prepare;
}

bool stores_are_ready(const struct stores *stores _unused_) {
	return !answers.has_no_stores;
}

struct replica *stores_replica(const struct stores *stores _unused_) {
	return NULL;
}

struct transaction *stores_transaction(const struct stores *stores _unused_) {
	return NULL;
}

void stores_drop_transaction(struct stores *stores _unused_) {
	tell("drop-producer");
}

void stores_drop_replica(struct stores *stores _unused_, int error) {
	assert_int_equal(error, -EIO);
	tell("drop-replica");
}

int stores_failures(const struct stores *stores _unused_) {
	return 1;
}

void stores_forget_failures(struct stores *stores _unused_, int64_t now_ms _unused_) {
}

/* The others. */

bool turns_may_run(const struct turns *turns _unused_) {
	return !answers.holds_turns;
}

struct step turns_run(struct turns *turns _unused_, const struct turn_stores *stores _unused_) {
	tell("turn");
	return answers.turn;
}

bool turns_are_put_off(const struct turns *turns _unused_) {
	return answers.puts_off;
}

struct step turns_run_outcomes(struct turns *turns _unused_,
			       const struct turn_stores *stores _unused_) {
	tell("outcomes");
	answers.outcomes.more = answers.outcome_turns-- > 1;
	return answers.outcomes;
}

bool restorer_owns_replica(const struct restorer *restorer _unused_) {
	return answers.owns_replica;
}

int restorer_failures(const struct restorer *restorer _unused_) {
	return 3;
}

int dispatcher_refill(struct dispatcher *dispatcher _unused_, int64_t now_ms _unused_) {
	tell("refill");
	return answers.refill;
}

bool dispatcher_has_cancellations(const struct dispatcher *dispatcher _unused_) {
	return answers.has_cancellations;
}

int64_t dispatcher_next_due_ms(const struct dispatcher *dispatcher _unused_) {
	return INT64_MAX;
}

bool replica_is_due(const struct replica *replica _unused_, int64_t now_ms _unused_) {
	return true;
}

int replica_flush(struct replica *replica _unused_) {
	tell("flush");
	return answers.flush;
}

rd_kafka_t *transaction_client(struct transaction *transaction _unused_) {
	return NULL;
}

/* The last of a round's watch: the loop ends after one round. */
bool brokers_refuse_login(struct brokers *brokers _unused_, int64_t now_ms _unused_) {
	atomic_store(&stopping, true);
	tell("|");
	return false;
}

/* One round, and the end after it. Returns the end. */
static enum step_end run_round(struct pipeline_metrics *metrics, atomic_bool *has_joined) {
	struct config config = { .delivery_timeout_ms = 1 };
	struct engine *engine = fake_engine_new();
	struct loop loop = { .config = &config,
			     .engine = engine,
			     .metrics = metrics,
			     .stopping = &stopping,
			     .has_joined = has_joined,
			     .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	eventfd_t wake_ups;
	enum step_end end;

	atomic_store(&stopping, false);
	told[0] = '\0';
	wake_up(loop.wake_fd);
	end = loop_run(&loop);
	has_slept = eventfd_read(loop.wake_fd, &wake_ups) < 0; /* a sleep reads what woke it */
	close(loop.wake_fd);
	engine_free(engine);
	return end;
}

#define HEARD "poll"
#define TO_TURN "poll prepare restore activate turn"
#define DRAINED " | close-gates outcomes"

static const struct row {
	const char *name;
	struct step *step; /* that ends so; NULL: none */
	struct step end;
	const char *told;
	enum step_end ended;
} rows[] = {
	{ "all is well", NULL, { 0 }, TO_TURN " skip refill flush" DRAINED, STEP_DONE },
	{ "a partition becomes active: it is read, and the round goes on",
	  &answers.activate,
	  { .end = STEP_REREAD },
	  "poll prepare restore activate read turn skip refill flush" DRAINED,
	  STEP_DONE },
	{ "a turn is undone: the inputs are read again",
	  &answers.turn,
	  { .end = STEP_REREAD },
	  TO_TURN " read skip refill flush" DRAINED,
	  STEP_DONE },
	{ "a turn is fenced: the group metadata are dropped",
	  &answers.turn,
	  { .end = STEP_REREAD, .is_fenced = true },
	  TO_TURN " drop-group read skip refill flush" DRAINED,
	  STEP_DONE },
	{ "nobody knows what became of a turn: nothing further in this round",
	  &answers.turn,
	  { .end = STEP_RESYNC },
	  TO_TURN " drop-producer resync read" DRAINED,
	  STEP_DONE },
	{ "the replica fails in a turn",
	  &answers.turn,
	  { .end = STEP_REPLICA_FAILED, .error = -EIO },
	  TO_TURN " drop-producer resync read drop-replica" DRAINED,
	  STEP_DONE },
	{ "the replica fails in a restore: no turn goes on from what is left",
	  &answers.restore,
	  { .end = STEP_REPLICA_FAILED, .error = -EIO },
	  "poll prepare restore drop-producer resync read drop-replica" DRAINED,
	  STEP_DONE },
	{ "an input was lost",
	  &answers.skip,
	  { .end = STEP_REREAD },
	  TO_TURN " skip read refill flush" DRAINED,
	  STEP_DONE },
	{ "the brokers refuse a producer for good",
	  &answers.prepare,
	  { .end = STEP_FATAL },
	  "poll prepare | close-gates",
	  STEP_FATAL },
	{ "a partition cannot be served by this worker",
	  &answers.activate,
	  { .end = STEP_FATAL },
	  "poll prepare restore activate | close-gates",
	  STEP_FATAL },
};

static void what_follows_from_a_step(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pipeline_metrics metrics = { 0 };
		atomic_bool has_joined = false;

		print_message("%s\n", rows[i].name);
		memset(&answers, 0, sizeof(answers));
		if (rows[i].step)
			*rows[i].step = rows[i].end;
		assert_int_equal(run_round(&metrics, &has_joined), rows[i].ended);
		assert_string_equal(told, rows[i].told);
		assert_int_equal(atomic_load(&metrics.repairs_in_a_row), 3);
	}
}

/* A cancellation asks for another turn at once, unless none may begin. */
static void a_round_is_followed_by_sleep_or_by_another(void **state _unused_) {
	static const struct {
		const char *name;
		bool has_cancellations, holds_turns, has_no_stores, owns_replica, has_slept;
	} rounds[] = {
		{ "there is nothing to do", false, false, false, false, true },
		{ "deliveries are to be cancelled", true, false, false, false, false },
		{ "a turn was undone just before", true, true, false, false, true },
		{ "there is no producer", true, false, true, false, true },
		{ "a restore has the replica for itself", true, false, false, true, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rounds); i++) {
		struct pipeline_metrics metrics = { 0 };
		atomic_bool has_joined = false;

		print_message("%s\n", rounds[i].name);
		memset(&answers, 0, sizeof(answers));
		answers.has_cancellations = rounds[i].has_cancellations;
		answers.holds_turns = rounds[i].holds_turns;
		answers.has_no_stores = rounds[i].has_no_stores;
		answers.owns_replica = rounds[i].owns_replica;
		assert_int_equal(run_round(&metrics, &has_joined), STEP_DONE);
		assert_int_equal(has_slept, rounds[i].has_slept);
	}
}

/* Most of its deliveries will have ended by the time of a commit that waits for it. */
static void sqlite_commits_nothing_while_a_turn_is_put_off(void **state _unused_) {
	static const struct {
		const char *name;
		bool puts_off, has_no_stores;
		const char *told;
	} rounds[] = {
		{ "it is put off", true, false, TO_TURN " skip refill" DRAINED },
		{ "it is not", false, false, TO_TURN " skip refill flush" DRAINED },
		{ "it was, and the producer is lost", true, true, "poll prepare | close-gates" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rounds); i++) {
		struct pipeline_metrics metrics = { 0 };
		atomic_bool has_joined = false;

		print_message("%s\n", rounds[i].name);
		memset(&answers, 0, sizeof(answers));
		answers.puts_off = rounds[i].puts_off;
		answers.has_no_stores = rounds[i].has_no_stores;
		assert_int_equal(run_round(&metrics, &has_joined), STEP_DONE);
		assert_string_equal(told, rounds[i].told);
		assert_true(has_slept);
	}
}

/* Where a step's result is an errno of the replica. */
static void the_replica_fails_beside_the_turns(void **state _unused_) {
	static const struct {
		const char *name;
		int *fails;
		const char *told;
	} fails[] = {
		{ "in a refill", &answers.refill,
		  TO_TURN " skip refill drop-producer resync read drop-replica" DRAINED },
		{ "in a flush", &answers.flush,
		  TO_TURN " skip refill flush drop-producer resync read drop-replica" DRAINED },
	};

	for (size_t i = 0; i < ARRAY_LEN(fails); i++) {
		struct pipeline_metrics metrics = { 0 };
		atomic_bool has_joined = false;

		print_message("%s\n", fails[i].name);
		memset(&answers, 0, sizeof(answers));
		*fails[i].fails = -EIO;
		assert_int_equal(run_round(&metrics, &has_joined), STEP_DONE);
		assert_string_equal(told, fails[i].told);
	}
}

static const struct {
	const char *name;
	enum membership_event news[3];
	size_t count;
	bool is_lost, has_no_stores;
	enum step_end outcomes;
	const char *told; /* of the first step */
	bool has_joined;
} followed[] = {
	{ "an assignment",
	  { MEMBERSHIP_ASSIGNED },
	  1,
	  false,
	  false,
	  STEP_DONE,
	  "poll assign prepare",
	  true },
	{ "a revocation: gates close, outcomes are committed, all is given away (R5)",
	  { MEMBERSHIP_REVOKED },
	  1,
	  false,
	  false,
	  STEP_DONE,
	  "poll close-gates outcomes suspend leave prepare",
	  false },
	{ "others have the partitions already: nothing is committed",
	  { MEMBERSHIP_REVOKED },
	  1,
	  true,
	  false,
	  STEP_DONE,
	  "poll close-gates suspend leave prepare",
	  false },
	{ "there is no producer: nothing can be committed",
	  { MEMBERSHIP_REVOKED },
	  1,
	  false,
	  true,
	  STEP_DONE,
	  "poll close-gates suspend leave prepare",
	  false },
	{ "the commit is undone: what is given away is not read again",
	  { MEMBERSHIP_REVOKED },
	  1,
	  false,
	  false,
	  STEP_REREAD,
	  "poll close-gates outcomes suspend leave prepare",
	  false },
	{ "nobody knows what became of it",
	  { MEMBERSHIP_REVOKED },
	  1,
	  false,
	  false,
	  STEP_RESYNC,
	  "poll close-gates outcomes suspend leave drop-producer resync read |",
	  false },
	{ "both, in their order",
	  { MEMBERSHIP_REVOKED, MEMBERSHIP_ASSIGNED },
	  2,
	  true,
	  false,
	  STEP_DONE,
	  "poll close-gates suspend leave assign prepare",
	  true },
	{ "an input's offset is not there",
	  { MEMBERSHIP_INPUT_LOST },
	  1,
	  false,
	  false,
	  STEP_DONE,
	  "poll note-lost prepare",
	  false },
	{ "a record on a way where none should come",
	  { MEMBERSHIP_STRAY },
	  1,
	  false,
	  false,
	  STEP_DONE,
	  "poll read prepare",
	  false },
	{ "the session timed out: another consumer joins",
	  { MEMBERSHIP_EXPIRED },
	  1,
	  false,
	  false,
	  STEP_DONE,
	  "poll close-gates suspend close open join |",
	  false },
};

static void what_follows_from_news(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(followed); i++) {
		struct pipeline_metrics metrics = { 0 };
		atomic_bool has_joined = false;

		print_message("%s\n", followed[i].name);
		memset(&answers, 0, sizeof(answers));
		memcpy(answers.news, followed[i].news, sizeof(followed[i].news));
		answers.news_count = followed[i].count;
		answers.is_lost = followed[i].is_lost;
		answers.has_no_stores = followed[i].has_no_stores;
		answers.outcomes.end = followed[i].outcomes;
		assert_int_equal(run_round(&metrics, &has_joined), STEP_DONE);
		told[strlen(followed[i].told)] = '\0';
		assert_string_equal(told, followed[i].told);
		assert_int_equal(has_joined, followed[i].has_joined);
	}
}

static void outcomes_that_fill_three_turns_are_committed(void **state _unused_) {
	static const char expected[] =
	    "poll close-gates outcomes outcomes outcomes suspend leave prepare";
	struct pipeline_metrics metrics = { 0 };
	atomic_bool has_joined = false;

	memset(&answers, 0, sizeof(answers));
	answers.news[0] = MEMBERSHIP_REVOKED;
	answers.news_count = 1;
	answers.outcome_turns = 3;
	assert_int_equal(run_round(&metrics, &has_joined), STEP_DONE);
	told[strlen(expected)] = '\0';
	assert_string_equal(told, expected);
}

static void news_that_end_the_worker(void **state _unused_) {
	static const struct {
		const char *name;
		enum membership_event news;
		int open;
		enum step_end ended;
	} news[] = {
		{ "another worker has the id", MEMBERSHIP_REPLACED, 0, STEP_REPLACED },
		{ "the consumer failed for good", MEMBERSHIP_REFUSED, 0, STEP_FATAL },
		{ "no other consumer can be made", MEMBERSHIP_EXPIRED, -EPERM, STEP_FATAL },
	};

	for (size_t i = 0; i < ARRAY_LEN(news); i++) {
		struct pipeline_metrics metrics = { 0 };
		atomic_bool has_joined = false;

		print_message("%s\n", news[i].name);
		memset(&answers, 0, sizeof(answers));
		answers.news[0] = news[i].news;
		answers.news_count = 1;
		answers.open = news[i].open;
		assert_int_equal(run_round(&metrics, &has_joined), news[i].ended);
		assert_null(strstr(told, "prepare"));
		assert_null(strstr(told, "outcomes"));
	}
}

static void what_is_missing_is_waited_for(void **state _unused_) {
	struct pipeline_metrics metrics = { 0 };
	atomic_bool has_joined = false;

	print_message("without its stores nothing is restored nor handled\n");
	memset(&answers, 0, sizeof(answers));
	answers.has_no_stores = true;
	assert_int_equal(run_round(&metrics, &has_joined), STEP_DONE);
	assert_string_equal(told, HEARD " prepare | close-gates");
	print_message("while a restore has the replica for itself only that goes on\n");
	memset(&answers, 0, sizeof(answers));
	answers.owns_replica = true;
	assert_int_equal(run_round(&metrics, &has_joined), STEP_DONE);
	assert_string_equal(told, "poll prepare restore skip | close-gates");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_follows_from_a_step),
		cmocka_unit_test(a_round_is_followed_by_sleep_or_by_another),
		cmocka_unit_test(sqlite_commits_nothing_while_a_turn_is_put_off),
		cmocka_unit_test(the_replica_fails_beside_the_turns),
		cmocka_unit_test(what_follows_from_news),
		cmocka_unit_test(outcomes_that_fill_three_turns_are_committed),
		cmocka_unit_test(news_that_end_the_worker),
		cmocka_unit_test(what_is_missing_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
