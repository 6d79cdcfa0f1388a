/* A delivery thread: one epoll loop over its shards. */
#pragma once

#include "delivery/inbox.h"
#include "delivery/shared.h"

struct loop;

/* `index` names the thread, `count` is how many there are: they share the bounds. Returns 0 or a
 * negative errno. */
int loop_new(struct shared *shared, int index, int count, struct loop **out) _must_check_;

/* Where to talk to the thread. */
struct inbox *loop_inbox(struct loop *loop);

/* Waits for the thread to end, after a MESSAGE_STOP. */
void loop_join(struct loop *loop);

/* After loop_join. */
void loop_free(struct loop *loop);
