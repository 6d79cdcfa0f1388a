/* The settings of each topic, in one table, from which topics are created and checked. */
#pragma once

#include "base/config.h"
#include "rdkafka/topic_names.h"

#include <stdbool.h>

enum topic_rule_kind { RULE_IS, RULE_AT_LEAST, RULE_AT_MOST };

struct topic_rule {
	unsigned topics; /* bits 1 << enum topic */
	const char *setting;
	enum topic_rule_kind kind;
	const char *value;     /* the setting of a new topic; NULL: an option has it */
	int replicas_at_least; /* the rule holds from this replication factor on */
	size_t option;         /* where `value` is NULL: its int64_t in struct config */
};

/* Ends with a row without a setting. */
extern const struct topic_rule topic_rules[];

/* Whether a topic that does not meet the rule can be worked with all the same: of a retention,
 * which topics of the first release have as their brokers give it. */
bool topic_rule_is_advice(const struct topic_rule *rule);
bool topic_rule_concerns(const struct topic_rule *rule, enum topic topic, int replicas);
/* The setting of a new topic; owned by the caller. */
char *topic_rule_value(const struct topic_rule *rule, const struct config *config);
/* Describes the deviation in a sentence owned by the caller; NULL where `value` (NULL: unknown)
 * meets the rule. */
char *topic_rule_check(const struct topic_rule *rule, const struct config *config,
		       const char *value);
