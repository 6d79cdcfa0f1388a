#include "rdkafka/group_watch.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "rdkafka/group_members.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
	ASK_TIMEOUT_MS = 1000,
	ASK_INTERVAL_MS = 10 * 1000,
	ASK_AGAIN_MS = 1000, /* while something is missing */
	ASK_FIRST_MS = 100,  /* while commands wait for the first answer */
	UNKNOWN_FOR_MS = 10 *
	    1000,          /* then nothing newer is written, instead of waiting for an answer */
	OTHERS_MAX = 1024, /* bytes of names */
};

struct group_watch {
	struct group_watch_settings settings;
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_mutex_t in_use; /* held while the client is asked with */
	rd_kafka_t *client;     /* NULL: none */
	bool is_asked, is_stopping;
	_Atomic int64_t begun_ms; /* monotonic: the first group_watch_ask; 0: none yet */
	atomic_int readers, others_count;
	struct buffer others;
};

/* A member's subscription. */

struct reading {
	const uint8_t *at, *end;
	bool is_short;
};

static uint32_t read_number(struct reading *reading, int bytes) {
	uint32_t number = 0;

	if (reading->end - reading->at < bytes) {
		reading->is_short = true;
		return 0;
	}
	while (bytes-- > 0)
		number = number << 8 | *reading->at++;
	return number;
}

int group_subscription_has(const void *metadata, size_t len, const char *topic, bool *out) {
	struct reading reading = { metadata, (const uint8_t *)metadata + len, false };
	uint32_t count;

	*out = false;
	(void)read_number(&reading, 2); /* the version: each has begun with the topics */
	count = read_number(&reading, 4);
	for (uint32_t i = 0; i < count && !reading.is_short; i++) {
		uint32_t name_len = read_number(&reading, 2);

		if (reading.is_short || (size_t)(reading.end - reading.at) < name_len)
			return GROUP_SUBSCRIPTION_E_MALFORMED;
		*out |= name_len == strlen(topic) && memcmp(reading.at, topic, name_len) == 0;
		reading.at += name_len;
	}
	return reading.is_short ? GROUP_SUBSCRIPTION_E_MALFORMED : 0;
}

/* The group's description. */

static void append_member(struct buffer *out, const char *member_id) {
	buffer_append_string(out, out->len ? ", " : "");
	buffer_append(out, member_id, group_member_worker_len(member_id));
}

struct answer {
	int others;          /* -1: not known */
	struct buffer names; /* theirs; where they are not known, the cause */
};

/* Returns 0, or -EAGAIN while the members' subscriptions are not settled. */
static int read_members(const struct group_watch *watch, const struct rd_kafka_group_info *group,
			struct answer *out) {
	if (strcmp(group->state, "Stable") != 0)
		return -EAGAIN;
	for (int i = 0; i < group->member_cnt; i++) {
		const struct rd_kafka_group_member_info *member = &group->members[i];
		bool has = false;

		if (member->member_metadata_size == 0 ||
		    group_subscription_has(member->member_metadata,
					   (size_t)member->member_metadata_size,
					   watch->settings.topic, &has))
			return -EAGAIN;
		if (has)
			continue;
		out->others++;
		append_member(&out->names, member->member_id);
	}
	return 0;
}

/* Returns 0, or -EAGAIN where the brokers do not tell. */
static int ask(struct group_watch *watch, struct answer *out) {
	_cleanup_(rd_kafka_group_list_destroyp) const struct rd_kafka_group_list *list = NULL;
	rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR__STATE;
	int r;

	pthread_mutex_lock(&watch->in_use);
	if (watch->client)
		list = group_members_ask(watch->client, watch->settings.group_id, ASK_TIMEOUT_MS,
					 &err);
	pthread_mutex_unlock(&watch->in_use);
	r = list ? read_members(watch, &list->groups[0], out) : -EAGAIN;
	if (r < 0) {
		buffer_clear(&out->names);
		buffer_append_string(&out->names, list ? "a rebalance" : rd_kafka_err2str(err));
	}
	return r;
}

/* What is known. */

static void tell(const struct group_watch *watch, const struct answer *answer) {
	const char *names = log_quote(answer->names.data ? answer->names.data : "");

	if (answer->others == 0)
		log_info("every worker of the group can read the newest edition", "group=%s",
			 log_quote(watch->settings.group_id));
	else
		log_warn("not every worker of the group is known to read the newest edition: until "
			 "then newer members are refused, and events of one's own wait",
			 "group=%s %s=%s", log_quote(watch->settings.group_id),
			 answer->others > 0 ? "workers" : "unknown_for", names);
}

