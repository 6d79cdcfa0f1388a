/* The parts of the dispatcher that are functions of values: lanes, and what attempts do to an
 * endpoint. */
#include "dispatch/health.h"
#include "dispatch/outstanding.h"
#include "unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1024 * 1024, M = 100 };

/* Lanes. */

static const struct {
	const char *name;
	enum dispatch_lane lane;
	struct dispatch_load load;
	bool is_scarce, is_full;
} loads[] = {
	{ "nothing", DISPATCH_LANE_PROMPT, { 0, 0 }, false, false },
	{ "prompt, less than half", DISPATCH_LANE_PROMPT, { 199, 0 }, false, false },
	{ "prompt, half", DISPATCH_LANE_PROMPT, { 200, 0 }, true, false },
	{ "prompt, nearly all", DISPATCH_LANE_PROMPT, { 399, 0 }, true, false },
	{ "prompt, all", DISPATCH_LANE_PROMPT, { 400, 0 }, true, true },
	{ "prompt, half of the bytes", DISPATCH_LANE_PROMPT, { 1, 32 * MIB }, true, false },
	{ "prompt, all bytes", DISPATCH_LANE_PROMPT, { 1, 64 * MIB }, true, true },
	{ "unproven, nearly all", DISPATCH_LANE_UNPROVEN, { 49, 0 }, true, false },
	{ "unproven, all", DISPATCH_LANE_UNPROVEN, { 50, 0 }, true, true },
	{ "unproven, all bytes", DISPATCH_LANE_UNPROVEN, { 1, 32 * MIB }, true, true },
	{ "failing, less than half", DISPATCH_LANE_FAILING, { 11, 0 }, false, false },
	{ "failing, nearly all", DISPATCH_LANE_FAILING, { 24, 0 }, true, false },
	{ "failing, all", DISPATCH_LANE_FAILING, { 25, 0 }, true, true },
	{ "failing, all bytes", DISPATCH_LANE_FAILING, { 1, 16 * MIB }, true, true },
};

static void a_lane_is_scarce_at_half_and_full_at_its_bound(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(loads); i++) {
		struct dispatch_lanes lanes;

		print_message("%s\n", loads[i].name);
		dispatch_lanes_init(&lanes, M);
		dispatch_lanes_add(&lanes, loads[i].lane, loads[i].load);
		assert_int_equal(dispatch_lanes_is_scarce(&lanes, loads[i].lane),
				 loads[i].is_scarce);
		assert_int_equal(dispatch_lanes_is_full(&lanes, loads[i].lane), loads[i].is_full);
		dispatch_lanes_remove(&lanes, loads[i].lane, loads[i].load);
		assert_false(dispatch_lanes_is_scarce(&lanes, loads[i].lane));
	}
}

static const struct {
	const char *name;
	int endpoints;
	enum dispatch_lane lane;
	size_t each;
	size_t breadth;
} backlogs[] = {
	{ "64 each of 16 endpoints", 16, DISPATCH_LANE_PROMPT, 64, 1024 },
	{ "more than 64 of an endpoint do not count", 15, DISPATCH_LANE_PROMPT, 500, 960 },
	{ "one each of many", 1024, DISPATCH_LANE_PROMPT, 1, 1024 },
	{ "endpoints that are not prompt do not count", 100, DISPATCH_LANE_UNPROVEN, 64, 0 },
};

static void breadth_is_of_many_prompt_endpoints(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(backlogs); i++) {
		struct dispatch_load load = { backlogs[i].each, 0 };
		struct dispatch_lanes lanes;

		print_message("%s\n", backlogs[i].name);
		dispatch_lanes_init(&lanes, M);
		for (int k = 0; k < backlogs[i].endpoints; k++)
			dispatch_lanes_add(&lanes, backlogs[i].lane, load);
		assert_int_equal(lanes.breadth, backlogs[i].breadth);
		for (int k = 0; k < backlogs[i].endpoints; k++)
			dispatch_lanes_remove(&lanes, backlogs[i].lane, load);
		assert_int_equal(lanes.breadth, 0);
	}
}

/* Windows. */

static const struct {
	const char *name;
	size_t full_window;
	int successes;
	int64_t duration_ms;
	size_t window;
} windows[] = {
	{ "at first", 16, 0, 5, 1 },
	{ "after one success", 16, 1, 5, 2 },
	{ "after two", 16, 2, 5, 2 },
	{ "after three", 16, 3, 5, 4 },
	{ "after 15", 16, 15, 5, 16 },
	{ "a prompt endpoint's goes on", 16, 31, 5, 32 },
	{ "an endpoint's of a second is prompt", 16, 31, 1000, 32 },
	{ "a slower one's does not", 16, 31, 1001, 16 },
	{ "up to 2048", 16, 10000, 5, 2048 },
	{ "or to a larger bound in flight", 3000, 10000, 5, 3000 },
	{ "where the bound is no power of two", 10, 1000, 2000, 10 },
};

struct parts {
	struct dispatch_endpoints endpoints;
	struct dispatch_health health;
	struct dispatch_endpoint *endpoint;
	struct job job;
};

