/* Secrets of webhooks: sealed header values, HMAC secrets, and the callbacks that carry them. */
#include "signature/callback_profile.h"
#include "signature/header_seal.h"
#include "signature/webhook_secret.h"
#include "unit.h"

#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

/* 32 bytes 0, 1, ..., and 32 of 1. */
#define KEY_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define KEY_B "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"

static struct master_keys *load(const char *const *texts, size_t count) {
	char paths[2][64];
	const char *names[2];
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(1024);
	struct master_keys *keys;

	for (size_t i = 0; i < count; i++) {
		int fd;

		strcpy(paths[i], "/tmp/posthorn-secrets-XXXXXX");
		fd = mkstemp(paths[i]);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, texts[i], strlen(texts[i])), strlen(texts[i]));
		close(fd);
		names[i] = paths[i];
	}
	assert_int_equal(master_keys_load(names, count, &keys, &why), 0);
	for (size_t i = 0; i < count; i++)
		unlink(paths[i]);
	return keys;
}

static struct master_keys *keys_a_b, *keys_b, *keys_a;

static int load_keys(void **state _unused_) {
	keys_a_b = load((const char *const[]){ KEY_A, KEY_B }, 2);
	keys_a = load((const char *const[]){ KEY_A }, 1);
	keys_b = load((const char *const[]){ KEY_B }, 1);
	return 0;
}

static int free_keys(void **state _unused_) {
	master_keys_free(keys_a_b);
	master_keys_free(keys_a);
	master_keys_free(keys_b);
	return 0;
}

static const struct uuid webhook = { { 1, 2, 3 } }, other = { { 1, 2, 4 } };
static const struct header_place place = { "acme", &webhook, "x-api-key" };

enum { VALUE_LEN = 6, SEALED_LEN = VALUE_LEN + HEADER_SEAL_OVERHEAD };

static void a_value_opens_in_its_place_alone(void **state _unused_) {
	static const struct header_place elsewhere[] = {
		{ "acmf", &webhook, "x-api-key" }, { "acme", &other, "x-api-key" },
		{ "acme", &webhook, "x-api-kez" }, { "acme", &webhook, "X-Api-Key" },
		{ "acm", &webhook, "ex-api-key" },
	};
	uint8_t sealed[SEALED_LEN];
	char value[SEALED_LEN];

	header_seal(master_keys_first(keys_a_b), &place, "s3cret", VALUE_LEN, sealed);
	assert_memory_equal(sealed, master_key_id(master_keys_first(keys_a)), MASTER_KEY_ID_LEN);
	assert_null(memmem(sealed, sizeof(sealed), "s3cret", VALUE_LEN));
	assert_int_equal(header_open(keys_a_b, &place, sealed, sizeof(sealed), value), 0);
	assert_memory_equal(value, "s3cret", VALUE_LEN);
	for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++)
		assert_int_equal(
		    header_open(keys_a_b, &elsewhere[i], sealed, sizeof(sealed), value),
		    HEADER_SEAL_E_REFUSED);
}

static void a_value_that_was_changed_does_not_open(void **state _unused_) {
	uint8_t sealed[SEALED_LEN];
	char value[SEALED_LEN];

	header_seal(master_keys_first(keys_a), &place, "s3cret", VALUE_LEN, sealed);
	for (size_t len = 0; len < sizeof(sealed); len++)
		assert_int_equal(header_open(keys_a, &place, sealed, len, value),
				 HEADER_SEAL_E_REFUSED);
	for (size_t i = 0; i < sizeof(sealed); i++) {
		sealed[i] ^= 1;
		assert_int_equal(header_open(keys_a, &place, sealed, sizeof(sealed), value),
				 HEADER_SEAL_E_REFUSED);
		sealed[i] ^= 1;
	}
	assert_int_equal(header_open(keys_a, &place, sealed, sizeof(sealed), value), 0);
}

static void a_value_names_its_master_key(void **state _unused_) {
	uint8_t sealed[SEALED_LEN], again[SEALED_LEN];
	char value[SEALED_LEN];

	header_seal(master_keys_first(keys_b), &place, "s3cret", VALUE_LEN, sealed);
	header_seal(master_keys_first(keys_b), &place, "s3cret", VALUE_LEN, again);
	assert_memory_not_equal(sealed, again, sizeof(sealed));
	assert_int_equal(header_open(keys_a_b, &place, sealed, sizeof(sealed), value), 0);
	assert_int_equal(header_open(keys_a, &place, sealed, sizeof(sealed), value),
			 HEADER_SEAL_E_REFUSED);
}

