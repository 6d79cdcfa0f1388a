/* A partition as the dispatcher and its jobs know it. */
#pragma once

#include <stdint.h>

struct dispatch_partition {
	int32_t id;
	uint32_t epoch; /* of its assignment; the gate compares it with a job's (R5) */
};
