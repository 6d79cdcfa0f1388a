/* The thread that reads webhook-state, and the two folds of it that are answered from. */
#pragma once

#include "base/config.h"
#include "gateway/delivery_index.h"
#include "gateway/public_keys.h"
#include "terminal/status.h"

struct changelog;

enum admin_status changelog_start(const struct config *config, int64_t timeout_ms,
				  struct changelog **out) _must_check_;
void changelog_stop(struct changelog *changelog);
DEFINE_CLEANUP(struct changelog, changelog_stop)

/* Borrowed from it. */
struct public_keys *changelog_keys(struct changelog *changelog);
struct delivery_index *changelog_deliveries(struct changelog *changelog);

/* Whether it has been read to the end that it had at the start. */
bool changelog_ready(const struct changelog *changelog);
bool changelog_failing(const struct changelog *changelog);
