#include "kafka/topic_rules.h"

#include "base/invariant.h"
#include "base/memory.h"

#define STATE (1u << TOPIC_STATE)
#define INPUTS (1u << TOPIC_ADMIN | 1u << TOPIC_ISSUANCE | 1u << TOPIC_EVENTS)

const struct topic_rule topic_rules[] = {
	{ STATE, "cleanup.policy", RULE_IS, "compact", 0 },
	/* A worker that was down for less than half of this time has missed no tombstone. */
	{ STATE, "delete.retention.ms", RULE_AT_LEAST, "604800000", 0 },
	{ STATE, "max.compaction.lag.ms", RULE_AT_MOST, "3600000", 0 },
	{ STATE, "segment.bytes", RULE_AT_MOST, "67108864", 0 },
	/* A record at the limit of its own topic gets more headers here, and is not compressed. */
	{ 1u << TOPIC_DEAD_LETTERS, "max.message.bytes", RULE_AT_LEAST, "10485760", 0 },
	/* A committed record must survive the loss of any one broker. */
	{ STATE | INPUTS, "min.insync.replicas", RULE_AT_LEAST, "2", 3 },
	{ STATE | INPUTS, "unclean.leader.election.enable", RULE_IS, "false", 0 },
	{ 0 },
};

bool topic_rule_concerns(const struct topic_rule *rule, enum topic topic, int replicas) {
	return (rule->topics & 1u << topic) && replicas >= rule->replicas_at_least;
}

static bool keeps(const struct topic_rule *rule, const char *value) {
	switch (rule->kind) {
	case RULE_IS:
		return !strcmp(value, rule->value);
	case RULE_AT_LEAST:
		return atoll(value) >= atoll(rule->value);
	case RULE_AT_MOST:
		return atoll(value) <= atoll(rule->value);
	}
	impossible("a rule has a kind");
}

char *topic_rule_check(const struct topic_rule *rule, const char *value) {
	static const char *const must_be[] = { [RULE_IS] = "",
					       [RULE_AT_LEAST] = "at least ",
					       [RULE_AT_MOST] = "at most " };

	if (!value)
		return x_asprintf("%s is not known from the broker, must be %s%s", rule->setting,
				  must_be[rule->kind], rule->value);
	if (keeps(rule, value))
		return NULL;
	return x_asprintf("%s is %s, must be %s%s", rule->setting, value, must_be[rule->kind],
			  rule->value);
}
