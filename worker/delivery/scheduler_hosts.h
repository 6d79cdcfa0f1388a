/*
 * The hosts of a delivery thread's webhooks: how many jobs are in flight to each, and whether its
 * name resolves. A host without webhooks is idle; it is kept for a while, for its resolve state.
 */
#pragma once

#include "base/hash.h"
#include "delivery/route.h"

struct scheduler_queue;

/* The end of the last look-up of a host's name, from before it was idle. */
enum resolve_state { RESOLVE_FAILED, RESOLVE_UNKNOWN, RESOLVE_DONE, RESOLVE_STATE_COUNT };

/* Idle hosts that are kept, of each resolve state; the least recently used one is evicted. */
enum { SCHEDULER_IDLE_HOSTS_MAX = 4096 };

struct scheduler_host {
	char *key; /* owned; "host:port" */
	int in_flight;
	int queue_count;  /* queues that lead to it */
	bool is_resolved; /* a transfer to it has an address, since it was last idle */
	bool is_idle;
	enum resolve_state state;
	int64_t connections_since_us;       /* monotonic: older ones are not used; 0: all are */
	struct scheduler_queue *waiting;    /* list: queues that wait for room on it */
	struct scheduler_host *prev, *next; /* of the list of idle ones */
	UT_hash_handle hh;
};

struct scheduler_hosts {
	struct scheduler_host *by_key;
	struct scheduler_host *idle[RESOLVE_STATE_COUNT]; /* lists; the least recently used first */
	int idle_count[RESOLVE_STATE_COUNT];
};

/* Evicts the idle ones; aborts where others are left. */
void scheduler_hosts_destroy(struct scheduler_hosts *hosts);

/* The host of a route, for one more queue. */
struct scheduler_host *scheduler_hosts_get(struct scheduler_hosts *hosts,
					   const struct route *route);
/* One queue less leads to it. */
void scheduler_hosts_put(struct scheduler_hosts *hosts, struct scheduler_host *host);
/* Makes the host idle, or frees it, where no queue leads to it and nothing is in flight to it. */
void scheduler_hosts_release_unused(struct scheduler_hosts *hosts, struct scheduler_host *host);
