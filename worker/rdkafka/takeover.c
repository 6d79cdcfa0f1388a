#include "rdkafka/takeover.h"

#include "base/invariant.h"
#include "rdkafka/refusal.h"
#include "rdkafka/transaction.h"

#include <errno.h>

enum { DESCRIBE_TIMEOUT_MS = 2000 };

DEFINE_CLEANUP(rd_kafka_queue_t, rd_kafka_queue_destroy)
DEFINE_CLEANUP(rd_kafka_event_t, rd_kafka_event_destroy)
DEFINE_CLEANUP(rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy)

static rd_kafka_event_t *describe_group(rd_kafka_t *client, const char *group_id) {
	_cleanup_(rd_kafka_queue_destroyp) rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
	_cleanup_(rd_kafka_AdminOptions_destroyp) rd_kafka_AdminOptions_t *options =
	    rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
	char error[256];
	rd_kafka_resp_err_t err = rd_kafka_AdminOptions_set_request_timeout(
	    options, DESCRIBE_TIMEOUT_MS, error, sizeof(error));

	invariant_with(!err, "librdkafka takes the time that a group is asked for", "error=%s",
		       log_quote(error));
	rd_kafka_DescribeConsumerGroups(client, &group_id, 1, options, queue);
	return rd_kafka_queue_poll(queue, DESCRIBE_TIMEOUT_MS + 500);
}

static bool has_member(const rd_kafka_ConsumerGroupDescription_t *group, const char *worker_id) {
	for (size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(group); i++) {
		const char *id = rd_kafka_MemberDescription_group_instance_id(
		    rd_kafka_ConsumerGroupDescription_member(group, i));

		if (id && strcmp(id, worker_id) == 0)
			return true;
	}
	return false;
}

/* Returns 0 when the group does not have it, TAKEOVER_E_MEMBER when it does, or -EAGAIN (logged).
 */
static int ask_membership(rd_kafka_t *client, const char *group_id, const char *worker_id) {
	_cleanup_(rd_kafka_event_destroyp) rd_kafka_event_t *event =
	    describe_group(client, group_id);
	const rd_kafka_ConsumerGroupDescription_t **groups;
	const char *error = "no answer in time";
	rd_kafka_resp_err_t err = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR_NO_ERROR;
	size_t count;

	if (event && !err) {
		groups = rd_kafka_DescribeConsumerGroups_result_groups(
		    rd_kafka_event_DescribeConsumerGroups_result(event), &count);
		if (count == 1 && !rd_kafka_ConsumerGroupDescription_error(groups[0]))
			return has_member(groups[0], worker_id) ? TAKEOVER_E_MEMBER : 0;
		error =
		    count == 1
			? rd_kafka_error_string(rd_kafka_ConsumerGroupDescription_error(groups[0]))
			: "no such group";
		err = count == 1
			  ? rd_kafka_error_code(rd_kafka_ConsumerGroupDescription_error(groups[0]))
			  : err;
	} else if (event) {
		error = rd_kafka_event_error_string(event);
	}
	if (refusal_log(err, "Describe", "group", group_id))
		return -EAGAIN;
	refusal_log_cause("ask for the members", "group", group_id, error);
	return -EAGAIN;
}

int takeover_end_transaction(const struct config *config, const struct topics *topics,
			     rd_kafka_t *client, const char *worker_id) {
	_cleanup_(x_freep) char *their_id = x_strdup(worker_id);
	_cleanup_(transaction_closep) struct transaction *theirs = NULL;
	struct config as_they = *config; /* shallow: borrows everything but the id */
	int r = ask_membership(client, config->group_id, worker_id);

	if (r != 0)
		return r;
	as_they.worker_id = their_id;
	theirs = transaction_new(&as_they, topics);
	if (!theirs || transaction_init(theirs) < 0)
		return -EAGAIN;
	log_info("ended the transaction that a dead worker had left open", "worker=%s", worker_id);
	return 0;
}
