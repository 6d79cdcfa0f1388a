/*
 * Keys of the changelog: a key that is read is written as it was, so that no record has two keys;
 * and any names of tenants and commands come back from their key.
 */
#include "base/utf8.h"
#include "domain/state.h"
#include "fuzz.h"

static bool is_same(const char *a, const char *b) {
	return a && b ? !strcmp(a, b) : a == b;
}

static bool is_same_key(const struct state_key *a, const struct state_key *b) {
	return a->kind == b->kind && is_same(a->tenant_id, b->tenant_id) &&
	       is_same(a->name, b->name) && !uuid_compare(&a->id, &b->id);
}

static void check_read(struct arena *arena, const uint8_t *data, size_t size) {
	struct state_key key;
	const char *text;

	if (state_key_parse(arena, (const char *)data, size, &key))
		return;
	text = state_key_format(arena, &key);
	CHECK(strlen(text) == size && !memcmp(text, data, size));
}

static void check_written(struct arena *arena, const struct state_key *key) {
	const char *text = state_key_format(arena, key);
	struct state_key again;

	CHECK(!state_key_parse(arena, text, strlen(text), &again));
	CHECK(is_same_key(key, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct fuzz_input input = FUZZ_INPUT(data, size);
	_cleanup_(x_freep) char *tenant_id = fuzz_take_line(&input), *name = fuzz_take_line(&input);
	struct uuid id = { 0 };

	check_read(arena, data, size);
	/* What reaches a key has been through the check of a record: UTF-8, and not empty. */
	if (!*tenant_id || !*name || !utf8_is_text(tenant_id, strlen(tenant_id)) ||
	    !utf8_is_text(name, strlen(name)))
		return 0;
	memcpy(&id, name, strlen(name) < sizeof(id) ? strlen(name) : sizeof(id));
	check_written(
	    arena, &(struct state_key){ .kind = STATE_WEBHOOK, .tenant_id = tenant_id, .id = id });
	check_written(arena, &(struct state_key){
				 .kind = STATE_SIGNING_KEY, .tenant_id = tenant_id, .name = name });
	check_written(arena, &(struct state_key){ .kind = STATE_DELIVERY, .id = id });
	check_written(arena, &(struct state_key){
				 .kind = STATE_RECEIPT, .tenant_id = tenant_id, .name = name });
	return 0;
}
