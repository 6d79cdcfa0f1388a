#include "changelog/state_read.h"

#include "base/clock.h"
#include "rdkafka/topic_names.h"

/* No segment is filled, closed and compacted in this time. */
enum { MOMENT_MS = 2000 };

struct reading {
	const struct state_read_options *options;
	struct state_fold *fold;
};

static enum admin_status fold_record(void *userdata, const struct record *record) {
	const struct reading *reading = userdata;
	const struct state_read_options *options = reading->options;
	const struct state_fold_key key = { .partition = record->partition,
					    .bytes = record->key,
					    .len = record->key_len };
	struct record kept = *record;

	if (record->value && options->wanted && !options->wanted(options->userdata, &kept))
		kept.value = NULL;
	state_fold_apply(reading->fold, &key, kept.value, kept.len);
	return ADMIN_OK;
}

static enum admin_status walk_once(struct reader *reader, struct reading *reading,
				   int64_t *took_ms) {
	int64_t began_ms = clock_monotonic_ms();
	enum admin_status status =
	    reader_walk(reader, reading->options->timeout_ms, fold_record, reading);

	*took_ms = clock_monotonic_ms() - began_ms;
	return status;
}

/* Each time there is only what was written the time before. */
static enum admin_status walk(struct reader *reader, struct reading *reading) {
	int64_t took_ms, timeout_ms = reading->options->timeout_ms;
	enum admin_status status = walk_once(reader, reading, &took_ms);

	while (!status && reading->options->to_present && took_ms > MOMENT_MS) {
		status = reader_extend(reader, timeout_ms);
		if (!status)
			status = walk_once(reader, reading, &took_ms);
	}
	return status;
}

enum admin_status state_read(const struct config *config, const struct state_read_options *options,
			     struct state_fold *fold) {
	_cleanup_(x_freep) char *topic = topic_name(config->topic_prefix, TOPIC_STATE);
	const struct reader_options reader_options = { .topic = topic,
						       .key = options->tenant_id,
						       .start = READER_FROM_BEGINNING,
						       .timeout_ms = options->timeout_ms };
	_cleanup_(reader_closep) struct reader *reader = NULL;
	enum admin_status status = reader_open(config, &reader_options, &reader);

	return status ? status : walk(reader, &(struct reading){ options, fold });
}
