/* The questions to a schema registry, over HTTP to one that answers what each row says. */
#include "base/config_load.h"
#include "registry/protocol.h"
#include "schema_server.h"
#include "unit.h"

#include <curl/curl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SETTINGS_MAX = 8 };

struct world {
	struct schema_server server;
	atomic_bool stopping;
	struct config *config;
	struct registry_client *client;
	struct buffer schema, why;
};

static void open_client(struct world *w, const char *url, const char *setting) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);
	_cleanup_(x_freep) char *urls = x_asprintf("schema.registry.url=%s", url);
	const char *settings[] = { urls, "schema.registry.timeout=5s", setting };
	struct config_source source = { .settings = settings, .setting_count = setting ? 3 : 2 };

	registry_client_free(w->client);
	config_free(w->config);
	w->client = NULL;
	w->config = NULL;
	if (config_load(&source, &w->config, &problems))
		fail_msg("%s", problems.data);
	buffer_clear(&w->why);
	if (registry_client_new(w->config, &w->stopping, &w->client, &w->why))
		print_message("%s\n", w->why.data);
}

static int setup(void **state) {
	struct world *w = x_calloc(1, sizeof(*w));

	schema_server_start(&w->server);
	w->schema = BUFFER_INIT(1024 * 1024);
	w->why = BUFFER_INIT(4096);
	open_client(w, w->server.url, NULL);
	*state = w;
	return 0;
}

static int teardown(void **state) {
	struct world *w = *state;

	registry_client_free(w->client);
	config_free(w->config);
	schema_server_stop(&w->server);
	buffer_destroy(&w->schema);
	buffer_destroy(&w->why);
	free(w);
	return 0;
}

static int get(struct world *w) {
	buffer_clear(&w->schema);
	buffer_clear(&w->why);
	return protocol_get_schema(w->client, 7, &w->schema, &w->why);
}

static const struct {
	const char *name;
	int status;
	const char *body;
	int r;
	const char *said; /* the schema, or in the reason */
} answers[] = {
	{ "the schema", 200, "{\"schema\":\"\\\"int\\\"\"}", 0, "\"int\"" },
	{ "Avro, said so", 200, "{\"schema\":\"\\\"int\\\"\",\"schemaType\":\"AVRO\"}", 0,
	  "\"int\"" },
	{ "without references", 200, "{\"schema\":\"\\\"int\\\"\",\"references\":[]}", 0,
	  "\"int\"" },
	{ "another language", 200, "{\"schema\":\"message M {}\",\"schemaType\":\"PROTOBUF\"}",
	  PROTOCOL_E_REFUSED, "its schema is of the type PROTOBUF" },
	{ "an unknown id", 404, "{\"error_code\":40403,\"message\":\"Schema 7 not found\"}",
	  PROTOCOL_E_UNKNOWN, "Schema 7 not found" },
	{ "a 404 of a proxy", 404, "<html>", PROTOCOL_E_FAILED, "is the url right?" },
	{ "a 404 of another server", 404, "{\"error_code\":404,\"message\":\"HTTP 404\"}",
	  PROTOCOL_E_FAILED, "is the url right?" },
	{ "nobody may", 401, "{\"error_code\":401}", PROTOCOL_E_FAILED, "status 401" },
	{ "this one may not", 403, "", PROTOCOL_E_FAILED, "status 403" },
	{ "too many", 429, "", PROTOCOL_E_FAILED, "status 429" },
	{ "its store is away", 500, "{\"error_code\":50001}", PROTOCOL_E_FAILED, "status 500" },
	{ "a proxy's word", 503, "", PROTOCOL_E_FAILED, "status 503" },
	{ "elsewhere", 302, "", PROTOCOL_E_FAILED, "status 302" },
	{ "a login page", 200, "<html>", PROTOCOL_E_FAILED, "no JSON object" },
	{ "nothing", 200, "", PROTOCOL_E_FAILED, "no JSON object" },
	{ "something else", 200, "{}", PROTOCOL_E_FAILED, "no schema" },
};

static void each_answer_means_one_thing(void **state) {
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		schema_server_answer(&w->server, answers[i].status, answers[i].body);
		assert_int_equal(get(w), answers[i].r);
		print_message("%s: %s\n", answers[i].name, w->why.len ? w->why.data : "");
		if (answers[i].r == 0)
			assert_string_equal(w->schema.data, answers[i].said);
		else
			assert_non_null(strstr(w->why.data, answers[i].said));
		assert_string_equal(w->server.path, "/schemas/ids/7");
		assert_string_equal(w->server.method, "GET");
	}
}

