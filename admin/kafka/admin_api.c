#include "kafka/admin_api.h"

#include "base/invariant.h"
#include "base/log.h"
#include "rdkafka/topics.h"

enum admin_status admin_api_open(struct admin_api *api, const struct config *config,
				 int64_t timeout_ms) {
	const struct kafka_handle_options options = { .kind = CLIENT_ADMIN_API };
	enum admin_status status;

	*api = (struct admin_api){ .timeout_ms = timeout_ms };
	status = kafka_handle_open(&api->handle, config, &options);
	if (!status)
		api->queue = rd_kafka_queue_new(api->handle.rk);
	return status;
}

void admin_api_close(struct admin_api *api) {
	if (api->queue)
		rd_kafka_queue_destroy(api->queue);
	kafka_handle_close(&api->handle);
}

enum admin_status admin_api_metadata(struct admin_api *api, const struct rd_kafka_metadata **out) {
	rd_kafka_resp_err_t error =
	    rd_kafka_metadata(api->handle.rk, 1, NULL, out, (int)api->timeout_ms);

	rd_kafka_poll(api->handle.rk, 0); /* runs on_error, which keeps the reason */
	return error ? kafka_complain(&api->handle, "the cluster's topics", error) : ADMIN_OK;
}

bool admin_api_may_describe(struct admin_api *api, const char *topic) {
	return topics_ask_why_missing(api->handle.rk, topic, (int)api->timeout_ms) !=
	       RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
}

static rd_kafka_AdminOptions_t *options_new(const struct admin_api *api) {
	rd_kafka_AdminOptions_t *options =
	    rd_kafka_AdminOptions_new(api->handle.rk, RD_KAFKA_ADMIN_OP_ANY);
	char why[256];
	int timeout_ms = (int)api->timeout_ms;
	rd_kafka_resp_err_t err =
	    rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, why, sizeof(why));

	if (!err)
		err = rd_kafka_AdminOptions_set_operation_timeout(options, timeout_ms, why,
								  sizeof(why));
	invariant_with(!err, "librdkafka takes a timeout that main has bounded", "error=%s",
		       log_quote(why));
	return options;
}

static enum admin_status wait_for_result(struct admin_api *api, const char *what,
					 rd_kafka_event_t **out) {
	rd_kafka_event_t *event = rd_kafka_queue_poll(api->queue, (int)api->timeout_ms);
	enum admin_status status = ADMIN_OK;

	rd_kafka_poll(api->handle.rk, 0);
	if (!event)
		return kafka_complain_timeout(&api->handle, what, api->timeout_ms);
	if (rd_kafka_event_error(event)) {
		status = kafka_complain(&api->handle, what, rd_kafka_event_error(event));
		rd_kafka_event_destroy(event);
		return status;
	}
	*out = event;
	return ADMIN_OK;
}

enum admin_status admin_api_create_topics(struct admin_api *api, rd_kafka_NewTopic_t **topics,
					  size_t count, rd_kafka_event_t **out) {
	rd_kafka_AdminOptions_t *options = options_new(api);

	rd_kafka_CreateTopics(api->handle.rk, topics, count, options, api->queue);
	rd_kafka_AdminOptions_destroy(options);
	return wait_for_result(api, "creating topics", out);
}

enum admin_status admin_api_describe(struct admin_api *api, rd_kafka_ResourceType_t type,
				     const char *const *names, size_t count,
				     rd_kafka_event_t **out) {
	rd_kafka_ConfigResource_t **resources =
	    x_calloc(count, sizeof(rd_kafka_ConfigResource_t *));
	rd_kafka_AdminOptions_t *options = options_new(api);

	for (size_t i = 0; i < count; i++)
		resources[i] = rd_kafka_ConfigResource_new(type, names[i]);
	rd_kafka_DescribeConfigs(api->handle.rk, resources, count, options, api->queue);
	rd_kafka_ConfigResource_destroy_array(resources, count);
	free(resources);
	rd_kafka_AdminOptions_destroy(options);
	return wait_for_result(api, "the settings", out);
}

static enum admin_status setting_of_broker(struct admin_api *api, const char *broker,
					   const char *setting, char **out) {
	const rd_kafka_ConfigResource_t *resource;
	rd_kafka_event_t *event;
	const char *value;
	size_t count;
	enum admin_status status =
	    admin_api_describe(api, RD_KAFKA_RESOURCE_BROKER, &broker, 1, &event);

	if (status)
		return status;
	resource = rd_kafka_DescribeConfigs_result_resources(
	    rd_kafka_event_DescribeConfigs_result(event), &count)[0];
	value = admin_api_setting(resource, setting);
	*out = value ? x_strdup(value) : NULL;
	if (rd_kafka_ConfigResource_error(resource))
		status =
		    kafka_complain_of(&api->handle, "DescribeConfigs", "cluster", "kafka-cluster",
				      rd_kafka_ConfigResource_error(resource));
	rd_kafka_event_destroy(event);
	return status;
}

enum admin_status admin_api_broker_setting(struct admin_api *api, const char *setting, char **out) {
	const struct rd_kafka_metadata *metadata;
	enum admin_status status = admin_api_metadata(api, &metadata);
	_cleanup_(x_freep) char *broker = NULL;

	if (status)
		return status;
	broker = x_asprintf("%d", metadata->orig_broker_id);
	rd_kafka_metadata_destroy(metadata);
	return setting_of_broker(api, broker, setting, out);
}

enum admin_status admin_api_create_acls(struct admin_api *api, rd_kafka_AclBinding_t **acls,
					size_t count, rd_kafka_event_t **out) {
	rd_kafka_AdminOptions_t *options = options_new(api);

	rd_kafka_CreateAcls(api->handle.rk, acls, count, options, api->queue);
	rd_kafka_AdminOptions_destroy(options);
	return wait_for_result(api, "creating ACLs", out);
}

enum admin_status admin_api_describe_acls(struct admin_api *api, rd_kafka_event_t **out) {
	char why[256];
	rd_kafka_AclBindingFilter_t *all = rd_kafka_AclBindingFilter_new(
	    RD_KAFKA_RESOURCE_ANY, NULL, RD_KAFKA_RESOURCE_PATTERN_ANY, NULL, NULL,
	    RD_KAFKA_ACL_OPERATION_ANY, RD_KAFKA_ACL_PERMISSION_TYPE_ANY, why, sizeof(why));
	rd_kafka_AdminOptions_t *options = options_new(api);

	invariant_with(all, "librdkafka takes a filter of everything", "error=%s", log_quote(why));
	rd_kafka_DescribeAcls(api->handle.rk, all, options, api->queue);
	rd_kafka_AclBinding_destroy(all);
	rd_kafka_AdminOptions_destroy(options);
	return wait_for_result(api, "the ACLs", out);
}

const char *admin_api_setting(const rd_kafka_ConfigResource_t *resource, const char *setting) {
	size_t count;
	const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);

	for (size_t i = 0; i < count; i++) {
		if (!strcmp(rd_kafka_ConfigEntry_name(entries[i]), setting))
			return rd_kafka_ConfigEntry_value(entries[i]);
	}
	return NULL;
}
