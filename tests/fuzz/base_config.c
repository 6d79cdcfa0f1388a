/*
 * A whole configuration file: it is taken, or refused with a line for each problem that names the
 * place and breaks into no others.
 */
#include "base/config_load.h"
#include "base/utf8.h"
#include "fuzz.h"

enum { PROBLEMS_MAX = 8 * 1024 * 1024 };

static void check_problems(const char *path, const struct buffer *problems) {
	CHECK(!problems->overflowed && problems->len && problems->data[problems->len - 1] == '\n');
	CHECK(utf8_is_text(problems->data, problems->len));
	for (const char *line = problems->data; *line; line = strchr(line, '\n') + 1) {
		CHECK(!strncmp(line, path, strlen(path)) ||
		      !strncmp(line, "configuration: ", strlen("configuration: ")));
		for (const char *p = line; *p != '\n'; p++)
			CHECK((unsigned char)*p >= 0x20 && *p != 0x7f);
	}
}

static void check_config(const struct config *config) {
	CHECK(config->topic_partitions > 0 && config->batch_max_records > 0 &&
	      config->delivery_threads > 0);
	CHECK(config->delivery_timeout_ms > 0 && config->delivery_retry_jitter >= 0 &&
	      config->delivery_retry_jitter <= 1);
	for (size_t i = 0; i < config->delivery_retry_count; i++)
		CHECK(config->delivery_retry_schedule_ms[i] >= 0);
	for (size_t i = 0; i < config->kafka_count; i++)
		CHECK(*config->kafka[i].name && config->kafka[i].value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	/* Else the machine would be asked each time how many processors there are. */
	static const char *const settings[] = { "delivery.threads=1" };
	const struct config_source source = { .file = fuzz_file(data, size),
					      .settings = settings,
					      .setting_count = 1 };
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(PROBLEMS_MAX);
	_cleanup_(config_freep) struct config *config = NULL;
	int r = config_load(&source, &config, &problems);

	CHECK(r == 0 || r == CONFIG_E_REFUSED);
	CHECK(!r == (config != NULL) && !r == !problems.len);
	if (r)
		check_problems(source.file, &problems);
	else
		check_config(config);
	return 0;
}
