/* Which addresses the engine would connect to: names, several answers, numbers as hosts. connect(2)
 * is one that records and never connects. */
#include "base/clock.h"
#include "base/network.h"
#include "delivery/engine.h"
#include "delivery/job.h"
#include "delivery_addresses.h"
#include "domain/event_type.h"
#include "signature/callback.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum { PARTITION = 1, EPOCH = 1, PATIENCE_MS = 20000, ANSWERS_MAX = 4, RECORD_SIZE = 512 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static const char *answers[ANSWERS_MAX + 1]; /* what the next name resolves to; none: it does not */
static const char *next_answer;     /* what it resolves to from its second look-up on, where set */
static char connected[RECORD_SIZE]; /* the addresses that were to be connected to, each with a space
				       behind it */

static socklen_t parse(const char *text, struct sockaddr_storage *out) {
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
		abort();
	v6->sin6_family = AF_INET6;
	return sizeof(*v6);
}

static struct addrinfo *answer_new(const char *text, uint16_t port, struct addrinfo *next) {
	/* One block, as freeaddrinfo expects it. */
	struct addrinfo *info = x_calloc(1, sizeof(*info) + sizeof(struct sockaddr_storage));
	struct sockaddr_storage *address = (struct sockaddr_storage *)(info + 1);

	info->ai_addrlen = parse(text, address);
	info->ai_family = address->ss_family;
	((struct sockaddr_in *)address)->sin_port = htons(port); /* at the same place in both */
	info->ai_socktype = SOCK_STREAM;
	info->ai_addr = (struct sockaddr *)address;
	info->ai_next = next;
	return info;
}

int getaddrinfo(const char *node _unused_, const char *service,
		const struct addrinfo *hints _unused_, struct addrinfo **out) {
	uint16_t port = (uint16_t)(service ? atoi(service) : 0);
	size_t count = 0;

	*out = NULL;
	pthread_mutex_lock(&mutex);
	while (answers[count])
		count++;
	while (count > 0)
		*out = answer_new(answers[--count], port, *out);
	if (next_answer)
		answers[0] = next_answer;
	pthread_mutex_unlock(&mutex);
	return *out ? 0 : EAI_NONAME;
}

