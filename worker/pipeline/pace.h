/*
 * How commands keep step with deliveries.
 *
 * Commands that are handled while the delivery threads cannot keep up become rows, are looked up
 * again, and are deleted. So they wait in Kafka, as long as there is enough for these threads to
 * do; but never for longer than half a second, whatever is wrong with this judgement.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pace {
	int64_t asked_us;   /* monotonic: when it was looked how busy the threads are */
	uint64_t worked_us; /* how long they had worked by then, all together */
	int64_t took_us;    /* monotonic: when commands were last taken */
	bool is_busy;       /* for more than a third of the time, of late */
};

/* What is known of the delivery threads now. */
struct pace_sight {
	int64_t now_us;     /* monotonic */
	uint64_t worked_us; /* since their start, all together */
	int threads;
	bool has_broad_backlog; /* many endpoints that answer promptly have deliveries in memory */
};

/* Whether commands are to wait. Where they are not, they are taken now. */
bool pace_is_ahead(struct pace *pace, const struct pace_sight *sight);
