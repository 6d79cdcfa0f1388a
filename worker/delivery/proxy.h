/*
 * The forward proxy that callbacks go through (endpoint.proxy): which of them do, and whether it
 * works. The delivery threads share it; any of them may call.
 *
 *              `delivery.breaker.failures` attempts in a row do not reach it
 *         WORKS ───────────────────────────────────────────────────► FAILS ◄──┐ that one does not
 *           ▲                                                          │ │    │ reach it either
 *           └────────────────────────── it answers ────────────────────┘ └────┘
 *                                              every two seconds one attempt tries it
 *
 * Attempts that it cannot take meanwhile are not made: their deliveries wait in the replica, where
 * they take no memory from those that go without the proxy.
 *
 * An attempt counts here where it did not reach the proxy, or where the proxy ended without a word.
 * Refusals, and silence after it was reached, do not count: an endpoint can bring these about, and
 * must not stop the deliveries of others.
 */
#pragma once

#include "base/config.h"
#include "delivery/job.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

enum { PROXY_PAUSE_MS = 2000 };

struct proxy {
	const struct config *config; /* borrowed */
	pthread_mutex_t mutex;
	char *password;            /* owned; NULL: no login; under `mutex` */
	atomic_int failures;       /* attempts in a row that did not reach it */
	_Atomic int64_t try_at_us; /* monotonic: an attempt may try it then */
};

/* Reads the password's file. `config` is borrowed. Returns 0, or -EINVAL after logging why the file
 * cannot be used. */
int proxy_init(struct proxy *proxy, const struct config *config) _must_check_;
void proxy_destroy(struct proxy *proxy);
/* Reads the password's file again, which `config` may name differently; tunnels that are open stay.
 * Returns as above, and nothing has changed then. Any thread. */
int proxy_reload(struct proxy *proxy, const struct config *config) _must_check_;

/*
 * An attempt is about to begin: notes in the job whether it goes through the proxy. Returns false
 * where the attempt must not be made now, with the time to wait in the job.
 */
bool proxy_admits(struct proxy *proxy, struct job *job) _must_check_;

/* Whether it FAILS. */
bool proxy_fails(const struct proxy *proxy);

/* An attempt through the proxy ended for this reason; `error` describes a failure. */
void proxy_end_attempt(struct proxy *proxy, enum attempt_reason reason, const char *error);

/*
 * The rule by which a request through the proxy must not be sent, as static text; NULL: it may be.
 * The address guard sees the proxy's address alone, so an address in the url has to be one of
 * `endpoint.allow.networks`. The address of a name is the proxy's to judge.
 */
const char *proxy_refusal(const struct proxy *proxy, const struct job *job);

/* Sets the options for a handle's life; after that it goes without a proxy. */
void proxy_prepare(const struct proxy *proxy, CURL *easy);
/* Sets those of the next attempt. */
void proxy_choose(struct proxy *proxy, CURL *easy, const struct job *job);
