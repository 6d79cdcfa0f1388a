#include "pipeline/handler_keys.h"

#include "base/arena.h"
#include "signature/header_seal.h"
#include "signature/signer.h"
#include "signature/webhook_secret.h"

#include <assert.h>
#include <sodium.h>

static_assert(WEBHOOK_SEALED_KEY_ID_LEN - MASTER_KEY_ID_LEN == 0, "a seal begins with it");
static_assert(PUBLIC_KEY_LEN - BOX_KEY_LEN == 0, "a public key of a box");

static void derive_key(void *userdata, struct arena *arena, const char *tenant_id, int32_t epoch,
		       struct signing_key *out) {
	const struct master_key *master = master_keys_first(userdata);
	_cleanup_(signer_unrefp) struct signer *signer = signer_derive(master, tenant_id, epoch);

	out->kid = arena_strdup(arena, signer_kid(signer));
	memcpy(out->x, signer_public_key(signer), sizeof(out->x));
	out->master_key_id = master_key_id(master);
}

static const char *newest_id(void *userdata) {
	return master_key_id(master_keys_first(userdata));
}

static void seal(void *userdata, struct arena *arena, const struct webhook *webhook,
		 const char *value, size_t len, struct webhook_header *header) {
	const struct header_place place = { webhook->tenant_id, &webhook->id, header->name };
	uint8_t *sealed = arena_alloc(arena, len + HEADER_SEAL_OVERHEAD);

	header_seal(master_keys_first(userdata), &place, value, len, sealed);
	header->sealed = sealed;
	header->sealed_len = len + HEADER_SEAL_OVERHEAD;
}

static void seal_header(void *userdata, struct arena *arena, const struct webhook *webhook,
			const char *value, struct webhook_header *header) {
	seal(userdata, arena, webhook, value, strlen(value), header);
}

static int reseal_header(void *userdata, struct arena *arena, const struct webhook *webhook,
			 const struct webhook_header *former, struct webhook_header *header) {
	const struct header_place place = { webhook->tenant_id, &webhook->id, former->name };
	_cleanup_(x_freep) char *value = x_malloc(former->sealed_len + 1);
	int r = header_open(userdata, &place, former->sealed, former->sealed_len, value);

	if (!r)
		seal(userdata, arena, webhook, value, former->sealed_len - HEADER_SEAL_OVERHEAD,
		     header);
	sodium_memzero(value, former->sealed_len + 1);
	return r ? 1 : 0;
}

/* A worker without the master key of a secret serves no partition that names it. */
static int seal_secret(void *userdata, struct arena *arena, const struct webhook *webhook,
		       const uint8_t public_key[PUBLIC_KEY_LEN], const char **out) {
	const struct master_key *master = master_keys_find(userdata, webhook->secret_master_key_id);
	char *sealed = arena_alloc(arena, WEBHOOK_SECRET_SEALED_SIZE);
	uint8_t secret[WEBHOOK_SECRET_LEN];
	int r;

	if (!master)
		return 1;
	webhook_secret_derive(master, webhook->tenant_id, &webhook->id, webhook->secret_epoch,
			      secret);
	r = webhook_secret_seal(secret, public_key, sealed);
	sodium_memzero(secret, sizeof(secret));
	*out = sealed;
	return r ? 1 : 0;
}

struct handler_keys handler_keys_new(const struct master_keys *keys) {
	return (struct handler_keys){ .userdata = (void *)(uintptr_t)keys, /* only read */
				      .derive_key = derive_key,
				      .newest_id = newest_id,
				      .seal_header = seal_header,
				      .reseal_header = reseal_header,
				      .seal_secret = seal_secret };
}
