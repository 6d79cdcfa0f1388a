/*
 * The rights that each principal needs, in one table, from which ACLs are printed, created and
 * checked. docs/kafka-security.md has the same table; a test compares them.
 */
#pragma once

#include "base/config.h"

enum acl_user { ACL_WORKER, ACL_GATEWAY, ACL_OPERATOR, ACL_PRODUCER, ACL_USER_COUNT };

/* Numbered as on the wire. Source: Kafka 4.1, ResourceType.java and AclOperation.java. */
enum acl_resource {
	ACL_OTHER_RESOURCE = 0,
	ACL_TOPIC = 2,
	ACL_GROUP = 3,
	ACL_CLUSTER = 4,
	ACL_TRANSACTIONAL_ID = 5,
};
enum acl_operation {
	ACL_ALL = 2,
	ACL_READ = 3,
	ACL_WRITE = 4,
	ACL_CREATE = 5,
	ACL_DELETE = 6,
	ACL_ALTER = 7,
	ACL_DESCRIBE = 8,
	ACL_DESCRIBE_CONFIGS = 10,
	ACL_ALTER_CONFIGS = 11,
};

struct acl {
	enum acl_resource resource;
	const char *name;
	bool is_prefix;        /* of all names that begin with it */
	const char *principal; /* "User:worker" */
	const char *host;      /* "*": any */
	enum acl_operation operation;
	bool is_denial;
};

/* Owns its items and their text; an ACL by itself borrows it. */
struct acl_list {
	struct acl *items;
	size_t count;
};

void acl_list_destroy(struct acl_list *list);
/* Adds a copy, unless the list has it. */
void acl_list_add(struct acl_list *list, const struct acl *acl);

/* "worker", and the sentence of its flag. */
const char *acl_user_name(enum acl_user user);
/* In Kafka's words: "Read", "topic". */
const char *acl_operation_name(enum acl_operation operation);
const char *acl_resource_name(enum acl_resource resource);

/* Adds the rights of one user, whom Kafka knows as `principal`; without a type it is a User. */
void acl_rules_expand(const struct config *config, enum acl_user user, const char *principal,
		      struct acl_list *out);

enum acl_state { ACL_GRANTED, ACL_MISSING, ACL_DENIED };

/* Judges a wanted right by the ACLs that exist, as Kafka's authorizer does: a denial wins. A right
 * that is granted to one host only counts as missing. */
enum acl_state acl_judge(const struct acl *wanted, const struct acl_list *existing);
