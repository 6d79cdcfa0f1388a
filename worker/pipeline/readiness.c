#include "pipeline/readiness.h"

#include "pipeline/partition.h"

enum { UNDONE_FAILING = 5, REPAIRS_FAILING = 3 }; /* in a row */

static enum pipeline_readiness of_partitions(const struct pipeline_metrics *metrics) {
	int32_t count = atomic_load(&metrics->partition_count);
	bool is_restoring = false;

	for (int32_t i = 0; i < count; i++) {
		int state = atomic_load(&metrics->partitions[i].state);

		if (state == PARTITION_FAILED)
			return PIPELINE_TORN;
		is_restoring |= state == PARTITION_RESTORING || state == PARTITION_SUSPENDED;
	}
	return is_restoring ? PIPELINE_RESTORING : PIPELINE_READY;
}

static bool registry_fails(const struct registry_metrics *registry) {
	return atomic_load(&registry->failures) >= REPAIRS_FAILING ||
	       atomic_load(&registry->results_failures) >= REPAIRS_FAILING;
}

enum pipeline_readiness readiness_of(const struct pipeline_metrics *metrics, bool has_joined,
				     bool has_lease) {
	bool is_repaired_in_vain = atomic_load(&metrics->repairs_in_a_row) >= REPAIRS_FAILING;
	enum pipeline_readiness readiness = has_joined ? of_partitions(metrics) : PIPELINE_STARTING;

	if (metric_refusals(metrics) || registry_fails(&metrics->registry))
		return PIPELINE_FAILING;
	if (has_joined && (!has_lease || atomic_load(&metrics->undone_in_a_row) >= UNDONE_FAILING))
		return PIPELINE_FAILING;
	if (readiness == PIPELINE_STARTING || readiness == PIPELINE_RESTORING)
		return is_repaired_in_vain ? PIPELINE_FAILING : readiness;
	return readiness;
}
