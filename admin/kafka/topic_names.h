/* The five topics, and their names. */
#pragma once

#include "base/config.h"

enum topic {
	TOPIC_ADMIN,
	TOPIC_ISSUANCE,
	TOPIC_RESULTS,
	TOPIC_STATE,
	TOPIC_DEAD_LETTERS,
	TOPIC_COUNT
};

/* With the configured prefix; owned by the caller. */
char *topic_name(const struct config *config, enum topic topic);
