/* The thread that reads webhook-results from its end. An outcome settles its pending request, and
 * every event goes to the index. */
#pragma once

#include "base/config.h"
#include "gateway/event_index.h"
#include "gateway/pending.h"
#include "terminal/status.h"

struct outcomes;

/* Borrows `pending` and `events`. The thread also expires pending requests. */
enum admin_status outcomes_start(const struct config *config, int64_t timeout_ms,
				 struct pending *pending, struct event_index *events,
				 struct outcomes **out) _must_check_;
void outcomes_stop(struct outcomes *outcomes);
DEFINE_CLEANUP(struct outcomes, outcomes_stop)
bool outcomes_failing(const struct outcomes *outcomes);
