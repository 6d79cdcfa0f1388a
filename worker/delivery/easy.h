/* Options of curl's easy handles. */
#pragma once

#include "base/invariant.h"
#include "base/log.h"

#include <curl/curl.h>

static inline void easy_check_set(CURLcode code) {
	if (code == CURLE_OUT_OF_MEMORY)
		out_of_memory();
	invariant_with(code == CURLE_OK, "libcurl is the one that this was built for", "error=%s",
		       log_quote(curl_easy_strerror(code)));
}

/* Sets an option that can only fail for want of memory. */
#define EASY_SET(easy, option, value) easy_check_set(curl_easy_setopt(easy, option, value))
