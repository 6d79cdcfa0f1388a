#include "delivery/shard_set.h"

#include "base/memory.h"

static void limit_connections(struct shard_set *set, long per_shard) {
	for (int i = 0; i < set->count; i++)
		shard_keep_connections(&set->items[i], per_shard);
}

void shard_set_init(struct shard_set *set, int count, int connections_max,
		    struct sockets *sockets) {
	*set = (struct shard_set){ .count = count, .connections_max = connections_max };
	for (int i = 0; i < count; i++)
		shard_init(&set->items[i], (uint8_t)i, sockets);
	limit_connections(set, connections_max);
}

void shard_set_destroy(struct shard_set *set) {
	for (int i = 0; i < set->count; i++)
		shard_destroy(&set->items[i]);
}

struct shard *shard_set_find(struct shard_set *set, const struct route *route, int thread_count) {
	return &set->items[route->host_hash / (unsigned)thread_count % (unsigned)set->count];
}

static void touch(struct shard_set *set, int index) {
	set->touched |= UINT64_C(1) << index;
}

void shard_set_handle_events(struct shard_set *set, uint8_t index, int fd, uint32_t events) {
	shard_handle_events(&set->items[index], fd, events);
	touch(set, index);
}

int64_t shard_set_next_deadline_us(const struct shard_set *set) {
	int64_t next_us = SHARD_NO_DEADLINE;

	for (int i = 0; i < set->count; i++)
		next_us = MIN(next_us, set->items[i].deadline_us);
	return next_us;
}

void shard_set_handle_deadlines(struct shard_set *set, int64_t now_us) {
	for (int i = 0; i < set->count; i++) {
		if (set->items[i].deadline_us > now_us)
			continue;
		shard_handle_deadline(&set->items[i]);
		touch(set, i);
	}
}

struct shard *shard_set_next_touched(struct shard_set *set) {
	int index;

	if (!set->touched)
		return NULL;
	index = __builtin_ctzll(set->touched);
	set->touched &= set->touched - 1;
	return &set->items[index];
}

/*
 * A new connection costs several times as much as a request. So a host may keep all that it was
 * allowed to open, at whatever others have in its shard, until descriptors get scarce: when three
 * quarters are open. Curl closes what a shard has too much only as its transfers end, and a shard
 * that has none keeps all. So the shards share the last quarter, until half is open.
 */
void shard_set_shed_connections(struct shard_set *set, int open_count) {
	bool is_scarce = open_count > set->connections_max / 4 * 3,
	     is_ample = open_count < set->connections_max / 2;

	if (is_scarce && !set->is_shedding)
		limit_connections(set, MAX(set->connections_max / 4 / set->count, 1));
	else if (is_ample && set->is_shedding)
		limit_connections(set, set->connections_max);
	set->is_shedding = is_scarce || (set->is_shedding && !is_ample);
}
