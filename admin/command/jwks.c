#include "base/clock.h"
#include "command/call.h"
#include "command/state_fold.h"
#include "command/signing_keys.h"
#include "kafka/reader.h"
#include "kafka/topics.h"
#include "signature/jwk.h"

#include <stdio.h>

enum { JWKS_MAX = 1024 * 1024 };

static const struct flag rotate_flags[] = { ENVELOPE_FLAGS, { 0 } };

static void print_jwks(const struct signing_keys *keys) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(JWKS_MAX);

	buffer_append_string(&out, "{\"keys\":[");
	for (size_t i = 0; i < keys->count; i++) {
		if (i)
			buffer_append_char(&out, ',');
		jwk_append(&out, keys->items[i].x, keys->items[i].kid);
	}
	buffer_append_string(&out, "]}\n");
	fwrite(out.data, 1, out.len, stdout);
}

struct key_filter {
	const char *prefix; /* key/<tenant>/ */
	struct state_fold *fold;
};

/* Of a changelog with millions of deliveries, only the tenant's keys are kept. */
static enum admin_status take(void *userdata, const struct record *record) {
	const struct key_filter *filter = userdata;
	const struct state_fold_key key = { .partition = record->partition, .bytes = record->key, .len = record->key_len };
	size_t prefix_len = strlen(filter->prefix);

	if (key.len >= prefix_len && !memcmp(key.bytes, filter->prefix, prefix_len))
		state_fold_apply(filter->fold, &key, record->value, record->len);
	return ADMIN_OK;
}

static enum admin_status fold_keys(const struct invocation *invocation, struct arena *arena, struct state_fold *fold) {
	_cleanup_(x_freep) char *topic = topic_name(invocation->config, TOPIC_STATE);
	const struct state_key key = { .kind = STATE_SIGNING_KEY, .tenant_id = invocation->tenant, .name = "" };
	struct key_filter filter = { .prefix = state_key_format(arena, &key), .fold = fold };
	const struct reader_options options = {
		.topic = topic, .key = invocation->tenant, .start = READER_FROM_BEGINNING, .timeout_ms = invocation->timeout_ms
	};
	_cleanup_(reader_closep) struct reader *reader = NULL;
	enum admin_status status = reader_open(invocation->config, &options, &reader);

	return status ? status : reader_walk(reader, invocation->timeout_ms, take, &filter);
}

static enum admin_status show(const struct invocation *invocation) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(codec_freep) struct codec *codec = open_codec(invocation->config);
	_cleanup_(state_fold_freep) struct state_fold *fold = state_fold_new();
	struct signing_keys keys;
	enum admin_status status;

	if (!codec)
		return ADMIN_USAGE;
	status = fold_keys(invocation, arena, fold);
	if (status)
		return status;
	signing_keys_take(&keys, arena, codec, fold, clock_wall_ms());
	print_jwks(&keys);
	return keys.unreadable ? ADMIN_REFUSED : ADMIN_OK;
}

static enum admin_status rotate(const struct invocation *invocation) {
	return call_and_show(invocation, &(struct command){ .operation = OPERATION_ROTATE_SIGNING_KEY });
}

const struct subcommand jwks_subcommands[] = {
	{
		.family = "jwks",
		.verb = "show",
		.summary = "print a tenant's public keys as a JWK set, the signing one first",
		.details = "All keys that may still verify a callback, from the changelog; the same with and without --json.\n",
		.examples = "jwks show --tenant acme\n",
		.needs_tenant = true,
		.needs = CONFIG_NEED_KAFKA,
		.run = show,
	},
	{
		.family = "jwks",
		.verb = "rotate",
		.summary = "sign with a new key from now on; the old one stays listed for signing.key.overlap",
		.examples = "jwks rotate --tenant acme\n",
		.flags = rotate_flags,
		.needs_tenant = true,
		.needs = CONFIG_NEED_KAFKA,
		.run = rotate,
	},
	{ 0 },
};
