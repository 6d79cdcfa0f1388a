/* The common part of the two senders, bench_delivery (the engine) and bench_floor: arguments,
 * figures, and receivers. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { SENDER_PORTS_MAX = 64, SENDER_BODY_LEN = 560 };

struct sender {
	size_t deliveries;
	size_t webhooks;    /* of the engine: how many the deliveries are for */
	size_t hosts;       /* hostN.bench.test; all of them are this machine */
	size_t connections; /* to each host, at most */
	size_t hung; /* of the engine: so many more webhooks, each on a host of its own, that never
			answer */
	size_t in_flight; /* of the engine: of a webhook, at most */
	size_t threads;   /* of the engine */
	size_t bytes;   /* of the floor: how long a request is; 0: with a body of SENDER_BODY_LEN */
	size_t warm_up; /* of the floor: deliveries before those that are counted; each connection
			   has one at least */
	const char *authorities;          /* TLS, and whom to trust; NULL: plain */
	uint16_t ports[SENDER_PORTS_MAX]; /* where the hosts are, one after the other */
	size_t port_count;
};

/* Reads --name value and --port N (again and again). Without a port a bench_receiver is started,
 * which ends with this process. Ends with 2 on wrong usage. */
struct sender sender_from_arguments(int argc, char **argv);

/* hostN.bench.test, and with its port. */
void sender_host(size_t number, char out[64]);
uint16_t sender_port(const struct sender *sender, size_t host);

/* CPU of this process, user and system. */
double sender_cpu_us(void);
int64_t sender_now_us(void);

/* The lines that figures/senders.py reads: the deliveries since then. */
void sender_report(const struct sender *sender, double cpu_before_us, int64_t began_us);
