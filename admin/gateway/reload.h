/* What a running gateway reads again: on SIGHUP the log's level and format, the certificate with
 * its key, and the tokens; by itself the certificate and the tokens, where a file has changed. */
#pragma once

#include "base/config_load.h"

struct gateway;

/* Whatever cannot be used is logged, and stays as it was. */
void gateway_reload(struct gateway *gateway, const struct config_source *source);
/* Reads the certificate and its key where one of the files has changed. If they cannot be used, as
 * when only one of them is written yet, logs that once and keeps the former ones. */
void gateway_refresh_certificate(struct gateway *gateway);
