#include "gateway/changelog.h"

#include "command/call.h"
#include "gateway/follower.h"

struct changelog {
	struct follower *follower;
	struct codec *codec;
	struct public_keys *keys;
	struct delivery_index *deliveries;
};

static void on_record(void *userdata, const struct record *record) {
	struct changelog *changelog = userdata;

	public_keys_apply(changelog->keys, record);
	delivery_index_apply(changelog->deliveries, record);
}

enum admin_status changelog_start(const struct config *config, int64_t timeout_ms,
				  struct changelog **out) {
	_cleanup_(changelog_stopp) struct changelog *changelog = x_calloc(1, sizeof(*changelog));
	const struct follower_options options = { .topic = TOPIC_STATE,
						  .start = READER_FROM_BEGINNING,
						  .timeout_ms = timeout_ms,
						  .on_record = on_record,
						  .userdata = changelog };
	enum admin_status status;

	changelog->codec = open_codec(config);
	if (!changelog->codec)
		return ADMIN_USAGE;
	changelog->keys = public_keys_new(changelog->codec);
	changelog->deliveries = delivery_index_new(changelog->codec);
	status = follower_start(config, &options, &changelog->follower);
	if (!status)
		*out = TAKE(changelog);
	return status;
}

void changelog_stop(struct changelog *changelog) {
	follower_stopp(&changelog->follower);
	public_keys_freep(&changelog->keys);
	delivery_index_freep(&changelog->deliveries);
	codec_freep(&changelog->codec);
	free(changelog);
}

struct public_keys *changelog_keys(struct changelog *changelog) {
	return changelog->keys;
}

struct delivery_index *changelog_deliveries(struct changelog *changelog) {
	return changelog->deliveries;
}

bool changelog_ready(const struct changelog *changelog) {
	return follower_caught_up(changelog->follower);
}

bool changelog_failing(const struct changelog *changelog) {
	return follower_is_failing(changelog->follower);
}
