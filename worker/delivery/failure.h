/* What an attempt without a verdict is called: the only place that knows. docs/deliveries.md is
 * this table in words. */
#pragma once

#include "domain/attempt.h"

#include <curl/curl.h>

struct failure {
	CURLcode code;
	bool is_sent;   /* the request was sent, or begun to be */
	bool has_bytes; /* something had come back; libcurl 8.14 does not count what is not HTTP */
	bool has_lines; /* of an answer: its first line, at least */
	bool is_excessive;    /* more header than we read */
	bool is_refused;      /* the guard refused an address of the host */
	bool is_out_of_means; /* we had no descriptor, memory or thread for it */
	bool has_alert; /* a TLS alert ended the connection that was opened for it, ours or the
			   receiver's */
};

enum attempt_reason failure_reason(const struct failure *failure);
