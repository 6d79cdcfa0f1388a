/* Rights are judged as Kafka's authorizer does, and come from one table. */
#include "kafka/acl_rules.h"
#include "unit.h"

#include <stdio.h>

static const struct acl topic = {
	ACL_TOPIC, "webhook-state", false, "User:w", "*", ACL_READ, false
};
static const struct acl describe = { ACL_TOPIC, "webhook-state", false, "User:w",
				     "*",       ACL_DESCRIBE,    false };
static const struct acl ids = {
	ACL_TRANSACTIONAL_ID, "posthorn-", true, "User:w", "*", ACL_WRITE, false
};

/* Beside the denial of a right there is another ACL that grants it. */
static const struct {
	const char *name;
	const struct acl *wanted;
	struct acl existing;
	enum acl_state state;
} rows[] = {
	{ "itself",
	  &topic,
	  { ACL_TOPIC, "webhook-state", false, "User:w", "*", ACL_READ, false },
	  ACL_GRANTED },
	{ "all operations",
	  &topic,
	  { ACL_TOPIC, "webhook-state", false, "User:w", "*", ACL_ALL, false },
	  ACL_GRANTED },
	{ "a prefix",
	  &topic,
	  { ACL_TOPIC, "webhook-", true, "User:w", "*", ACL_READ, false },
	  ACL_GRANTED },
	{ "every topic",
	  &topic,
	  { ACL_TOPIC, "*", false, "User:w", "*", ACL_READ, false },
	  ACL_GRANTED },
	{ "everybody",
	  &topic,
	  { ACL_TOPIC, "webhook-state", false, "User:*", "*", ACL_READ, false },
	  ACL_GRANTED },
	{ "another topic",
	  &topic,
	  { ACL_TOPIC, "webhook", false, "User:w", "*", ACL_READ, false },
	  ACL_MISSING },
	{ "another prefix",
	  &topic,
	  { ACL_TOPIC, "webhook-x", true, "User:w", "*", ACL_READ, false },
	  ACL_MISSING },
	{ "a group of that name",
	  &topic,
	  { ACL_GROUP, "webhook-state", false, "User:w", "*", ACL_READ, false },
	  ACL_MISSING },
	{ "another's",
	  &topic,
	  { ACL_TOPIC, "webhook-state", false, "User:x", "*", ACL_READ, false },
	  ACL_MISSING },
	{ "of one host",
	  &topic,
	  { ACL_TOPIC, "webhook-state", false, "User:w", "10.0.0.1", ACL_READ, false },
	  ACL_MISSING },
	{ "Write is not Read",
	  &topic,
	  { ACL_TOPIC, "webhook-state", false, "User:w", "*", ACL_WRITE, false },
	  ACL_MISSING },
	{ "Write implies Describe",
	  &describe,
	  { ACL_TOPIC, "webhook-state", false, "User:w", "*", ACL_WRITE, false },
	  ACL_GRANTED },
	{ "a denial",
	  &topic,
	  { ACL_TOPIC, "webhook-state", false, "User:w", "*", ACL_READ, true },
	  ACL_DENIED },
	{ "a denial to one host",
	  &topic,
	  { ACL_TOPIC, "webhook-state", false, "User:w", "10.0.0.1", ACL_ALL, true },
	  ACL_DENIED },
	{ "a denial of its description",
	  &topic,
	  { ACL_TOPIC, "*", false, "User:*", "*", ACL_DESCRIBE, true },
	  ACL_DENIED },
	{ "a denial of something else",
	  &topic,
	  { ACL_TOPIC, "webhook-state", false, "User:w", "*", ACL_WRITE, true },
	  ACL_GRANTED },
	{ "a prefix in a prefix",
	  &ids,
	  { ACL_TRANSACTIONAL_ID, "post", true, "User:w", "*", ACL_WRITE, false },
	  ACL_GRANTED },
	{ "one of a prefix",
	  &ids,
	  { ACL_TRANSACTIONAL_ID, "posthorn-1", false, "User:w", "*", ACL_WRITE, false },
	  ACL_MISSING },
	{ "its name, but no prefix",
	  &ids,
	  { ACL_TRANSACTIONAL_ID, "posthorn-", false, "User:w", "*", ACL_WRITE, false },
	  ACL_MISSING },
	{ "a denial of one of a prefix",
	  &ids,
	  { ACL_TRANSACTIONAL_ID, "posthorn-1", false, "User:w", "*", ACL_WRITE, true },
	  ACL_DENIED },
};

static void rights_are_judged(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(acl_list_destroy) struct acl_list existing = { 0 };
		enum acl_state judged;

		acl_list_add(&existing, &rows[i].existing);
		if (rows[i].existing.is_denial)
			acl_list_add(&existing, rows[i].wanted);
		judged = acl_judge(rows[i].wanted, &existing);
		if (judged != rows[i].state)
			fail_msg("%s: %d", rows[i].name, (int)judged);
	}
}

static bool has(const struct acl_list *list, const char *principal, enum acl_operation operation,
		const char *name) {
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].operation == operation &&
		    strcmp(list->items[i].principal, principal) == 0 &&
		    strcmp(list->items[i].name, name) == 0)
			return true;
	return false;
}

static void names_follow_from_the_configuration(void **state _unused_) {
	const struct config config = { .group_id = (char[]){ "pool" },
				       .topic_prefix = (char[]){ "t-" } };
	_cleanup_(acl_list_destroy) struct acl_list list = { 0 };

	acl_rules_expand(&config, ACL_WORKER, "w", &list);
	assert_int_equal(list.count, 12);
	assert_true(has(&list, "User:w", ACL_READ, "t-webhook-state"));
	assert_true(has(&list, "User:w", ACL_READ, "pool"));
	assert_true(has(&list, "User:w", ACL_WRITE, "pool-"));
	assert_true(has(&list, "User:w", ACL_WRITE, "t-webhook-admin")); /* handed on */
	assert_false(has(&list, "User:w", ACL_READ, "t-webhook-results"));
}

/* One principal may be several users: it gets each right once. */
static void a_right_is_listed_once(void **state _unused_) {
	const struct config config = { .group_id = (char[]){ "pool" } };
	_cleanup_(acl_list_destroy) struct acl_list list = { 0 };
	size_t count;

	acl_rules_expand(&config, ACL_OPERATOR, "Other:CN=x", &list);
	count = list.count;
	acl_rules_expand(&config, ACL_PRODUCER, "Other:CN=x", &list);
	assert_int_equal(list.count, count);
	assert_true(has(&list, "Other:CN=x", ACL_WRITE, "webhook-admin"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rights_are_judged),
		cmocka_unit_test(names_follow_from_the_configuration),
		cmocka_unit_test(a_right_is_listed_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
