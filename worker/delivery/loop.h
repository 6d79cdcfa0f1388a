/* A delivery thread: one epoll loop over its shards. */
#pragma once

#include "delivery/engine_shared.h"
#include "delivery/inbox.h"

struct loop;

/* Starts the thread `index` of `count`, which share the engine's bounds. `shared` is borrowed.
 * Returns 0 or a negative errno. */
int loop_new(struct engine_shared *shared, int index, int count, struct loop **out) _must_check_;

/* Its messages; valid until loop_free. */
struct inbox *loop_inbox(struct loop *loop);

/* Waits for the thread to end, after a INBOX_STOP. */
void loop_join(struct loop *loop);

/* After loop_join. */
void loop_free(struct loop *loop);
