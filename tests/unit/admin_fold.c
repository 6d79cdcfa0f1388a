#include "changelog/signing_keys.h"
#include "changelog/state_fold.h"
#include "command/outstanding.h"
#include "kafka/topic_rules.h"
#include "unit.h"

#include <stdio.h>

enum { TEXT_MAX = 256 };

static const struct {
	const char *name;
	struct {
		int32_t partition;
		const char *key, *value; /* value NULL: a tombstone */
	} records[6];
	const char *folded;
} folds[] = {
	{ "nothing", { { 0 } }, "" },
	{ "the last value wins", { { 0, "a", "1" }, { 0, "a", "22" }, { 0, "a", "3" } }, "a@0=3 " },
	{ "a tombstone removes", { { 0, "a", "1" }, { 0, "b", "2" }, { 0, "a", NULL } }, "b@0=2 " },
	{ "a tombstone of nothing", { { 0, "a", NULL } }, "" },
	{ "and back again", { { 0, "a", "1" }, { 0, "a", NULL }, { 0, "a", "2" } }, "a@0=2 " },
	{ "a key of two partitions is two",
	  { { 1, "position", "x" }, { 0, "position", "y" }, { 1, "position", NULL } },
	  "position@0=y " },
	{ "by key, then by partition",
	  { { 2, "b", "1" }, { 10, "a", "2" }, { 2, "a", "3" } },
	  "a@2=3 a@10=2 b@2=1 " },
	{ "a shorter key first", { { 0, "ab", "1" }, { 0, "a", "2" } }, "a@0=2 ab@0=1 " },
	{ "bytes, not signed ones",
	  { { 0, "\xc3\xa4", "1" }, { 0, "z", "2" } },
	  "z@0=2 \xc3\xa4@0=1 " },
};

static int append(void *userdata, const char *key, int32_t partition, const void *value,
		  size_t len) {
	char *text = userdata;
	size_t at = strlen(text);

	snprintf(text + at, TEXT_MAX - at, "%s@%d=%.*s ", key, partition, (int)len,
		 (const char *)value);
	return 0;
}

static void records_fold_to_the_last_of_each_key(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(folds); i++) {
		_cleanup_(state_fold_freep) struct state_fold *fold = state_fold_new();
		char text[TEXT_MAX] = "";

		for (size_t k = 0; k < ARRAY_LEN(folds[i].records) && folds[i].records[k].key;
		     k++) {
			const char *key = folds[i].records[k].key,
				   *value = folds[i].records[k].value;
			const struct state_fold_key state_fold_key = {
				folds[i].records[k].partition, key, strlen(key)
			};

			state_fold_apply(fold, &state_fold_key, value, value ? strlen(value) : 0);
		}
		assert_int_equal(state_fold_walk(fold, append, text), 0);
		if (strcmp(text, folds[i].folded) != 0)
			fail_msg("%s: %s", folds[i].name, text);
	}
}

static int stop(void *userdata, const char *key _unused_, int32_t partition _unused_,
		const void *value _unused_, size_t len _unused_) {
	++*(int *)userdata;
	return -5;
}

static void a_walk_can_be_ended(void **state _unused_) {
	_cleanup_(state_fold_freep) struct state_fold *fold = state_fold_new();
	int calls = 0;

	state_fold_apply(fold, &(struct state_fold_key){ 0, "a", 1 }, "1", 1);
	state_fold_apply(fold, &(struct state_fold_key){ 0, "b", 1 }, "2", 1);
	assert_int_equal(state_fold_walk(fold, stop, &calls), -5);
	assert_int_equal(calls, 1);
}

static void put_key(struct state_fold *fold, struct codec *codec, const char *kid, int32_t epoch,
		    int64_t expires_at_ms) {
	_cleanup_(buffer_destroy) struct buffer value = BUFFER_INIT(1024);
	_cleanup_(x_freep) char *key = x_asprintf("key/t/%s", kid);
	struct state_record record = { .kind = STATE_SIGNING_KEY,
				       .signing_key = { .tenant_id = "t",
							.kid = kid,
							.master_key_id = "m",
							.epoch = epoch,
							.expires_at_ms = expires_at_ms } };

	codec_encode_state(codec, &record, &value);
	state_fold_apply(fold, &(struct state_fold_key){ 0, key, strlen(key) }, value.data,
			 value.len);
}

/* The JWKS at 100: the signing one first, and none that has expired, whether its record is gone yet
 * or not. */
static void the_jwks_lists_the_signing_key_first(void **state _unused_) {
	static const struct {
		const char *kid;
		int32_t epoch;
		int64_t expires_at_ms;
	} keys[] = { { "a-listed", 3, 101 },
		     { "signs", 10, 0 },
		     { "b-listed", 9, 200 },
		     { "expired", 2, 100 },
		     { "long ago", 1, 1 } };
	static const char *const expected[] = { "signs", "b-listed", "a-listed" };
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(1024);
	_cleanup_(state_fold_freep) struct state_fold *fold = state_fold_new();
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(codec_freep) struct codec *codec = NULL;
	struct signing_keys found;

	assert_int_equal(codec_new(NULL, &codec, &problems), 0);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		put_key(fold, codec, keys[i].kid, keys[i].epoch, keys[i].expires_at_ms);
	signing_keys_take(&found, arena, codec, fold, 100);
	assert_int_equal(found.count, ARRAY_LEN(expected));
	for (size_t i = 0; i < ARRAY_LEN(expected); i++)
		assert_string_equal(found.items[i].kid, expected[i]);
}

