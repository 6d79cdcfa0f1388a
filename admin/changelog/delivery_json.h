/* A delivery as people's programs see it: over HTTP, and with --json. */
#pragma once

#include "base/buffer.h"
#include "domain/delivery.h"

#include <stdbool.h>

/* {"id","webhookId","eventType","status","attempts","lastStatus","lastReason","nextAttemptAt","diedAt","createdAt"},
 * and "body" where it is wanted. */
void delivery_json_append(struct buffer *out, const struct delivery *delivery, bool with_body);
