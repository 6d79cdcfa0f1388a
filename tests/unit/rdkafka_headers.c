/* The bytes of a record's headers, and which of them are its producer's. */
#include "base/memory.h"
#include "rdkafka/headers.h"
#include "unit.h"

/* The message's; only a consumer could make one with headers. */
static rd_kafka_headers_t *list;

rd_kafka_resp_err_t __wrap_rd_kafka_message_headers(const rd_kafka_message_t *message,
						    rd_kafka_headers_t **out);

rd_kafka_resp_err_t __wrap_rd_kafka_message_headers(const rd_kafka_message_t *message _unused_,
						    rd_kafka_headers_t **out) {
	*out = list;
	return list ? RD_KAFKA_RESP_ERR_NO_ERROR : RD_KAFKA_RESP_ERR__NOENT;
}

enum { OVERHEAD = 10 }; /* of a header, at most */

static void what_posthorn_added_is_not_its_producers(void **state _unused_) {
	static const char from[] = "3:123456789012";
	static const struct {
		const char *name;
		const char *names[4];
		size_t value_len, given; /* each value's; of all headers */
	} rows[] = {
		{ "none", { NULL }, 0, 0 },
		{ "its producer's", { "x", "traceparent" }, 55, 1 + 11 + 2 * (55 + OVERHEAD) },
		{ "handed on", { "x", "posthorn.rerouted.from" }, 14, 1 + 14 + OVERHEAD },
		{ "goes on", { "posthorn.resumed.from", "x" }, 14, 1 + 14 + OVERHEAD },
		{ "replayed, handed on, and goes on",
		  { "posthorn.replay.partition", "posthorn.rerouted.from",
		    "posthorn.resumed.from" },
		  14,
		  0 },
		{ "a header that posthorn would not have written",
		  { "posthorn.resumed.from" },
		  100 * 1000,
		  21 + 100 * 1000 + OVERHEAD - HEADERS_ADDED_MAX },
		{ "no name of ours", { "posthornist" }, 14, 11 + 14 + OVERHEAD },
	};
	_cleanup_(x_freep) char *value = x_calloc(1, 100 * 1000);

	memcpy(value, from, sizeof(from));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct headers headers = { 0 };
		rd_kafka_message_t message = { 0 };

		print_message("%s\n", rows[i].name);
		for (size_t k = 0; k < ARRAY_LEN(rows[i].names) && rows[i].names[k]; k++)
			headers_add(&headers, rows[i].names[k], value, (ssize_t)rows[i].value_len);
		list = headers.list;
		assert_int_equal(headers_of(&message).bytes, headers.bytes);
		assert_int_equal(headers_given_bytes(&message), rows[i].given);
		if (list)
			rd_kafka_headers_destroy(list);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_posthorn_added_is_not_its_producers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
