#include "delivery/scheduler_hosts.h"

#include "base/invariant.h"
#include "base/log.h"

#include <utlist.h>

static void free_host(struct scheduler_hosts *hosts, struct scheduler_host *host) {
	HASH_DEL(hosts->by_key, host);
	free(host->key);
	free(host);
}

static void leave_idle(struct scheduler_hosts *hosts, struct scheduler_host *host) {
	if (!host->is_idle)
		return;
	DL_DELETE(hosts->idle[host->state], host);
	hosts->idle_count[host->state]--;
	host->is_idle = false;
}

static void evict(struct scheduler_hosts *hosts, struct scheduler_host *host) {
	leave_idle(hosts, host);
	free_host(hosts, host);
}

static void enter_idle(struct scheduler_hosts *hosts, struct scheduler_host *host) {
	enum resolve_state state = host->is_resolved ? RESOLVE_DONE : host->state;

	if (hosts->idle_count[state] == SCHEDULER_IDLE_HOSTS_MAX)
		evict(hosts, hosts->idle[state]);
	DL_APPEND(hosts->idle[state], host);
	hosts->idle_count[state]++;
	host->state = state;
	host->is_idle = true;
	host->is_resolved = false;
}

void scheduler_hosts_destroy(struct scheduler_hosts *hosts) {
	for (int state = 0; state < RESOLVE_STATE_COUNT; state++)
		while (hosts->idle[state])
			evict(hosts, hosts->idle[state]);
	invariant_with(!hosts->by_key, "no host is in use at the end",
		       "host=%s in_flight=%d queues=%d", log_quote(hosts->by_key->key),
		       hosts->by_key->in_flight, hosts->by_key->queue_count);
}

struct scheduler_host *scheduler_hosts_get(struct scheduler_hosts *hosts,
					   const struct route *route) {
	struct scheduler_host *host;
	size_t len = strlen(route->host_key);
	unsigned hash = (unsigned)route->host_hash;

	HASH_FIND_BYHASHVALUE(hh, hosts->by_key, route->host_key, len, hash, host);
	if (!host) {
		host = x_calloc(1, sizeof(*host));
		host->state = RESOLVE_UNKNOWN;
		host->key = x_strdup(route->host_key);
		HASH_ADD_KEYPTR_BYHASHVALUE(hh, hosts->by_key, host->key, len, hash, host);
	}
	leave_idle(hosts, host);
	host->queue_count++;
	return host;
}

void scheduler_hosts_release_unused(struct scheduler_hosts *hosts, struct scheduler_host *host) {
	if (host->queue_count || host->in_flight)
		return;
	if (host->is_resolved || host->state != RESOLVE_UNKNOWN)
		enter_idle(hosts, host);
	else
		free_host(hosts, host);
}

void scheduler_hosts_put(struct scheduler_hosts *hosts, struct scheduler_host *host) {
	host->queue_count--;
	scheduler_hosts_release_unused(hosts, host);
}
