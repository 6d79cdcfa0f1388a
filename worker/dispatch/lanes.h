/*
 * The three lanes: how much of what is in memory each holds, and may hold. Functions of values.
 * dispatcher.h says which endpoint is in which lane, and why there are three.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum dispatch_lane {
	DISPATCH_LANE_PROMPT,
	DISPATCH_LANE_UNPROVEN,
	DISPATCH_LANE_FAILING,
	DISPATCH_LANE_COUNT
};

/* Deliveries in memory. */
struct dispatch_load {
	size_t count, bytes;
};

struct dispatch_lanes {
	struct dispatch_load held[DISPATCH_LANE_COUNT], max[DISPATCH_LANE_COUNT];
	size_t breadth; /* held for prompt endpoints, of each at most 64 */
};

void dispatch_lanes_init(struct dispatch_lanes *lanes, size_t max_in_flight);

/* The whole load of one endpoint enters or leaves the lane. Aborts where the lane does not hold so
 * much. */
void dispatch_lanes_add(struct dispatch_lanes *lanes, enum dispatch_lane lane,
			struct dispatch_load load);
void dispatch_lanes_remove(struct dispatch_lanes *lanes, enum dispatch_lane lane,
			   struct dispatch_load load);

/* Whether the lane takes no more. */
bool dispatch_lanes_is_full(const struct dispatch_lanes *lanes, enum dispatch_lane lane);
/* Whether half of it is used. */
bool dispatch_lanes_is_scarce(const struct dispatch_lanes *lanes, enum dispatch_lane lane);
