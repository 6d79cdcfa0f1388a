/* Where spans go, by the variables of OpenTelemetry. */
#include "base/memory.h"
#include "trace/settings.h"
#include "unit.h"

#include <sys/mman.h>
#include <unistd.h>

static const char *const names[] = { "OTEL_EXPORTER_OTLP_ENDPOINT",
				     "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
				     "OTEL_EXPORTER_OTLP_HEADERS",
				     "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
				     "OTEL_EXPORTER_OTLP_TIMEOUT",
				     "OTEL_EXPORTER_OTLP_CERTIFICATE",
				     "OTEL_EXPORTER_OTLP_PROTOCOL",
				     "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
				     "OTEL_SERVICE_NAME",
				     "OTEL_RESOURCE_ATTRIBUTES",
				     "OTEL_SDK_DISABLED",
				     "OTEL_TRACES_EXPORTER",
				     "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
				     "OTEL_EXPORTER_OTLP_CLIENT_KEY",
				     "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
				     "OTEL_EXPORTER_OTLP_COMPRESSION" };

static int clear(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unsetenv(names[i]);
	return 0;
}

/* Reads the variables, and keeps the warnings: they go to file descriptor 2. */
static char warnings[4096];

static struct trace_settings read_settings(void) {
	int log = memfd_create("log", MFD_CLOEXEC), former = dup(STDERR_FILENO);
	struct trace_settings settings;
	ssize_t len;

	dup2(log, STDERR_FILENO);
	trace_settings_read("worker-1", "1.2.3", &settings);
	dup2(former, STDERR_FILENO);
	close(former);
	len = pread(log, warnings, sizeof(warnings) - 1, 0);
	assert_true(len >= 0);
	warnings[len] = '\0';
	close(log);
	return settings;
}

static struct trace_settings accepted(void) {
	struct trace_settings settings = read_settings();

	assert_string_equal(warnings, "");
	return settings;
}

static void it_is_off_without_an_endpoint(void **state _unused_) {
	struct trace_settings settings = accepted();

	assert_null(settings.url);
	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "", 1);
	settings = accepted();
	assert_null(settings.url);
}

static void it_can_be_turned_off(void **state _unused_) {
	struct trace_settings settings;

	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318", 1);
	setenv("OTEL_TRACES_EXPORTER", "none", 1);
	settings = accepted();
	assert_null(settings.url);
	unsetenv("OTEL_TRACES_EXPORTER");
	setenv("OTEL_SDK_DISABLED", "TRUE", 1);
	settings = accepted();
	assert_null(settings.url);
}

static void the_traces_own_endpoint_is_taken_as_it_is(void **state _unused_) {
	struct trace_settings settings;

	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4318/", 1);
	settings = accepted();
	assert_string_equal(settings.url, "https://collector:4318/v1/traces");
	trace_settings_destroy(&settings);
	setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://traces/in", 1);
	settings = accepted();
	assert_string_equal(settings.url, "https://traces/in");
	assert_int_equal(settings.timeout_ms, 10000);
	trace_settings_destroy(&settings);
}

static void lists_are_decoded(void **state _unused_) {
	struct trace_settings settings;

	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c", 1);
	setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cret, x-y=1", 1);
	setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=hooks,region=eu%2Cwest", 1);
	settings = accepted();
	assert_string_equal(settings.headers->data, "authorization: Bearer s3cret");
	assert_string_equal(settings.headers->next->data, "x-y: 1");
	assert_string_equal(
	    settings.resource,
	    "{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"hooks\"}},"
	    "{\"key\":\"service.version\",\"value\":{\"stringValue\":\"1.2.3\"}},"
	    "{\"key\":\"service.instance.id\",\"value\":{\"stringValue\":\"worker-1\"}},"
	    "{\"key\":\"region\",\"value\":{\"stringValue\":\"eu,west\"}}]}");
	trace_settings_destroy(&settings);
}

/* Also where the list names the program's own, which it may, or the same one twice. */
static void each_attribute_of_the_resource_has_its_key_once(void **state _unused_) {
	struct trace_settings settings;

	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c", 1);
	setenv("OTEL_SERVICE_NAME", "hooks", 1);
	setenv("OTEL_RESOURCE_ATTRIBUTES",
	       "service.instance.id=pod-7, service.version=9 ,zone%2Fname=a,zone/name = b,"
	       "service.name=other",
	       1);
	settings = accepted();
	assert_string_equal(
	    settings.resource,
	    "{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"hooks\"}},"
	    "{\"key\":\"service.version\",\"value\":{\"stringValue\":\"9\"}},"
	    "{\"key\":\"service.instance.id\",\"value\":{\"stringValue\":\"pod-7\"}},"
	    "{\"key\":\"zone/name\",\"value\":{\"stringValue\":\"b\"}}]}");
	trace_settings_destroy(&settings);
}