static void settle(struct group_watch *watch, const struct answer *answer) {
	enum group_readers before = group_watch_readers(watch);
	enum group_readers readers = answer->others ? GROUP_READERS_SOME : GROUP_READERS_ALL;
	bool is_other;

	pthread_mutex_lock(&watch->lock);
	is_other = before != readers || answer->others != group_watch_others_count(watch);
	buffer_clear(&watch->others);
	if (answer->others > 0)
		buffer_append(&watch->others, answer->names.data, answer->names.len);
	atomic_store(&watch->others_count, answer->others);
	atomic_store(&watch->readers, readers);
	if (is_other)
		tell(watch, answer);
	pthread_mutex_unlock(&watch->lock);
	if (before != readers)
		watch->settings.on_change(watch->settings.userdata);
}

/* Whether commands have waited long enough for an answer. Without partitions there are none. */
static bool is_overdue(const struct group_watch *watch) {
	int64_t begun_ms = atomic_load(&watch->begun_ms);

	return begun_ms && clock_monotonic_ms() - begun_ms > UNKNOWN_FOR_MS;
}

/* Asks once. Returns when to ask again. */
static int64_t look(struct group_watch *watch) {
	struct answer answer = { .names = BUFFER_INIT(OTHERS_MAX) };
	bool is_known = ask(watch, &answer) == 0, was_known;

	was_known = group_watch_readers(watch) != GROUP_READERS_UNKNOWN;
	if (!is_known)
		answer.others = -1;
	if (is_known || (!was_known && is_overdue(watch)))
		settle(watch, &answer);
	buffer_destroy(&answer.names);
	if (is_known)
		return answer.others == 0 ? ASK_INTERVAL_MS : ASK_AGAIN_MS;
	return was_known || !atomic_load(&watch->begun_ms) ? ASK_AGAIN_MS : ASK_FIRST_MS;
}

static void wait_for(struct group_watch *watch, int64_t ms) {
	int64_t until_ms = clock_monotonic_ms() + ms;
	struct timespec until = { until_ms / 1000, until_ms % 1000 * 1000 * 1000 };

	while (!watch->is_stopping && !watch->is_asked &&
	       pthread_cond_timedwait(&watch->changed, &watch->lock, &until) != ETIMEDOUT)
		;
	watch->is_asked = false;
}

/* The first question waits for an assignment: before, the group is not settled. */
static void *run(void *userdata) {
	struct group_watch *watch = userdata;
	int64_t again_in_ms;

	pthread_mutex_lock(&watch->lock);
	wait_for(watch, ASK_INTERVAL_MS);
	while (!watch->is_stopping) {
		pthread_mutex_unlock(&watch->lock);
		again_in_ms = look(watch);
		pthread_mutex_lock(&watch->lock);
		wait_for(watch, again_in_ms);
	}
	pthread_mutex_unlock(&watch->lock);
	return NULL;
}

struct group_watch *group_watch_new(const struct group_watch_settings *settings) {
	struct group_watch *watch = x_calloc(1, sizeof(*watch));
	pthread_condattr_t monotonic;

	watch->settings = *settings;
	watch->others = BUFFER_INIT(OTHERS_MAX);
	atomic_store(&watch->others_count, -1);
	pthread_mutex_init(&watch->lock, NULL);
	pthread_mutex_init(&watch->in_use, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&watch->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return watch;
}

int group_watch_start(struct group_watch *watch) {
	int r = pthread_create(&watch->thread, NULL, run, watch);

	watch->has_thread = r == 0;
	return -r;
}

void group_watch_free(struct group_watch *watch) {
	if (!watch)
		return;
	pthread_mutex_lock(&watch->lock);
	watch->is_stopping = true;
	pthread_cond_signal(&watch->changed);
	pthread_mutex_unlock(&watch->lock);
	if (watch->has_thread)
		pthread_join(watch->thread, NULL);
	pthread_cond_destroy(&watch->changed);
	pthread_mutex_destroy(&watch->in_use);
	pthread_mutex_destroy(&watch->lock);
	buffer_destroy(&watch->others);
	free(watch);
}

void group_watch_use(struct group_watch *watch, rd_kafka_t *client) {
	pthread_mutex_lock(&watch->in_use);
	watch->client = client;
	pthread_mutex_unlock(&watch->in_use);
}

void group_watch_ask(struct group_watch *watch) {
	pthread_mutex_lock(&watch->lock);
	if (!atomic_load(&watch->begun_ms))
		atomic_store(&watch->begun_ms, clock_monotonic_ms());
	watch->is_asked = true;
	pthread_cond_signal(&watch->changed);
	pthread_mutex_unlock(&watch->lock);
}

enum group_readers group_watch_readers(const struct group_watch *watch) {
	return (enum group_readers)atomic_load_explicit(&watch->readers, memory_order_relaxed);
}

int group_watch_others_count(const struct group_watch *watch) {
	return atomic_load_explicit(&watch->others_count, memory_order_relaxed);
}

const char *group_watch_others(struct group_watch *watch, struct arena *arena) {
	const char *names;

	pthread_mutex_lock(&watch->lock);
	names =
	    arena_strndup(arena, watch->others.data ? watch->others.data : "", watch->others.len);
	pthread_mutex_unlock(&watch->lock);
	return names;
}
