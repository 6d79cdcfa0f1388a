/* How many commands the inputs have behind the positions of a changelog. */
#pragma once

#include "base/config.h"
#include "domain/state.h"
#include "terminal/status.h"

struct unhandled;

struct unhandled *unhandled_new(void);
void unhandled_free(struct unhandled *unhandled);
DEFINE_CLEANUP(struct unhandled, unhandled_free)

/* Takes a partition's position, the later ones after the earlier ones. Copies what it needs. */
void unhandled_note(struct unhandled *unhandled, int32_t partition,
		    const struct position *position);

/*
 * Counts up to the ends of the inputs now: of all partitions, or of the one of `tenant_id` (NULL:
 * all). A partition without a position has handled none. The markers of transactional producers
 * count too, so that it is a bound.
 */
enum admin_status unhandled_count(const struct unhandled *unhandled, const struct config *config,
				  const char *tenant_id, int64_t timeout_ms,
				  uint64_t *out) _must_check_;
