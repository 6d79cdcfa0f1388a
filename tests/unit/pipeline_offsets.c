/* Where an input goes on (R8): the committed offset and the position, each there or not. */
#include "base/memory.h"
#include "pipeline/offsets.h"
#include "unit.h"

#define STORE "11111111-2222-4333-8444-555555555555"
#define OTHER "99999999-2222-4333-8444-555555555555"

static void it_is_chosen(void **state _unused_) {
	static const struct {
		const char *name;
		int64_t committed;    /* -1001: RD_KAFKA_OFFSET_INVALID, none */
		const char *metadata; /* NULL: none */
		int64_t sequence;     /* of the position; 0: none */
		enum offset_choice choice;
	} rows[] = {
		{ "a first start: neither is there", -1001, NULL, 0, OFFSET_FIRST_RECORD },
		{ "both, and they agree", 70, STORE "/5", 5, OFFSET_OF_POSITION },
		{ "at offset 0 too", 0, STORE "/5", 5, OFFSET_OF_POSITION },
		{ "the committed offset expired", -1001, NULL, 5, OFFSET_OF_POSITION },
		{ "an operator's, to where the worker was", 70, NULL, 5, OFFSET_SET_BY_HAND },
		{ "an operator's, elsewhere", 12, NULL, 5, OFFSET_SET_BY_HAND },
		{ "an operator's, before the first start", 12, NULL, 0, OFFSET_SET_BY_HAND },
		{ "an operator's, to the beginning", 0, NULL, 5, OFFSET_SET_BY_HAND },
		{ "of an earlier position", 70, STORE "/4", 5, OFFSET_BEHIND },
		{ "of the first position", 70, STORE "/1", 5, OFFSET_BEHIND },
		{ "of no position", 70, STORE "/0", 5, OFFSET_TORN },
		{ "of an earlier position of another changelog", 70, OTHER "/4", 5, OFFSET_TORN },
		{ "of an earlier position, and it goes on", 70, STORE "/4 ", 5, OFFSET_TORN },
		{ "of an earlier position, and not its own", 70, STORE "54", 55, OFFSET_TORN },
		{ "of a later position", 70, STORE "/6", 5, OFFSET_TORN },
		{ "of another changelog", 70, OTHER "/5", 5, OFFSET_TORN },
		{ "a worker's, and the changelog is empty", 70, STORE "/5", 0, OFFSET_TORN },
		{ "its metadata is cut", 70, "11111111", 5, OFFSET_TORN },
		{ "its metadata goes on", 70, STORE "/55", 5, OFFSET_TORN },
		{ "its metadata is another program's", 70, "connect", 5, OFFSET_TORN },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *metadata = rows[i].metadata;
		struct committed_offset committed = { rows[i].committed, metadata,
						      metadata ? strlen(metadata) : 0 };
		struct position position = { .sequence = rows[i].sequence };

		print_message("%s\n", rows[i].name);
		assert_int_equal(uuid_parse(STORE, &position.store_id), 0);
		assert_int_equal(offset_choose(&committed, &position), rows[i].choice);
	}
}

static void metadata_names_the_position(void **state _unused_) {
	struct position position = { .sequence = INT64_MAX };
	char metadata[OFFSET_METADATA_SIZE];

	assert_int_equal(uuid_parse(STORE, &position.store_id), 0);
	offset_metadata(&position, metadata);
	assert_string_equal(metadata, STORE "/9223372036854775807");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_chosen),
		cmocka_unit_test(metadata_names_the_position),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
