#include "kafka/group.h"

#include "base/clock.h"
#include "kafka/handle.h"
#include "rdkafka/group_members.h"
#include "rdkafka/refusal.h"
#include "rdkafka/topic_names.h"

enum { STEP_MS = 1000, PAUSE_MS = 100 };

/* A question of the group's offsets, for the right to ask alone. */
static rd_kafka_resp_err_t ask_offsets(rd_kafka_t *client, const char *topic, int timeout_ms) {
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_resp_err_t error;

	rd_kafka_topic_partition_list_add(list, topic, 0);
	error = rd_kafka_committed(client, list, timeout_ms);
	rd_kafka_topic_partition_list_destroy(list);
	return error;
}

/* While the coordinator is not found, the client alone is told why. Waits a little for it. */
static rd_kafka_resp_err_t told_error(rd_kafka_t *client) {
	rd_kafka_message_t *message = rd_kafka_consumer_poll(client, PAUSE_MS);
	rd_kafka_resp_err_t error = message ? message->err : RD_KAFKA_RESP_ERR_NO_ERROR;

	if (message)
		rd_kafka_message_destroy(message);
	return error;
}

/* Asks the coordinator until it answers, refuses, or the time is over. */
static rd_kafka_resp_err_t ask_right(rd_kafka_t *client, const char *topic, int64_t timeout_ms) {
	int64_t deadline_ms = clock_monotonic_ms() + timeout_ms, left_ms = timeout_ms;
	rd_kafka_resp_err_t error;

	do {
		rd_kafka_resp_err_t told;

		error = ask_offsets(client, topic, (int)MIN(left_ms, (int64_t)STEP_MS));
		told = error ? told_error(client) : RD_KAFKA_RESP_ERR_NO_ERROR;
		if (refusal_cause(told))
			return told;
		left_ms = deadline_ms - clock_monotonic_ms();
	} while (error && !refusal_cause(error) && left_ms > 0);
	return error;
}

static enum admin_status count_members(struct kafka_handle *handle, const char *group_id,
				       int64_t timeout_ms) {
	rd_kafka_resp_err_t error;
	_cleanup_(rd_kafka_group_list_destroyp) const struct rd_kafka_group_list *list =
	    group_members_ask(handle->rk, group_id, (int)timeout_ms, &error);

	if (!list)
		return error == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND
			   ? ADMIN_OK
			   : kafka_complain_of(handle, "Describe", "group", group_id, error);
	if (list->groups[0].member_cnt == 0)
		return ADMIN_OK;
	terminal_complain("group %s has %d members: no worker may run during an import", group_id,
			  list->groups[0].member_cnt);
	return ADMIN_REFUSED;
}

enum admin_status group_check_is_empty(const struct config *config, int64_t timeout_ms) {
	_cleanup_(kafka_handle_close) struct kafka_handle handle = { 0 };
	_cleanup_(x_freep) char *topic = topic_name(config->topic_prefix, TOPIC_ADMIN);
	const struct kafka_handle_options options = { .kind = CLIENT_READER };
	enum admin_status status = kafka_handle_open(&handle, config, &options);
	rd_kafka_resp_err_t error;

	if (status)
		return status;
	rd_kafka_poll_set_consumer(handle.rk);
	error = ask_right(handle.rk, topic, timeout_ms);
	return error ? kafka_complain_of(&handle, "Describe", "group", config->group_id, error)
		     : count_members(&handle, config->group_id, timeout_ms);
}