int connect(int fd _unused_, const struct sockaddr *address, socklen_t len _unused_) {
	const void *bytes = address->sa_family == AF_INET
				? (const void *)&((const struct sockaddr_in *)address)->sin_addr
				: (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr;
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(address->sa_family, bytes, text, sizeof(text));
	pthread_mutex_lock(&mutex);
	strncat(connected, text, sizeof(connected) - strlen(connected) - 1);
	strncat(connected, " ", sizeof(connected) - strlen(connected) - 1);
	pthread_mutex_unlock(&mutex);
	errno = ENETUNREACH;
	return -1;
}

struct fixture {
	struct config config;
	struct engine *engine;
	struct signer *signer;
	int webhooks;
};

/* Nothing is opened: the defaults, but for http. */
static int setup(void **state) {
	static const uint8_t seed[32] = { 1, 2, 3 };
	struct fixture *f = x_calloc(1, sizeof(*f));

	f->config = (struct config){
		.delivery_threads = 1,
		.delivery_connect_timeout_ms = 5000,
		.delivery_timeout_ms = 5000,
		.delivery_max_in_flight = 16,
		.delivery_max_in_flight_per_endpoint = 16,
		.delivery_max_connections_per_host = 16,
		.delivery_connection_lifetime_ms = 300 * 1000,
		.endpoint_allow_http = true,
		.signature_formats = SIGNATURE_FORMAT_RFC9421,
	};
	f->signer = signer_from_seed(seed);
	assert_int_equal(engine_new(&f->config, "0.0.0-test", NULL, NULL, &f->engine), 0);
	engine_gate_set(f->engine, PARTITION, EPOCH);
	engine_lease_set(f->engine, INT64_MAX);
	*state = f;
	return 0;
}

static int teardown(void **state) {
	struct fixture *f = *state;

	engine_free(f->engine);
	signer_unref(f->signer);
	free(f);
	return 0;
}

static struct job *wait_for_end(struct fixture *f) {
	int64_t deadline = clock_monotonic_ms() + PATIENCE_MS;
	struct job *job;

	while (!(job = engine_collect(f->engine))) {
		if (clock_monotonic_ms() > deadline)
			fail_msg("no job ended");
		usleep(500);
	}
	return job;
}

/* One attempt at the url; `connected` holds the addresses that were connected to. */
static enum attempt_reason attempt(struct fixture *f, const char *url) {
	struct uuid id = { .bytes = { [14] = (uint8_t)(++f->webhooks >> 8),
				      [15] = (uint8_t)f->webhooks } };
	struct route *route = route_new(&id, "tenant", url, f->signer, NULL);
	struct delivery delivery = { .webhook_id = id,
				     .event_type = EVENT_TYPE_CREDENTIAL_ISSUED,
				     .tenant_id = "tenant",
				     .command_id = "command",
				     .body = "{}",
				     .body_len = 2 };
	enum attempt_reason reason;
	struct job *job;

	pthread_mutex_lock(&mutex);
	connected[0] = '\0';
	pthread_mutex_unlock(&mutex);
	engine_submit(f->engine, job_new(&delivery, route, PARTITION, EPOCH));
	job = wait_for_end(f);
	reason = job->result.reason;
	assert_non_null(job->error);
	job_free(job);
	route_unref(route);
	return reason;
}

static void set_answers(const char *const *list) {
	pthread_mutex_lock(&mutex);
	memset(answers, 0, sizeof(answers));
	for (size_t i = 0; i < ANSWERS_MAX && list[i]; i++)
		answers[i] = list[i];
	pthread_mutex_unlock(&mutex);
}

/* A name for every address of the table: refused ones are never connected to, the others are, and
 * to nothing else. */
static void refused_addresses_are_never_connected_to(void **state) {
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(address_rows); i++) {
		const struct address_row *row = &address_rows[i];
		const char *one[] = { row->address, NULL };
		struct sockaddr_storage address;
		char url[64], expected[INET6_ADDRSTRLEN + 1] = "";
		enum attempt_reason reason;

		set_answers(one);
		snprintf(url, sizeof(url), "https://name-%zu.test/", i);
		reason = attempt(f, url);
		if (!row->refused_as) {
			parse(row->address, &address);
			inet_ntop(address.ss_family,
				  address.ss_family == AF_INET
				      ? (void *)&((struct sockaddr_in *)&address)->sin_addr
				      : (void *)&((struct sockaddr_in6 *)&address)->sin6_addr,
				  expected, sizeof(expected));
			strcat(expected, " ");
		}
		if (reason != (row->refused_as ? ATTEMPT_ADDRESS_REFUSED : ATTEMPT_CONNECT) ||
		    strcmp(connected, expected))
			fail_msg("%s: reason %d, connected to \"%s\", expected \"%s\"",
				 row->address, reason, connected, expected);
	}
}

/* Of several answers the refused ones are passed over; the others are tried. */
static void refused_answers_are_passed_over(void **state) {
	static const struct {
		const char *name, *answers[ANSWERS_MAX + 1], *connected;
	} rows[] = {
		{ "bad first", { "10.0.0.1", "8.8.8.8" }, "8.8.8.8 " },
		{ "bad last", { "8.8.8.8", "127.0.0.1" }, "8.8.8.8 " },
		{ "bad between", { "8.8.8.8", "169.254.169.254", "1.1.1.1" }, "8.8.8.8 1.1.1.1 " },
		{ "all bad", { "127.0.0.1", "10.0.0.1", "192.168.0.1", "0.0.0.0" }, "" },
		{ "bad of the other family", { "::1", "8.8.8.8" }, "8.8.8.8 " },
		{ "bad of both", { "fd00::1", "10.0.0.1" }, "" },
		{ "good of the other family",
		  { "127.0.0.1", "2606:4700::1111" },
		  "2606:4700::1111 " },
		{ "mapped beside its like", { "::ffff:8.8.8.8", "8.8.8.8" }, "8.8.8.8 " },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum attempt_reason reason;
		char url[64];

		set_answers(rows[i].answers);
		snprintf(url, sizeof(url), "https://several-%zu.test/", i);
		reason = attempt(f, url);
		if (reason != ATTEMPT_ADDRESS_REFUSED || strcmp(connected, rows[i].connected))
			fail_msg("%s: reason %d, connected to \"%s\"", rows[i].name, reason,
				 connected);
	}
}

