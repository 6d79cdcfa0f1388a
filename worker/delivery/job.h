/*
 * A job: one attempt of one delivery, to be made by the engine. The pipeline's thread makes it, the
 * engine owns it from engine_submit to engine_collect.
 */
#pragma once

#include "base/memory.h"
#include "delivery/route.h"
#include "domain/attempt.h"
#include "domain/delivery.h"

#include <stdbool.h>
#include <stdint.h>

enum job_end {
	JOB_ATTEMPTED, /* `result` has the verdict */
	/* Not attempted: the gate was closed, the lease over, the endpoint dropped, the engine is
	 * stopping, or the proxy fails. */
	JOB_REFUSED,
};

struct job {
	struct job *next;         /* of the owner's list */
	struct route *route;      /* counted */
	struct delivery delivery; /* its texts and body live in the job's own allocation */
	int32_t partition;
	uint32_t epoch; /* of the partition's assignment: the gate compares it */
	/* The endpoint's breaker is open: the attempt resolves the name again and opens a
	 * connection of its own. */
	bool is_probe;
	bool by_proxy; /* set by the engine: the attempt goes through endpoint.proxy */
	enum job_end end;
	int64_t hold_ms; /* of a refused one: no attempt of its endpoint before that; 0: at once */
	struct attempt_result result;
	struct attempt_response *response; /* owned, with its texts in the same allocation: that of
					      `result`; NULL: none */
	char *error; /* owned; curl's or TLS's words, where an attempt got no answer; else NULL */
};

/* Copies the delivery and takes a reference of the route. The caller owns the job. */
struct job *job_new(const struct delivery *delivery, struct route *route, int32_t partition,
		    uint32_t epoch);
/* Safe on NULL. */
void job_free(struct job *job);
DEFINE_CLEANUP(struct job, job_free)
