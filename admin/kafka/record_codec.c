#include "kafka/record_codec.h"

#include "terminal/status.h"

enum { PROBLEMS_MAX = 64 * 1024 };

struct codec *record_codec_new(const struct config *config) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(PROBLEMS_MAX);
	const struct codec_settings settings = { .schema_dir = config->schema_dir };
	struct codec *codec = NULL;

	if (!codec_new(&settings, &codec, &problems))
		return codec;
	terminal_complain_lines(problems.len ? problems.data : "the schemas cannot be read");
	return NULL;
}
