/*
 * The cost of a delivery: the engine alone, jobs from memory, receivers on loopback in a process of
 * their own.
 *
 *     bench_delivery [--deliveries N] [--webhooks N] [--hosts N] [--connections N] [--hung N]
 * [--in-flight N] [--threads N]
 *                    [--authorities FILE] [--port N]...
 *
 * `hung` further webhooks, each on a host of its own, never answer and stay in flight meanwhile.
 * Prints this process's CPU time per delivery, and beside it that of callback_sign alone, which is
 * the part that cannot be had for less.
 */
#include "base/clock.h"
#include "delivery/engine.h"
#include "delivery/job.h"
#include "domain/event_type.h"
#include "sender.h"
#include "signature/callback.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BODY_LEN = SENDER_BODY_LEN,
	IN_FLIGHT_MAX = 4096,
	OUTSTANDING_MAX = 20000,
	SIGN_ROUNDS = 20000
};

static char body[BODY_LEN];

static int listen_on_loopback(uint16_t *port) {
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&address, len) || listen(fd, 4096) ||
	    getsockname(fd, (struct sockaddr *)&address, &len))
		abort();
	*port = ntohs(address.sin_port);
	return fd;
}

/* Every name is this machine: libcurl resolves through this one instead of the C library's. */
int getaddrinfo(const char *node _unused_, const char *service, const struct addrinfo *hints,
		struct addrinfo **out) {
	struct addrinfo *info = x_calloc(1, sizeof(*info) + sizeof(struct sockaddr_in));
	struct sockaddr_in *address = (struct sockaddr_in *)(info + 1);

	*address = (struct sockaddr_in){ .sin_family = AF_INET,
					 .sin_port = htons((uint16_t)(service ? atoi(service) : 0)),
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	*info = (struct addrinfo){ .ai_family = AF_INET,
				   .ai_socktype = hints ? hints->ai_socktype : SOCK_STREAM,
				   .ai_addrlen = sizeof(*address),
				   .ai_addr = (struct sockaddr *)address };
	*out = info;
	return 0;
}

/* --- the sender --- */

static struct job *make_job(struct route *route, uint32_t number) {
	struct delivery delivery = { .tenant_id = "tenant",
				     .command_id = "command",
				     .event_type = EVENT_TYPE_CREDENTIAL_ISSUED,
				     .body = body,
				     .body_len = BODY_LEN };

	memcpy(delivery.id.bytes, &number, sizeof(number));
	return job_new(&delivery, route, 0, 1);
}

static void notify(void *userdata) {
	sem_post(userdata);
}

static size_t take_ended(struct engine *engine, size_t *failed) {
	struct job *job = engine_collect(engine), *next;
	size_t count = 0;

	for (; job; job = next, count++) {
		next = job->next;
		*failed += job->end != JOB_ATTEMPTED || job->result.reason != ATTEMPT_OK;
		job_free(job);
	}
	return count;
}

static void deliver(struct engine *engine, sem_t *notified, struct route **routes,
		    size_t route_count, size_t total) {
	size_t submitted = 0, ended = 0, failed = 0;

	while (ended < total) {
		struct job *jobs = NULL;

		for (; submitted < total && submitted - ended < OUTSTANDING_MAX; submitted++) {
			struct job *job =
			    make_job(routes[submitted % route_count], (uint32_t)submitted);

			job->next = jobs;
			jobs = job;
		}
		if (jobs)
			engine_submit(engine, jobs);
		sem_wait(notified);
		ended += take_ended(engine, &failed);
	}
	if (failed)
		printf("failed %zu\n", failed);
}

static double signing_us(const struct route *route) {
	struct callback callback = { .authority = route->parts.authority,
				     .path = route->parts.path,
				     .content_type = "application/json",
				     .delivery_id = "dd110000-0000-0000-0000-000000000001",
				     .body = body,
				     .body_len = BODY_LEN };
	struct buffer lines = BUFFER_INIT(CALLBACK_LINES_MAX);
	double before = sender_cpu_us();

	for (int i = 0; i < SIGN_ROUNDS; i++) {
		callback.timestamp_s = i;
		callback_lines_clear(&lines);
		callback_sign(&lines, route->signer,
			      CALLBACK_SIGN_RFC9421 | CALLBACK_SIGN_STANDARD_WEBHOOKS, &callback);
	}
	buffer_destroy(&lines);
	return (sender_cpu_us() - before) / SIGN_ROUNDS;
}

static struct route *make_route(const char *scheme, const char *host, size_t number, uint16_t port,
				struct signer *signer) {
	struct uuid id = { .bytes = { (uint8_t)host[0] } };
	char url[96];

	memcpy(&id.bytes[8], &number, sizeof(number));
	snprintf(url, sizeof(url), "%s://%s:%u/hook", scheme, host, port);
	return route_new(&id, "tenant", url, signer, NULL);
}

/* The backlog of a socket without accept: connections come about, answers do not. */
static void hang(struct engine *engine, size_t count, struct signer *signer) {
	uint16_t port;

	listen_on_loopback(&port);
	for (size_t i = 0; i < count; i++) {
		_cleanup_(route_unrefp) struct route *route = NULL;
		char host[32];

		snprintf(host, sizeof(host), "silent%zu.test", i);
		route = make_route("http", host, i, port, signer);
		engine_submit(engine, make_job(route, (uint32_t)i));
	}
	while (count && (size_t)engine_counters(engine)->connections < count)
		usleep(1000);
}

/* Of a million webhooks only those are made that there are deliveries for. */
static struct route **make_routes(const struct sender *sender, size_t count,
				  struct signer *signer) {
	struct route **routes = x_calloc(count, sizeof(*routes));

	for (size_t i = 0; i < count; i++) {
		size_t host = i % sender->hosts;
		char name[64];

		sender_host(host, name);
		routes[i] = make_route(sender->authorities ? "https" : "http", name, i,
				       sender_port(sender, host), signer);
	}
	return routes;
}

static struct config config_of(const struct sender *sender, struct network *allowed) {
	return (struct config){
		.delivery_threads = (int)sender->threads,
		.delivery_connect_timeout_ms = 60000,
		.delivery_timeout_ms = 60000,
		.delivery_max_in_flight = (int)sender->hung + IN_FLIGHT_MAX,
		.delivery_max_in_flight_per_endpoint = (int)sender->in_flight,
		.delivery_max_connections_per_host = (int)sender->connections,
		.delivery_connection_lifetime_ms = 300 * 1000,
		.endpoint_allow_http = true,
		.endpoint_allow_networks = { .items = allowed, .count = 1 },
		.endpoint_ca_file = (char *)(uintptr_t)sender->authorities,
		.signature_formats = SIGNATURE_FORMAT_RFC9421 | SIGNATURE_FORMAT_STANDARD_WEBHOOKS,
	};
}

/* Enough for a measurement to find its connections open: each is used a few times. */
static size_t warm_up(const struct sender *sender) {
	return sender->hosts * 2 +
	       4 * MIN(sender->hosts * sender->connections, (size_t)IN_FLIGHT_MAX);
}

static void measure(const struct sender *sender, struct engine *engine, sem_t *notified,
		    struct route **routes, size_t count) {
	size_t opened;
	double cpu_us;
	int64_t began_us;

	deliver(engine, notified, routes, count, warm_up(sender));
	opened = engine_counters(engine)->connections_opened;
	cpu_us = sender_cpu_us();
	began_us = sender_now_us();
	deliver(engine, notified, routes, count, sender->deliveries);
	sender_report(sender, cpu_us, began_us);
	printf("connections_opened %zu\n",
	       (size_t)engine_counters(engine)->connections_opened - opened);
}

int main(int argc, char **argv) {
	struct sender sender = sender_from_arguments(argc, argv);
	struct network loopback = { .address.s6_addr = { [10] = 0xff, [11] = 0xff, [12] = 127 },
				    .prefix_bits = 104 };
	struct config config = config_of(&sender, &loopback);
	static const uint8_t seed[32] = { 1 };
	_cleanup_(signer_unrefp) struct signer *signer = signer_from_seed(seed);
	_cleanup_(engine_freep) struct engine *engine = NULL;
	size_t count = MIN(sender.webhooks, MAX(sender.deliveries, warm_up(&sender)));
	struct route **routes;
	sem_t notified;

	memset(body, 'x', BODY_LEN);
	sem_init(&notified, 0, 0);
	if (engine_new(&config, "bench", notify, &notified, &engine))
		return 1;
	engine_gate_set(engine, 0, 1);
	engine_lease_set(engine, INT64_MAX);
	routes = make_routes(&sender, count, signer);
	hang(engine, sender.hung, signer);
	measure(&sender, engine, &notified, routes, count);
	printf("sign_us %.1f\n", signing_us(routes[0]));
	for (size_t i = 0; i < count; i++)
		route_unref(routes[i]);
	free(routes);
	return 0;
}
