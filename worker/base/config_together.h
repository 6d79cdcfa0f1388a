/* The settings that are each valid alone and not together. */
#pragma once

#include "base/config.h"

/* Reports each problem. What `kafka.*` holds is judged by its own rules (struct
 * config_kafka_rules).
 */
void config_judge_together(const struct config *config, config_problem_fn report, void *userdata);
