/*
 * The schema registry, as the decoding of records needs it: which schema an id names. A thread asks
 * the registry; nobody else waits for it.
 *
 *     schema_registry_ask ──► wanted ──► thread ──► client ──► registry
 *                                          │
 *                                          └──► codec, files in the data folder, on_answer
 *
 * Any thread, but for making and freeing.
 */
#pragma once

#include "avro/codec.h"
#include "base/config.h"
#include "registry/metrics.h"

struct schema_registry;

struct schema_registry_settings {
	const struct config *config; /* borrowed; schema.registry.url is set */
	struct codec *codec;         /* borrowed; learns the ids */
	const char *results_topic;   /* borrowed; the id of our events' schema in its subject is
					asked for. NULL: it is not needed */
	const char *data_dir;        /* borrowed; NULL: nothing is kept over a restart */
	void (*on_answer)(void *userdata); /* on the registry's thread; NULL: nobody is told */
	void *userdata;
	struct registry_metrics *metrics; /* borrowed */
};

enum { SCHEMA_REGISTRY_E_REFUSED = 1 };

/* Returns 0, or SCHEMA_REGISTRY_E_REFUSED where the credentials cannot be read. */
int schema_registry_new(const struct schema_registry_settings *settings,
			struct schema_registry **out, struct buffer *why) _must_check_;
/* Reads what is kept, and starts the thread. Returns 0 or a negative errno. */
int schema_registry_start(struct schema_registry *registry) _must_check_;
void schema_registry_free(struct schema_registry *registry);
DEFINE_CLEANUP(struct schema_registry, schema_registry_free)

enum registry_answer {
	REGISTRY_KNOWN,   /* to the codec */
	REGISTRY_UNKNOWN, /* the registry does not have it */
	REGISTRY_WAIT,    /* it is asked for */
};

/* Never waits. */
enum registry_answer schema_registry_ask(struct schema_registry *registry, uint32_t id);
/* Waits for an answer, at most so long. */
enum registry_answer schema_registry_wait(struct schema_registry *registry, uint32_t id,
					  int64_t timeout_ms);
/* How many answers there were: after one, what waited is worth another look. */
unsigned schema_registry_answers(const struct schema_registry *registry);

/* Whether the id of our events' schema is known, and which it is. */
bool schema_registry_results_id(const struct schema_registry *registry, uint32_t *id);
/* The subject of a topic's values. Source: Confluent's TopicNameStrategy. The caller frees it. */
char *schema_registry_subject(const char *topic);
