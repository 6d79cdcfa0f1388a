/* Where spans go, by the variables of OpenTelemetry. */
#include "trace/settings.h"
#include "unit.h"

static const char *const names[] = {
	"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
	"OTEL_EXPORTER_OTLP_HEADERS",  "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
	"OTEL_EXPORTER_OTLP_TIMEOUT",  "OTEL_EXPORTER_OTLP_CERTIFICATE",
	"OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_SERVICE_NAME",
	"OTEL_RESOURCE_ATTRIBUTES",    "OTEL_SDK_DISABLED",
	"OTEL_TRACES_EXPORTER"
};

static int clear(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unsetenv(names[i]);
	return 0;
}

static struct trace_settings accepted(void) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(4096);
	struct trace_settings settings;

	assert_int_equal(trace_settings_read("worker-1", "1.2.3", &settings, &why), 0);
	return settings;
}

static void refused(const char *word) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(4096);
	struct trace_settings settings;

	assert_int_equal(trace_settings_read("worker-1", "1.2.3", &settings, &why),
			 TRACE_E_REFUSED);
	assert_non_null(strstr(why.data, word));
	assert_null(strstr(why.data, "s3cret"));
	trace_settings_destroy(&settings);
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

static void wrong_values_are_refused_and_secrets_not_told(void **state _unused_) {
	static const struct {
		const char *name, *value, *word;
	} rows[] = {
		{ "OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "http or https" },
		{ "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/json" },
		{ "OTEL_EXPORTER_OTLP_TIMEOUT", "0", "OTEL_EXPORTER_OTLP_TIMEOUT" },
		{ "OTEL_EXPORTER_OTLP_HEADERS", "s3cret", "OTEL_EXPORTER_OTLP_HEADERS" },
		{ "OTEL_EXPORTER_OTLP_HEADERS", "x=s3cret%0d%0ay: z",
		  "OTEL_EXPORTER_OTLP_HEADERS" },
		{ "OTEL_EXPORTER_OTLP_HEADERS", "x y=s3cret", "OTEL_EXPORTER_OTLP_HEADERS" },
		{ "OTEL_RESOURCE_ATTRIBUTES", "region", "OTEL_RESOURCE_ATTRIBUTES" },
		{ "OTEL_RESOURCE_ATTRIBUTES", "region=%ff", "OTEL_RESOURCE_ATTRIBUTES" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c", 1);
		setenv(rows[i].name, rows[i].value, 1);
		refused(rows[i].word);
		unsetenv(rows[i].name);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(it_is_off_without_an_endpoint, clear),
		cmocka_unit_test_setup(it_can_be_turned_off, clear),
		cmocka_unit_test_setup(the_traces_own_endpoint_is_taken_as_it_is, clear),
		cmocka_unit_test_setup(lists_are_decoded, clear),
		cmocka_unit_test_setup(each_attribute_of_the_resource_has_its_key_once, clear),
		cmocka_unit_test_setup(wrong_values_are_refused_and_secrets_not_told, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
