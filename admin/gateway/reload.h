/* What a running gateway reads again on SIGHUP: the log's level and format, the certificate with
 * its key, and the tokens. */
#pragma once

#include "base/config_load.h"

struct gateway;

/* Whatever cannot be used is logged, and stays as it was. */
void gateway_reload(struct gateway *gateway, const struct config_source *source);
