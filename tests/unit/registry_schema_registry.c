/* The schema registry as the decoding of records sees it: what is known, unknown, waited for, and
 * kept over a restart. */
#include "avro/embedded.h"
#include "base/config_load.h"
#include "registry/schema_registry.h"
#include "schema_server.h"
#include "unit.h"

#include <curl/curl.h>
#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LONG_MS = 60 * 1000 };

struct world {
	struct schema_server server;
	struct config *config;
	struct codec *codec;
	struct registry_metrics metrics;
	struct schema_registry *registry;
	char dir[64];
	char *command, *event; /* answers of the registry */
	atomic_int told;
};

static char *answer_with_schema(const char *file) {
	const struct embedded_schema *own = embedded_schema_find(file);
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(1024 * 1024);
	_cleanup_(x_freep) char *json = x_strndup((const char *)own->json, own->len);

	buffer_append_string(&out, "{\"schema\":");
	buffer_append_json_string(&out, json);
	buffer_append_char(&out, '}');
	return x_strdup(out.data);
}

static void on_answer(void *userdata) {
	struct world *w = userdata;

	atomic_fetch_add(&w->told, 1);
}

static void start(struct world *w, const char *results_topic) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(4096);
	const struct schema_registry_settings settings = {
		.config = w->config,
		.codec = w->codec,
		.results_topic = results_topic,
		.data_dir = w->dir,
		.on_answer = on_answer,
		.userdata = w,
		.metrics = &w->metrics,
	};

	assert_int_equal(schema_registry_new(&settings, &w->registry, &why), 0);
	assert_int_equal(schema_registry_start(w->registry), 0);
}

static void make_codec(struct world *w) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);

	assert_int_equal(codec_new(NULL, &w->codec, &problems), 0);
}

/* As after a restart of the worker. */
static void restart(struct world *w, const char *results_topic) {
	schema_registry_free(w->registry);
	codec_free(w->codec);
	make_codec(w);
	start(w, results_topic);
}

static int setup(void **state) {
	struct world *w = x_calloc(1, sizeof(*w));
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);
	_cleanup_(x_freep) char *url = NULL;
	const char *settings[] = { NULL, "schema.registry.timeout=300ms" };
	struct config_source source = { .settings = settings, .setting_count = 2 };

	schema_server_start(&w->server);
	settings[0] = url = x_asprintf("schema.registry.url=%s", w->server.url);
	assert_int_equal(config_load(&source, &w->config, &problems), 0);
	snprintf(w->dir, sizeof(w->dir), "/tmp/posthorn-registry-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	w->command = answer_with_schema("webhook-command.avsc");
	w->event = answer_with_schema("analytic-event.avsc");
	make_codec(w);
	*state = w;
	return 0;
}

static int remove_one(const char *path, const struct stat *s _unused_, int type _unused_,
		      struct FTW *ftw _unused_) {
	return remove(path);
}

static int teardown(void **state) {
	struct world *w = *state;

	schema_registry_free(w->registry);
	schema_server_stop(&w->server);
	codec_free(w->codec);
	config_free(w->config);
	nftw(w->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(w->command);
	free(w->event);
	free(w);
	return 0;
}

static void an_id_is_asked_for_once(void **state) {
	struct world *w = *state;

	schema_server_answer(&w->server, 200, w->command);
	start(w, NULL);
	assert_int_equal(schema_registry_ask(w->registry, 7), REGISTRY_WAIT);
	assert_int_equal(schema_registry_wait(w->registry, 7, LONG_MS), REGISTRY_KNOWN);
	assert_int_equal(schema_registry_ask(w->registry, 7), REGISTRY_KNOWN);
	assert_true(codec_can_read_id(w->codec, 7));
	assert_int_equal(w->server.requests, 1);
	assert_int_equal(schema_registry_answers(w->registry), 1);
	assert_int_equal(atomic_load(&w->metrics.waiting), 0);
}

static void one_that_is_unknown_is_asked_for_again(void **state) {
	struct world *w = *state;

	schema_server_answer(&w->server, 404, "{\"error_code\":40403}");
	start(w, NULL);
	assert_int_equal(schema_registry_wait(w->registry, 7, LONG_MS), REGISTRY_UNKNOWN);
	print_message("and known once it is registered\n");
	schema_server_answer(&w->server, 200, w->command);
	while (schema_registry_wait(w->registry, 7, LONG_MS) == REGISTRY_UNKNOWN)
		usleep(10 * 1000);
	assert_true(codec_can_read_id(w->codec, 7));
}

/* Java's registries would not even understand the question. */
static void an_id_that_no_registry_gives_is_unknown(void **state) {
	struct world *w = *state;

	start(w, NULL);
	assert_int_equal(schema_registry_ask(w->registry, UINT32_MAX), REGISTRY_UNKNOWN);
	assert_int_equal(schema_registry_ask(w->registry, (uint32_t)INT32_MAX + 1),
			 REGISTRY_UNKNOWN);
	assert_int_equal(w->server.requests, 0);
}

static const struct {
	const char *name;
	int status;
	int64_t delay_ms;
} outages[] = {
	{ "an error of the registry's", 500, 0 },
	{ "a refused login", 401, 0 },
	{ "slower than the timeout", 200, 900 },
};

static void an_id_waits_while_the_registry_is_away(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(outages); i++) {
		struct world *w;
		void *world;

		print_message("%s\n", outages[i].name);
		assert_int_equal(setup(&world), 0);
		w = world;
		schema_server_answer(&w->server, outages[i].status, w->command);
		w->server.delay_ms = outages[i].delay_ms;
		start(w, NULL);
		assert_int_equal(schema_registry_wait(w->registry, 7, 700), REGISTRY_WAIT);
		assert_int_not_equal(atomic_load(&w->metrics.failures), 0);
		assert_int_equal(atomic_load(&w->metrics.waiting), 1);
		w->server.delay_ms = 0;
		schema_server_answer(&w->server, 200, w->command);
		assert_int_equal(schema_registry_wait(w->registry, 7, LONG_MS), REGISTRY_KNOWN);
		assert_int_equal(atomic_load(&w->metrics.failures), 0);
		teardown(&world);
	}
}

