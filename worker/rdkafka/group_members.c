#include "rdkafka/group_members.h"

#include "rdkafka/refusal.h"

enum { MEMBER_ID_SUFFIX = 1 + 36 };

/* An answer of some brokers is good: only the coordinator has the group. */
const struct rd_kafka_group_list *group_members_ask(rd_kafka_t *client, const char *group_id,
						    int timeout_ms, rd_kafka_resp_err_t *err) {
	const struct rd_kafka_group_list *list = NULL;

	*err = rd_kafka_list_groups(client, group_id, &list, timeout_ms);
	if (list && list->group_cnt == 1 && !list->groups[0].err)
		return list;
	if (list) {
		*err = list->group_cnt == 1 ? list->groups[0].err
					    : RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND;
		rd_kafka_group_list_destroy(list);
	}
	refusal_log(*err, "Describe", "group", group_id);
	return NULL;
}

size_t group_member_worker_len(const char *member_id) {
	size_t len = strlen(member_id);

	return len > MEMBER_ID_SUFFIX ? len - MEMBER_ID_SUFFIX : len;
}

bool group_has_worker(const struct rd_kafka_group_info *group, const char *worker_id) {
	size_t len = strlen(worker_id);

	for (int i = 0; i < group->member_cnt; i++) {
		const char *id = group->members[i].member_id;

		if (group_member_worker_len(id) == len && strncmp(id, worker_id, len) == 0)
			return true;
	}
	return false;
}
