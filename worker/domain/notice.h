/*
 * Notices: events of built-in types by which a tenant's own webhooks are told of its webhooks and
 * deliveries.
 *
 *     WebhookFailing     a breaker has been open for endpoint.failing.notify.after
 *     WebhookRecovered   its endpoint takes deliveries again, after a WebhookFailing
 *     WebhookDisabled    by its endpoint, never by a command
 *     DeliveryDead       an attempt was the last one, in vain
 *
 * A notice is recorded with its cause, in one transaction, as a delivery to each webhook that
 * subscribes to its type; the webhook that it speaks about is its subject. R14 bounds them: none to
 * the endpoint that it speaks about, none about a notice's own delivery, and of each type no more
 * than one an hour for a webhook.
 *
 * Inside `domain` only, apart from the context.
 */
#pragma once

#include "domain/callback_body.h"
#include "domain/effects.h"
#include "domain/handler_context.h"

struct notice_context {
	const struct registry *registry;
	enum group_edition edition;
	int64_t pending_deliveries; /* of the tenant */
	int64_t pending_max;        /* 0: no limit */
	int64_t now_ms;             /* wall */
};

enum {
	NOTICE_E_NOBODY = 1, /* nobody subscribes to it */
	NOTICE_E_NOT_NOW,    /* a worker is older (R13), or the tenant has too many pending ones */
};

/* Records the notice's deliveries, with their events. Returns 0; a condition, and nothing was
 * recorded; or the negative errno of the registry. */
int notice_tell(const struct notice_context *context, const struct notice *notice,
		struct effects *out) _must_check_;
/* The same where it was not told within the last hour. `told_at_ms` is when it was told last. One
 * that somebody would have got is counted as left out. Returns 0 or a negative errno. */
int notice_tell_hourly(const struct notice_context *context, const struct notice *notice,
		       int64_t *told_at_ms, struct effects *out) _must_check_;
/* Whether `told_at_ms` is within an hour of now; 0 never is. */
bool notice_is_recent(const struct notice_context *context, int64_t told_at_ms);
void notice_leave_out(struct effects *out, enum event_type_builtin type);
