/*
 * A list of brokers, host:port,host:port, as kafka.bootstrap.servers gives it: where librdkafka
 * takes too much.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* How many brokers the list names. */
size_t broker_list_count(const char *list);

/* Whether each has a host, and a port of 1 to 65535 or none. */
bool broker_list_is_valid(const char *list);
