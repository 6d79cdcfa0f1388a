/* The six topics: their names and settings (docs/operating.md, "Topics"). */
#pragma once

#include "base/config.h"
#include "rdkafka/topic_names.h"
#include "terminal/status.h"

#include <stdbool.h>

struct topic_report {
	char *name; /* owned */
	bool created;
	bool exists;
	bool hidden; /* this principal may not describe it: it may exist */
	int partitions;
	int replicas; /* of the partition with the fewest */
	char **wrong; /* owned: a sentence for each deviation */
	size_t wrong_count;
	size_t advice_count; /* of them: topic_rule_is_advice, of a topic that was there before */
};

struct topics_report {
	struct topic_report topics[TOPIC_COUNT];
};

void topics_report_destroy(struct topics_report *report);
/* Whether there is no deviation. */
bool topics_report_is_good(const struct topics_report *report);
/* Whether there is none but advice: workers can start. */
bool topics_report_is_usable(const struct topics_report *report);

/* Creates the missing topics, waits for them, and marks them in `report`. */
enum admin_status topics_create(const struct config *config, int64_t timeout_ms,
				struct topics_report *report) _must_check_;
/* Compares the existing topics with the rules, as topics_create does too. Returns ADMIN_OK also
 * where there are deviations: they are in the report. */
enum admin_status topics_inspect(const struct config *config, int64_t timeout_ms,
				 struct topics_report *report) _must_check_;
