#include "signature/callback_profile.h"

#include "base/invariant.h"
#include "signature/webhook_secret.h"

#include <assert.h>
#include <sodium.h>

static_assert(WEBHOOK_SECRET_LEN - HMAC_KEY_LEN == 0, "a secret is a key of HMAC");

struct profile_header {
	char *name;      /* owned */
	uint8_t *sealed; /* owned */
	size_t sealed_len;
};

struct callback_profile {
	char *tenant_id; /* owned */
	struct uuid webhook_id;
	bool has_formats;
	unsigned formats;
	uint8_t hmac_keys[CALLBACK_HMAC_KEYS_MAX][HMAC_KEY_LEN];
	int64_t until_ms[CALLBACK_HMAC_KEYS_MAX];
	size_t hmac_key_count;
	const struct master_keys *keys; /* borrowed; NULL without headers */
	struct profile_header *headers; /* owned */
	size_t header_count;
};

struct callback_profile *callback_profile_new(const char *tenant_id,
					      const struct uuid *webhook_id) {
	struct callback_profile *profile = x_calloc(1, sizeof(*profile));

	profile->tenant_id = x_strdup(tenant_id);
	profile->webhook_id = *webhook_id;
	return profile;
}

void callback_profile_free(struct callback_profile *profile) {
	if (!profile)
		return;
	for (size_t i = 0; i < profile->header_count; i++) {
		free(profile->headers[i].name);
		free(profile->headers[i].sealed);
	}
	free(profile->headers);
	free(profile->tenant_id);
	sodium_memzero(profile, sizeof(*profile));
	free(profile);
}

void callback_profile_set_formats(struct callback_profile *profile, unsigned formats) {
	profile->has_formats = true;
	profile->formats = formats;
}

void callback_profile_add_secret(struct callback_profile *profile, const struct master_key *master,
				 int32_t epoch, int64_t until_ms) {
	size_t at = profile->hmac_key_count++;

	invariant(at < CALLBACK_HMAC_KEYS_MAX, "a webhook has a secret and the former one");
	webhook_secret_derive(master, profile->tenant_id, &profile->webhook_id, epoch,
			      profile->hmac_keys[at]);
	profile->until_ms[at] = until_ms;
}

static struct header_place place_of(const struct callback_profile *profile, const char *name) {
	return (struct header_place){ profile->tenant_id, &profile->webhook_id, name };
}

/* Opens it once, so that an attempt can rely on it. */
static int try_to_open(const struct callback_profile *profile, const struct master_keys *keys,
		       const char *name, const uint8_t *sealed, size_t sealed_len) {
	const struct header_place place = place_of(profile, name);
	_cleanup_(x_freep) char *value = x_malloc(sealed_len + 1);
	int r = header_open(keys, &place, sealed, sealed_len, value);

	sodium_memzero(value, sealed_len + 1);
	return r;
}

int callback_profile_add_header(struct callback_profile *profile, const struct master_keys *keys,
				const char *name, const uint8_t *sealed, size_t sealed_len) {
	struct profile_header *header;
	int r = try_to_open(profile, keys, name, sealed, sealed_len);

	if (r)
		return r;
	profile->keys = keys;
	profile->headers =
	    x_realloc(profile->headers, (profile->header_count + 1) * sizeof(*profile->headers));
	header = &profile->headers[profile->header_count++];
	*header = (struct profile_header){ .name = x_strdup(name),
					   .sealed = x_malloc(sealed_len),
					   .sealed_len = sealed_len };
	memcpy(header->sealed, sealed, sealed_len);
	return 0;
}

unsigned callback_profile_formats(const struct callback_profile *profile, unsigned usual) {
	return profile && profile->has_formats ? profile->formats : usual;
}

/* The newest secret comes first and signs for good, so what still signs is a head of the list. */
void callback_profile_lend_keys(const struct callback_profile *profile, struct callback *callback) {
	size_t count = 0;

	if (!profile)
		return;
	while (
	    count < profile->hmac_key_count &&
	    (!profile->until_ms[count] || callback->timestamp_s * 1000 < profile->until_ms[count]))
		count++;
	callback->hmac_keys = profile->hmac_keys;
	callback->hmac_key_count = count;
}

static void append_header(const struct callback_profile *profile,
			  const struct profile_header *header, struct buffer *lines) {
	const struct header_place place = place_of(profile, header->name);
	size_t len = header->sealed_len - HEADER_SEAL_OVERHEAD;
	char *value;
	int r;

	buffer_append_string(lines, "\r\n");
	buffer_append_string(lines, header->name);
	buffer_append_string(lines, ": ");
	value = buffer_reserve(lines, len);
	invariant(value, "the headers of a callback are bounded");
	r = header_open(profile->keys, &place, header->sealed, header->sealed_len, value);
	invariant(r == 0, "a value opens that has opened before");
	lines->len += len;
	lines->data[lines->len] = '\0';
}

void callback_profile_append_headers(const struct callback_profile *profile, struct buffer *lines) {
	const char *room;
	size_t need = 0;

	for (size_t i = 0; profile && i < profile->header_count; i++)
		need += strlen("\r\n: ") + strlen(profile->headers[i].name) +
			profile->headers[i].sealed_len;
	if (need == 0)
		return;
	/* All room at once: memory that the lines grew out of would keep a value. */
	room = buffer_reserve(lines, need);
	invariant(room, "the headers of a callback are bounded");
	for (size_t i = 0; i < profile->header_count; i++)
		append_header(profile, &profile->headers[i], lines);
}
