/* What a running worker reads again on SIGHUP: the log's level and format, the master keys, the
 * authorities that are trusted for endpoints, and the proxy's password. */
#pragma once

#include "base/config_load.h"
#include "delivery/engine.h"
#include "signature/master_keys.h"

/* All is borrowed. */
struct reload {
	const struct config_source *source;
	const struct config *running; /* of the start: everything else stays as it says */
	struct master_keys *master_keys;
	struct engine *engine;
};

/* Whatever cannot be used is logged, and stays as it was. Call it on one thread. */
void reload_run(const struct reload *reload);
