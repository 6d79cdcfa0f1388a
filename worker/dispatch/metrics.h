/* The dispatcher's gauges: written by its thread, read by any. */
#pragma once

#include <stdatomic.h>

struct dispatch_metrics {
	atomic_int outstanding;   /* deliveries in memory */
	atomic_int endpoints;     /* webhooks with pending deliveries */
	atomic_int open_breakers; /* endpoints to which only probes go */
};
