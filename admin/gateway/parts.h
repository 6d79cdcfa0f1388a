/* The parts of a gateway, as its request handlers use them. gateway.c makes and frees them. */
#pragma once

#include "base/config_load.h"
#include "gateway/history_follower.h"
#include "gateway/outcomes.h"
#include "gateway/pending.h"
#include "gateway/sender.h"
#include "gateway/state_follower.h"
#include "gateway/tls_files.h"
#include "gateway/token_store.h"
#include "http/server.h"

#include <stdatomic.h>

enum {
	GATEWAY_BODY_MAX = 64 * 1024, /* bytes of a request */
	GATEWAY_STUCK_MS = 60 * 1000, /* longer than a thread takes for one round of its crowd */
};

/* The counters of /metrics; any thread. */
struct gateway_metrics {
	atomic_ullong answers[600]; /* by status */
	atomic_ullong timeouts;     /* commands without an outcome in time */
};

struct gateway {
	const struct config *config;        /* borrowed, as the next one is */
	const struct config_source *source; /* of the configuration, to read it again */
	const char *version;
	struct token_store *tokens;
	struct history_follower *history;
	struct pending *pending;
	struct sender *sender, *event_sender;
	struct outcomes *outcomes;
	struct state_follower *state;
	struct http_server *api, *operations;
	struct http_tls *tls; /* NULL: plain text */
	struct tls_files tls_files;
	struct gateway_metrics metrics;
	atomic_bool is_open;    /* all parts are there */
	atomic_bool is_refused; /* until then: opening them failed */
	atomic_bool draining;
};
