/*
 * How much a producer's writes are held up by the brokers, where they have a quota for it.
 *
 * A broker takes a request that exceeds the quota, and says for how long it throttles: so long it
 * reads nothing more from that connection. All that is sent on it waits: the next records, and the
 * offsets of the transaction where the same broker coordinates the group. A transaction that begins
 * meanwhile spends its time on waiting.
 *
 * The time may be minutes, where much was written before the quota was set. The quota itself looks
 * back over eleven seconds only: after that a new connection gets through.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct throttle {               /* times are monotonic; 0: never */
	int64_t reported_at_ms; /* last */
	int64_t until_ms;       /* the brokers read nothing from the connection */
	int64_t news_ms;        /* reported, and not yet taken */
};

/* A broker throttles from now on for `ms`; 0: no more. */
void throttle_note(struct throttle *throttle, int ms, int64_t now_ms);
/* How much was reported since the last call. */
int64_t throttle_take(struct throttle *throttle);
/* How long from now on a transaction had better not begin. */
int64_t throttle_left_ms(const struct throttle *throttle, int64_t now_ms);
/* Whether it is quicker to connect anew. */
bool throttle_is_outlived(const struct throttle *throttle, int64_t now_ms);
