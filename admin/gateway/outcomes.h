/* The thread that reads webhook-results from its end. An outcome settles its pending request. */
#pragma once

#include "base/config.h"
#include "gateway/pending.h"
#include "terminal/status.h"

struct outcomes;

/* Borrows `pending`. The thread also expires pending requests. */
enum admin_status outcomes_start(const struct config *config, int64_t timeout_ms,
				 struct pending *pending, struct outcomes **out) _must_check_;
void outcomes_stop(struct outcomes *outcomes);
DEFINE_CLEANUP(struct outcomes, outcomes_stop)
bool outcomes_failing(const struct outcomes *outcomes);
