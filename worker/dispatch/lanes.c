#include "dispatch/lanes.h"

#include "base/invariant.h"
#include "base/memory.h"

enum {
	/* Deliveries in memory for each that may be in flight: the needs of the next rounds. */
	PROMPT_PER_IN_FLIGHT = 4,
	PROMPT_BYTES_MAX = 64 * 1024 * 1024,
	BREADTH_PER_ENDPOINT = 64,
};

/* Endpoints of the two lower lanes hold their share for long: together at most three quarters of
 * what may be in flight. The last quarter suffices for prompt ones, which return it soon. */
void dispatch_lanes_init(struct dispatch_lanes *lanes, size_t max_in_flight) {
	*lanes = (struct dispatch_lanes){ 0 };
	lanes->max[DISPATCH_LANE_PROMPT] =
	    (struct dispatch_load){ max_in_flight * PROMPT_PER_IN_FLIGHT, PROMPT_BYTES_MAX };
	lanes->max[DISPATCH_LANE_UNPROVEN] =
	    (struct dispatch_load){ MAX(max_in_flight / 2, (size_t)1), PROMPT_BYTES_MAX / 2 };
	lanes->max[DISPATCH_LANE_FAILING] =
	    (struct dispatch_load){ MAX(max_in_flight / 4, (size_t)1), PROMPT_BYTES_MAX / 4 };
}

static size_t breadth_of(enum dispatch_lane lane, struct dispatch_load load) {
	return lane == DISPATCH_LANE_PROMPT ? MIN(load.count, (size_t)BREADTH_PER_ENDPOINT) : 0;
}

void dispatch_lanes_add(struct dispatch_lanes *lanes, enum dispatch_lane lane,
			struct dispatch_load load) {
	lanes->held[lane].count += load.count;
	lanes->held[lane].bytes += load.bytes;
	lanes->breadth += breadth_of(lane, load);
}

void dispatch_lanes_remove(struct dispatch_lanes *lanes, enum dispatch_lane lane,
			   struct dispatch_load load) {
	struct dispatch_load *held = &lanes->held[lane];
	size_t breadth = breadth_of(lane, load);

	/* Below zero the lane would be full for good, and its endpoints would starve. */
	invariant_with(load.count <= held->count && load.bytes <= held->bytes &&
			   breadth <= lanes->breadth,
		       "a lane gives back no more than it holds",
		       "lane=%d count=%zu of=%zu bytes=%zu of=%zu breadth=%zu of=%zu", (int)lane,
		       load.count, held->count, load.bytes, held->bytes, breadth, lanes->breadth);
	held->count -= load.count;
	held->bytes -= load.bytes;
	lanes->breadth -= breadth;
}

bool dispatch_lanes_is_full(const struct dispatch_lanes *lanes, enum dispatch_lane lane) {
	return lanes->held[lane].count >= lanes->max[lane].count ||
	       lanes->held[lane].bytes >= lanes->max[lane].bytes;
}

bool dispatch_lanes_is_scarce(const struct dispatch_lanes *lanes, enum dispatch_lane lane) {
	return lanes->held[lane].count >= lanes->max[lane].count / 2 ||
	       lanes->held[lane].bytes >= lanes->max[lane].bytes / 2;
}
