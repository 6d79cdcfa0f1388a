/* What curl's error codes mean for an attempt. */
#pragma once

#include "domain/attempt.h"

#include <curl/curl.h>

/* `answered`: bytes had come back before it failed. */
enum attempt_reason failure_reason(CURLcode code, bool answered);
