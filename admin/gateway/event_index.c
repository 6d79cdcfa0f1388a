#include "gateway/event_index.h"

#include "avro/json.h"
#include "base/clock.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <pthread.h>
#define uthash_malloc(size) x_malloc(size)
#include <uthash.h>
#include <utlist.h>

struct tenant;

struct indexed {
	struct indexed *prev, *next;               /* of all, the oldest first */
	struct indexed *tenant_prev, *tenant_next; /* of the tenant's, the oldest first */
	struct tenant *tenant;
	const char *type; /* static */
	int64_t timestamp_ms, offset;
	size_t len;
	char text[];
};

struct tenant {
	UT_hash_handle hh;
	struct indexed *events;
	size_t bytes;
	int64_t complete_since_ms;
	char id[];
};

struct event_index {
	pthread_mutex_t lock;
	struct tenant *tenants;
	struct indexed *events;
	size_t bytes;
	int64_t complete_since_ms; /* for tenants without an entry */
	struct buffer scratch;
};

struct event_index *event_index_new(int64_t now_ms) {
	struct event_index *index = x_calloc(1, sizeof(*index));

	pthread_mutex_init(&index->lock, NULL);
	index->complete_since_ms = now_ms;
	index->scratch = BUFFER_INIT(EVENT_BYTES_MAX);
	return index;
}

static struct tenant *tenant_find(struct event_index *index, const char *id) {
	struct tenant *tenant;

	HASH_FIND_STR(index->tenants, id, tenant);
	return tenant;
}

static struct tenant *tenant_add(struct event_index *index, const char *id) {
	size_t len = strlen(id);
	struct tenant *tenant = x_calloc(1, sizeof(*tenant) + len + 1);

	memcpy(tenant->id, id, len);
	tenant->complete_since_ms = index->complete_since_ms;
	HASH_ADD_KEYPTR(hh, index->tenants, tenant->id, len, tenant);
	return tenant;
}

static size_t size_of(const struct indexed *event) {
	return sizeof(*event) + event->len;
}

static void drop(struct event_index *index, struct indexed *event) {
	struct tenant *tenant = event->tenant;

	index->bytes -= size_of(event);
	tenant->bytes -= size_of(event);
	tenant->complete_since_ms = MAX(tenant->complete_since_ms, event->timestamp_ms + 1);
	DL_DELETE(index->events, event);
	DL_DELETE2(tenant->events, event, tenant_prev, tenant_next);
	free(event);
	if (tenant->events)
		return;
	index->complete_since_ms = MAX(index->complete_since_ms, tenant->complete_since_ms);
	HASH_DEL(index->tenants, tenant);
	free(tenant);
}

void event_index_free(struct event_index *index) {
	while (index->events)
		drop(index, index->events);
	buffer_destroy(&index->scratch);
	pthread_mutex_destroy(&index->lock);
	free(index);
}

/* Renders into `scratch`. */
static void render(struct event_index *index, const struct analytic_event *event) {
	struct analytic_event shortened = *event;

	buffer_clear(&index->scratch);
	json_append_event(&index->scratch, event);
	if (!index->scratch.overflowed)
		return;
	shortened.data = (struct event_data){ .kind = EVENT_DATA_NONE };
	buffer_clear(&index->scratch);
	json_append_event(&index->scratch, &shortened);
}

static struct indexed *indexed_new(const struct event_index *index,
				   const struct analytic_event *event, int64_t offset) {
	struct indexed *indexed = x_calloc(1, sizeof(*indexed) + index->scratch.len);

	indexed->type = analytic_event_type(event->subject, event->step);
	indexed->timestamp_ms = event->timestamp_ms;
	indexed->offset = offset;
	indexed->len = index->scratch.len;
	memcpy(indexed->text, index->scratch.data, indexed->len);
	return indexed;
}

static void add(struct event_index *index, const struct analytic_event *event, int64_t offset) {
	struct tenant *tenant = tenant_find(index, event->tenant_id);
	struct indexed *indexed;

	render(index, event);
	if (index->scratch.overflowed)
		return; /* its identifiers are longer than a command may have */
	tenant = tenant ? tenant : tenant_add(index, event->tenant_id);
	indexed = indexed_new(index, event, offset);
	indexed->tenant = tenant;
	DL_APPEND(index->events, indexed);
	DL_APPEND2(tenant->events, indexed, tenant_prev, tenant_next);
	index->bytes += size_of(indexed);
	tenant->bytes += size_of(indexed);
	/* Keeps the new event, since one event is less than either bound. */
	while (tenant->bytes > EVENT_INDEX_TENANT_BYTES_MAX)
		drop(index, tenant->events);
	while (index->bytes > EVENT_INDEX_BYTES_MAX)
		drop(index, index->events);
}

void event_index_add(struct event_index *index, const struct analytic_event *event,
		     int64_t offset) {
	pthread_mutex_lock(&index->lock);
	add(index, event, offset);
	pthread_mutex_unlock(&index->lock);
}

static bool is_wanted(const struct indexed *event, const struct event_query *query) {
	return event->offset < query->before && event->timestamp_ms >= query->from_ms &&
	       event->timestamp_ms < query->to_ms &&
	       (!query->type || !fnmatch(query->type, event->type, FNM_NOESCAPE));
}

/* Walks from the newest, the head's `prev`, to the head. */
static void append_events(const struct tenant *tenant, const struct event_query *query,
			  struct buffer *out) {
	const struct indexed *event = tenant && tenant->events ? tenant->events->tenant_prev : NULL,
			     *last = NULL;
	size_t count = 0;

	for (; event; event = event == tenant->events ? NULL : event->tenant_prev) {
		if (!is_wanted(event, query))
			continue;
		if (count == query->limit || out->len + event->len > EVENT_PAGE_BYTES_MAX / 2)
			break;
		buffer_append_string(out, count++ ? "," : "");
		buffer_append(out, event->text, event->len);
		last = event;
	}
	buffer_append_char(out, ']');
	if (event && last)
		buffer_printf(out, ",\"nextCursor\":\"%" PRId64 "\"", last->offset);
}

void event_index_query(struct event_index *index, const struct event_query *query,
		       struct buffer *out) {
	const struct tenant *tenant;
	char since[CLOCK_ISO8601_SIZE];

	buffer_append_string(out, "{\"data\":[");
	pthread_mutex_lock(&index->lock);
	tenant = tenant_find(index, query->tenant_id);
	append_events(tenant, query, out);
	clock_format_iso8601(tenant ? tenant->complete_since_ms : index->complete_since_ms, since);
	pthread_mutex_unlock(&index->lock);
	buffer_printf(out, ",\"completeSince\":\"%s\"}", since);
}

size_t event_index_bytes(struct event_index *index) {
	size_t bytes;

	pthread_mutex_lock(&index->lock);
	bytes = index->bytes;
	pthread_mutex_unlock(&index->lock);
	return bytes;
}
