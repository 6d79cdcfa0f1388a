#include "rdkafka/takeover.h"

#include "rdkafka/group_members.h"
#include "rdkafka/refusal.h"
#include "rdkafka/transaction.h"

#include <errno.h>

enum { ASK_TIMEOUT_MS = 2000 };

/* Returns 0 when the group does not have it, TAKEOVER_E_MEMBER when it does, or -EAGAIN (logged).
 */
static int ask_membership(rd_kafka_t *client, const char *group_id, const char *worker_id) {
	rd_kafka_resp_err_t err;
	_cleanup_(rd_kafka_group_list_destroyp) const struct rd_kafka_group_list *list =
	    group_members_ask(client, group_id, ASK_TIMEOUT_MS, &err);

	if (list)
		return group_has_worker(&list->groups[0], worker_id) ? TAKEOVER_E_MEMBER : 0;
	if (!refusal_cause(err))
		refusal_log_cause("ask for the members", "group", group_id, rd_kafka_err2str(err));
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
