/*
 * Whether every member of the consumer group reads a topic: the sign by which a worker tells that
 * the others can read what it is about to write (R13).
 *
 * A thread asks for the group's description, which has each member's subscription: now and then,
 * and at once after a rebalance. A static member that starts again with another subscription makes
 * no rebalance, so the generation alone does not tell. Nobody else waits for the brokers.
 *
 *     group_watch_ask ──► thread ──► description ──► subscriptions ──► on_change
 *
 * Any thread, but for making and freeing.
 */
#pragma once

#include "base/arena.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

struct group_watch;

enum group_readers {
	GROUP_READERS_UNKNOWN, /* at first, and for some seconds of the first assignment at most */
	GROUP_READERS_ALL,
	GROUP_READERS_SOME, /* also where the brokers do not tell */
};

struct group_watch_settings {
	const char *group_id;              /* borrowed */
	const char *topic;                 /* borrowed: the sign */
	void (*on_change)(void *userdata); /* on the watch's thread */
	void *userdata;
};

struct group_watch *group_watch_new(const struct group_watch_settings *settings);
/* Starts the thread. Returns 0 or a negative errno. */
int group_watch_start(struct group_watch *watch) _must_check_;
void group_watch_free(struct group_watch *watch);
DEFINE_CLEANUP(struct group_watch, group_watch_free)

/* The client that is asked with; borrowed until the next one. NULL: none, after the former one is
 * in no use any more, for which this waits. */
void group_watch_use(struct group_watch *watch, rd_kafka_t *client);
/* This member got its partitions: the group is asked for now. */
void group_watch_ask(struct group_watch *watch);

/* Never waits for the brokers. */
enum group_readers group_watch_readers(const struct group_watch *watch);
/* How many members do not read the topic; -1: it is not known. */
int group_watch_others_count(const struct group_watch *watch);
/* Their names, with ", " between; "" where they are not known. Lives in the arena. */
const char *group_watch_others(struct group_watch *watch, struct arena *arena);

enum { GROUP_SUBSCRIPTION_E_MALFORMED = 1 };

/* Whether a member's metadata names the topic. Source: Kafka protocol guide, "ConsumerProtocol"
 * Subscription: version, topics. Returns 0, or GROUP_SUBSCRIPTION_E_MALFORMED. */
int group_subscription_has(const void *metadata, size_t len, const char *topic,
			   bool *out) _must_check_;
