#include "delivery_fixture.h"

#include "base/clock.h"
#include "domain/event_type.h"
#include "unit.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

const char body_text[] = "{\"deliveryId\":\"1\",\"event\":{\"payload\":{\"name\":\"\xc3\x84\"}}}";

const size_t body_text_len = sizeof(body_text) - 1;
atomic_int slow_lookups;
atomic_uint moved_address = INADDR_LOOPBACK;

/* libcurl resolves through this one instead of the C library's. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **out) {
	in_addr_t host = INADDR_LOOPBACK;
	struct sockaddr_in *address;
	struct addrinfo *info;

	if (!strcmp(node, "slow.test")) {
		atomic_fetch_add(&slow_lookups, 1);
		usleep(2000 * 1000);
	}
	if (!strcmp(node, "none.test"))
		return EAI_NONAME;
	if (!strcmp(node, "inside.test"))
		host = 0x0a000001;
	if (!strcmp(node, "moved.test"))
		host = atomic_load(&moved_address);
	/* One block, as freeaddrinfo expects it. */
	info = x_calloc(1, sizeof(*info) + sizeof(*address));
	address = (struct sockaddr_in *)(info + 1);
	address->sin_family = AF_INET;
	address->sin_port = htons((uint16_t)(service ? atoi(service) : 0));
	address->sin_addr.s_addr = htonl(host);
	*info = (struct addrinfo){ .ai_family = AF_INET,
				   .ai_socktype = hints ? hints->ai_socktype : SOCK_STREAM,
				   .ai_addrlen = sizeof(*address),
				   .ai_addr = (struct sockaddr *)address };
	*out = info;
	return 0;
}

static void on_notify(void *userdata) {
	sem_post(userdata);
}

int setup(void **state) {
	static const uint8_t seed[32] = { 1, 2, 3 };
	struct fixture *f = x_calloc(1, sizeof(*f));

	assert_int_equal(network_parse("127.0.0.0/8", &f->networks[0]), 0);
	f->config = (struct config){
		.delivery_threads = 2,
		.delivery_connect_timeout_ms = TIMEOUT_MS,
		.delivery_timeout_ms = TIMEOUT_MS,
		.delivery_max_in_flight = 400,
		.delivery_max_in_flight_per_endpoint = 64,
		.delivery_max_connections_per_host = 256,
		.delivery_connection_lifetime_ms = 300 * 1000,
		.endpoint_allow_http = true,
		.endpoint_allow_networks = { .items = f->networks, .count = 1 },
		.signature_formats = SIGNATURE_FORMAT_RFC9421 | SIGNATURE_FORMAT_STANDARD_WEBHOOKS,
	};
	f->signer = signer_from_seed(seed);
	sem_init(&f->notified, 0, 0);
	*state = f;
	return 0;
}

void start(struct fixture *f) {
	assert_int_equal(engine_new(&f->config, "0.0.0-test", on_notify, &f->notified, &f->engine),
			 0);
	engine_gate_set(f->engine, PARTITION, EPOCH);
	engine_lease_set(f->engine, INT64_MAX);
}

static void free_jobs(struct job *jobs) {
	struct job *next;

	for (; jobs; jobs = next) {
		next = jobs->next;
		job_free(jobs);
	}
}

int teardown(void **state) {
	struct fixture *f = *state;

	engine_free(f->engine);
	free_jobs(f->ended);
	signer_unref(f->signer);
	sem_destroy(&f->notified);
	free(f);
	return 0;
}

struct job *next_ended(struct fixture *f) {
	struct timespec deadline;
	struct job *job;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += PATIENCE_MS / 1000;
	while (!f->ended && !(f->ended = engine_collect(f->engine)))
		if (sem_timedwait(&f->notified, &deadline) && errno != EINTR)
			fail_msg("no job ended");
	job = f->ended;
	f->ended = job->next;
	job->next = NULL;
	return job;
}

static struct uuid numbered_uuid(uint8_t kind, int number) {
	return (struct uuid){ .bytes = { kind, 0x11, [14] = (uint8_t)(number >> 8),
					 [15] = (uint8_t)number } };
}

struct route *route_to(struct fixture *f, int webhook, const char *url) {
	struct uuid id = numbered_uuid(0xee, webhook);

	return route_new(&id, "tenant", url, f->signer, NULL);
}

struct route *route_to_port(struct fixture *f, int webhook, uint16_t port) {
	char url[64];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/hook", port);
	return route_to(f, webhook, url);
}

struct job *job_for(struct route *route, int number) {
	struct delivery delivery = {
		.event_type = EVENT_TYPE_CREDENTIAL_ISSUED,
		.id = numbered_uuid(0xdd, number),
		.webhook_id = route->webhook_id,
		.tenant_id = "tenant",
		.command_id = "command",
		.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		.tracestate = "rojo=00f067aa0ba902b7",
		.body = body_text,
		.body_len = body_text_len,
	};

	return job_new(&delivery, route, PARTITION, EPOCH);
}

void submit(struct fixture *f, struct route *route, int count) {
	struct job *jobs = NULL;

	for (int i = count; i > 0; i--) {
		struct job *job = job_for(route, i);

		job->next = jobs;
		jobs = job;
	}
	engine_submit(f->engine, jobs);
}

struct attempt_result attempt(struct fixture *f, struct route *route) {
	struct attempt_result result;
	struct job *job;

	submit(f, route, 1);
	job = next_ended(f);
	assert_int_equal(job->end, JOB_ATTEMPTED);
	result = job->result;
	job_free(job);
	return result;
}

struct attempt_result attempt_at_port(struct fixture *f, uint16_t port) {
	_cleanup_(route_unrefp) struct route *route = route_to_port(f, 1, port);

	return attempt(f, route);
}

void wait_until(int (*read)(struct receiver *), struct receiver *receiver, int wanted) {
	int64_t deadline = clock_monotonic_ms() + PATIENCE_MS;

	while (read(receiver) != wanted) {
		if (clock_monotonic_ms() > deadline)
			fail_msg("expected %d, is %d", wanted, read(receiver));
		usleep(1000);
	}
}

struct receiver *receiver_that(enum behaviour behaviour, const char *answer) {
	return receiver_new(&(struct receiver_options){ .behaviour = behaviour, .answer = answer });
}

void collect(struct fixture *f, int count, int *succeeded, int *refused) {
	for (int i = 0; i < count; i++) {
		struct job *job = next_ended(f);

		if (job->end == JOB_REFUSED)
			(*refused)++;
		else if (job->result.reason == ATTEMPT_OK)
			(*succeeded)++;
		job_free(job);
	}
}
