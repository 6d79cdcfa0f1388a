/* A report: what an endpoint's attempts showed, for its webhook to keep. */
#pragma once

#include "domain/endpoint_report.h"

struct dispatch_report {
	struct endpoint_report report;
	int32_t partition_id;
};
