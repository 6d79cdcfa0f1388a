#include "rdkafka/broker_list.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t broker_list_count(const char *list) {
	size_t count = 1;

	for (const char *p = list; *p; p++)
		count += *p == ',';
	return count;
}

/* Of `host`, `host:port` and `[address]:port`, after whatever protocol: librdkafka reads a port as
 * far as it is a number. */
static bool has_valid_port(const char *broker, size_t len) {
	const char *end = broker + len, *bracket = memrchr(broker, ']', len);
	const char *colon =
	    memrchr(bracket ? bracket : broker, ':', (size_t)(end - (bracket ? bracket : broker)));
	char *rest;
	long port;

	if (!colon || colon[1] == '/' ||
	    (!bracket && memchr(broker, ':', len) != colon && colon[-1] == ':'))
		return true;
	if (!isdigit((unsigned char)colon[1]))
		return false;
	port = strtol(colon + 1, &rest, 10);
	while (rest < end && *rest == ' ')
		rest++;
	return rest == end && port >= 1 && port <= UINT16_MAX;
}

/* librdkafka takes an empty one for localhost. */
static bool has_host(const char *broker, size_t len) {
	const char *end = broker + len, *protocol = memmem(broker, len, "://", 3),
		   *host = protocol ? protocol + 3 : broker;

	while (host < end && *host == ' ')
		host++;
	return host < end && *host != ':' && strncmp(host, "[]", 2) != 0;
}

bool broker_list_is_valid(const char *list) {
	for (const char *end; *list; list = *end ? end + 1 : end) {
		end = strchrnul(list, ',');
		if (!has_host(list, (size_t)(end - list)) ||
		    !has_valid_port(list, (size_t)(end - list)))
			return false;
	}
	return true;
}
