/*
 * The gateway: HTTP in, a command out on webhook-admin, its outcome back from webhook-results.
 *
 *   client ──► http_server ──► routes ──► exchange ──► sender ───────────────► webhook-admin ──►
 * worker ▲         (threads)                    │  │ │ │                                      │
 * └──► pending ◄── outcomes (thread) ◄── webhook-results └──────────── answer ◄─────────────────┘
 * │              └──► event_index ──► GET /v1/events ▲   resumed                    │
 *                        └──────────────────────────────┘     changelog (thread) ◄── webhook-state
 * ──► JWKS, deliveries
 *
 * It has no state of its own but the tokens' file: as many as one likes run beside each other. What
 * a command's fields are worth is the worker's to say, so that the answers over HTTP and over Kafka
 * are the same; refused here is only what cannot be made a command.
 */
#pragma once

#include "base/config.h"
#include "gateway/event_index.h"
#include "gateway/outcomes.h"
#include "gateway/pending.h"
#include "gateway/sender.h"
#include "gateway/state_follower.h"
#include "gateway/token_store.h"
#include "http/server.h"
#include "terminal/status.h"

#include <stdatomic.h>

enum { GATEWAY_BODY_MAX = 64 * 1024 };

/* What /metrics shows; counted by any thread. */
struct gateway_metrics {
	atomic_ullong answers[600]; /* by status */
	atomic_ullong timeouts;     /* commands without an outcome in time */
};

struct gateway {
	const struct config *config; /* borrowed */
	const char *version;
	struct token_store *tokens;
	struct event_index *events;
	struct pending *pending;
	struct sender *sender;
	struct outcomes *outcomes;
	struct state_follower *state;
	struct http_server *api, *operations;
	struct http_tls *tls; /* NULL: plain text */
	struct gateway_metrics metrics;
	atomic_bool draining;
};

/* Serves until SIGTERM or SIGINT; what waits then is still answered. `timeout_ms`: for finding
 * brokers and topics. */
enum admin_status gateway_run(const struct config *config, const char *version,
			      int64_t timeout_ms) _must_check_;
