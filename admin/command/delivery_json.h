/* A delivery as people's programs see it: over HTTP, and with --json. */
#pragma once

#include "base/buffer.h"
#include "domain/delivery.h"

#include <stdbool.h>

/* "pending", "dead" */
const char *delivery_status_name(enum delivery_status status);
/* Returns 0, or -EINVAL. */
int delivery_status_parse(const char *text, enum delivery_status *out) _must_check_;

/* {"id","webhookId","eventType","status","attempts","lastStatus","lastReason","nextAttemptAt","diedAt","createdAt"},
 * and "body" where it is wanted. */
void delivery_append_json(struct buffer *out, const struct delivery *delivery, bool with_body);
