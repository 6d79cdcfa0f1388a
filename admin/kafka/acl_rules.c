#include "kafka/acl_rules.h"

#include "base/invariant.h"
#include "rdkafka/topic_names.h"

/* A literal resource of this name stands for every one of its type. Source: Kafka 4.1,
 * ResourcePattern.WILDCARD_RESOURCE. */
static const char wildcard[] = "*";

#define T(topic) (1u << TOPIC_##topic)
#define INPUTS (T(ADMIN) | T(ISSUANCE) | T(EVENTS))
#define EVERY (INPUTS | T(RESULTS) | T(STATE) | T(DEAD_LETTERS))

/* Read and Write imply Describe. */
static const struct {
	enum acl_user user;
	enum acl_operation operation;
	enum acl_resource resource;
	unsigned topics; /* bits 1 << enum topic; of ACL_TOPIC */
} rules[] = {
	{ ACL_WORKER, ACL_READ, ACL_TOPIC, INPUTS | T(STATE) },
	{ ACL_WORKER, ACL_WRITE, ACL_TOPIC, T(STATE) | T(RESULTS) | T(DEAD_LETTERS) },
	{ ACL_WORKER, ACL_WRITE, ACL_TOPIC, INPUTS }, /* to hand a misplaced record on */
	{ ACL_WORKER, ACL_READ, ACL_GROUP, 0 },
	{ ACL_WORKER, ACL_WRITE, ACL_TRANSACTIONAL_ID, 0 },
	{ ACL_GATEWAY, ACL_WRITE, ACL_TOPIC, T(ADMIN) | T(EVENTS) },
	{ ACL_GATEWAY, ACL_READ, ACL_TOPIC, T(RESULTS) | T(STATE) },
	{ ACL_GATEWAY, ACL_DESCRIBE, ACL_GROUP, 0 },
	{ ACL_OPERATOR, ACL_CREATE, ACL_TOPIC, EVERY },
	{ ACL_OPERATOR, ACL_DESCRIBE_CONFIGS, ACL_TOPIC, EVERY },
	{ ACL_OPERATOR, ACL_DESCRIBE_CONFIGS, ACL_CLUSTER, 0 },
	{ ACL_OPERATOR, ACL_WRITE, ACL_TOPIC, INPUTS },
	{ ACL_OPERATOR, ACL_READ, ACL_TOPIC, T(RESULTS) | T(STATE) | T(DEAD_LETTERS) },
	{ ACL_OPERATOR, ACL_DESCRIBE, ACL_GROUP, 0 },
	{ ACL_PRODUCER, ACL_WRITE, ACL_TOPIC, INPUTS },
};

const char *acl_user_name(enum acl_user user) {
	static const char *const names[ACL_USER_COUNT] = { [ACL_WORKER] = "worker",
							   [ACL_GATEWAY] = "gateway",
							   [ACL_OPERATOR] = "operator",
							   [ACL_PRODUCER] = "producer" };

	return names[user];
}

const char *acl_operation_name(enum acl_operation operation) {
	static const char *const names[] = {
		[ACL_ALL] = "All",
		[ACL_READ] = "Read",
		[ACL_WRITE] = "Write",
		[ACL_CREATE] = "Create",
		[ACL_DELETE] = "Delete",
		[ACL_ALTER] = "Alter",
		[ACL_DESCRIBE] = "Describe",
		[ACL_DESCRIBE_CONFIGS] = "DescribeConfigs",
		[ACL_ALTER_CONFIGS] = "AlterConfigs",
	};

	return names[operation];
}

const char *acl_resource_name(enum acl_resource resource) {
	static const char *const names[] = { [ACL_OTHER_RESOURCE] = "other",
					     [ACL_TOPIC] = "topic",
					     [ACL_GROUP] = "group",
					     [ACL_CLUSTER] = "cluster",
					     [ACL_TRANSACTIONAL_ID] = "transactional id" };

	return names[resource];
}

/* Lists. */

static void acl_clear(struct acl *acl) {
	free((void *)(uintptr_t)acl->name);
	free((void *)(uintptr_t)acl->principal);
	free((void *)(uintptr_t)acl->host);
}

void acl_list_destroy(struct acl_list *list) {
	for (size_t i = 0; i < list->count; i++)
		acl_clear(&list->items[i]);
	free(list->items);
	*list = (struct acl_list){ 0 };
}

static bool is_same(const struct acl *a, const struct acl *b) {
	return a->resource == b->resource && a->is_prefix == b->is_prefix &&
	       a->operation == b->operation && a->is_denial == b->is_denial &&
	       strcmp(a->name, b->name) == 0 && strcmp(a->principal, b->principal) == 0 &&
	       strcmp(a->host, b->host) == 0;
}

