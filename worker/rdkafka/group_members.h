/*
 * The members of a consumer group, as its coordinator tells them.
 *
 * They are asked for with rd_kafka_list_groups, which asks every broker. The request that asks the
 * coordinator alone, rd_kafka_DescribeConsumerGroups, is not used: librdkafka (2.0.2, and by its
 * issue 4605 later ones) aborts the process when such a request's time is over before the
 * coordinator is connected, and the coordinator comes back then.
 */
#pragma once

#include "base/memory.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

DEFINE_CLEANUP(const struct rd_kafka_group_list, rd_kafka_group_list_destroy)

/*
 * Asks for the group, and waits for all brokers, but no longer than `timeout_ms`. Returns a list of
 * this group alone, which the caller destroys; or NULL and why not in *err. A refusal is logged;
 * another error may pass within moments, as while a coordinator loads the group. While a broker is
 * down, the wait lasts to its end, and the answer is as good.
 */
const struct rd_kafka_group_list *group_members_ask(rd_kafka_t *client, const char *group_id,
						    int timeout_ms, rd_kafka_resp_err_t *err);

/* The length of the worker.id in a member's id: brokers make a static member's id of it and a UUID.
 * Source: Kafka, KIP-345. */
size_t group_member_worker_len(const char *member_id);
bool group_has_worker(const struct rd_kafka_group_info *group, const char *worker_id);
