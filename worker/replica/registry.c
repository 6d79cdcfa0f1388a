/* The look-ups of the handlers (domain/registry.h): a row's value, decoded. */
#include "replica/row.h"

/* Binds the text of a key of the changelog as ?1 and decodes the value of its row. Returns 0,
 * REGISTRY_E_NOT_FOUND, or -EIO. */
static int get_by_text(struct replica *replica, struct arena *arena, enum statement name,
		       const char *text, enum state_kind kind, struct state_record *out) {
	_cleanup_(statement_resetp) sqlite3_stmt *statement = replica_statement(replica, name);
	int r;

	bind_text(statement, 1, text);
	r = row_step(replica, statement);
	if (r <= 0)
		return r ? r : REGISTRY_E_NOT_FOUND;
	return row_decode(replica, arena, statement, 0, kind, out);
}

static int get_by_key(struct replica *replica, struct arena *arena, enum statement name,
		      const struct state_key *key, struct state_record *out) {
	arena_reset(replica->scratch);
	return get_by_text(replica, arena, name, state_key_format(replica->scratch, key), key->kind,
			   out);
}

static int webhook_get(void *userdata, struct arena *arena, const char *tenant_id,
		       const struct uuid *id, struct webhook *out) {
	struct state_key key = { .kind = STATE_WEBHOOK, .tenant_id = tenant_id, .id = *id };
	struct state_record record;
	int r = get_by_key(userdata, arena, STATEMENT_WEBHOOK_GET, &key, &record);

	if (!r)
		*out = record.webhook;
	return r;
}

static int receipt_get(void *userdata, struct arena *arena, const char *tenant_id,
		       const char *command_id, struct receipt *out) {
	struct replica *replica = userdata;
	struct state_key key = { .kind = STATE_RECEIPT,
				 .tenant_id = tenant_id,
				 .name = command_id };
	const struct unflushed_row *unflushed;
	struct state_record record;
	const char *text;
	int r;

	arena_reset(replica->scratch);
	text = state_key_format(replica->scratch, &key);
	unflushed =
	    unflushed_get(replica->unflushed, &(struct unflushed_key){ text, strlen(text) });
	r = unflushed
		? row_decode_value(replica, arena, unflushed->value, unflushed->len, STATE_RECEIPT,
				   &record)
		: get_by_text(replica, arena, STATEMENT_RECEIPT_GET, text, STATE_RECEIPT, &record);
	if (!r)
		*out = record.receipt;
	return r;
}

static int webhook_list(void *userdata, struct arena *arena, const char *tenant_id,
			const struct webhook_query *query, struct webhook_list *out) {
	static const struct cursor start = { .created_at_ms = INT64_MIN };
	const struct cursor *after = query->after ? query->after : &start;
	struct replica *replica = userdata;
	_cleanup_(statement_resetp) sqlite3_stmt *statement =
	    replica_statement(replica, STATEMENT_WEBHOOK_LIST);
	size_t capacity = 0, bytes = 0;
	int r;

	*out = (struct webhook_list){ 0 };
	bind_text(statement, 1, tenant_id);
	bind_int(statement, 2, after->created_at_ms);
	bind_uuid(statement, 3, &after->id);
	while ((r = row_step(replica, statement)) > 0) {
		struct state_record record;

		out->has_more = out->count >= query->limit || bytes >= query->bytes_max;
		if (out->has_more)
			return 0;
		r = row_decode(replica, arena, statement, 0, STATE_WEBHOOK, &record);
		if (r)
			return r;
		bytes += (size_t)sqlite3_column_bytes(statement, 0);
		out->items =
		    arena_grow(arena, out->items, out->count, &capacity, sizeof(*out->items));
		out->items[out->count++] = record.webhook;
	}
	return r;
}

static int webhook_count(void *userdata, const char *tenant_id, int64_t *out) {
	struct replica *replica = userdata;
	_cleanup_(statement_resetp) sqlite3_stmt *statement =
	    replica_statement(replica, STATEMENT_WEBHOOK_COUNT);
	int r;

	bind_text(statement, 1, tenant_id);
	r = row_step(replica, statement);
	*out = r > 0 ? sqlite3_column_int64(statement, 0) : 0;
	return MIN(r, 0);
}

/* A walk over a tenant's subscribers. */
struct walk {
	struct replica *replica;
	const char *tenant_id;
	const struct subscriber_query *query;
	struct arena *arena;   /* of the answer */
	struct arena *scratch; /* owned: what the present one borrows; NULL until one does */
	size_t walked;
	struct subscriber *taken;
	size_t taken_count, taken_capacity;
	/* All that were met, in the arena, as long as so many may be kept. */
	struct subscriber *met;
	size_t met_count, met_capacity, met_bytes;
};

/* Reads the rest of the webhook, where there is more of it than its types: the types alone stand in
 * the index. */
static int read_more(struct walk *walk, struct subscriber *out) {
	struct webhook webhook;
	int r;

	if (!(out->types & SUBSCRIBER_HAS_MORE))
		return 0;
	if (!walk->scratch)
		walk->scratch = arena_new();
	arena_reset(walk->scratch);
	r = webhook_get(walk->replica, walk->scratch, walk->tenant_id, &out->webhook_id, &webhook);
	if (r == 0)
		subscriber_add_more(out, walk->scratch, &webhook);
	return r == REGISTRY_E_NOT_FOUND
		   ? row_fail_damaged(walk->replica, "look up", "no such webhook")
		   : r;
}