void acl_list_add(struct acl_list *list, const struct acl *acl) {
	struct acl *added;

	for (size_t i = 0; i < list->count; i++)
		if (is_same(&list->items[i], acl))
			return;
	list->items = x_realloc(list->items, (list->count + 1) * sizeof(*list->items));
	added = &list->items[list->count++];
	*added = *acl;
	added->name = x_strdup(acl->name);
	added->principal = x_strdup(acl->principal);
	added->host = x_strdup(acl->host);
}

/* From rules to ACLs. */

/* The names that a rule is about, by its resource: one, or one for each of its topics. */
static void add_rule(const struct config *config, size_t rule, const char *principal,
		     struct acl_list *out) {
	struct acl acl = { .resource = rules[rule].resource,
			   .principal = principal,
			   .host = wildcard,
			   .operation = rules[rule].operation };
	_cleanup_(x_freep) char *ids = x_asprintf("%s-", config->group_id);

	for (int i = 0; acl.resource == ACL_TOPIC && i < TOPIC_COUNT; i++) {
		_cleanup_(x_freep) char *topic = topic_name(config->topic_prefix, (enum topic)i);

		acl.name = topic;
		if (rules[rule].topics & 1u << i)
			acl_list_add(out, &acl);
	}
	if (acl.resource == ACL_TOPIC)
		return;
	/* A worker ends the open transaction of a dead one, whose id has another worker's name. */
	acl.is_prefix = acl.resource == ACL_TRANSACTIONAL_ID;
	acl.name = acl.is_prefix               ? ids
		   : acl.resource == ACL_GROUP ? config->group_id
					       : "kafka-cluster";
	acl_list_add(out, &acl);
}

void acl_rules_expand(const struct config *config, enum acl_user user, const char *principal,
		      struct acl_list *out) {
	_cleanup_(x_freep) char *typed =
	    x_asprintf("%s%s", strchr(principal, ':') ? "" : "User:", principal);

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (rules[i].user == user)
			add_rule(config, i, typed, out);
}

/* Judging. */

static bool begins_with(const char *text, const char *prefix) {
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_of_everything(const struct acl *acl) {
	return !acl->is_prefix && strcmp(acl->name, wildcard) == 0;
}

/* Whether an ACL's pattern has all of the wanted names. */
static bool has_all(const struct acl *acl, const struct acl *wanted) {
	if (is_of_everything(acl))
		return true;
	if (acl->is_prefix)
		return begins_with(wanted->name, acl->name);
	return !wanted->is_prefix && strcmp(acl->name, wanted->name) == 0;
}

/* Whether it has any of them. */
static bool has_any(const struct acl *acl, const struct acl *wanted) {
	return has_all(acl, wanted) || (wanted->is_prefix && begins_with(acl->name, wanted->name));
}

/* Source: Kafka 4.1, StandardAuthorizerData.IMPLIES_DESCRIBE and IMPLIES_DESCRIBE_CONFIGS. */
static bool allows(enum acl_operation operation, enum acl_operation wanted) {
	if (operation == wanted || operation == ACL_ALL)
		return true;
	if (wanted == ACL_DESCRIBE)
		return operation == ACL_READ || operation == ACL_WRITE || operation == ACL_DELETE ||
		       operation == ACL_ALTER;
	return wanted == ACL_DESCRIBE_CONFIGS && operation == ACL_ALTER_CONFIGS;
}

/* Nothing can be read or written whose description is denied. */
static bool denies(enum acl_operation operation, enum acl_operation wanted) {
	return operation == wanted || operation == ACL_ALL ||
	       (operation == ACL_DESCRIBE && (wanted == ACL_READ || wanted == ACL_WRITE));
}

static bool is_of(const struct acl *acl, const struct acl *wanted) {
	return acl->resource == wanted->resource &&
	       (strcmp(acl->principal, wanted->principal) == 0 ||
		strcmp(acl->principal, "User:*") == 0);
}

enum acl_state acl_judge(const struct acl *wanted, const struct acl_list *existing) {
	enum acl_state state = ACL_MISSING;

	for (size_t i = 0; i < existing->count; i++) {
		const struct acl *acl = &existing->items[i];

		if (!is_of(acl, wanted))
			continue;
		if (acl->is_denial && has_any(acl, wanted) &&
		    denies(acl->operation, wanted->operation))
			return ACL_DENIED;
		if (!acl->is_denial && has_all(acl, wanted) && strcmp(acl->host, wildcard) == 0 &&
		    allows(acl->operation, wanted->operation))
			state = ACL_GRANTED;
	}
	return state;
}
