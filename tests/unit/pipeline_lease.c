/* The lease: which answers prove that the group still counts on this worker. */
#include "base/memory.h"
#include "pipeline/lease.h"
#include "unit.h"

enum { SESSION_US = 1000, END = -1, ANSWERS_MAX = 5 };

struct answer {
	enum lease_proof proof;
	int64_t sent_us, now_us;
};

#define HEARTBEAT(sent, now) { LEASE_HEARTBEAT, sent, now }
#define SYNC(sent, now) { LEASE_SYNC, sent, now }
#define NO_MORE { LEASE_SYNC, END, END }

static const struct {
	const char *name;
	struct answer answers[ANSWERS_MAX];
	int64_t until_us;
} rows[] = {
	{ "nothing was answered", { NO_MORE }, 0 },
	{ "a heartbeat before any group was joined", { HEARTBEAT(10, 20), NO_MORE }, 0 },
	{ "joined: it counts from when it was sent", { SYNC(10, 20), NO_MORE }, 1010 },
	{ "a heartbeat makes it longer", { SYNC(10, 20), HEARTBEAT(500, 510), NO_MORE }, 1500 },
	{ "an answer that comes late makes it no shorter",
	  { SYNC(10, 20), HEARTBEAT(500, 510), HEARTBEAT(400, 900), NO_MORE },
	  1500 },
	{ "the first heartbeat after it lapsed may have been refused",
	  { SYNC(10, 20), HEARTBEAT(2000, 2010), NO_MORE },
	  1010 },
	{ "sent before it lapsed, answered after: likewise",
	  { SYNC(10, 20), HEARTBEAT(900, 2010), NO_MORE },
	  1010 },
	{ "and the next one is refused",
	  { SYNC(10, 20), HEARTBEAT(900, 2010), HEARTBEAT(2010, 2015), NO_MORE },
	  1010 },
	{ "a second one shows that it was not",
	  { SYNC(10, 20), HEARTBEAT(2000, 2010), HEARTBEAT(2100, 2110), NO_MORE },
	  3100 },
	{ "unless it was under way already",
	  { SYNC(10, 20), HEARTBEAT(2000, 2010), HEARTBEAT(2005, 2110), NO_MORE },
	  1010 },
	{ "lapsed again: again two",
	  { SYNC(10, 20), HEARTBEAT(2000, 2010), HEARTBEAT(2100, 2110), HEARTBEAT(4000, 4010),
	    NO_MORE },
	  3100 },
	{ "joined anew", { SYNC(10, 20), HEARTBEAT(2000, 2010), SYNC(2020, 2030), NO_MORE }, 3020 },
};

static void a_lease_follows_its_rows(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct lease lease;

		print_message("%s\n", rows[i].name);
		lease_init(&lease, SESSION_US);
		for (const struct answer *answer = rows[i].answers; answer->sent_us != END;
		     answer++) {
			int64_t before_us = lease.until_us;
			bool renewed =
			    lease_answered(&lease, answer->proof, answer->sent_us, answer->now_us);

			assert_int_equal(renewed, lease.until_us > before_us);
		}
		assert_int_equal(lease.until_us, rows[i].until_us);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_lease_follows_its_rows) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
