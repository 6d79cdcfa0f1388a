#include "kafka/topic_rules.h"

#include "base/invariant.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stddef.h>

#define STATE (1u << TOPIC_STATE)
#define INPUTS (1u << TOPIC_ADMIN | 1u << TOPIC_ISSUANCE | 1u << TOPIC_EVENTS)

#define RETENTION(topics, option)                                                                  \
	{ topics, "retention.ms", RULE_AT_LEAST, NULL, 0, offsetof(struct config, option) }

const struct topic_rule topic_rules[] = {
	{ STATE, "cleanup.policy", RULE_IS, "compact", 0, 0 },
	/* A worker that was down for less than half of this time has missed no tombstone. */
	{ STATE, "delete.retention.ms", RULE_AT_LEAST, "604800000", 0, 0 },
	{ STATE, "max.compaction.lag.ms", RULE_AT_MOST, "3600000", 0, 0 },
	{ STATE, "segment.bytes", RULE_AT_MOST, "67108864", 0, 0 },
	/* A record at the limit of its own topic gets more headers here, and is not compressed. */
	{ 1u << TOPIC_DEAD_LETTERS, "max.message.bytes", RULE_AT_LEAST, "10485760", 0, 0 },
	RETENTION(INPUTS, topic_retention_inputs_ms),
	RETENTION(1u << TOPIC_RESULTS, topic_retention_results_ms),
	RETENTION(1u << TOPIC_DEAD_LETTERS, topic_retention_dead_letters_ms),
	/* A committed record must survive the loss of any one broker. */
	{ STATE | INPUTS, "min.insync.replicas", RULE_AT_LEAST, "2", 3, 0 },
	{ STATE | INPUTS, "unclean.leader.election.enable", RULE_IS, "false", 0, 0 },
	{ 0 },
};

bool topic_rule_is_advice(const struct topic_rule *rule) {
	return !strcmp(rule->setting, "retention.ms");
}

bool topic_rule_concerns(const struct topic_rule *rule, enum topic topic, int replicas) {
	return (rule->topics & 1u << topic) && replicas >= rule->replicas_at_least;
}

char *topic_rule_value(const struct topic_rule *rule, const struct config *config) {
	int64_t value;

	if (rule->value)
		return x_strdup(rule->value);
	memcpy(&value, (const char *)config + rule->option, sizeof(value));
	return x_asprintf("%" PRId64, value);
}

/* Kafka's -1 is no bound: more than any number. */
static bool keeps(enum topic_rule_kind kind, const char *wanted, const char *value) {
	switch (kind) {
	case RULE_IS:
		return !strcmp(value, wanted);
	case RULE_AT_LEAST:
		return !strcmp(value, "-1") || atoll(value) >= atoll(wanted);
	case RULE_AT_MOST:
		return atoll(value) <= atoll(wanted);
	}
	impossible("a rule has a kind");
}

char *topic_rule_check(const struct topic_rule *rule, const struct config *config,
		       const char *value) {
	static const char *const must_be[] = { [RULE_IS] = "",
					       [RULE_AT_LEAST] = "at least ",
					       [RULE_AT_MOST] = "at most " };
	_cleanup_(x_freep) char *wanted = topic_rule_value(rule, config);

	if (!value)
		return x_asprintf("%s is not known from the broker, must be %s%s", rule->setting,
				  must_be[rule->kind], wanted);
	if (keeps(rule->kind, wanted, value))
		return NULL;
	return x_asprintf("%s is %s, must be %s%s", rule->setting, value, must_be[rule->kind],
			  wanted);
}
