/* The subject of a delivery's event: what it is about, and is looked for by. */
#pragma once

#include "domain/delivery.h"

/*
 * The credentialId of a credential; of an event of one's own its subject; NULL: none. A
 * credential's stands in the body alone: a field of its own would need the changelog's second
 * edition in every record, which workers of the first cannot read (R13). Borrowed from the
 * delivery, or in the arena. NULL too for a delivery without its body.
 */
const char *delivery_subject(struct arena *arena, const struct delivery *delivery);