static void ask(struct walk *walk, const struct subscriber *subscriber) {
	walk->walked++;
	if (!walk->query->takes(walk->query->userdata, subscriber))
		return;
	walk->taken = arena_grow(walk->arena, walk->taken, walk->taken_count, &walk->taken_capacity,
				 sizeof(*walk->taken));
	walk->taken[walk->taken_count++] = (struct subscriber){
		.webhook_id = subscriber->webhook_id,
		.types = subscriber->types,
	};
}

static bool is_over(const struct walk *walk) {
	const struct subscriber_query *query = walk->query;

	return walk->taken_count == query->limit ||
	       (query->walked_max > 0 && walk->walked == query->walked_max);
}

/* Only of all subscribers. */
static bool may_be_kept(const struct walk *walk) {
	return walk->replica->lock_fd >= 0 && !walk->query->of_notices &&
	       subscriber_cache_takes(walk->replica->subscribers, walk->met_bytes);
}

static void meet(struct walk *walk, const struct subscriber *subscriber) {
	walk->met_bytes += subscriber_cache_bytes_of(subscriber);
	if (!may_be_kept(walk))
		return;
	walk->met = arena_grow(walk->arena, walk->met, walk->met_count, &walk->met_capacity,
			       sizeof(*walk->met));
	walk->met[walk->met_count] = *subscriber;
	if (subscriber->types & SUBSCRIBER_HAS_MORE)
		subscriber_copy_more(&walk->met[walk->met_count], walk->arena);
	walk->met_count++;
}

/* The highest bit is that of who takes notices. */
static unsigned least_types(const struct subscriber_query *query) {
	return query->of_notices ? SUBSCRIBER_TAKES_NOTICES : 0;
}

static int walk_rows(struct walk *walk) {
	_cleanup_(statement_resetp) sqlite3_stmt *statement =
	    replica_statement(walk->replica, STATEMENT_SUBSCRIBERS);
	int r;

	bind_text(statement, 1, walk->tenant_id);
	bind_int(statement, 2, least_types(walk->query));
	while ((r = row_step(walk->replica, statement)) > 0) {
		struct subscriber subscriber = {
			.types = (unsigned)sqlite3_column_int(statement, 1),
		};

		r = row_column_uuid(walk->replica, statement, 0, &subscriber.webhook_id);
		if (r == 0)
			r = read_more(walk, &subscriber);
		if (r)
			return r;
		meet(walk, &subscriber);
		ask(walk, &subscriber);
		if (is_over(walk))
			return 0;
	}
	if (r == 0 && may_be_kept(walk))
		subscriber_cache_put(walk->replica->subscribers, walk->tenant_id,
				     &(struct subscriber_list){ walk->met, walk->met_count });
	return r;
}

static void walk_kept(struct walk *walk, const struct subscriber_list *kept) {
	for (size_t i = 0; i < kept->count && !is_over(walk); i++)
		if (kept->items[i].types >= least_types(walk->query))
			ask(walk, &kept->items[i]);
}

/* Of a file that another process writes nothing is kept. */
static int subscribers(void *userdata, struct arena *arena, const char *tenant_id,
		       const struct subscriber_query *query, struct subscriber **out,
		       size_t *count) {
	struct replica *replica = userdata;
	const struct subscriber_list *kept = subscriber_cache_get(replica->subscribers, tenant_id);
	struct walk walk = {
		.replica = replica, .tenant_id = tenant_id, .query = query, .arena = arena
	};
	int r = 0;

	if (kept)
		walk_kept(&walk, kept);
	else
		r = walk_rows(&walk);
	arena_free(walk.scratch);
	*out = walk.taken;
	*count = walk.taken_count;
	return r;
}

static int signing_key_newest(void *userdata, struct arena *arena, const char *tenant_id,
			      struct signing_key *out) {
	struct replica *replica = userdata;
	_cleanup_(statement_resetp) sqlite3_stmt *statement =
	    replica_statement(replica, STATEMENT_SIGNING_KEY_NEWEST);
	struct state_record record;
	int r;

	bind_text(statement, 1, tenant_id);
	r = row_step(replica, statement);
	if (r <= 0)
		return r ? r : REGISTRY_E_NOT_FOUND;
	r = row_decode(replica, arena, statement, 0, STATE_SIGNING_KEY, &record);
	if (!r)
		*out = record.signing_key;
	return r;
}

static int signing_key_count(void *userdata, const char *tenant_id, int64_t now_ms, size_t limit,
			     size_t *out) {
	struct replica *replica = userdata;
	_cleanup_(statement_resetp) sqlite3_stmt *statement =
	    replica_statement(replica, STATEMENT_SIGNING_KEY_EXPIRIES);
	int r;

	*out = 0;
	bind_text(statement, 1, tenant_id);
	bind_int(statement, 2, (int64_t)limit);
	while ((r = row_step(replica, statement)) > 0) {
		int64_t expires_at_ms = sqlite3_column_int64(statement, 0);

		*out += expires_at_ms == 0 || expires_at_ms > now_ms;
	}
	return r;
}

void replica_registry_init(struct registry *registry, struct replica *replica) {
	*registry = (struct registry){
		.userdata = replica,
		.webhook_get = webhook_get,
		.webhook_list = webhook_list,
		.receipt_get = receipt_get,
		.webhook_count = webhook_count,
		.subscribers = subscribers,
		.signing_key_newest = signing_key_newest,
		.signing_key_count = signing_key_count,
		.delivery_find = replica_delivery_find,
		.delivery_get = replica_delivery_get,
		.delivery_ended = replica_delivery_ended,
	};
}

const struct registry *replica_registry(struct replica *replica) {
	return &replica->registry;
}
