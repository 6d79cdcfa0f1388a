#include "kafka/acls.h"

#include "base/clock.h"
#include "base/invariant.h"
#include "base/log.h"
#include "kafka/admin_api.h"

#include <poll.h>

enum { SETTLE_POLL_MS = 50 };

static const int resource_count = RD_KAFKA_RESOURCE__CNT; /* that librdkafka has a name for */

/* To Kafka. */

/* An older librdkafka has no name for transactional ids, and refuses their ACLs. */
static bool is_known(const struct acl *acl) {
	return (int)acl->resource < resource_count;
}

/* The caller owns it. */
static rd_kafka_AclBinding_t *binding_new(const struct acl *acl) {
	char why[256];
	rd_kafka_AclBinding_t *binding = rd_kafka_AclBinding_new(
	    (rd_kafka_ResourceType_t)acl->resource, acl->name,
	    acl->is_prefix ? RD_KAFKA_RESOURCE_PATTERN_PREFIXED : RD_KAFKA_RESOURCE_PATTERN_LITERAL,
	    acl->principal, acl->host, (rd_kafka_AclOperation_t)acl->operation,
	    RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, why, sizeof(why));

	invariant_with(binding, "librdkafka takes the ACLs of the table", "error=%s",
		       log_quote(why));
	return binding;
}

static enum admin_status create(struct admin_api *api, const struct acl_list *wanted) {
	rd_kafka_AclBinding_t **bindings = x_calloc(wanted->count, sizeof(rd_kafka_AclBinding_t *));
	const rd_kafka_acl_result_t **results;
	rd_kafka_event_t *event;
	enum admin_status status;
	size_t count = 0, known = 0;

	for (size_t i = 0; i < wanted->count; i++)
		if (is_known(&wanted->items[i]))
			bindings[known++] = binding_new(&wanted->items[i]);
	status = admin_api_create_acls(api, bindings, known, &event);
	rd_kafka_AclBinding_destroy_array(bindings, known);
	free(bindings);
	if (status)
		return status;
	results = rd_kafka_CreateAcls_result_acls(rd_kafka_event_CreateAcls_result(event), &count);
	for (size_t i = 0; !status && i < count; i++) {
		const rd_kafka_error_t *error = rd_kafka_acl_result_error(results[i]);

		if (error)
			status = kafka_complain(&api->handle, "creating ACLs",
						rd_kafka_error_code(error));
	}
	rd_kafka_event_destroy(event);
	return status;
}

/* From Kafka. */

/* An older librdkafka calls a transactional id unknown. */
static enum acl_resource resource_of(const rd_kafka_AclBinding_t *binding) {
	int type = (int)rd_kafka_AclBinding_restype(binding);

	if (type == RD_KAFKA_RESOURCE_UNKNOWN && resource_count <= ACL_TRANSACTIONAL_ID)
		return ACL_TRANSACTIONAL_ID;
	return type >= ACL_TOPIC && type <= ACL_TRANSACTIONAL_ID ? (enum acl_resource)type
								 : ACL_OTHER_RESOURCE;
}

static void take_binding(struct acl_list *out, const rd_kafka_AclBinding_t *binding) {
	const struct acl acl = {
		.resource = resource_of(binding),
		.name = rd_kafka_AclBinding_name(binding),
		.is_prefix = rd_kafka_AclBinding_resource_pattern_type(binding) ==
			     RD_KAFKA_RESOURCE_PATTERN_PREFIXED,
		.principal = rd_kafka_AclBinding_principal(binding),
		.host = rd_kafka_AclBinding_host(binding),
		.operation = (enum acl_operation)rd_kafka_AclBinding_operation(binding),
		.is_denial = rd_kafka_AclBinding_permission_type(binding) ==
			     RD_KAFKA_ACL_PERMISSION_TYPE_DENY,
	};

	acl_list_add(out, &acl);
}

/* `*count`: of all ACLs that there are. */
static enum admin_status inspect(struct admin_api *api, const struct acl_list *wanted,
				 enum acl_state *states, size_t *count) {
	_cleanup_(acl_list_destroy) struct acl_list existing = { 0 };
	const rd_kafka_AclBinding_t **bindings;
	rd_kafka_event_t *event;
	enum admin_status status = admin_api_describe_acls(api, &event);

	*count = 0;

	if (status)
		return status;
	bindings =
	    rd_kafka_DescribeAcls_result_acls(rd_kafka_event_DescribeAcls_result(event), count);
	for (size_t i = 0; i < *count; i++)
		take_binding(&existing, bindings[i]);
	rd_kafka_event_destroy(event);
	for (size_t i = 0; i < wanted->count; i++)
		states[i] = acl_judge(&wanted->items[i], &existing);
	return ADMIN_OK;
}

static bool has_missing(const struct acl_list *wanted, const enum acl_state *states) {
	for (size_t i = 0; i < wanted->count; i++)
		if (states[i] == ACL_MISSING && is_known(&wanted->items[i]))
			return true;
	return false;
}

static void explain_unknown(const struct acl_list *wanted, const enum acl_state *states) {
	for (size_t i = 0; i < wanted->count; i++)
		if (states[i] == ACL_MISSING && !is_known(&wanted->items[i]))
			terminal_complain(
			    "librdkafka %s cannot create ACLs of transactional ids: run the line "
			    "of "
			    "acls print --script for %s%s, or this command on Debian 13",
			    rd_kafka_version_str(), wanted->items[i].name,
			    wanted->items[i].is_prefix ? "*" : "");
}

enum admin_status acls_create(const struct config *config, int64_t timeout_ms,
			      const struct acl_list *wanted, enum acl_state *states) {
	int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
	_cleanup_(admin_api_close) struct admin_api api;
	enum admin_status status = admin_api_open(&api, config, timeout_ms);
	size_t count;

	if (!status)
		status = create(&api, wanted);
	while (!status && !(status = inspect(&api, wanted, states, &count)) &&
	       has_missing(wanted, states) && clock_monotonic_ms() < deadline_ms)
		poll(NULL, 0, SETTLE_POLL_MS);
	if (!status)
		explain_unknown(wanted, states);
	return status;
}

enum admin_status acls_inspect(const struct config *config, int64_t timeout_ms,
			       const struct acl_list *wanted, enum acl_state *states) {
	_cleanup_(admin_api_close) struct admin_api api;
	enum admin_status status = admin_api_open(&api, config, timeout_ms);

	size_t count = 0;

	if (!status)
		status = inspect(&api, wanted, states, &count);
	/* An older librdkafka does not tell a refusal from none. */
	if (!status && count == 0)
		terminal_complain("Kafka tells no ACL at all: it has none, or this principal may "
				  "not Describe the cluster");
	return status;
}
