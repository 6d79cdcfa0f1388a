#include "command/unhandled.h"

#include "kafka/reader.h"
#include "rdkafka/topic_names.h"

static const enum topic inputs[POSITION_INPUTS] = { TOPIC_ADMIN, TOPIC_ISSUANCE, TOPIC_EVENTS };

struct unhandled {
	int64_t (*next)[POSITION_INPUTS]; /* owned; of each partition */
	int32_t partition_count;
};

struct unhandled *unhandled_new(void) {
	return x_calloc(1, sizeof(struct unhandled));
}

void unhandled_free(struct unhandled *unhandled) {
	if (!unhandled)
		return;
	free(unhandled->next);
	free(unhandled);
}

static void make_room(struct unhandled *unhandled, int32_t count) {
	if (count <= unhandled->partition_count)
		return;
	unhandled->next = x_realloc(unhandled->next, (size_t)count * sizeof(*unhandled->next));
	memset(unhandled->next[unhandled->partition_count], 0,
	       (size_t)(count - unhandled->partition_count) * sizeof(*unhandled->next));
	unhandled->partition_count = count;
}

void unhandled_note(struct unhandled *unhandled, int32_t partition,
		    const struct position *position) {
	const int64_t next[POSITION_INPUTS] = { position->admin_offset, position->issuance_offset,
						position->event_offset };

	make_room(unhandled, partition + 1);
	memcpy(unhandled->next[partition], next, sizeof(next));
}

/* Of one input. */
struct count {
	const struct unhandled *unhandled;
	int input;
	uint64_t *total;
};

/* A reader_resume_fn: a reader is told the extents of its partitions; none is read. */
static int64_t add_partition(void *userdata, const struct reader_extent *extent) {
	const struct count *count = userdata;
	int64_t next = extent->begin;

	if (extent->partition < count->unhandled->partition_count)
		next = MAX(next, count->unhandled->next[extent->partition][count->input]);
	*count->total += (uint64_t)MAX(extent->end - next, (int64_t)0);
	return extent->end;
}

enum admin_status unhandled_count(const struct unhandled *unhandled, const struct config *config,
				  const char *tenant_id, int64_t timeout_ms, uint64_t *out) {
	enum admin_status status = ADMIN_OK;

	*out = 0;
	for (int input = 0; input < POSITION_INPUTS && !status; input++) {
		_cleanup_(x_freep) char *topic = topic_name(config->topic_prefix, inputs[input]);
		_cleanup_(reader_closep) struct reader *reader = NULL;
		struct count count = { unhandled, input, out };
		const struct reader_options options = { .topic = topic,
							.key = tenant_id,
							.start = READER_RESUMED,
							.resume = add_partition,
							.resume_userdata = &count,
							.timeout_ms = timeout_ms };

		status = reader_open(config, &options, &reader);
	}
	return status;
}
