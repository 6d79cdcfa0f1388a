/* The changelog, read to its end and folded. */
#pragma once

#include "command/command.h"
#include "command/state_fold.h"
#include "kafka/reader.h"

/*
 * Whether a record with a value is kept; it may put another value into its place, borrowed until
 * the next call. One that is not wanted takes away what its key had before, as a tombstone does.
 */
typedef bool (*state_wanted_fn)(void *userdata, struct record *record);

struct state_read_options {
	bool of_tenant; /* only the partition of --tenant; else all */
	state_wanted_fn
	    wanted; /* NULL: all are kept. Of millions, only what is wanted takes memory */
	void *userdata;
};

enum admin_status state_read(const struct invocation *invocation,
			     const struct state_read_options *options,
			     struct state_fold *fold) _must_check_;
