/*
 * The shards of a delivery thread: which host's is which, which of them have something to do, and
 * how many connections they keep.
 */
#pragma once

#include "delivery/descriptors.h"
#include "delivery/route.h"
#include "delivery/shard.h"

struct shard_set {
	struct shard items[DESCRIPTORS_SHARDS_MAX];
	int count;
	int connections_max; /* of all of them */
	bool is_shedding;    /* each keeps no more than its part of that */
	uint64_t touched;    /* those that may have results, a bit each */
};

void shard_set_init(struct shard_set *set, int count, int connections_max, struct sockets *sockets);
/* As shard_destroy. */
void shard_set_destroy(struct shard_set *set);

/* The shard of the route's host, of a thread among `thread_count`. */
struct shard *shard_set_find(struct shard_set *set, const struct route *route, int thread_count);

/* EPOLLIN | EPOLLOUT events of a socket of the shard `index`. */
void shard_set_handle_events(struct shard_set *set, uint8_t index, int fd, uint32_t events);
/* The earliest deadline (monotonic), or SHARD_NO_DEADLINE. */
int64_t shard_set_next_deadline_us(const struct shard_set *set);
/* Serves the shards whose deadline is past. */
void shard_set_handle_deadlines(struct shard_set *set, int64_t now_us);
/* A shard that may have results, each once after something happened in it; NULL: there is none. */
struct shard *shard_set_next_touched(struct shard_set *set);

/* Shedding: closes idle connections while too many sockets are open. */
void shard_set_shed_connections(struct shard_set *set, int open_count);
