/*
 * An endpoint's health: what the ends of its attempts do to its window, its lane and its breaker,
 * and what is reported to its webhook. domain/breaker.h decides when a breaker opens; this part
 * applies it.
 *
 *     end of an attempt                  window                             lane
 *     success                            doubles after a windowful of them  PROMPT within 1 s,
 *                                                                           else UNPROVEN
 *     429, 502, 503, 504                 half                               FAILING
 *     the breaker is open, Retry-After,
 *     or 410                             1                                  FAILING
 *     not begun, since the proxy fails   1                                  as it is
 *     any other failure                  as it is                           FAILING
 *     none of the endpoint's: internal,
 *     proxy-connect, proxy-refused       as it is                           as it is
 *
 * Any end but a success bounds the window by `delivery.max.in.flight.per.endpoint`, which only a
 * PROMPT endpoint may exceed.
 *
 * A webhook keeps since when its endpoint fails (failingSince), so that another worker continues
 * with a probe. That is reported when the breaker opens or closes. Reported as well: the endpoint
 * is gone (410), its breaker has been open for `endpoint.disable.after`, and what its tenant is to
 * be told: that the breaker has been open for `endpoint.failing.notify.after`, again after each
 * such time until the webhook says that it was told, and then the first success.
 */
#pragma once

#include "delivery/job.h"
#include "dispatch/endpoint.h"
#include "dispatch/report.h"

struct dispatch_health {
	struct dispatch_endpoints *endpoints; /* borrowed */
	struct breaker_policy breaker;
	int64_t notify_after_ms, disable_after_ms;
};

/* An attempt of the endpoint ended. Returns whether its jobs that the engine has queued are to be
 * dropped, because it is held. */
bool dispatch_health_end_attempt(const struct dispatch_health *health,
				 struct dispatch_endpoint *endpoint,
				 const struct job *job) _must_check_;
/* It gets no attempt before `until_ms` (wall), then a single one: the proxy that leads to it fails.
 */
void dispatch_health_hold(const struct dispatch_health *health, struct dispatch_endpoint *endpoint,
			  int64_t until_ms);
/* Its webhook was changed: nothing is known of it any more. */
void dispatch_health_reset(const struct dispatch_health *health,
			   struct dispatch_endpoint *endpoint);
/* Its webhook keeps something else of it: what a report led to. */
void dispatch_health_note(struct dispatch_endpoint *endpoint, const struct webhook *webhook);
/* Takes over what its webhook has kept of it, from an earlier worker or from before. */
void dispatch_health_recall(const struct dispatch_health *health,
			    struct dispatch_endpoint *endpoint, const struct webhook *webhook);

/* As dispatcher_list_reports and dispatcher_end_reports. */
size_t dispatch_health_list_reports(const struct dispatch_health *health, struct arena *arena,
				    size_t limit, struct dispatch_report **out);
void dispatch_health_end_reports(const struct dispatch_health *health, size_t count);
