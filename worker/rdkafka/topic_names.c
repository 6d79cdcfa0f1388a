#include "rdkafka/topic_names.h"

#include "base/memory.h"

static const char *const names[TOPIC_COUNT] = {
	[TOPIC_ADMIN] = "webhook-admin",   [TOPIC_ISSUANCE] = "credential-issuance",
	[TOPIC_EVENTS] = "webhook-events", [TOPIC_RESULTS] = "webhook-results",
	[TOPIC_STATE] = "webhook-state",   [TOPIC_DEAD_LETTERS] = "webhook-dead-letters",
};

const char *topic_base_name(enum topic topic) {
	return names[topic];
}

char *topic_name(const char *prefix, enum topic topic) {
	return x_asprintf("%s%s", prefix ? prefix : "", names[topic]);
}
