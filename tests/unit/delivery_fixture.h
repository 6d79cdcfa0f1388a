/*
 * An engine for tests, its gate and lease open, and jobs for it. Names resolve without a network:
 * "slow.test" takes two seconds, "none.test" does not exist, "inside.test" is a public name of a
 * private address, "moved.test" is at `moved_address`, and every other name is 127.0.0.1.
 */
#pragma once

#include "base/network.h"
#include "delivery/engine.h"
#include "delivery/job.h"
#include "delivery_receiver.h"

#include <semaphore.h>

enum {
	PARTITION = 3,
	EPOCH = 7,
	TIMEOUT_MS = 1500,
	SLOW_NAME_TIMEOUT_MS = 700,
	PATIENCE_MS = 20000
};

extern const char body_text[];
extern const size_t body_text_len;
extern atomic_int slow_lookups;
extern atomic_uint moved_address; /* host order */

struct fixture {
	struct network networks[2];
	struct config config; /* to be changed before `start` */
	struct engine *engine;
	struct signer *signer;
	sem_t notified;
	struct job *ended; /* collected and not yet looked at */
};

/* For cmocka. */
int setup(void **state);
int teardown(void **state);

void start(struct fixture *f);

struct route *route_to(struct fixture *f, int webhook, const char *url);
/* http at 127.0.0.1. */
struct route *route_to_port(struct fixture *f, int webhook, uint16_t port);
struct job *job_for(struct route *route, int number);

/* `count` jobs at once. */
void submit(struct fixture *f, struct route *route, int count);
/* The next job that ended, owned by the caller; fails the test when none does. */
struct job *next_ended(struct fixture *f);
/* Collects that many; counts the successful and the refused ones. */
void collect(struct fixture *f, int count, int *succeeded, int *refused);

/* One attempt of one job. */
struct attempt_result attempt(struct fixture *f, struct route *route);
struct attempt_result attempt_at_port(struct fixture *f, uint16_t port);

/* Until `read` gives `wanted`; fails the test when it does not. */
void wait_until(int (*read)(struct receiver *), struct receiver *receiver, int wanted);

struct receiver *receiver_that(enum behaviour behaviour, const char *answer);
