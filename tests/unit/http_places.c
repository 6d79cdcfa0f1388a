#include "base/memory.h"
#include "http/places.h"
#include "unit.h"

#include <arpa/inet.h>

enum { REQUEST_MS = 1000, IDLE_MS = 5000, PLACES = 4 };

struct fixture {
	struct http_places places;
	struct http_place place[PLACES];
};

static void add(struct fixture *fixture, size_t i, const char *address, int64_t now_ms) {
	struct in6_addr bytes;

	assert_int_equal(inet_pton(AF_INET6, address, &bytes), 1);
	http_places_add(&fixture->places, &fixture->place[i], &bytes, now_ms);
}

/* Which one it is; -1: none. */
static int index_of(const struct fixture *fixture, const struct http_place *place) {
	return place ? (int)(place - fixture->place) : -1;
}

static int set_up(void **state) {
	struct fixture *fixture = x_calloc(1, sizeof(*fixture));

	fixture->places.timeouts_ms[HTTP_PHASE_REQUEST] =
	    fixture->places.timeouts_ms[HTTP_PHASE_ANSWER] = REQUEST_MS;
	fixture->places.timeouts_ms[HTTP_PHASE_IDLE] = IDLE_MS;
	*state = fixture;
	return 0;
}

static int tear_down(void **state) {
	struct fixture *fixture = *state;

	for (size_t i = 0; i < PLACES; i++) {
		if (fixture->place[i].address)
			http_places_remove(&fixture->places, &fixture->place[i]);
	}
	assert_int_equal(fixture->places.count, 0);
	http_places_destroy(&fixture->places);
	free(fixture);
	return 0;
}

/* Each phase has its time; in SERVER none runs. */
static void each_kind_of_turn_has_its_time(void **state) {
	struct fixture *fixture = *state;
	struct http_places *places = &fixture->places;

	assert_int_equal(http_places_deadline(places), INT64_MAX);
	add(fixture, 0, "::ffff:10.0.0.1", 0);
	add(fixture, 1, "::ffff:10.0.0.1", 10);
	assert_int_equal(http_places_deadline(places), REQUEST_MS);
	assert_null(http_places_expired(places, REQUEST_MS - 1));
	assert_int_equal(index_of(fixture, http_places_expired(places, REQUEST_MS)), 0);
	http_places_set_phase(places, &fixture->place[0], HTTP_PHASE_IDLE, 20);
	assert_int_equal(http_places_deadline(places), 10 + REQUEST_MS);
	http_places_set_phase(places, &fixture->place[1], HTTP_PHASE_SERVER, 20);
	assert_null(http_places_expired(places, 20 + IDLE_MS - 1));
	assert_int_equal(index_of(fixture, http_places_expired(places, 20 + IDLE_MS)), 0);
	http_places_set_phase(places, &fixture->place[0], HTTP_PHASE_SERVER, 30);
	assert_int_equal(http_places_deadline(places), INT64_MAX);
}

/* Of the address with the most that say nothing it is the one that has said nothing for longest. */
static void the_silent_one_of_the_largest_address_makes_room(void **state) {
	struct fixture *fixture = *state;
	struct http_places *places = &fixture->places;

	assert_null(http_places_victim(places));
	add(fixture, 0, "::ffff:10.0.0.1", 0);
	add(fixture, 1, "::ffff:10.0.0.2", 1);
	add(fixture, 2, "::ffff:10.0.0.2", 2);
	assert_int_equal(index_of(fixture, http_places_victim(places)), 1);
	http_places_set_phase(places, &fixture->place[1], HTTP_PHASE_IDLE, 3);
	assert_int_equal(index_of(fixture, http_places_victim(places)), 2);
	add(fixture, 3, "::ffff:10.0.0.2", 4);
	http_places_set_phase(places, &fixture->place[1], HTTP_PHASE_SERVER, 5);
	http_places_set_phase(places, &fixture->place[2], HTTP_PHASE_SERVER, 5);
	http_places_set_phase(places, &fixture->place[3], HTTP_PHASE_SERVER, 5);
	assert_int_equal(index_of(fixture, http_places_victim(places)), 0);
	http_places_set_phase(places, &fixture->place[0], HTTP_PHASE_SERVER, 5);
	assert_null(http_places_victim(places));
}

/* A client has as many IPv6 addresses as it likes, with the same first half. */
static void an_ipv6_network_counts_as_one_address(void **state) {
	struct fixture *fixture = *state;

	add(fixture, 0, "2001:db8:0:1::1", 0);
	add(fixture, 1, "2001:db8:0:2::1", 1);
	add(fixture, 2, "2001:db8:0:2:ffff::2", 2);
	assert_int_equal(index_of(fixture, http_places_victim(&fixture->places)), 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_kind_of_turn_has_its_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_silent_one_of_the_largest_address_makes_room,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_ipv6_network_counts_as_one_address, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
