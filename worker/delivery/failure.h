/* The reason of an attempt without a status: this is the only place that decides it. The table in
 * docs/deliveries.md says the same for users. */
#pragma once

#include "domain/attempt.h"

#include <curl/curl.h>

struct failure {
	CURLcode code;
	bool is_sent;   /* the request was sent, or a part of it */
	bool has_bytes; /* bytes came back; libcurl 8.14 does not count bytes that are not HTTP */
	bool has_lines; /* at least the first line of an answer came back */
	bool is_excessive;    /* the header is beyond the limits */
	bool is_refused;      /* the guard refused an address of the host */
	bool is_out_of_means; /* this process had no descriptor, memory or thread for it */
	bool has_alert;       /* a TLS alert of either side ended its own connection */
	bool by_proxy;
	bool has_reached_proxy; /* over a new connection or a kept one */
	long tunnel_status;     /* the proxy's answer to CONNECT; 0: none */
};

enum attempt_reason failure_reason(const struct failure *failure);
