/*
 * What a webhook asked of its callbacks beyond the usual: the formats of their signatures, the
 * secrets of its HMAC signatures, and headers with secret values.
 *
 * Made by one thread, then immutable: threads may share it. Header values stay sealed in it until
 * an attempt needs them. Its keys are wiped when it is freed.
 */
#pragma once

#include "base/buffer.h"
#include "signature/callback.h"
#include "signature/header_seal.h"

#include <stdbool.h>

struct callback_profile;

/* Copies both. */
struct callback_profile *callback_profile_new(const char *tenant_id, const struct uuid *webhook_id);
void callback_profile_free(struct callback_profile *profile);
DEFINE_CLEANUP(struct callback_profile, callback_profile_free)

/* CALLBACK_SIGN_ bits, instead of the worker's; 0 where HMAC alone signs. */
void callback_profile_set_formats(struct callback_profile *profile, unsigned formats);

/* Signs also with the webhook's secret of the epoch, until `until_ms` (wall; 0: for good). At most
 * CALLBACK_HMAC_KEYS_MAX. */
void callback_profile_add_secret(struct callback_profile *profile, const struct master_key *master,
				 int32_t epoch, int64_t until_ms);

/* Adds a header; copies all. `keys` are borrowed for the profile's life. Returns 0, or
 * HEADER_SEAL_E_REFUSED where its value does not open (header_open). */
int callback_profile_add_header(struct callback_profile *profile, const struct master_keys *keys,
				const char *name, const uint8_t *sealed,
				size_t sealed_len) _must_check_;

/* The formats of a callback: the webhook's own, else `usual`. `profile` may be NULL, here and
 * below. */
unsigned callback_profile_formats(const struct callback_profile *profile, unsigned usual);

/* Lends the callback the secrets that sign at its timestamp. */
void callback_profile_lend_keys(const struct callback_profile *profile, struct callback *callback);

/* Appends CRLF and "name: value" for each header. The bytes do not move until more is appended; the
 * caller wipes them after use. */
void callback_profile_append_headers(const struct callback_profile *profile, struct buffer *lines);
