/*
 * The judgement of `kafka.*` when the configuration is read, before any client is made.
 *
 * It is librdkafka's own, of the version that is linked: each setting is tried alone, then all of
 * them together on clients without brokers, which connect to nothing. Errors that those clients
 * would find later, or never, are looked for here.
 */
#pragma once

#include "base/config.h"

/* Of config_source: every `kafka.*` is judged by these rules. */
extern const struct config_kafka_rules settings_rules;
