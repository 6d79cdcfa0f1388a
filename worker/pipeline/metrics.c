#include "pipeline/metrics.h"

const double metric_transaction_seconds[METRIC_TRANSACTION_BUCKETS] = { 0.005, 0.01, 0.02, 0.04,
									0.08,  0.16, 0.5,  1,
									2,     10 };

void pipeline_metrics_init(struct pipeline_metrics *metrics, int32_t partition_count) {
	metrics->partitions = x_calloc((size_t)partition_count, sizeof(*metrics->partitions));
	for (int32_t i = 0; i < partition_count; i++)
		for (int input = 0; input < METRIC_INPUT_COUNT; input++)
			atomic_store(&metrics->partitions[i].lag[input], -1);
	atomic_store(&metrics->partition_count, partition_count);
}

void pipeline_metrics_destroy(struct pipeline_metrics *metrics) {
	free(metrics->partitions);
}
