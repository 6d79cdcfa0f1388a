#include "registry/schema_registry.h"

#include "avro/embedded.h"
#include "avro/fingerprint.h"
#include "base/clock.h"
#include "registry/protocol.h"
#include "registry/store.h"
#include "registry/wanted.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>

enum { WHY_MAX = 4096, SCHEMA_MAX = CLIENT_ANSWER_MAX, IDLE_MS = 60 * 1000 };

struct schema_registry {
	struct schema_registry_settings settings;
	struct registry_client *client;
	struct schema_store *store; /* NULL: nothing is kept */
	char *subject;              /* owned; of the results. NULL: their id is not needed */
	char *results_schema;       /* owned */

	pthread_t thread; /* valid where `is_started` */
	bool is_started;
	atomic_bool stopping;
	atomic_uint answers;
	atomic_int_fast64_t results_id; /* -1: not known */

	/* Under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t asked, answered;
	struct wanted wanted;
	struct backoff results_backoff;
};

/* Making. */

static void init_condition(pthread_cond_t *condition) {
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

char *schema_registry_subject(const char *topic) {
	return x_asprintf("%s-value", topic);
}

int schema_registry_new(const struct schema_registry_settings *settings,
			struct schema_registry **out, struct buffer *why) {
	_cleanup_(schema_registry_freep) struct schema_registry *registry =
	    x_calloc(1, sizeof(*registry));
	const struct embedded_schema *schema = embedded_schema_find("analytic-event.avsc");

	registry->settings = *settings;
	pthread_mutex_init(&registry->lock, NULL);
	init_condition(&registry->asked);
	init_condition(&registry->answered);
	atomic_store(&registry->results_id, -1);
	if (settings->results_topic)
		registry->subject = schema_registry_subject(settings->results_topic);
	registry->results_schema = x_strndup((const char *)schema->json, schema->len);
	if (registry_client_new(settings->config, &registry->stopping, &registry->client, why))
		return SCHEMA_REGISTRY_E_REFUSED;
	*out = TAKE(registry);
	return 0;
}

static void stop(struct schema_registry *registry) {
	pthread_mutex_lock(&registry->lock);
	atomic_store(&registry->stopping, true);
	pthread_cond_broadcast(&registry->asked);
	pthread_cond_broadcast(&registry->answered);
	pthread_mutex_unlock(&registry->lock);
	if (registry->is_started)
		pthread_join(registry->thread, NULL);
}

void schema_registry_free(struct schema_registry *registry) {
	if (!registry)
		return;
	stop(registry);
	registry_client_free(registry->client);
	schema_store_free(registry->store);
	pthread_cond_destroy(&registry->asked);
	pthread_cond_destroy(&registry->answered);
	pthread_mutex_destroy(&registry->lock);
	free(registry->subject);
	free(registry->results_schema);
	free(registry);
}

/* Asking. */

enum registry_answer schema_registry_ask(struct schema_registry *registry, uint32_t id) {
	enum registry_answer answer = REGISTRY_WAIT;

	if (codec_knows_id(registry->settings.codec, id))
		return REGISTRY_KNOWN;
	/* An id is a positive int of Java's: others would not even be an answerable question. */
	if (id > INT32_MAX)
		return REGISTRY_UNKNOWN;
	pthread_mutex_lock(&registry->lock);
	if (wanted_tell_unknown(&registry->wanted, id, clock_monotonic_ms())) {
		answer = REGISTRY_UNKNOWN;
	} else {
		wanted_add(&registry->wanted, id);
		atomic_store(&registry->settings.metrics->waiting, (int)registry->wanted.count);
		pthread_cond_signal(&registry->asked);
	}
	pthread_mutex_unlock(&registry->lock);
	return answer;
}

static struct timespec timespec_of(int64_t monotonic_ms) {
	return (struct timespec){ .tv_sec = monotonic_ms / 1000,
				  .tv_nsec = monotonic_ms % 1000 * 1000000 };
}

/* Waits until an answer has come since `answers`. Returns false at the deadline. */
static bool wait_for_answer(struct schema_registry *registry, unsigned answers,
			    int64_t deadline_ms) {
	struct timespec deadline = timespec_of(deadline_ms);
	int r = 0;

	pthread_mutex_lock(&registry->lock);
	while (r == 0 && !atomic_load(&registry->stopping) &&
	       atomic_load(&registry->answers) == answers)
		r = pthread_cond_timedwait(&registry->answered, &registry->lock, &deadline);
	pthread_mutex_unlock(&registry->lock);
	return r == 0 && !atomic_load(&registry->stopping);
}

enum registry_answer schema_registry_wait(struct schema_registry *registry, uint32_t id,
					  int64_t timeout_ms) {
	int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
	enum registry_answer answer;
	unsigned answers;

	do {
		answers = atomic_load(&registry->answers);
		answer = schema_registry_ask(registry, id);
	} while (answer == REGISTRY_WAIT && wait_for_answer(registry, answers, deadline_ms));
	return answer;
}

unsigned schema_registry_answers(const struct schema_registry *registry) {
	return atomic_load(&registry->answers);
}

bool schema_registry_results_id(const struct schema_registry *registry, uint32_t *id) {
	int64_t known = atomic_load(&registry->results_id);

	*id = (uint32_t)known;
	return known >= 0;
}

/* The thread. */

static void note_request(struct schema_registry *registry, int r, const char *why) {
	struct registry_metrics *metrics = registry->settings.metrics;
	bool has_failed = r == PROTOCOL_E_FAILED;
	int failures = atomic_load(&metrics->failures);

	atomic_fetch_add(&metrics->requests[has_failed                ? REGISTRY_REQUEST_FAILED
					    : r == PROTOCOL_E_UNKNOWN ? REGISTRY_REQUEST_UNKNOWN
								      : REGISTRY_REQUEST_OK],
			 1);
	atomic_store(&metrics->failures, has_failed ? failures + 1 : 0);
	if (has_failed && failures == 0 && !atomic_load(&registry->stopping))
		log_warn("the schema registry does not answer: records wait whose schemas are not "
			 "known yet",
			 "error=%s", log_quote(why));
	else if (!has_failed && failures > 0)
		log_info("the schema registry answers again", "failures=%d", failures);
}

/* Notes the answer under the lock, and tells all who wait. */
static void end_id(struct schema_registry *registry, uint32_t id, int r) {
	int64_t now_ms = clock_monotonic_ms();

	pthread_mutex_lock(&registry->lock);
	if (r == PROTOCOL_E_FAILED)
		wanted_failed(&registry->wanted, id, now_ms);
	else if (codec_knows_id(registry->settings.codec, id))
		wanted_known(&registry->wanted, id);
	else
		wanted_unknown(&registry->wanted, id, now_ms);
	atomic_store(&registry->settings.metrics->waiting, (int)registry->wanted.count);
	if (r != PROTOCOL_E_FAILED) {
		atomic_fetch_add(&registry->answers, 1);
		pthread_cond_broadcast(&registry->answered);
	}
	pthread_mutex_unlock(&registry->lock);
	if (r != PROTOCOL_E_FAILED && registry->settings.on_answer)
		registry->settings.on_answer(registry->settings.userdata);
}

static void learn(struct schema_registry *registry, uint32_t id, const struct buffer *schema) {
	struct codec *codec = registry->settings.codec;

	codec_learn_id(codec, id, schema->data, schema->len);
	if (registry->store && codec_can_read_id(codec, id))
		schema_store_put(registry->store, id, schema->data, schema->len);
}

static void ask_for_id(struct schema_registry *registry, uint32_t id) {
	_cleanup_(buffer_destroy) struct buffer schema = BUFFER_INIT(SCHEMA_MAX);
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX);
	int r = protocol_get_schema(registry->client, id, &schema, &why);

	note_request(registry, r, why.len ? why.data : "");
	if (r == 0)
		learn(registry, id, &schema);
	else if (r == PROTOCOL_E_REFUSED)
		codec_refuse_id(registry->settings.codec, id, why.len ? why.data : "");
	end_id(registry, id, r);
}

static uint64_t results_fingerprint(const struct schema_registry *registry) {
	return fingerprint_of(registry->results_schema, strlen(registry->results_schema));
}

static void set_results_id(struct schema_registry *registry, uint32_t id) {
	log_info("results are written in Confluent's frame", "subject=%s schema_id=%" PRIu32,
		 registry->subject, id);
	atomic_store(&registry->results_id, id);
	atomic_store(&registry->settings.metrics->results_failures, 0);
	if (registry->settings.on_answer)
		registry->settings.on_answer(registry->settings.userdata);
}

/* Also where the registry says no: somebody may register it, or mend the subject's rules. */
static void fail_results(struct schema_registry *registry, int r, const char *why) {
	if (r != PROTOCOL_E_FAILED && registry->results_backoff.failures == 0)
		log_error("the schema registry does not have the schema of results: nothing is "
			  "handled until posthorn-admin schemas register has made it",
			  "subject=%s error=%s", registry->subject, log_quote(why));
	atomic_fetch_add(&registry->settings.metrics->results_failures, 1);
	backoff_fail(&registry->results_backoff, clock_monotonic_ms(), WANTED_PAUSE_MIN_MS,
		     WANTED_PAUSE_MAX_MS);
}

static void ask_for_results(struct schema_registry *registry) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX);
	int (*ask)(struct registry_client *, const char *, const char *, uint32_t *,
		   struct buffer *) = registry->settings.config->schema_registry_auto_register
					  ? protocol_register
					  : protocol_find_id;
	uint32_t id;
	int r = ask(registry->client, registry->subject, registry->results_schema, &id, &why);

	note_request(registry, r, why.len ? why.data : "");
	if (r) {
		fail_results(registry, r, why.len ? why.data : "");
		return;
	}
	if (registry->store)
		schema_store_put_results(registry->store, registry->subject,
					 results_fingerprint(registry), id);
	set_results_id(registry, id);
}