static void a_secret_reaches_who_asked(void **state _unused_) {
	uint8_t mine[BOX_KEY_LEN], theirs[BOX_KEY_LEN], public_key[BOX_KEY_LEN],
	    none[BOX_KEY_LEN] = { 0 };
	char mine_text[BOX_KEY_TEXT_SIZE], theirs_text[BOX_KEY_TEXT_SIZE];
	char sealed[WEBHOOK_SECRET_SEALED_SIZE], secret[WEBHOOK_SECRET_TEXT_SIZE];
	uint8_t bytes[WEBHOOK_SECRET_LEN];

	memset(bytes, 0xff, sizeof(bytes));
	webhook_secret_ask(mine, mine_text);
	webhook_secret_ask(theirs, theirs_text);
	assert_string_not_equal(mine_text, theirs_text);
	crypto_scalarmult_base(public_key, mine);
	assert_int_equal(webhook_secret_seal(bytes, public_key, sealed), 0);
	assert_int_equal(strlen(sealed), WEBHOOK_SECRET_SEALED_SIZE - 1);
	assert_int_equal(webhook_secret_open(mine, sealed, secret), 0);
	assert_string_equal(secret, "whsec_//////////////////////////////////////////8=");
	assert_int_equal(webhook_secret_open(theirs, sealed, secret), WEBHOOK_SECRET_E_REFUSED);
	assert_int_equal(webhook_secret_open(mine, sealed + 1, secret), WEBHOOK_SECRET_E_REFUSED);
	assert_int_equal(webhook_secret_open(mine, "", secret), WEBHOOK_SECRET_E_REFUSED);
	assert_int_equal(webhook_secret_seal(bytes, none, sealed), WEBHOOK_SECRET_E_REFUSED);
}

/* Whoever changes how a secret is derived breaks every receiver: these bytes stay. */
static void a_secret_is_of_its_tenant_webhook_epoch_and_master_key(void **state _unused_) {
	static const struct {
		struct master_keys **keys;
		const char *tenant;
		const struct uuid *webhook;
		int32_t epoch;
	} rows[] = {
		{ &keys_a, "acme", &webhook, 0 }, { &keys_b, "acme", &webhook, 0 },
		{ &keys_a, "acmf", &webhook, 0 }, { &keys_a, "acme", &other, 0 },
		{ &keys_a, "acme", &webhook, 1 },
	};
	uint8_t secrets[ARRAY_LEN(rows)][WEBHOOK_SECRET_LEN], seed[MASTER_KEY_SEED_LEN];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		webhook_secret_derive(master_keys_first(*rows[i].keys), rows[i].tenant,
				      rows[i].webhook, rows[i].epoch, secrets[i]);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(secrets[i], secrets[j], WEBHOOK_SECRET_LEN);
	}
	master_key_derive_seed(master_keys_first(keys_a), "acme", 0, seed);
	assert_memory_not_equal(secrets[0], seed, sizeof(seed));
	master_key_derive_header_key(master_keys_first(keys_a), "acme", seed);
	assert_memory_not_equal(secrets[0], seed, sizeof(seed));
}

static const struct callback example = {
	.authority = "receiver.example",
	.path = "/hooks",
	.content_type = "application/json",
	.delivery_id = "msg_p5jXN8AQM9LWM0D4loKWxJek",
	.timestamp_s = 1614265330,
	.body = "{\"test\": 2432232314}",
	.body_len = 20,
};

/* Source: Standard Webhooks, the test of its reference libraries. Zeros behind a key that is
 * shorter than a block change nothing. Source: RFC 2104 section 2. */
