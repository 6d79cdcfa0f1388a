/* The state of a webhook's endpoint, as its attempts showed it, and its effect on the webhook. */
#pragma once

#include "domain/notice.h"
#include "domain/outcome.h"

struct endpoint_report {
	struct uuid webhook_id;
	const char *tenant_id;
	const char *url; /* the attempts' target: a webhook with another url is not concerned */
	int64_t failing_since_ms; /* wall; 0: it takes deliveries again */
	bool is_gone;             /* it answered 410 */
	bool has_succeeded;       /* the last attempt */
	int32_t last_status;      /* its HTTP status; 0: none */
	const char *last_reason;  /* in the tenant's words, static; NULL: none */
};

/*
 * Records since when the endpoint fails, or disables the webhook (WEBHOOK_DISABLED): at once for an
 * endpoint that is gone, else after endpoint_disable_after_ms without one success. `webhook` is its
 * present state. The tenant is told (domain/notice.h). Returns 0, or the negative errno of the
 * registry.
 */
int handle_endpoint_report(const struct outcome_settings *settings,
			   const struct notice_context *context, const struct webhook *webhook,
			   const struct endpoint_report *report, struct effects *out) _must_check_;
