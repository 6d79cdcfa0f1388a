/* Which job begins next, without threads or a network. */
#include "delivery/scheduler.h"
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PER_ENDPOINT = 2, PER_HOST = 3, UNRESOLVED = 8, CLAIMS_MAX = 64 };

struct fixture {
	struct scheduler scheduler;
	struct signer *signer;
	struct scheduler_claim claims[CLAIMS_MAX]; /* in flight, in the order of their beginning */
	size_t claim_count;
	struct job_list refused;
};

static int setup(void **state) {
	static const uint8_t seed[32] = { 1 };
	struct fixture *f = x_calloc(1, sizeof(*f));

	scheduler_init(&f->scheduler, PER_ENDPOINT, PER_HOST, UNRESOLVED);
	f->signer = signer_from_seed(seed);
	*state = f;
	return 0;
}

static void end(struct fixture *f, size_t index) {
	struct job *job = f->claims[index].job;

	scheduler_release(&f->scheduler, &f->claims[index]);
	job_free(job);
	f->claim_count--;
	memmove(&f->claims[index], &f->claims[index + 1],
		(f->claim_count - index) * sizeof(f->claims[0]));
}

/* All that a test leaves can be ended, and then nothing is held. */
static int teardown(void **state) {
	struct fixture *f = *state;

	scheduler_sweep(&f->scheduler, NULL, NULL, &f->refused);
	while (f->claim_count)
		end(f, 0);
	scheduler_destroy(&f->scheduler);
	job_list_free(&f->refused);
	signer_unref(f->signer);
	free(f);
	return 0;
}

static struct uuid webhook_id(char webhook) {
	return (struct uuid){ .bytes = { (uint8_t)webhook } };
}

/* Jobs of webhook 'a' on host 1: add(f, 'a', 1, "xyz") adds three, told apart by a letter each. */
static void add(struct fixture *f, char webhook, int host, const char *jobs) {
	struct uuid id = webhook_id(webhook);
	struct route *route;
	char url[64];

	snprintf(url, sizeof(url), "https://host%d.example/%c", host, webhook);
	route = route_new(&id, "tenant", url, f->signer, NULL);
	for (; *jobs; jobs++) {
		struct delivery delivery = {
			.tenant_id = "tenant", .command_id = "command", .body = jobs, .body_len = 1
		};

		scheduler_add(&f->scheduler, job_new(&delivery, route, 0, 1), &f->refused);
	}
	route_unref(route);
}

/* Begins all that may begin, and expects these, each written as webhook and job: "ax ay". */
static void expect_begins(struct fixture *f, const char *expected) {
	char text[CLAIMS_MAX * 3 + 1] = "";
	struct scheduler_claim claim;
	size_t len = 0;

	while (scheduler_next(&f->scheduler, &claim)) {
		f->claims[f->claim_count++] = claim;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%c%c", len ? " " : "",
					claim.job->route->webhook_id.bytes[0],
					claim.job->delivery.body[0]);
	}
	assert_string_equal(text, expected);
}

static void expect_refused(struct fixture *f, const char *expected) {
	char text[CLAIMS_MAX] = "";
	struct job *job;
	size_t len = 0;

	while ((job = job_list_pop(&f->refused))) {
		text[len++] = job->delivery.body[0];
		job_free(job);
	}
	assert_string_equal(text, expected);
}

static void without_jobs_none_begins(void **state) {
	expect_begins(*state, "");
}

static void endpoints_take_turns_within_their_bound(void **state) {
	struct fixture *f = *state;

	add(f, 'a', 1, "1234");
	add(f, 'b', 2, "1234");
	add(f, 'c', 3, "1");
	expect_begins(f, "a1 b1 c1 a2 b2");
	end(f, 1);
	expect_begins(f, "b3");
	end(f, 0);
	expect_begins(f, "a3");
}

static void a_queue_lives_as_long_as_its_jobs(void **state) {
	struct fixture *f = *state;

	add(f, 'a', 1, "1");
	add(f, 'b', 1, "1");
	assert_int_equal(scheduler_queue_count(&f->scheduler), 2);
	expect_begins(f, "a1 b1");
	end(f, 0);
	assert_int_equal(scheduler_queue_count(&f->scheduler), 1);
	end(f, 0);
	assert_int_equal(scheduler_queue_count(&f->scheduler), 0);
}

static void a_full_host_blocks_only_itself(void **state) {
	struct fixture *f = *state;

	add(f, 'a', 1, "12");
	add(f, 'b', 1, "12");
	add(f, 'c', 1, "12");
	add(f, 'z', 2, "12");
	expect_begins(f, "a1 b1 c1 z1 z2");
	end(f, 0); /* a1; those that waited longest go first, one a place */
	expect_begins(f, "a2");
	end(f, 0); /* b1 */
	expect_begins(f, "b2");
}

