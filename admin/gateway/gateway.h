/*
 * The gateway: HTTP in, a command out on webhook-admin, its outcome back from webhook-results.
 *
 *     client ──► http server ──► api ──► serve_command ──► sender ──► webhook-admin ──► worker
 *       ▲        (threads)               │     │  ▲                                       │
 *       │                                │     ▼  │                                       ▼
 *       └──────────── answer ◄───────────┤   pending ◄── outcomes (thread) ◄── webhook-results
 *                                        │
 *                                        ├──► serve_history ◄── history (SQLite)
 *                                        │                        ▲
 *                                        │     history_follower (thread) ◄── webhook-results
 *                                        ▼
 *                                  serve_reads ◄── public_keys, delivery_index
 *                                                      ▲
 *                                 state_follower (thread) ◄── webhook-state
 *
 * It has no state of its own but the tokens' file, and a history that it reads again from the topic
 * where it is lost: any number of gateways run beside each other, each with a folder of its own.
 * The worker judges the values of a command's fields, so that the answers over HTTP and over Kafka
 * are the same; the gateway refuses only requests that cannot be made a command.
 */
#pragma once

#include "base/config_load.h"
#include "terminal/status.h"

/* Serves until SIGTERM or SIGINT; requests that wait then are still answered. SIGHUP: reload.h.
 * `source`: of the configuration. `timeout_ms`: for finding brokers and topics. */
enum admin_status gateway_run(const struct config *config, const struct config_source *source,
			      const char *version, int64_t timeout_ms) _must_check_;
