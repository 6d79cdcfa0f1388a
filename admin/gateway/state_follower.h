/* The follower of webhook-state, with the two indexes of it that answers come from, and the watch
 * over the workers' event.types. */
#pragma once

#include "base/config.h"
#include "gateway/catalogue_watch.h"
#include "gateway/delivery_index.h"
#include "gateway/public_keys.h"
#include "terminal/status.h"

struct state_follower;

/* Starts the thread. `timeout_ms` is for finding the topic. */
enum admin_status state_follower_start(const struct config *config, int64_t timeout_ms,
				       struct state_follower **out) _must_check_;
void state_follower_stop(struct state_follower *state);
DEFINE_CLEANUP(struct state_follower, state_follower_stop)

/* Both are borrowed, until state_follower_stop. */
struct public_keys *state_follower_keys(struct state_follower *state);
struct delivery_index *state_follower_deliveries(struct state_follower *state);

/* The partitions whose last worker has other event.types than the gateway. */
int state_follower_disagreements(const struct state_follower *state);

/* Whether the topic has been read to the end that it had at the start. */
bool state_follower_is_ready(const struct state_follower *state);
/* Whether the last read failed; reading is tried again. */
bool state_follower_is_failing(const struct state_follower *state);