static void an_unresolved_host_has_a_small_bound(void **state) {
	struct fixture *f = *state;

	f->scheduler.max_per_endpoint = f->scheduler.max_per_host =
	    SCHEDULER_UNRESOLVED_PER_HOST_MAX + 2;
	add(f, 'a', 1, "12345");
	add(f, 'b', 1, "12");
	add(f, 'z', 2, "1");
	expect_begins(f, "a1 b1 z1 a2 b2");
	scheduler_host_resolved(&f->scheduler, f->claims[0].host);
	expect_begins(f, "a3 a4");
	end(f, 0);
	expect_begins(f, "a5");
}

/* Names that are being resolved: 6 at most while their resolve state is unknown. Other unresolved
 * hosts wait; resolved ones do not. */
static void resolved_hosts_do_not_wait_for_unresolved_ones(void **state) {
	struct fixture *f = *state;

	add(f, 'a', 1, "1");
	expect_begins(f, "a1");
	scheduler_host_resolved(&f->scheduler, f->claims[0].host);
	add(f, 'b', 2, "12");
	add(f, 'c', 3, "12");
	add(f, 'd', 4, "12");
	add(f, 'e', 5, "12");
	expect_begins(f, "b1 c1 d1 e1 b2 c2");
	add(f, 'a', 1, "2");
	expect_begins(f, "a2");
	end(f, 1);
	expect_begins(f, "d2");
	scheduler_host_resolved(&f->scheduler, f->claims[1].host);
	expect_begins(f, "e2");
	scheduler_host_resolve_failed(&f->scheduler, f->claims[1].host);
	add(f, 'f', 6, "1");
	expect_begins(f, "");
}

/* After a time without jobs: a host that had resolved passes all others, and an unknown one passes
 * those that failed. */
static void hosts_that_resolved_before_pass_those_that_failed(void **state) {
	struct fixture *f = *state;

	add(f, 'a', 1, "1");
	add(f, 'b', 2, "1");
	expect_begins(f, "a1 b1");
	scheduler_host_resolved(&f->scheduler, f->claims[0].host);
	scheduler_host_resolved(&f->scheduler, f->claims[1].host);
	scheduler_host_resolve_failed(&f->scheduler, f->claims[1].host);
	end(f, 0);
	end(f, 0);
	assert_int_equal(scheduler_queue_count(&f->scheduler), 0);
	for (int i = 0; i < 4; i++)
		add(f, (char)('k' + i), 10 + i, "1");
	expect_begins(f, "k1 l1 m1 n1");
	add(f, 'b', 2, "2");
	expect_begins(f, "");
	for (int i = 4; i < 8; i++)
		add(f, (char)('k' + i), 10 + i, "1");
	expect_begins(f, "o1 p1");
	add(f, 'a', 1, "2");
	expect_begins(f, "a2");
	while (f->claim_count > 4)
		end(f, 0);
	expect_begins(f, "q1 r1");
	while (f->claim_count > 1)
		end(f, 0);
	expect_begins(f, "b2");
}

/* Hosts that come once each do not take memory without end. */
static void idle_hosts_are_bounded(void **state) {
	struct fixture *f = *state;

	for (int i = 0; i < SCHEDULER_IDLE_HOSTS_MAX + 10; i++) {
		struct scheduler_claim claim;

		add(f, 'a', i, "1");
		assert_true(scheduler_next(&f->scheduler, &claim));
		scheduler_host_resolved(&f->scheduler, claim.host);
		scheduler_release(&f->scheduler, &claim);
		job_free(claim.job);
	}
	assert_int_equal(f->scheduler.hosts.idle_count[RESOLVE_DONE], SCHEDULER_IDLE_HOSTS_MAX);
}

static void room_on_a_host_passes_on_when_its_queue_is_dropped(void **state) {
	struct fixture *f = *state;

	add(f, 'a', 1, "12");
	add(f, 'b', 1, "1");
	expect_begins(f, "a1 b1 a2");
	add(f, 'c', 1, "1");
	add(f, 'd', 1, "1");
	expect_begins(f, "");
	end(f, 0); /* the place goes to c ... */
	scheduler_drop(&f->scheduler, &(struct uuid){ .bytes = { 'c' } }, &f->refused);
	expect_refused(f, "1");
	expect_begins(f, "d1"); /* ... which is gone */
}

static void a_drop_refuses_the_queued_jobs(void **state) {
	struct fixture *f = *state;
	struct uuid a = webhook_id('a'), nobody = webhook_id('n');

	add(f, 'a', 1, "1234");
	add(f, 'b', 1, "1");
	expect_begins(f, "a1 b1 a2");
	scheduler_drop(&f->scheduler, &nobody, &f->refused);
	expect_refused(f, "");
	scheduler_drop(&f->scheduler, &a, &f->refused);
	expect_refused(f, "34");
	add(f, 'a', 1, "5");
	end(f, 0);
	expect_begins(f, "a5");
}

