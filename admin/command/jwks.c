#include "base/clock.h"
#include "changelog/signing_keys.h"
#include "changelog/state_read.h"
#include "command/call.h"
#include "kafka/record_codec.h"
#include "terminal/output.h"

#include <stdio.h>

enum { JWKS_MAX = 1024 * 1024 };

static const struct flag rotate_flags[] = { ENVELOPE_FLAGS, { 0 } };

static enum admin_status print_jwks(const struct signing_keys *keys) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(JWKS_MAX);

	signing_keys_append_jwks(&out, keys);
	return terminal_print_buffer(stdout, "jwks show", &out);
}

/* Keeps only the tenant's keys of a changelog that may have millions of deliveries. `userdata` is
 * the prefix key/<tenant>/. */
static bool is_key_of_tenant(void *userdata, struct record *record) {
	const char *prefix = userdata;

	return record->key_len >= strlen(prefix) && !memcmp(record->key, prefix, strlen(prefix));
}

static enum admin_status fold_keys(const struct invocation *invocation, struct arena *arena,
				   struct state_fold *fold) {
	const struct state_key key = { .kind = STATE_SIGNING_KEY,
				       .tenant_id = invocation->tenant,
				       .name = "" };
	const struct state_read_options options = { .tenant_id = invocation->tenant,
						    .wanted = is_key_of_tenant,
						    .userdata = state_key_format(arena, &key),
						    .timeout_ms = invocation->timeout_ms };

	return state_read(invocation->config, &options, fold);
}

static enum admin_status show_jwks(const struct invocation *invocation) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(codec_freep) struct codec *codec = record_codec_new(invocation->config);
	_cleanup_(state_fold_freep) struct state_fold *fold = state_fold_new();
	struct signing_keys keys;
	enum admin_status status;

	if (!codec)
		return ADMIN_USAGE;
	status = fold_keys(invocation, arena, fold);
	if (status)
		return status;
	signing_keys_take(&keys, arena, codec, fold, clock_wall_ms());
	status = print_jwks(&keys);
	return !status && keys.unreadable ? ADMIN_REFUSED : status;
}

static enum admin_status rotate_key(const struct invocation *invocation) {
	return call_and_show(invocation,
			     &(struct command){ .operation = OPERATION_ROTATE_SIGNING_KEY });
}

const struct subcommand jwks_subcommands[] = {
	{
	    .family = "jwks",
	    .verb = "show",
	    .summary = "print a tenant's public keys as a JWK set, the signing one first",
	    .details = "All keys that may still verify a callback, from the changelog; the same "
		       "with and without --json. A replaced key stays\n"
		       "listed for signing.key.overlap.\n",
	    .examples = "jwks show --tenant acme\n",
	    .needs_tenant = true,
	    .needs = CONFIG_NEED_KAFKA,
	    .run = show_jwks,
	},
	{
	    .family = "jwks",
	    .verb = "rotate",
	    .summary =
		"sign with a new key from now on; the old one stays listed for signing.key.overlap",
	    .details = "Further attempts of pending deliveries are signed with the new key, too. "
		       "It is derived from the worker's first master\n"
		       "key. Callbacks that were sent with the old key verify for as long as it is "
		       "listed.\n",
	    .examples = "jwks rotate --tenant acme\n"
			"jwks rotate --tenant acme --json\n",
	    .flags = rotate_flags,
	    .needs_tenant = true,
	    .needs = CONFIG_NEED_KAFKA,
	    .run = rotate_key,
	},
	{ 0 },
};
