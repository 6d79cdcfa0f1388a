/*
 * What a delivery costs: the engine alone, jobs from memory, receivers on loopback in a process of their own.
 *
 *     bench_delivery [deliveries] [webhooks] [hosts] [hung] [in flight per endpoint] [threads]
 *
 * `hung` further webhooks, each on a host of its own, never answer and stay in flight meanwhile. Prints this process's CPU time
 * per delivery, and beside it that of callback_sign alone, which is the part that cannot be had for less.
 */
#include "base/clock.h"
#include "delivery/engine.h"
#include "signature/callback.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BODY_LEN = 560, RECEIVERS = 16, OUTSTANDING_MAX = 20000, SIGN_ROUNDS = 20000 };

static char body[BODY_LEN];

/* --- receivers: answers every request whose last byte is the body's "}" --- */

static const char answer[] = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

static void watch(int epoll_fd, int fd) {
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void receive(int fd) {
	char buffer[4096];
	ssize_t len = recv(fd, buffer, sizeof(buffer), 0);

	if (len <= 0)
		close(fd);
	else if (buffer[len - 1] == '}')
		(void)!send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL);
}

static void serve(const int listeners[RECEIVERS]) {
	struct epoll_event events[256];
	int epoll_fd = epoll_create1(0);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < RECEIVERS; i++)
		watch(epoll_fd, listeners[i]);
	for (;;) {
		int count = epoll_wait(epoll_fd, events, (int)ARRAY_LEN(events), -1);

		for (int i = 0; i < count; i++) {
			if (events[i].data.fd <= listeners[RECEIVERS - 1])
				watch(epoll_fd, accept(events[i].data.fd, NULL, NULL));
			else
				receive(events[i].data.fd);
		}
	}
}

static int listen_on_loopback(uint16_t *port) {
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&address, len) || listen(fd, 4096) || getsockname(fd, (struct sockaddr *)&address, &len))
		abort();
	*port = ntohs(address.sin_port);
	return fd;
}

static void start_receivers(uint16_t ports[RECEIVERS]) {
	int listeners[RECEIVERS];

	for (int i = 0; i < RECEIVERS; i++)
		listeners[i] = listen_on_loopback(&ports[i]);
	if (fork() == 0)
		serve(listeners);
	for (int i = 0; i < RECEIVERS; i++)
		close(listeners[i]);
}