/* The checked address is the connected one: an answer that changes gains nothing. */
static void the_checked_address_is_the_connected_one(void **state) {
	const char *good[] = { "8.8.8.8", NULL };
	struct fixture *f = *state;

	set_answers(good);
	next_answer = "127.0.0.1";
	for (int i = 0; i < 3; i++) {
		attempt(f, "https://rebinding.test/");
		assert_null(strstr(connected, "127."));
	}
	next_answer = NULL;
}

static const char *const hostile_urls[] = {
	"http://127.0.0.1/",
	"http://127.1/",
	"http://127.0.1/",
	"http://2130706433/",
	"http://0x7f.1/",
	"http://0x7f000001/",
	"http://0177.0.0.1/",
	"http://017700000001/",
	"http://0177.1/",
	"http://127.0.0.1./",
	"http://127.1./",
	"http://0/",
	"http://0.0.0.0/",
	"http://[::1]/",
	"http://[::]/",
	"http://[::ffff:127.0.0.1]/",
	"http://[::ffff:7f00:1]/",
	"http://[0:0:0:0:0:0:0:1]/",
	"http://[::127.0.0.1]/",
	"http://[64:ff9b::127.0.0.1]/",
	"http://[2002:7f00:1::]/",
	"http://[fe80::1%25lo]/",
	"http://[::1]:443/",
	"http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/",
	"http://\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6.0.0.1/",
	"http://127\343\200\2020\343\200\2020\343\200\2021/",
	"http://%31%32%37.0.0.1/",
	"http://user@127.0.0.1/",
	"http://8.8.8.8@127.0.0.1/",
	"http://8.8.8.8#@127.0.0.1/",
	"http://127.0.0.1\\@8.8.8.8/",
	"http://127.0.0.1:80:80/",
	"http://169.254.169.254/latest/meta-data",
	"http://10.0.0.1/",
	"http://localhost/",
	"http://LOCALHOST/",
	"http://localhost./",
	"http://a.localhost/",
	"http://\xe2\x93\x9bocalhost/",
	"http://256.256.256.256/",
	"http://1.2.3.4.5/",
	"http://4294967297/",
	"http://0x100000001/",
};

/* Urls as an attacker might write them: refused with their command, or by the guard. No policy of a
 * test opens anything. */
static void hostile_urls_reach_nothing(void **state) {
	static const struct network_list none = { 0 };
	static const struct url_policy policy = { .allow_http = true, .allow_networks = &none };
	const char *nothing[] = { NULL };
	struct fixture *f = *state;

	set_answers(nothing);
	for (size_t i = 0; i < ARRAY_LEN(hostile_urls); i++) {
		_cleanup_(arena_freep) struct arena *arena = arena_new();
		const char *why;
		char *url;
		enum attempt_reason reason;

		if (url_normalise(arena, hostile_urls[i], &policy, &url, &why) != 0)
			continue;
		reason = attempt(f, url);
		/* That curl knows "localhost" by itself, and "localhost." not. */
		if ((reason != ATTEMPT_ADDRESS_REFUSED && reason != ATTEMPT_DNS) || *connected)
			fail_msg("%s: as %s, connected to \"%s\"", hostile_urls[i], url, connected);
	}
}

/* The same for webhooks that were written while more was open. */
static void urls_that_were_allowed_before_reach_nothing(void **state) {
	static const char *const urls[] = {
		"http://127.0.0.1/",  "https://127.0.0.1:8443/", "http://10.0.0.1/",
		"http://[::1]/",      "http://[fd00::1]/",       "http://[::ffff:127.0.0.1]/",
		"http://2130706433/", "http://0x7f.1/",          "http://0177.0.0.1/",
		"http://127.1/",      "http://localhost/",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(urls); i++)
		if (attempt(f, urls[i]) != ATTEMPT_ADDRESS_REFUSED || *connected)
			fail_msg("%s: connected to \"%s\"", urls[i], connected);
}

#define WIRE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		WIRE_TEST(refused_addresses_are_never_connected_to),
		WIRE_TEST(refused_answers_are_passed_over),
		WIRE_TEST(the_checked_address_is_the_connected_one),
		WIRE_TEST(hostile_urls_reach_nothing),
		WIRE_TEST(urls_that_were_allowed_before_reach_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
