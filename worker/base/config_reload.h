/* The configuration, read again by a running program (SIGHUP). */
#pragma once

#include "base/config_load.h"

/*
 * Loads the sources again and sets the log's level and format. Warns of the keys whose values
 * differ from those of the `running` configuration and need a restart: all but those that begin
 * with one of `apart` (ends with NULL), which the program reloads or does not use. Returns 0, and
 * the caller owns `*out`; or CONFIG_E_REFUSED after logging the problems.
 */
int config_reload(const struct config_source *source, const struct config *running,
		  const char *const *apart, struct config **out) _must_check_;

/* Appends the keys whose values differ, separated by commas, those aside that begin with one of
 * `apart` (ends with NULL). */
void config_append_changes(const struct config *one, const struct config *other,
			   const char *const *apart, struct buffer *out);