/* Every name is this machine: libcurl resolves through this one instead of the C library's. */
int getaddrinfo(const char *node _unused_, const char *service, const struct addrinfo *hints, struct addrinfo **out) {
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

static double cpu_us(void) {
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static struct job *make_job(struct route *route, uint32_t number) {
	struct delivery delivery = { .tenant_id = "tenant", .command_id = "command", .body = body, .body_len = BODY_LEN };

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

static void deliver(struct engine *engine, sem_t *notified, struct route **routes, size_t route_count, size_t total) {
	size_t submitted = 0, ended = 0, failed = 0;

	while (ended < total) {
		struct job *jobs = NULL;

		for (; submitted < total && submitted - ended < OUTSTANDING_MAX; submitted++) {
			struct job *job = make_job(routes[submitted % route_count], (uint32_t)submitted);

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
	struct callback_headers headers;
	double before = cpu_us();

	callback_headers_init(&headers);
	for (int i = 0; i < SIGN_ROUNDS; i++) {
		callback.timestamp_s = i;
		callback_sign(&headers, route->signer, CALLBACK_SIGN_RFC9421 | CALLBACK_SIGN_STANDARD_WEBHOOKS, &callback);
	}
	callback_headers_destroy(&headers);
	return (cpu_us() - before) / SIGN_ROUNDS;
}

static size_t argument(char **argv, int argc, int index, size_t otherwise) {
	return argc > index ? strtoul(argv[index], NULL, 10) : otherwise;
}

static struct route *make_route(const char *host, size_t number, uint16_t port, struct signer *signer) {
	struct uuid id = { .bytes = { (uint8_t)host[0] } };
	char url[64];

	memcpy(&id.bytes[8], &number, sizeof(number));
	snprintf(url, sizeof(url), "http://%s:%u/hook", host, port);
	return route_new(&id, "tenant", url, signer);
}

/* The backlog of a socket that nobody accepts from: connections come about, answers do not. */
static void hang(struct engine *engine, size_t count, struct signer *signer) {
	uint16_t port;

	listen_on_loopback(&port);
	for (size_t i = 0; i < count; i++) {
		_cleanup_(route_unrefp) struct route *route = NULL;
		char host[32];

		snprintf(host, sizeof(host), "silent%zu.test", i);
		route = make_route(host, i, port, signer);
		engine_submit(engine, make_job(route, (uint32_t)i));
	}
	while (count && (size_t)engine_counters(engine)->connections < count)
		usleep(1000);
}

static struct route **make_routes(size_t count, size_t hosts, const uint16_t ports[RECEIVERS], struct signer *signer) {
	struct route **routes = x_calloc(count, sizeof(*routes));

	for (size_t i = 0; i < count; i++) {
		char host[32];

		snprintf(host, sizeof(host), "host%zu.test", i % hosts);
		routes[i] = make_route(host, i, ports[i % hosts % RECEIVERS], signer);
	}
	return routes;
}

int main(int argc, char **argv) {
	size_t total = argument(argv, argc, 1, 100000), webhooks = argument(argv, argc, 2, 200);
	size_t hosts = argument(argv, argc, 3, RECEIVERS), hung = argument(argv, argc, 4, 0);
	struct network loopback = { .address.s6_addr = { [10] = 0xff, [11] = 0xff, [12] = 127 }, .prefix_bits = 104 };
	struct config config = {
		.delivery_threads = (int)argument(argv, argc, 6, 1),
		.delivery_connect_timeout_ms = 60000,
		.delivery_timeout_ms = 60000,
		.delivery_max_in_flight = (int)hung + 4096,
		.delivery_max_in_flight_per_endpoint = (int)argument(argv, argc, 5, 64),
		.delivery_max_connections_per_host = 256,
		.endpoint_allow_http = true,
		.endpoint_allow_networks = { .items = &loopback, .count = 1 },
		.signature_formats = SIGNATURE_FORMAT_RFC9421 | SIGNATURE_FORMAT_STANDARD_WEBHOOKS,
	};
	static const uint8_t seed[32] = { 1 };
	_cleanup_(signer_unrefp) struct signer *signer = signer_from_seed(seed);
	_cleanup_(engine_freep) struct engine *engine = NULL;
	struct route **routes;
	uint16_t ports[RECEIVERS];
	sem_t notified;
	double cpu;
	int64_t began;

	memset(body, 'x', BODY_LEN);
	body[BODY_LEN - 1] = '}';
	start_receivers(ports);
	sem_init(&notified, 0, 0);
	if (engine_new(&config, "bench", notify, &notified, &engine))
		return 1;
	engine_gate_set(engine, 0, 1);
	engine_lease_set(engine, INT64_MAX);
	routes = make_routes(webhooks, hosts, ports, signer);
	hang(engine, hung, signer);
	deliver(engine, &notified, routes, webhooks, hosts * 2); /* so that what is measured has its connections */
	cpu = cpu_us();
	began = clock_monotonic_us();
	deliver(engine, &notified, routes, webhooks, total);
	printf("deliveries %zu webhooks %zu hosts %zu hung %zu threads %d\n", total, webhooks, hosts, hung,
	       config.delivery_threads);
	printf("cpu_us_per_delivery %.1f\n", (cpu_us() - cpu) / (double)total);
	printf("wall_us_per_delivery %.1f\n", (double)(clock_monotonic_us() - began) / (double)total);
	printf("connections_opened %lu\n", (unsigned long)engine_counters(engine)->connections_opened);
	printf("sign_us %.1f\n", signing_us(routes[0]));
	for (size_t i = 0; i < webhooks; i++)
		route_unref(routes[i]);
	free(routes);
	return 0;
}