static void a_schema_is_registered_and_found(void **state) {
	struct world *w = *state;
	uint32_t id = 0;

	schema_server_answer(&w->server, 200, "{\"id\":12}");
	assert_int_equal(protocol_register(w->client, "t-value", "\"int\"", &id, &w->why), 0);
	assert_int_equal(id, 12);
	assert_string_equal(w->server.path, "/subjects/t-value/versions");
	assert_string_equal(w->server.method, "POST");
	assert_string_equal(w->server.received, "{\"schema\":\"\\\"int\\\"\"}");
	assert_int_equal(protocol_find_id(w->client, "t-value", "\"int\"", &id, &w->why), 0);
	assert_string_equal(w->server.path, "/subjects/t-value");
	schema_server_answer(&w->server, 404, "{\"error_code\":40401}");
	assert_int_equal(protocol_find_id(w->client, "t-value", "\"int\"", &id, &w->why),
			 PROTOCOL_E_UNKNOWN);
	schema_server_answer(&w->server, 409, "{\"error_code\":409,\"message\":\"incompatible\"}");
	buffer_clear(&w->why);
	assert_int_equal(protocol_register(w->client, "t-value", "\"int\"", &id, &w->why),
			 PROTOCOL_E_REFUSED);
	assert_non_null(strstr(w->why.data, "incompatible"));
	schema_server_answer(&w->server, 200, "{\"id\":\"12\"}");
	assert_int_equal(protocol_register(w->client, "t-value", "\"int\"", &id, &w->why),
			 PROTOCOL_E_FAILED);
}

static void it_is_told_whether_a_schema_is_compatible(void **state) {
	struct world *w = *state;
	bool compatible = false;

	schema_server_answer(&w->server, 200, "{\"is_compatible\":true}");
	assert_int_equal(
	    protocol_is_compatible(w->client, "t-value", "\"int\"", &compatible, &w->why), 0);
	assert_true(compatible);
	assert_string_equal(w->server.path, "/compatibility/subjects/t-value/versions/latest");
	schema_server_answer(&w->server, 404, "{\"error_code\":40402}");
	assert_int_equal(
	    protocol_is_compatible(w->client, "t-value", "\"int\"", &compatible, &w->why),
	    PROTOCOL_E_UNKNOWN);
}

static void the_next_url_is_asked_where_one_is_away(void **state) {
	struct world *w = *state;
	_cleanup_(x_freep) char *urls =
	    x_asprintf("http://127.0.0.1:1, %s/, http://127.0.0.1:2", w->server.url);

	schema_server_answer(&w->server, 200, "{\"schema\":\"\\\"int\\\"\"}");
	open_client(w, urls, NULL);
	assert_int_equal(get(w), 0);
	print_message("and first the next time\n");
	assert_int_equal(get(w), 0);
	assert_int_equal(w->why.len, 0);
	print_message("all are away\n");
	open_client(w, "http://127.0.0.1:1,http://127.0.0.1:2", NULL);
	assert_int_equal(get(w), PROTOCOL_E_FAILED);
	assert_non_null(strstr(w->why.data, "http://127.0.0.1:1/schemas/ids/7"));
	assert_non_null(strstr(w->why.data, "http://127.0.0.1:2/schemas/ids/7"));
}

static void write_file(const char *path, const char *text, mode_t mode) {
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static const struct {
	const char *name, *key, *content;
	mode_t mode;
	const char *header; /* NULL: it is refused */
	const char *why;
} credentials[] = {
	{ "basic", "basic.auth", "user:pass:word\n", 0600, "Basic dXNlcjpwYXNzOndvcmQ=", NULL },
	{ "bearer", "bearer.token", "abc.def\n", 0600, "Bearer abc.def", NULL },
	{ "without a colon", "basic.auth", "secret\n", 0600, NULL, "must have user:password" },
	{ "empty", "bearer.token", "\n", 0600, NULL, "must have one line" },
	{ "two lines", "bearer.token", "secret\nX-Evil: 1\n", 0600, NULL, "must have one line" },
	{ "for all to read", "bearer.token", "secret\n", 0644, NULL, "has mode 0644" },
};

static void credentials_come_from_secret_files(void **state) {
	struct world *w = *state;
	char path[] = "/tmp/posthorn-registry-XXXXXX";
	int fd = mkstemp(path);

	close(fd);
	schema_server_answer(&w->server, 200, "{\"schema\":\"\\\"int\\\"\"}");
	for (size_t i = 0; i < ARRAY_LEN(credentials); i++) {
		_cleanup_(x_freep) char *setting =
		    x_asprintf("schema.registry.%s.file=%s", credentials[i].key, path);

		print_message("%s\n", credentials[i].name);
		write_file(path, credentials[i].content, credentials[i].mode);
		open_client(w, w->server.url, setting);
		if (credentials[i].header) {
			assert_int_equal(get(w), 0);
			assert_string_equal(w->server.authorization, credentials[i].header);
		} else {
			assert_null(w->client);
			assert_non_null(strstr(w->why.data, credentials[i].why));
			assert_null(strstr(w->why.data, "secret"));
		}
	}
	print_message("a new one counts from the next request\n");
	write_file(path, "one", 0600);
	{
		_cleanup_(x_freep) char *setting =
		    x_asprintf("schema.registry.bearer.token.file=%s", path);

		open_client(w, w->server.url, setting);
	}
	write_file(path, "two", 0600);
	assert_int_equal(get(w), 0);
	assert_string_equal(w->server.authorization, "Bearer two");
	unlink(path);
}

#define PROTOCOL_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		PROTOCOL_TEST(each_answer_means_one_thing),
		PROTOCOL_TEST(a_schema_is_registered_and_found),
		PROTOCOL_TEST(it_is_told_whether_a_schema_is_compatible),
		PROTOCOL_TEST(the_next_url_is_asked_where_one_is_away),
		PROTOCOL_TEST(credentials_come_from_secret_files),
	};

	curl_global_init(CURL_GLOBAL_DEFAULT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