static bool needs_results_id(const struct schema_registry *registry) {
	return registry->subject && atomic_load(&registry->results_id) < 0;
}

/* What there is to ask for now. */
enum question { QUESTION_NONE, QUESTION_ID, QUESTION_RESULTS, QUESTION_STOP };

static enum question next_question(const struct schema_registry *registry, uint32_t *id,
				   int64_t *wait_ms) {
	int64_t now_ms = clock_monotonic_ms(), due_ms = wanted_next(&registry->wanted, now_ms, id);

	*wait_ms = IDLE_MS;
	if (atomic_load(&registry->stopping))
		return QUESTION_STOP;
	if (needs_results_id(registry)) {
		if (backoff_is_over(&registry->results_backoff, now_ms))
			return QUESTION_RESULTS;
		*wait_ms = registry->results_backoff.until_ms - now_ms;
	}
	if (due_ms == 0)
		return QUESTION_ID;
	if (due_ms > 0)
		*wait_ms = MIN(*wait_ms, due_ms);
	return QUESTION_NONE;
}

static enum question wait_for_question(struct schema_registry *registry, uint32_t *id) {
	enum question question;
	int64_t wait_ms;

	pthread_mutex_lock(&registry->lock);
	while (!(question = next_question(registry, id, &wait_ms))) {
		struct timespec until = timespec_of(clock_monotonic_ms() + wait_ms);

		pthread_cond_timedwait(&registry->asked, &registry->lock, &until);
	}
	pthread_mutex_unlock(&registry->lock);
	return question;
}

static void *run(void *userdata) {
	struct schema_registry *registry = userdata;
	enum question question;
	uint32_t id;

	while ((question = wait_for_question(registry, &id)) != QUESTION_STOP)
		if (question == QUESTION_ID)
			ask_for_id(registry, id);
		else
			ask_for_results(registry);
	return NULL;
}

/* What is kept. */

static void learn_kept(void *userdata, uint32_t id, const char *json, size_t len) {
	struct schema_registry *registry = userdata;

	codec_learn_id(registry->settings.codec, id, json, len);
}

static void read_store(struct schema_registry *registry) {
	uint32_t id;

	registry->store = schema_store_open(registry->settings.data_dir,
					    registry->settings.config->schema_registry_url);
	if (!registry->store)
		return;
	schema_store_walk(registry->store, learn_kept, registry);
	if (registry->subject && schema_store_get_results(registry->store, registry->subject,
							  results_fingerprint(registry), &id))
		set_results_id(registry, id);
}

int schema_registry_start(struct schema_registry *registry) {
	int r;

	if (registry->settings.data_dir)
		read_store(registry);
	r = pthread_create(&registry->thread, NULL, run, registry);
	registry->is_started = r == 0;
	return -r;
}