/* The rest counts as ever; `url` is NULL where no spans are sent. */
static void what_cannot_be_used_is_named_and_ignored(void **state _unused_) {
	static const struct {
		const char *name, *value, *url, *word;
	} rows[] = {
		{ "EXPORTER_OTLP_TRACES_ENDPOINT", "c:4318", NULL, "http or https" },
		{ "EXPORTER_OTLP_PROTOCOL", "grpc", NULL, "grpc is not spoken" },
		{ "EXPORTER_OTLP_TRACES_PROTOCOL", "GRPC", NULL, "grpc is not spoken" },
		{ "EXPORTER_OTLP_PROTOCOL", "http/protobuf", "http://c/v1/traces", "http/json" },
		{ "EXPORTER_OTLP_PROTOCOL", "smoke signals", "http://c/v1/traces", "http/json" },
		{ "TRACES_EXPORTER", "console", NULL, "only otlp" },
		{ "TRACES_EXPORTER", "zipkin,jaeger", NULL, "only otlp" },
		{ "SDK_DISABLED", "yes", "http://c/v1/traces", "true or false" },
		{ "EXPORTER_OTLP_TIMEOUT", "0", "http://c/v1/traces", "milliseconds" },
		{ "EXPORTER_OTLP_TIMEOUT", "soon", "http://c/v1/traces", "milliseconds" },
		{ "EXPORTER_OTLP_HEADERS", "s3cret", "http://c/v1/traces", "name=value" },
		{ "EXPORTER_OTLP_HEADERS", "a=1,x=s3cret%0d%0ay: z", "http://c/v1/traces",
		  "name=value" },
		{ "EXPORTER_OTLP_HEADERS", "x y=s3cret", "http://c/v1/traces", "name=value" },
		{ "EXPORTER_OTLP_COMPRESSION", "gzip", "http://c/v1/traces", "as they are" },
		{ "SERVICE_NAME", "\xff", "http://c/v1/traces", "UTF-8" },
		{ "RESOURCE_ATTRIBUTES", "region", "http://c/v1/traces", "key=value" },
		{ "RESOURCE_ATTRIBUTES", "a=b,region=%ff", "http://c/v1/traces", "key=value" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(x_freep) char *name = x_asprintf("OTEL_%s", rows[i].name);
		_cleanup_(x_freep) char *told = x_asprintf("variable=%s why=", name);
		struct trace_settings settings;

		setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c", 1);
		setenv(name, rows[i].value, 1);
		settings = read_settings();
		if (!strstr(warnings, told) || !strstr(warnings, rows[i].word) ||
		    strstr(warnings, "s3cret"))
			fail_msg("%s=%s: %s", name, rows[i].value, warnings);
		if (rows[i].url) {
			assert_string_equal(settings.url, rows[i].url);
			assert_null(settings.headers);
			assert_int_equal(settings.timeout_ms, 10000);
			assert_null(strstr(settings.resource, "\"a\""));
			assert_non_null(strstr(settings.resource, "posthorn-worker"));
		} else {
			assert_null(settings.url);
		}
		trace_settings_destroy(&settings);
		unsetenv(name);
	}
}

static void files_are_named_where_they_cannot_be_read(void **state _unused_) {
	struct trace_settings settings;

	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "https://c", 1);
	setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", "/dev/null", 1);
	setenv("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/dev/null", 1);
	setenv("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "/dev/null", 1);
	setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "None", 1);
	settings = accepted();
	assert_string_equal(settings.ca_file, "/dev/null");
	assert_string_equal(settings.certificate_file, "/dev/null");
	assert_string_equal(settings.key_file, "/dev/null");
	trace_settings_destroy(&settings);
	setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere/ca.pem", 1);
	settings = read_settings();
	assert_non_null(strstr(warnings, "variable=OTEL_EXPORTER_OTLP_CERTIFICATE why=\"No such"));
	assert_string_equal(settings.ca_file, "/nowhere/ca.pem");
	trace_settings_destroy(&settings);
}

static void half_of_a_client_is_none(void **state _unused_) {
	static const char *const halves[] = { "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
					      "OTEL_EXPORTER_OTLP_CLIENT_KEY" };

	for (size_t i = 0; i < ARRAY_LEN(halves); i++) {
		struct trace_settings settings;

		setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "https://c", 1);
		setenv(halves[i], "/dev/null", 1);
		settings = read_settings();
		assert_non_null(strstr(warnings, "belongs to it"));
		assert_null(settings.certificate_file);
		assert_null(settings.key_file);
		trace_settings_destroy(&settings);
		unsetenv(halves[i]);
	}
}

/* Also what others of the same environment need is no matter of a worker without an endpoint. */
static void nothing_is_warned_of_where_no_spans_are_wanted(void **state _unused_) {
	static const char *const ways_off[] = { "OTEL_SDK_DISABLED=True",
						"OTEL_TRACES_EXPORTER=NONE",
						"OTEL_EXPORTER_OTLP_ENDPOINT=" };

	for (size_t i = 0; i < ARRAY_LEN(ways_off); i++) {
		_cleanup_(x_freep) char *assignment = x_strdup(ways_off[i]);
		char *value = strchr(assignment, '=');
		struct trace_settings settings;

		*value++ = '\0';
		setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c", 1);
		setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", 1);
		setenv(assignment, value, 1);
		settings = accepted();
		assert_null(settings.url);
		clear(NULL);
	}
}

static void names_of_values_are_the_same_in_any_case(void **state _unused_) {
	struct trace_settings settings;

	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "HTTP://c", 1);
	setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "HTTP/Json", 1);
	setenv("OTEL_TRACES_EXPORTER", "console, OTLP", 1);
	setenv("OTEL_SDK_DISABLED", "False", 1);
	settings = accepted();
	assert_string_equal(settings.url, "HTTP://c/v1/traces");
	trace_settings_destroy(&settings);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(it_is_off_without_an_endpoint, clear),
		cmocka_unit_test_setup(it_can_be_turned_off, clear),
		cmocka_unit_test_setup(the_traces_own_endpoint_is_taken_as_it_is, clear),
		cmocka_unit_test_setup(lists_are_decoded, clear),
		cmocka_unit_test_setup(each_attribute_of_the_resource_has_its_key_once, clear),
		cmocka_unit_test_setup(what_cannot_be_used_is_named_and_ignored, clear),
		cmocka_unit_test_setup(files_are_named_where_they_cannot_be_read, clear),
		cmocka_unit_test_setup(half_of_a_client_is_none, clear),
		cmocka_unit_test_setup(nothing_is_warned_of_where_no_spans_are_wanted, clear),
		cmocka_unit_test_setup(names_of_values_are_the_same_in_any_case, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