static void outstanding_commands_are_counted(void **state _unused_) {
	_cleanup_(outstanding_freep) struct outstanding *outstanding = outstanding_new();

	outstanding_add(outstanding, "t", "ab");
	outstanding_add(outstanding, "ta", "b");
	outstanding_add(outstanding, "t", "twice");
	outstanding_add(outstanding, "t", "twice");
	assert_int_equal(outstanding_count(outstanding), 4);
	assert_false(outstanding_take(outstanding, "other", "ab"));
	assert_true(outstanding_take(outstanding, "t", "ab"));
	assert_false(outstanding_take(outstanding, "t", "ab"));
	assert_true(outstanding_take(outstanding, "ta", "b"));
	assert_true(outstanding_take(outstanding, "t", "twice"));
	assert_true(outstanding_take(outstanding, "t", "twice"));
	assert_false(outstanding_take(outstanding, "t", "twice"));
	assert_int_equal(outstanding_count(outstanding), 0);
}

static const struct {
	enum topic_rule_kind kind;
	const char *wanted, *value;
	bool wrong;
} checks[] = {
	{ RULE_IS, "compact", "compact", false },
	{ RULE_IS, "compact", "compact,delete", true },
	{ RULE_IS, "compact", NULL, true },
	{ RULE_AT_LEAST, "604800000", "604800000", false },
	{ RULE_AT_LEAST, "604800000", "86400000", true },
	{ RULE_AT_LEAST, "2", "3", false },
	{ RULE_AT_LEAST, "604800000", "-1", false },
	{ RULE_AT_MOST, "3600000", "9223372036854775807", true },
	{ RULE_AT_MOST, "3600000", "60000", false },
};

static void topic_rules_judge_their_setting(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		const struct topic_rule rule = { .setting = "x",
						 .kind = checks[i].kind,
						 .value = checks[i].wanted };
		_cleanup_(x_freep) char *wrong = topic_rule_check(&rule, NULL, checks[i].value);

		if (!wrong == checks[i].wrong)
			fail_msg("%s against %s: %s", checks[i].value ? checks[i].value : "-",
				 checks[i].wanted, wrong ? wrong : "good");
	}
}

/* Each topic that is not compacted has the retention of its option. */
static void a_topic_rule_takes_its_value_from_an_option(void **state _unused_) {
	const struct config config = { .topic_retention_inputs_ms = 1,
				       .topic_retention_results_ms = 2,
				       .topic_retention_dead_letters_ms = 3 };
	static const char *const wanted[TOPIC_COUNT] = { [TOPIC_ADMIN] = "1",
							 [TOPIC_ISSUANCE] = "1",
							 [TOPIC_EVENTS] = "1",
							 [TOPIC_RESULTS] = "2",
							 [TOPIC_DEAD_LETTERS] = "3" };
	const char *found[TOPIC_COUNT] = { 0 };

	for (const struct topic_rule *rule = topic_rules; rule->setting; rule++) {
		_cleanup_(x_freep) char *value = topic_rule_value(rule, &config);

		for (int i = 0; i < TOPIC_COUNT; i++)
			if (!strcmp(rule->setting, "retention.ms") &&
			    topic_rule_concerns(rule, (enum topic)i, 1)) {
				assert_string_equal(value, wanted[i]);
				found[i] = wanted[i];
			}
	}
	assert_memory_equal(found, wanted, sizeof(found));
}

/* What an operator may choose breaks no worker. */
static void only_a_retention_is_advice(void **state _unused_) {
	for (const struct topic_rule *rule = topic_rules; rule->setting; rule++)
		assert_int_equal(topic_rule_is_advice(rule), !rule->value);
}

/* min.insync.replicas holds from three replicas on, and never for the topics that may lose a
 * record. */
static void a_topic_rule_concerns_its_topics(void **state _unused_) {
	const struct topic_rule *rule = topic_rules;

	while (strcmp(rule->setting, "min.insync.replicas") != 0)
		rule++;
	assert_true(topic_rule_concerns(rule, TOPIC_STATE, 3));
	assert_true(topic_rule_concerns(rule, TOPIC_ADMIN, 3));
	assert_true(topic_rule_concerns(rule, TOPIC_ISSUANCE, 5));
	assert_false(topic_rule_concerns(rule, TOPIC_STATE, 1));
	assert_false(topic_rule_concerns(rule, TOPIC_RESULTS, 3));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_fold_to_the_last_of_each_key),
		cmocka_unit_test(a_walk_can_be_ended),
		cmocka_unit_test(the_jwks_lists_the_signing_key_first),
		cmocka_unit_test(outstanding_commands_are_counted),
		cmocka_unit_test(topic_rules_judge_their_setting),
		cmocka_unit_test(a_topic_rule_takes_its_value_from_an_option),
		cmocka_unit_test(only_a_retention_is_advice),
		cmocka_unit_test(a_topic_rule_concerns_its_topics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
