/* All dead letters that are there, read and filtered. */
#pragma once

#include "command/dead_letter_filter.h"

typedef enum admin_status (*dead_letter_fn)(void *userdata, const struct dead_letter *letter);
struct dead_letter_walk {
	struct dead_letter_filter *filter;
	struct codec *codec;
	struct arena *arena; /* emptied before each letter */
	dead_letter_fn fn;   /* called for each that the filter wants */
	void *userdata;
};

/* Every letter that is there now, in the order of each partition. */
enum admin_status dead_letter_walk(const struct invocation *invocation,
				   const struct dead_letter_walk *walk) _must_check_;
