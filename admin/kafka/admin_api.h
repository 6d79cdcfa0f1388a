/* librdkafka's admin calls; each waits for its result. */
#pragma once

#include "kafka/handle.h"

struct admin_api {
	struct kafka_handle handle;
	rd_kafka_queue_t *queue; /* owned */
	int64_t timeout_ms;
};

enum admin_status admin_api_open(struct admin_api *api, const struct config *config,
				 int64_t timeout_ms) _must_check_;
void admin_api_close(struct admin_api *api);

/* Whether this principal may describe the topic. A list of all topics leaves out those that it may
 * not. */
bool admin_api_may_describe(struct admin_api *api, const char *topic);
/* The cluster's brokers and topics; free them with rd_kafka_metadata_destroy. */
enum admin_status admin_api_metadata(struct admin_api *api,
				     const struct rd_kafka_metadata **out) _must_check_;

/* The result as an event; free it with rd_kafka_event_destroy. Its own error is handled here;
 * errors of single topics are left to the caller. */
enum admin_status admin_api_create_topics(struct admin_api *api, rd_kafka_NewTopic_t **topics,
					  size_t count, rd_kafka_event_t **out) _must_check_;
enum admin_status admin_api_describe(struct admin_api *api, rd_kafka_ResourceType_t type,
				     const char *const *names, size_t count,
				     rd_kafka_event_t **out) _must_check_;

enum admin_status admin_api_create_acls(struct admin_api *api, rd_kafka_AclBinding_t **acls,
					size_t count, rd_kafka_event_t **out) _must_check_;
/* All ACLs of the cluster. */
enum admin_status admin_api_describe_acls(struct admin_api *api,
					  rd_kafka_event_t **out) _must_check_;

/* A setting of the broker that answers: text that the caller frees, or NULL where it has none. */
enum admin_status admin_api_broker_setting(struct admin_api *api, const char *setting,
					   char **out) _must_check_;
/* The value of a setting in the description of one topic or broker, or NULL. */
const char *admin_api_setting(const rd_kafka_ConfigResource_t *resource, const char *setting);
