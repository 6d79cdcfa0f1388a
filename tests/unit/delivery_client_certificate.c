/* The client certificate: what an endpoint that asks for one sees, and changes of its files under a
 * running engine. */
#include "base/clock.h"
#include "delivery/client_certificate.h"
#include "delivery_fixture.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOK_MS = 1000 };

static const struct tls_server_options tls_1_2 = { .version = TLS1_2_VERSION,
						   .wants_certificate = true },
				       tls_1_3 = { .version = TLS1_3_VERSION,
						   .wants_certificate = true };

struct client {
	char *certificate, *key;
};

static struct client first, second;
static char directory[] = "/tmp/posthorn-client-XXXXXX";
static char certificate_file[64], key_file[64];

static int make_clients(void **state _unused_) {
	tls_client_new("first", &first.certificate, &first.key);
	tls_client_new("second", &second.certificate, &second.key);
	assert_non_null(mkdtemp(directory));
	snprintf(certificate_file, sizeof(certificate_file), "%s/certificate", directory);
	snprintf(key_file, sizeof(key_file), "%s/key", directory);
	return 0;
}

static int free_clients(void **state _unused_) {
	free(first.certificate);
	free(first.key);
	free(second.certificate);
	free(second.key);
	unlink(certificate_file);
	unlink(key_file);
	return rmdir(directory);
}

