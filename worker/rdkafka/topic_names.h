/* The six topics, and their names. */
#pragma once

enum topic {
	TOPIC_ADMIN,        /* webhook-admin */
	TOPIC_ISSUANCE,     /* credential-issuance */
	TOPIC_EVENTS,       /* webhook-events */
	TOPIC_RESULTS,      /* webhook-results */
	TOPIC_STATE,        /* webhook-state */
	TOPIC_DEAD_LETTERS, /* webhook-dead-letters */
	TOPIC_COUNT
};

/* Without a prefix; static. */
const char *topic_base_name(enum topic topic);
/* With topic.prefix (NULL: none); owned by the caller. */
char *topic_name(const char *prefix, enum topic topic);
