/* The changelog, read to its end and folded: as it is at one offset of each partition. */
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
	/* To the end at about the end of the reading, instead of that at its beginning. Where
	 * workers write meanwhile, a record may be replaced by one behind the end and compacted
	 * away before it is read: the longer the reading takes, the more of them. */
	bool to_present;
};

enum admin_status state_read(const struct config *config, const struct state_read_options *options,
			     struct state_fold *fold) _must_check_;
