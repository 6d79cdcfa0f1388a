/* The look-ups of the handlers (domain/registry.h): a row's value, decoded. */
#include "replica/internal.h"

/* Binds a key of the changelog as ?1; decodes the row's value, if there is one. */
static int get_by_key(struct replica *replica, struct arena *arena, enum statement name, const struct state_key *key,
		      struct state_record *out) {
	_cleanup_(statement_resetp) sqlite3_stmt *statement = replica_statement(replica, name);
	int r;

	if (key->kind == STATE_DELIVERY) {
		bind_uuid(statement, 1, &key->id);
	} else {
		arena_reset(replica->scratch);
		bind_text(statement, 1, state_key_format(replica->scratch, key));
	}
	r = replica_step(replica, statement);
	if (r <= 0)
		return r ? r : REGISTRY_E_NOT_FOUND;
	return replica_decode(replica, arena, statement, 0, key->kind, out);
}

static int webhook_get(void *userdata, struct arena *arena, const char *tenant_id, const struct uuid *id, struct webhook *out) {
	struct state_key key = { .kind = STATE_WEBHOOK, .tenant_id = tenant_id, .id = *id };
	struct state_record record;
	int r = get_by_key(userdata, arena, STATEMENT_WEBHOOK_GET, &key, &record);

	if (!r)
		*out = record.webhook;
	return r;
}

static int receipt_get(void *userdata, struct arena *arena, const char *tenant_id, const char *command_id, struct receipt *out) {
	struct state_key key = { .kind = STATE_RECEIPT, .tenant_id = tenant_id, .name = command_id };
	struct state_record record;
	int r = get_by_key(userdata, arena, STATEMENT_RECEIPT_GET, &key, &record);

	if (!r)
		*out = record.receipt;
	return r;
}

static int delivery_get(void *userdata, struct arena *arena, const struct uuid *id, struct delivery *out) {
	struct replica *replica = userdata;
	struct state_key key = { .kind = STATE_DELIVERY, .id = *id };
	struct state_record record;
	size_t len;
	const void *value = young_get(replica->young, id, &len);
	int r = value ? replica_decode_value(replica, arena, value, len, STATE_DELIVERY, &record) :
			get_by_key(replica, arena, STATEMENT_DELIVERY_GET, &key, &record);

	if (!r)
		*out = record.delivery;
	return r;
}

static int webhook_list(void *userdata, struct arena *arena, const char *tenant_id, const struct cursor *after, size_t limit,
			struct webhook **out, size_t *count) {
	static const struct cursor start = { .created_at_ms = INT64_MIN };
	struct replica *replica = userdata;
	_cleanup_(statement_resetp) sqlite3_stmt *statement = replica_statement(replica, STATEMENT_WEBHOOK_LIST);
	size_t capacity = 0;
	int r;

	*out = NULL;
	*count = 0;
	if (!after)
		after = &start;
	bind_text(statement, 1, tenant_id);
	bind_int(statement, 2, after->created_at_ms);
	bind_uuid(statement, 3, &after->id);
	bind_int(statement, 4, (int64_t)limit);
	while ((r = replica_step(replica, statement)) > 0) {
		struct state_record record;

		r = replica_decode(replica, arena, statement, 0, STATE_WEBHOOK, &record);
		if (r)
			return r;
		*out = arena_grow(arena, *out, *count, &capacity, sizeof(**out));
		(*out)[(*count)++] = record.webhook;
	}
	return r;
}

static int signing_keys(void *userdata, struct arena *arena, const char *tenant_id, struct signing_key **out, size_t *count) {
	struct replica *replica = userdata;
	_cleanup_(statement_resetp) sqlite3_stmt *statement = replica_statement(replica, STATEMENT_SIGNING_KEY_LIST);
	size_t capacity = 0;
	int r;

	*out = NULL;
	*count = 0;
	bind_text(statement, 1, tenant_id);
	while ((r = replica_step(replica, statement)) > 0) {
		struct state_record record;

		r = replica_decode(replica, arena, statement, 0, STATE_SIGNING_KEY, &record);
		if (r)
			return r;
		*out = arena_grow(arena, *out, *count, &capacity, sizeof(**out));
		(*out)[(*count)++] = record.signing_key;
	}
	return r;
}

int replica_collect_deliveries(struct replica *replica, struct arena *arena, sqlite3_stmt *bound, struct delivery **out,
			       size_t *count) {
	_cleanup_(statement_resetp) sqlite3_stmt *statement = bound;
	size_t capacity = 0;
	int r;

	*out = NULL;
	*count = 0;
	while ((r = replica_step(replica, statement)) > 0) {
		struct state_record record;

		r = replica_decode(replica, arena, statement, 0, STATE_DELIVERY, &record);
		if (r)
			return r;
		*out = arena_grow(arena, *out, *count, &capacity, sizeof(**out));
		(*out)[(*count)++] = record.delivery;
	}
	return r;
}

static int delivery_dead(void *userdata, struct arena *arena, const struct uuid *webhook_id, int64_t since_ms, size_t limit,
			 struct delivery **out, size_t *count) {
	struct replica *replica = userdata;
	sqlite3_stmt *statement = replica_statement(replica, STATEMENT_DELIVERY_DEAD);

	bind_uuid(statement, 1, webhook_id);
	bind_int(statement, 2, since_ms);
	bind_int(statement, 3, (int64_t)limit);
	return replica_collect_deliveries(replica, arena, statement, out, count);
}

void registry_init(struct registry *registry, struct replica *replica) {
	*registry = (struct registry){
		.userdata = replica,
		.webhook_get = webhook_get,
		.webhook_list = webhook_list,
		.receipt_get = receipt_get,
		.signing_keys = signing_keys,
		.delivery_get = delivery_get,
		.delivery_dead = delivery_dead,
	};
}