static void what_is_known_is_known_after_a_restart(void **state) {
	struct world *w = *state;

	schema_server_answer(&w->server, 200, w->command);
	start(w, NULL);
	assert_int_equal(schema_registry_wait(w->registry, 7, LONG_MS), REGISTRY_KNOWN);
	schema_server_answer(&w->server, 500, "");
	restart(w, NULL);
	assert_int_equal(schema_registry_ask(w->registry, 7), REGISTRY_KNOWN);
	assert_true(codec_can_read_id(w->codec, 7));
	assert_int_equal(w->server.requests, 1);
}

static void damage(const char *dir) {
	_cleanup_(x_freep) char *pattern = x_asprintf("%s/schemas-*/*.avsc", dir);
	glob_t found;

	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		assert_int_equal(truncate(found.gl_pathv[i], 0), 0);
	globfree(&found);
}

static void a_damaged_file_is_asked_for_again(void **state) {
	struct world *w = *state;

	schema_server_answer(&w->server, 200, w->command);
	start(w, NULL);
	assert_int_equal(schema_registry_wait(w->registry, 7, LONG_MS), REGISTRY_KNOWN);
	damage(w->dir);
	restart(w, NULL);
	assert_int_equal(schema_registry_ask(w->registry, 7), REGISTRY_WAIT);
	assert_int_equal(schema_registry_wait(w->registry, 7, LONG_MS), REGISTRY_KNOWN);
	assert_true(codec_can_read_id(w->codec, 7));
}

static void a_foreign_schema_is_known_as_such(void **state) {
	struct world *w = *state;

	schema_server_answer(&w->server, 200, "{\"schema\":\"\\\"int\\\"\"}");
	start(w, NULL);
	assert_int_equal(schema_registry_wait(w->registry, 7, LONG_MS), REGISTRY_KNOWN);
	assert_false(codec_can_read_id(w->codec, 7));
	print_message("of another language\n");
	schema_server_answer(&w->server, 200, "{\"schema\":\"x\",\"schemaType\":\"JSON\"}");
	assert_int_equal(schema_registry_wait(w->registry, 8, LONG_MS), REGISTRY_KNOWN);
	assert_false(codec_can_read_id(w->codec, 8));
}

static void wait_for_results_id(struct world *w, uint32_t *id) {
	for (int i = 0; !schema_registry_results_id(w->registry, id); i++) {
		assert_in_range(i, 0, LONG_MS / 10);
		usleep(10 * 1000);
	}
}

static void the_schema_of_results_is_registered(void **state) {
	struct world *w = *state;
	uint32_t id;

	start(w, "webhook-results");
	assert_false(schema_registry_results_id(w->registry, &id));
	schema_server_answer(&w->server, 200, "{\"id\":31}");
	wait_for_results_id(w, &id);
	assert_int_equal(id, 31);
	assert_string_equal(w->server.path, "/subjects/webhook-results-value/versions");
	print_message("and its id is kept over a restart\n");
	schema_server_answer(&w->server, 500, "");
	restart(w, "webhook-results");
	assert_true(schema_registry_results_id(w->registry, &id));
	assert_int_equal(id, 31);
	print_message("but not for another topic\n");
	restart(w, "t-webhook-results");
	assert_false(schema_registry_results_id(w->registry, &id));
}

static void without_the_right_to_register_it_is_looked_for(void **state) {
	struct world *w = *state;
	uint32_t id;

	w->config->schema_registry_auto_register = false;
	schema_server_answer(&w->server, 404, "{\"error_code\":40401}");
	start(w, "webhook-results");
	while (atomic_load(&w->metrics.results_failures) < 2)
		usleep(10 * 1000);
	schema_server_answer(&w->server, 200, "{\"id\":31}");
	wait_for_results_id(w, &id);
	assert_string_equal(w->server.path, "/subjects/webhook-results-value");
	assert_int_equal(atomic_load(&w->metrics.results_failures), 0);
}

/* A registry that never answers does not keep a worker from ending. */
static void it_ends_at_once(void **state) {
	struct world *w = *state;

	w->config->schema_registry_timeout_ms = LONG_MS;
	w->server.delay_ms = 1500;
	start(w, NULL);
	assert_int_equal(schema_registry_ask(w->registry, 7), REGISTRY_WAIT);
	usleep(100 * 1000);
	schema_registry_free(w->registry);
	w->registry = NULL;
}

#define REGISTRY_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		REGISTRY_TEST(an_id_is_asked_for_once),
		REGISTRY_TEST(one_that_is_unknown_is_asked_for_again),
		REGISTRY_TEST(an_id_that_no_registry_gives_is_unknown),
		cmocka_unit_test(an_id_waits_while_the_registry_is_away),
		REGISTRY_TEST(what_is_known_is_known_after_a_restart),
		REGISTRY_TEST(a_damaged_file_is_asked_for_again),
		REGISTRY_TEST(a_foreign_schema_is_known_as_such),
		REGISTRY_TEST(the_schema_of_results_is_registered),
		REGISTRY_TEST(without_the_right_to_register_it_is_looked_for),
		REGISTRY_TEST(it_ends_at_once),
	};

	curl_global_init(CURL_GLOBAL_DEFAULT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