static void an_hmac_signature_is_that_of_the_reference(void **state _unused_) {
	static const uint8_t seed[32] = { 1 };
	_cleanup_(signer_unrefp) struct signer *signer = signer_from_seed(seed);
	_cleanup_(buffer_destroy) struct buffer lines = BUFFER_INIT(CALLBACK_LINES_MAX);
	uint8_t keys[CALLBACK_HMAC_KEYS_MAX][HMAC_KEY_LEN] = { 0 };
	struct callback callback = example;
	size_t len;

	assert_int_equal(sodium_base642bin(keys[0], HMAC_KEY_LEN,
					   "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 32, NULL, &len, NULL,
					   sodium_base64_VARIANT_ORIGINAL),
			 0);
	callback.hmac_keys = keys;
	callback.hmac_key_count = 1;
	callback_sign(&lines, signer, 0, &callback);
	assert_non_null(strstr(lines.data, "\r\nwebhook-signature: "
					   "v1,g0hM9SsE+OTPJTGt/"
					   "tmIKtSyZlE3uFJELVlNIOLJ1OE=\r\n"));
	assert_null(strstr(lines.data, "signature-input"));
	callback_lines_clear(&lines);
	callback.hmac_key_count = 2;
	callback_sign(&lines, signer, CALLBACK_SIGN_STANDARD_WEBHOOKS, &callback);
	assert_non_null(strstr(lines.data, "\r\nwebhook-signature: v1a,"));
	assert_non_null(strstr(lines.data, "== v1,g0hM9SsE+OTPJTGt/"
					   "tmIKtSyZlE3uFJELVlNIOLJ1OE= v1,"));
}

static void the_former_secret_signs_until_its_overlap_ends(void **state _unused_) {
	static const struct {
		int64_t timestamp_s;
		size_t count;
	} rows[] = { { 99, 2 }, { 100, 1 }, { 101, 1 } };
	_cleanup_(callback_profile_freep) struct callback_profile *profile =
	    callback_profile_new("acme", &webhook);
	uint8_t newest[WEBHOOK_SECRET_LEN], former[WEBHOOK_SECRET_LEN];

	webhook_secret_derive(master_keys_first(keys_b), "acme", &webhook, 4, newest);
	webhook_secret_derive(master_keys_first(keys_a), "acme", &webhook, 3, former);
	callback_profile_add_secret(profile, master_keys_first(keys_b), 4, 0);
	callback_profile_add_secret(profile, master_keys_first(keys_a), 3, 100 * 1000);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct callback callback = { .timestamp_s = rows[i].timestamp_s };

		callback_profile_lend_keys(profile, &callback);
		assert_int_equal(callback.hmac_key_count, rows[i].count);
		assert_memory_equal(callback.hmac_keys[0], newest, sizeof(newest));
		assert_memory_equal(callback.hmac_keys[1], former, sizeof(former));
	}
}

static void a_profile_has_formats_and_headers(void **state _unused_) {
	_cleanup_(callback_profile_freep) struct callback_profile *profile =
	    callback_profile_new("acme", &webhook);
	_cleanup_(buffer_destroy) struct buffer lines = BUFFER_INIT(CALLBACK_LINES_MAX);
	uint8_t sealed[SEALED_LEN];

	callback_profile_append_headers(NULL, &lines);
	callback_profile_append_headers(profile, &lines);
	assert_int_equal(lines.len, 0);
	assert_int_equal(callback_profile_formats(NULL, 3), 3);
	assert_int_equal(callback_profile_formats(profile, 3), 3);
	callback_profile_set_formats(profile, 0);
	assert_int_equal(callback_profile_formats(profile, 3), 0);

	header_seal(master_keys_first(keys_a), &place, "s3cret", VALUE_LEN, sealed);
	assert_int_equal(
	    callback_profile_add_header(profile, keys_b, "x-api-key", sealed, sizeof(sealed)),
	    HEADER_SEAL_E_REFUSED);
	assert_int_equal(
	    callback_profile_add_header(profile, keys_a, "x-other", sealed, sizeof(sealed)),
	    HEADER_SEAL_E_REFUSED);
	assert_int_equal(
	    callback_profile_add_header(profile, keys_a, "x-api-key", sealed, sizeof(sealed)), 0);
	buffer_append_string(&lines, "a: b");
	callback_profile_append_headers(profile, &lines);
	assert_string_equal(lines.data, "a: b\r\nx-api-key: s3cret");
	assert_int_equal(lines.len, strlen(lines.data));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_opens_in_its_place_alone),
		cmocka_unit_test(a_value_that_was_changed_does_not_open),
		cmocka_unit_test(a_value_names_its_master_key),
		cmocka_unit_test(a_secret_reaches_who_asked),
		cmocka_unit_test(a_secret_is_of_its_tenant_webhook_epoch_and_master_key),
		cmocka_unit_test(an_hmac_signature_is_that_of_the_reference),
		cmocka_unit_test(the_former_secret_signs_until_its_overlap_ends),
		cmocka_unit_test(a_profile_has_formats_and_headers),
	};

	return cmocka_run_group_tests(tests, load_keys, free_keys);
}
