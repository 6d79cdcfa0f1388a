/* Whether a group is known to be empty, by answers of the brokers. */
#include "base/memory.h"
#include "kafka/group.h"
#include "rdkafka/group_members.h"
#include "unit.h"

enum { NO_LIST = -1, TIMEOUT_MS = 50 };

static const struct row {
	const char *name;
	rd_kafka_resp_err_t offsets; /* to the question of its offsets */
	int members;                 /* NO_LIST: `list` says why */
	rd_kafka_resp_err_t list;
	enum admin_status status;
} rows[] = {
	{ "no such group", 0, NO_LIST, RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND, ADMIN_OK },
	{ "a group without members", 0, 0, 0, ADMIN_OK },
	{ "workers run", 0, 2, 0, ADMIN_REFUSED },
	{ "its coordinator loads it", 0, NO_LIST, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
	  ADMIN_NO_OUTCOME },
	{ "a broker does not answer", 0, NO_LIST, RD_KAFKA_RESP_ERR__TIMED_OUT, ADMIN_NO_OUTCOME },
	{ "it may not be described, so that no broker lists it",
	  RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, NO_LIST,
	  RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND, ADMIN_USAGE },
	{ "nobody knows its coordinator", RD_KAFKA_RESP_ERR__WAIT_COORD, NO_LIST,
	  RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND, ADMIN_NO_OUTCOME },
};

static const struct row *row;

rd_kafka_resp_err_t __wrap_rd_kafka_committed(rd_kafka_t *client,
					      rd_kafka_topic_partition_list_t *list,
					      int timeout_ms);
const struct rd_kafka_group_list *__wrap_group_members_ask(rd_kafka_t *client, const char *group_id,
							   int timeout_ms,
							   rd_kafka_resp_err_t *err);

rd_kafka_resp_err_t __wrap_rd_kafka_committed(rd_kafka_t *client _unused_,
					      rd_kafka_topic_partition_list_t *list _unused_,
					      int timeout_ms _unused_) {
	return row->offsets;
}

/* librdkafka frees each part. */
const struct rd_kafka_group_list *__wrap_group_members_ask(rd_kafka_t *client _unused_,
							   const char *group_id _unused_,
							   int timeout_ms _unused_,
							   rd_kafka_resp_err_t *err) {
	struct rd_kafka_group_list *list;

	*err = row->list;
	if (row->members == NO_LIST)
		return NULL;
	list = x_calloc(1, sizeof(*list));
	list->group_cnt = 1;
	list->groups = x_calloc(1, sizeof(*list->groups));
	list->groups[0].member_cnt = row->members;
	list->groups[0].members =
	    x_calloc((size_t)row->members + 1, sizeof(*list->groups[0].members));
	return list;
}

static void it_is_empty_where_that_is_proved(void **state _unused_) {
	static char servers[] = "bootstrap.servers", none[] = "127.0.0.1:1", group_id[] = "g";
	struct kafka_property kafka[] = { { servers, none } };
	struct config config = { .kafka = kafka, .kafka_count = 1, .group_id = group_id };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		row = &rows[i];
		print_message("%s\n", row->name);
		assert_int_equal(group_check_is_empty(&config, TIMEOUT_MS), row->status);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_empty_where_that_is_proved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