static void parts_init(struct parts *parts, size_t full_window) {
	struct uuid id = { .bytes = { 1 } };

	*parts = (struct parts){ .job = { .result = { .reason = ATTEMPT_OK,
						      .status = 200,
						      .retry_after_ms = -1,
						      .duration_ms = 5 } } };
	dispatch_endpoints_init(&parts->endpoints, M, full_window);
	parts->health = (struct dispatch_health){ .endpoints = &parts->endpoints,
						  .breaker = { 3, 1000 },
						  .notify_after_ms = INT64_MAX,
						  .disable_after_ms = 1000 };
	parts->endpoint =
	    dispatch_endpoint_get(&parts->endpoints, (struct dispatch_partition){ 0, 1 }, &id);
}

static void a_window_doubles_with_each_windowful_of_successes(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
		struct parts parts;

		print_message("%s\n", windows[i].name);
		parts_init(&parts, windows[i].full_window);
		parts.job.result.duration_ms = windows[i].duration_ms;
		for (int k = 0; k < windows[i].successes; k++)
			assert_false(
			    dispatch_health_end_attempt(&parts.health, parts.endpoint, &parts.job));
		assert_int_equal(parts.endpoint->window, windows[i].window);
		dispatch_endpoints_destroy(&parts.endpoints);
	}
}

/* The table. */

static void idle_endpoints_are_bounded_and_the_oldest_is_freed(void **state _unused_) {
	enum { IDLE_MAX = 16384 };
	struct dispatch_partition partition = { 0, 1 };
	struct uuid oldest = { 0 };
	struct parts parts;

	parts_init(&parts, 16);
	for (int i = 0; i <= IDLE_MAX; i++) {
		struct uuid id = { .bytes = { 2, (uint8_t)(i >> 8), (uint8_t)i } };

		if (i == 0)
			oldest = id;
		dispatch_endpoint_settle(&parts.endpoints,
					 dispatch_endpoint_get(&parts.endpoints, partition, &id));
		assert_int_equal(!dispatch_endpoint_find(&parts.endpoints, &oldest), i == IDLE_MAX);
	}
	assert_int_equal(parts.endpoints.idle_count, IDLE_MAX);
	dispatch_endpoints_destroy(&parts.endpoints);
}

/* Assertions. */

/* Whether `fn` ends the process by abort(), with its words in the log. */
static bool aborts(void (*fn)(struct parts *parts)) {
	struct parts parts;
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		parts_init(&parts, 16);
		signal(SIGABRT, SIG_DFL);
		fn(&parts);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void remove_more_than_a_lane_holds(struct parts *parts) {
	dispatch_lanes_remove(&parts->endpoints.lanes, DISPATCH_LANE_PROMPT,
			      (struct dispatch_load){ 1, 1 });
}

static void remove_more_than_an_endpoint_has(struct parts *parts) {
	dispatch_endpoint_remove_load(&parts->endpoints, parts->endpoint, 1);
}

static void free_an_endpoint_in_use(struct parts *parts) {
	dispatch_endpoint_add_load(&parts->endpoints, parts->endpoint, 1);
	dispatch_endpoint_free(&parts->endpoints, parts->endpoint);
}

static void choose_without_a_route(struct parts *parts) {
	struct dispatch_outstanding outstanding;

	dispatch_outstanding_init(&outstanding, &parts->endpoints);
	dispatch_outstanding_add(&outstanding, parts->endpoint, &(struct delivery){ 0 });
}

static void choose(struct parts *parts, int times) {
	static const uint8_t seed[32] = { 1 };
	struct uuid id = { .bytes = { 1 } };
	struct dispatch_outstanding outstanding;

	dispatch_outstanding_init(&outstanding, &parts->endpoints);
	parts->endpoint->route =
	    route_new(&id, "tenant", "https://a.example/", signer_from_seed(seed), NULL);
	while (times-- > 0)
		dispatch_outstanding_add(&outstanding, parts->endpoint,
					 &(struct delivery){ .tenant_id = "tenant" });
}

static void choose_once(struct parts *parts) {
	choose(parts, 1);
}

static void choose_twice(struct parts *parts) {
	choose(parts, 2);
}

static void free_an_endpoint(struct parts *parts) {
	dispatch_endpoint_free(&parts->endpoints, parts->endpoint);
}

static void a_delivery_is_chosen_once_and_with_a_route(void **state _unused_) {
	assert_false(aborts(choose_once));
	assert_true(aborts(choose_twice));
	assert_true(aborts(choose_without_a_route));
}

static void a_count_below_zero_aborts(void **state _unused_) {
	assert_true(aborts(remove_more_than_a_lane_holds));
	assert_true(aborts(remove_more_than_an_endpoint_has));
	assert_true(aborts(free_an_endpoint_in_use));
	assert_false(aborts(free_an_endpoint));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lane_is_scarce_at_half_and_full_at_its_bound),
		cmocka_unit_test(breadth_is_of_many_prompt_endpoints),
		cmocka_unit_test(a_window_doubles_with_each_windowful_of_successes),
		cmocka_unit_test(idle_endpoints_are_bounded_and_the_oldest_is_freed),
		cmocka_unit_test(a_count_below_zero_aborts),
		cmocka_unit_test(a_delivery_is_chosen_once_and_with_a_route),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
