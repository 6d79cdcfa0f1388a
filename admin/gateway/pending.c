#include "gateway/pending.h"

#include "base/clock.h"
#include "base/invariant.h"

#include <pthread.h>
#define uthash_malloc(size) x_malloc(size)
#include <uthash.h>
#include <utlist.h>

/* A tenant's share of the waiting requests; it exists while there are any. */
struct share {
	UT_hash_handle hh;
	size_t count;
	char tenant_id[];
};

struct waiting {
	UT_hash_handle hh;
	struct share *share;         /* the tenant's */
	struct waiting *prev, *next; /* in the order of arrival, which is that of the deadlines */
	int64_t deadline_ms;         /* monotonic */
	pending_fn done;
	void *userdata;
	size_t name_len;
	char name[]; /* tenant, NUL, command, NUL, request */
};

struct pending {
	pthread_mutex_t lock;
	struct waiting *by_name, *by_deadline; /* guarded by `lock` */
	struct share *shares;                  /* guarded by `lock` */
	size_t count, max;
	int64_t timeout_ms;
};

struct pending *pending_new(size_t max, int64_t timeout_ms) {
	struct pending *pending = x_calloc(1, sizeof(*pending));

	pthread_mutex_init(&pending->lock, NULL);
	pending->max = max;
	pending->timeout_ms = timeout_ms;
	return pending;
}

void pending_free(struct pending *pending) {
	invariant_with(pending->count == 0, "no request waits when the gateway has stopped",
		       "count=%zu", pending->count);
	pthread_mutex_destroy(&pending->lock);
	free(pending);
}

static struct waiting *entry_new(const char *tenant_id, const char *command_id,
				 const char *request_id) {
	size_t tenant_size = strlen(tenant_id) + 1, command_size = strlen(command_id) + 1,
	       request_len = strlen(request_id);
	struct waiting *entry =
	    x_calloc(1, sizeof(*entry) + tenant_size + command_size + request_len);

	memcpy(entry->name, tenant_id, tenant_size);
	memcpy(entry->name + tenant_size, command_id, command_size);
	memcpy(entry->name + tenant_size + command_size, request_id, request_len);
	entry->name_len = tenant_size + command_size + request_len;
	return entry;
}

/* --- Under the lock --- */

static struct share *find_or_add_share(struct pending *pending, const char *tenant_id) {
	size_t size = strlen(tenant_id) + 1;
	struct share *share;

	HASH_FIND_STR(pending->shares, tenant_id, share);
	if (share)
		return share;
	share = x_calloc(1, sizeof(*share) + size);
	memcpy(share->tenant_id, tenant_id, size);
	HASH_ADD_STR(pending->shares, tenant_id, share);
	return share;
}

static void release_share(struct pending *pending, struct share *share) {
	if (share->count)
		return;
	HASH_DEL(pending->shares, share);
	free(share);
}

static void remove_entry(struct pending *pending, struct waiting *entry) {
	HASH_DEL(pending->by_name, entry);
	DL_DELETE(pending->by_deadline, entry);
	pending->count--;
	entry->share->count--;
	release_share(pending, entry->share);
}

static struct waiting *find_entry(const struct pending *pending, const struct waiting *probe) {
	struct waiting *entry;

	HASH_FIND(hh, pending->by_name, probe->name, probe->name_len, entry);
	return entry;
}

/* Takes out the entry of that name; with `userdata`, only the entry of that. Returns NULL where
 * there is none. */
static struct waiting *take_entry(struct pending *pending, const char *tenant_id,
				  const char *command_id, const char *request_id,
				  const void *userdata) {
	struct waiting *probe = entry_new(tenant_id, command_id, request_id), *entry;

	pthread_mutex_lock(&pending->lock);
	entry = find_entry(pending, probe);
	if (entry && userdata && entry->userdata != userdata)
		entry = NULL;
	if (entry)
		remove_entry(pending, entry);
	pthread_mutex_unlock(&pending->lock);
	free(probe);
	return entry;
}

/* Call it under the lock. */
static int add_entry(struct pending *pending, struct waiting *entry) {
	struct share *share;

	if (find_entry(pending, entry))
		return PENDING_E_EXISTS;
	if (pending->count >= pending->max)
		return PENDING_E_FULL;
	share = find_or_add_share(pending, entry->name);
	if (share->count > pending->max - pending->count)
		return PENDING_E_FULL; /* the share stays, since it has other entries */
	share->count++;
	entry->share = share;
	entry->deadline_ms = clock_monotonic_ms() + pending->timeout_ms;
	HASH_ADD_KEYPTR(hh, pending->by_name, entry->name, entry->name_len, entry);
	DL_APPEND(pending->by_deadline, entry);
	pending->count++;
	return 0;
}

int pending_add(struct pending *pending, const struct command_envelope *envelope, pending_fn done,
		void *userdata) {
	struct waiting *entry =
	    entry_new(envelope->tenant_id, envelope->command_id, envelope->request_id);
	int r;

	entry->done = done;
	entry->userdata = userdata;
	pthread_mutex_lock(&pending->lock);
	r = add_entry(pending, entry);
	pthread_mutex_unlock(&pending->lock);
	if (r)
		free(entry);
	return r;
}

bool pending_cancel(struct pending *pending, const struct command_envelope *envelope,
		    const void *userdata) {
	struct waiting *entry = take_entry(pending, envelope->tenant_id, envelope->command_id,
					   envelope->request_id, userdata);
	bool was_there = entry;

	free(entry);
	return was_there;
}

void pending_settle(struct pending *pending, const struct analytic_event *outcome) {
	struct waiting *entry = outcome->request_id
				    ? take_entry(pending, outcome->tenant_id, outcome->command_id,
						 outcome->request_id, NULL)
				    : NULL;

	if (!entry)
		return;
	entry->done(entry->userdata, outcome);
	free(entry);
}

static struct waiting *take_expired(struct pending *pending, int64_t now_ms) {
	struct waiting *entry;

	pthread_mutex_lock(&pending->lock);
	entry = pending->by_deadline;
	if (entry && entry->deadline_ms > now_ms)
		entry = NULL;
	if (entry)
		remove_entry(pending, entry);
	pthread_mutex_unlock(&pending->lock);
	return entry;
}

void pending_expire(struct pending *pending, int64_t now_ms) {
	for (struct waiting *entry; (entry = take_expired(pending, now_ms));) {
		entry->done(entry->userdata, NULL);
		free(entry);
	}
}

size_t pending_count(struct pending *pending) {
	size_t count;

	pthread_mutex_lock(&pending->lock);
	count = pending->count;
	pthread_mutex_unlock(&pending->lock);
	return count;
}
