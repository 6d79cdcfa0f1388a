#include "command/dead_letter_walk.h"

struct walking {
	const struct invocation *invocation;
	const struct dead_letter_walk *walk;
};

static enum admin_status read_letter(void *userdata, const struct record *record) {
	const struct walking *walking = userdata;
	const struct dead_letter_walk *walk = walking->walk;
	struct dead_letter letter;

	arena_reset(walk->arena);
	dead_letter_read(walking->invocation->config, walk->codec, walk->arena, record, &letter);
	return dead_letter_filter_wants(walk->filter, &letter) ? walk->fn(walk->userdata, &letter)
							       : ADMIN_OK;
}

enum admin_status dead_letter_walk(const struct invocation *invocation,
				   const struct dead_letter_walk *walk) {
	_cleanup_(x_freep) char *topic =
	    topic_name(invocation->config->topic_prefix, TOPIC_DEAD_LETTERS);
	const struct reader_options options = { .topic = topic,
						.start = walk->filter->has_since
							     ? READER_FROM_TIME
							     : READER_FROM_BEGINNING,
						.since_ms = walk->filter->since_ms,
						.timeout_ms = invocation->timeout_ms };
	_cleanup_(reader_closep) struct reader *reader = NULL;
	enum admin_status status = reader_open(invocation->config, &options, &reader);

	return status ? status
		      : reader_walk(reader, invocation->timeout_ms, read_letter,
				    &(struct walking){ invocation, walk });
}