static void another_url_refuses_the_jobs_of_the_old_one(void **state) {
	struct fixture *f = *state;

	add(f, 'a', 1, "1234");
	expect_begins(f, "a1 a2");
	add(f, 'a', 2, "56");
	expect_refused(f, "34");
	expect_begins(f, ""); /* still two in flight of this webhook */
	end(f, 0);
	expect_begins(f, "a5");
	end(f, 0);
	expect_begins(f, "a6");
}

static void another_url_ends_the_wait_for_the_old_host(void **state) {
	struct fixture *f = *state;

	add(f, 'a', 1, "12");
	add(f, 'b', 1, "1");
	expect_begins(f, "a1 b1 a2");
	add(f, 'c', 1, "1");
	expect_begins(f, "");
	add(f, 'c', 2, "2");
	expect_refused(f, "1");
	expect_begins(f, "c2");
	end(f, 0);
	expect_begins(f, "");
}

static bool is_odd(const struct job *job, void *userdata _unused_) {
	return job->delivery.body[0] % 2;
}

static void a_sweep_refuses_the_jobs_not_kept(void **state) {
	struct fixture *f = *state;

	add(f, 'a', 1, "123456");
	add(f, 'b', 1, "24");
	expect_begins(f, "a1 b2 a2");
	scheduler_sweep(&f->scheduler, is_odd, NULL, &f->refused);
	expect_refused(f, "464");
	end(f, 0);
	end(f, 0);
	end(f, 0);
	expect_begins(f, "a3 a5");
}

/* Many endpoints on few hosts, ended in an order of no meaning: all begin, and never more than may.
 */
static void every_job_begins_within_the_bounds(void **state) {
	struct fixture *f = *state;
	unsigned random = 1;
	size_t begun = 0;

	for (int webhook = 'A'; webhook <= 'Z'; webhook++)
		add(f, (char)webhook, webhook % 3, "123456789");
	for (;;) {
		while (scheduler_next(&f->scheduler, &f->claims[f->claim_count])) {
			f->claim_count++;
			begun++;
		}
		assert_true(f->claim_count <= 3 * PER_HOST);
		if (!f->claim_count)
			break;
		random = random * 1103515245U + 12345U;
		end(f, random / 65536U % f->claim_count);
	}
	assert_int_equal(begun, 26 * 9);
}

/* Whether `fn` ends the process by abort(), with its words in the log. */
static bool aborts(void (*fn)(struct fixture *f), struct fixture *f) {
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		fn(f);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void release_two_claims(struct fixture *f) {
	scheduler_release(&f->scheduler, &f->claims[0]);
	scheduler_release(&f->scheduler, &f->claims[0]);
}

static void release_three_claims(struct fixture *f) {
	release_two_claims(f);
	scheduler_release(&f->scheduler, &f->claims[0]);
}

static void destroy_scheduler(struct fixture *f) {
	scheduler_destroy(&f->scheduler);
}

static void a_release_that_was_not_claimed_aborts(void **state) {
	struct fixture *f = *state;

	add(f, 'a', 1, "123");
	expect_begins(f, "a1 a2");
	assert_false(aborts(release_two_claims, f));
	assert_true(aborts(release_three_claims, f));
}

static void the_end_with_a_job_in_flight_aborts(void **state) {
	struct fixture *f = *state;

	add(f, 'a', 1, "1");
	expect_begins(f, "a1");
	assert_true(aborts(destroy_scheduler, f));
}

#define SCHEDULER_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		SCHEDULER_TEST(without_jobs_none_begins),
		SCHEDULER_TEST(endpoints_take_turns_within_their_bound),
		SCHEDULER_TEST(a_queue_lives_as_long_as_its_jobs),
		SCHEDULER_TEST(a_full_host_blocks_only_itself),
		SCHEDULER_TEST(an_unresolved_host_has_a_small_bound),
		SCHEDULER_TEST(resolved_hosts_do_not_wait_for_unresolved_ones),
		SCHEDULER_TEST(hosts_that_resolved_before_pass_those_that_failed),
		SCHEDULER_TEST(idle_hosts_are_bounded),
		SCHEDULER_TEST(room_on_a_host_passes_on_when_its_queue_is_dropped),
		SCHEDULER_TEST(a_drop_refuses_the_queued_jobs),
		SCHEDULER_TEST(another_url_refuses_the_jobs_of_the_old_one),
		SCHEDULER_TEST(another_url_ends_the_wait_for_the_old_host),
		SCHEDULER_TEST(a_sweep_refuses_the_jobs_not_kept),
		SCHEDULER_TEST(every_job_begins_within_the_bounds),
		SCHEDULER_TEST(a_release_that_was_not_claimed_aborts),
		SCHEDULER_TEST(the_end_with_a_job_in_flight_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