static void write_file(const char *path, const char *text, size_t len, mode_t mode) {
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void write_certificate(const char *text) {
	write_file(certificate_file, text, strlen(text), 0644);
}

static void write_key(const char *text) {
	write_file(key_file, text, strlen(text), 0600);
}

static void configure(struct fixture *f, const struct client *client) {
	write_certificate(client->certificate);
	write_key(client->key);
	/* However slow the machine is, none of it is a matter of time. */
	f->config.delivery_timeout_ms = f->config.delivery_connect_timeout_ms = 30 * 1000;
	f->config.endpoint_ca_file = tls_authority_file();
	f->config.endpoint_tls_certificate_file = certificate_file;
	f->config.endpoint_tls_key_file = key_file;
}

static struct receiver *asking(const struct tls_server_options *tls) {
	return receiver_new(&(struct receiver_options){ .behaviour = BEHAVE_ANSWER, .tls = tls });
}

/* One attempt, after which the receiver knows its client by this name. */
static void check_name(struct fixture *f, struct receiver *receiver, const char *name) {
	_cleanup_(x_freep) char *url = x_asprintf("https://127.0.0.1:%u/", receiver_port(receiver));
	_cleanup_(route_unrefp) struct route *route = route_to(f, 1, url);
	_cleanup_(x_freep) char *seen = NULL;

	assert_int_equal(attempt(f, route).reason, ATTEMPT_OK);
	seen = receiver_last_client_name(receiver);
	assert_string_equal(seen, name);
}

static void one_that_asks_is_shown_it(void **state) {
	struct receiver *receivers[] = { asking(&tls_1_2), asking(&tls_1_3) };
	struct fixture *f = *state;

	configure(f, &first);
	start(f);
	for (size_t i = 0; i < ARRAY_LEN(receivers); i++) {
		check_name(f, receivers[i], "first");
		check_name(f, receivers[i], "first");
		assert_int_equal(receiver_connections(receivers[i]), 1);
		receiver_free(receivers[i]);
	}
}

/* Neither a kept connection nor a session of the former one is used any more. */
static void a_new_one_is_shown_from_then_on(void **state) {
	struct receiver *receivers[] = { asking(&tls_1_2), asking(&tls_1_3) };
	struct fixture *f = *state;

	configure(f, &first);
	start(f);
	for (size_t i = 0; i < ARRAY_LEN(receivers); i++)
		check_name(f, receivers[i], "first");
	write_certificate(second.certificate);
	write_key(second.key);
	usleep((LOOK_MS + 100) * 1000);
	for (size_t i = 0; i < ARRAY_LEN(receivers); i++) {
		check_name(f, receivers[i], "second");
		assert_int_equal(receiver_connections(receivers[i]), 2);
		receiver_free(receivers[i]);
	}
}

static void a_half_of_it_changes_nothing(void **state) {
	struct receiver *receiver = asking(&tls_1_3);
	struct fixture *f = *state;

	configure(f, &first);
	start(f);
	check_name(f, receiver, "first");
	write_certificate(second.certificate);
	usleep((LOOK_MS + 100) * 1000);
	check_name(f, receiver, "first");
	write_file(key_file, second.key, strlen(second.key) / 2, 0600);
	usleep((LOOK_MS + 100) * 1000);
	check_name(f, receiver, "first");
	unlink(key_file);
	usleep((LOOK_MS + 100) * 1000);
	check_name(f, receiver, "first");
	assert_int_equal(receiver_connections(receiver), 1);
	write_key(second.key);
	usleep((LOOK_MS + 100) * 1000);
	check_name(f, receiver, "second");
	receiver_free(receiver);
}

/* Attempts of all threads take the pair while it changes. */
static void changes_meet_attempts_in_flight(void **state) {
	struct receiver *receiver = asking(&tls_1_3);
	_cleanup_(x_freep) char *url = x_asprintf("https://127.0.0.1:%u/", receiver_port(receiver));
	_cleanup_(route_unrefp) struct route *route = NULL;
	struct fixture *f = *state;
	int64_t end_ms = clock_monotonic_ms() + 3 * LOOK_MS;
	int succeeded = 0, refused = 0, count = 0;

	configure(f, &first);
	start(f);
	route = route_to(f, 1, url);
	while (clock_monotonic_ms() < end_ms) {
		const struct client *client = count % 2 ? &first : &second;

		submit(f, route, 50);
		write_certificate(client->certificate);
		write_key(client->key);
		collect(f, 50, &succeeded, &refused);
		count++;
	}
	assert_int_equal(succeeded, 50 * count);
	receiver_free(receiver);
}

static void only_a_pair_that_fits_is_taken_at_the_start(void **state) {
	static const char nonsense[] = "nonsense", encrypted[] =
						       "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
						       "MIGwMBsGCSqGSIb3DQEFAzAOBAgNo1\n"
						       "-----END ENCRYPTED PRIVATE KEY-----\n";
	static const char ed25519[] =
	    "-----BEGIN PRIVATE KEY-----\n"
	    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
	    "-----END PRIVATE KEY-----\n"; /* RFC 8032 section 7.1, test 1 */
	_cleanup_(x_freep) char *chain = x_asprintf("%s%s", first.certificate, second.certificate);
	const struct {
		const char *name, *certificate, *key;
		size_t certificate_len, key_len;
		mode_t key_mode;
		bool ok;
	} rows[] = {
		{ "a pair", first.certificate, first.key, SIZE_MAX, SIZE_MAX, 0600, true },
		{ "with a chain", chain, first.key, SIZE_MAX, SIZE_MAX, 0600, true },
		{ "another key", first.certificate, second.key, SIZE_MAX, SIZE_MAX, 0600, false },
		{ "a key of another kind", first.certificate, ed25519, SIZE_MAX, SIZE_MAX, 0600,
		  false },
		{ "no certificate", nonsense, first.key, SIZE_MAX, SIZE_MAX, 0600, false },
		{ "an empty certificate", first.certificate, first.key, 0, SIZE_MAX, 0600, false },
		{ "half a certificate", first.certificate, first.key, 100, SIZE_MAX, 0600, false },
		{ "half a chain", chain, first.key, strlen(chain) - 100, SIZE_MAX, 0600, false },
		{ "no key", first.certificate, nonsense, SIZE_MAX, SIZE_MAX, 0600, false },
		{ "an empty key", first.certificate, first.key, SIZE_MAX, 0, 0600, false },
		{ "a key with a passphrase", first.certificate, encrypted, SIZE_MAX, SIZE_MAX, 0600,
		  false },
		{ "a key that others may read", first.certificate, first.key, SIZE_MAX, SIZE_MAX,
		  0644, false },
	};
	struct fixture *f = *state;
	bool ok = true;

	configure(f, &first);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct client_certificate certificate;
		int r;

		write_file(certificate_file, rows[i].certificate,
			   MIN(strlen(rows[i].certificate), rows[i].certificate_len), 0644);
		write_file(key_file, rows[i].key, MIN(strlen(rows[i].key), rows[i].key_len),
			   rows[i].key_mode);
		r = client_certificate_init(&certificate, &f->config);
		client_certificate_destroy(&certificate);
		if (r != (rows[i].ok ? 0 : -EINVAL))
			print_error("%s: %d\n", rows[i].name, r);
		ok &= r == (rows[i].ok ? 0 : -EINVAL);
	}
	assert_true(ok);
}

#define CERTIFICATE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		CERTIFICATE_TEST(one_that_asks_is_shown_it),
		CERTIFICATE_TEST(a_new_one_is_shown_from_then_on),
		CERTIFICATE_TEST(a_half_of_it_changes_nothing),
		CERTIFICATE_TEST(changes_meet_attempts_in_flight),
		CERTIFICATE_TEST(only_a_pair_that_fits_is_taken_at_the_start),
	};

	return cmocka_run_group_tests(tests, make_clients, free_clients);
}
