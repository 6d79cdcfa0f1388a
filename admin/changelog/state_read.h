/* The changelog, read to its end and folded. */
#pragma once

#include "base/config.h"
#include "changelog/state_fold.h"
#include "kafka/reader.h"

/*
 * Whether a record with a value is kept. The function may put another value into the record,
 * borrowed until its next call. A record that is not wanted takes away the value that its key had
 * before, as a tombstone does.
 */
typedef bool (*state_wanted_fn)(void *userdata, struct record *record);

struct state_read_options {
	const char *tenant_id;  /* only the partition of this tenant; NULL: all partitions */
	state_wanted_fn wanted; /* only wanted records take memory; NULL: all records are kept */
	void *userdata;
	int64_t timeout_ms; /* for finding the topic, and for a silence while it is read */
};

enum admin_status state_read(const struct config *config, const struct state_read_options *options,
			     struct state_fold *fold) _must_check_;
