#include "kafka/topic_names.h"

static const char *const names[TOPIC_COUNT] = {
	[TOPIC_ADMIN] = "webhook-admin",
	[TOPIC_ISSUANCE] = "credential-issuance",
	[TOPIC_RESULTS] = "webhook-results",
	[TOPIC_STATE] = "webhook-state",
	[TOPIC_DEAD_LETTERS] = "webhook-dead-letters",
};

char *topic_name(const struct config *config, enum topic topic) {
	return x_asprintf("%s%s", config->topic_prefix ? config->topic_prefix : "", names[topic]);
}
