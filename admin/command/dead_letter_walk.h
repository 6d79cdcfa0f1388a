/* Reads the dead letters, and calls a function for each chosen one. */
#pragma once

#include "command/dead_letter_filter.h"

typedef enum admin_status (*dead_letter_fn)(void *userdata, const struct dead_letter *letter);
struct dead_letter_walk {
	struct dead_letter_filter *filter;
	struct codec *codec;
	struct arena *arena; /* emptied before each letter */
	dead_letter_fn fn;   /* called for each letter that the filter chooses */
	void *userdata;
};

/* Reads every letter up to the present end, in the order of each partition. */
enum admin_status dead_letter_walk(const struct invocation *invocation,
				   const struct dead_letter_walk *walk) _must_check_;
