/* Whether a topic may be read. librdkafka tells a consumer that it may not, and never that it may
 * again. */
#pragma once

#include "base/config.h"

/* Reads the end of the topic's first partition with a client of its own: some milliseconds, seconds
 * at most. False also where no broker answers in time. */
bool read_probe_may_read(const struct config *config, const char *topic) _must_check_;
