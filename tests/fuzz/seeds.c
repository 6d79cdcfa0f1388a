/*
 * fuzz_seeds FOLDER: writes the seeds that are made of values, one file each, to
 * FOLDER/<harness>/<name>.
 */
#include "avro/embedded.h"
#include "avro/frame.h"
#include "avro/json.h"
#include "unit/avro_samples.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

static const char *root;

/* Aborts with the error. */
static void write_seed(const char *harness, const char *name, const void *bytes, size_t len) {
	_cleanup_(x_freep) char *folder = x_asprintf("%s/%s", root, harness),
				*path = x_asprintf("%s/%s", folder, name);
	FILE *file;

	if (mkdir(folder, 0777) < 0 && errno != EEXIST)
		perror(folder), abort();
	file = fopen(path, "w");
	if (!file || fwrite(bytes, 1, len, file) != len || fclose(file))
		perror(path), abort();
}

static const struct embedded_schema *schema_of(enum sample_kind kind) {
	static const char *const files[] = { "webhook-command.avsc",
					     "credential-issuance-command.avsc",
					     "analytic-event.avsc", "state-record.avsc" };

	for (size_t i = 0; i < EMBEDDED_SCHEMA_COUNT; i++)
		if (!strcmp(embedded_schemas[i].file, files[kind]))
			return &embedded_schemas[i];
	abort();
}

/* Behind each of our schemas and a NUL, a record of it without its frame. */
static void write_schema(const char *name, const struct embedded_schema *schema,
			 const struct buffer *record) {
	_cleanup_(buffer_destroy) struct buffer seed = BUFFER_INIT(65536);

	buffer_append(&seed, schema->json, schema->len);
	buffer_append_char(&seed, '\0');
	buffer_append(&seed, record->data + FRAME_HEADER_SIZE, record->len - FRAME_HEADER_SIZE);
	write_seed("avro_schema", name, seed.data, seed.len);
	write_seed("avro_registry", name, seed.data, seed.len);
}

static void write_records(struct codec *codec) {
	for (size_t i = 0; i < SAMPLE_COUNT; i++) {
		_cleanup_(buffer_destroy) struct buffer record = BUFFER_INIT(65536);

		sample_encode(codec, samples[i].kind, samples[i].value, &record);
		write_seed("avro_record", samples[i].name, record.data, record.len);
		write_schema(samples[i].name, schema_of(samples[i].kind), &record);
	}
}

/* Events as their worker writes them, and commands by hand. */
static void write_json(void) {
	static const char create[] =
	    "{\"commandId\":\"c\",\"tenantId\":\"acme\",\"timestamp\":\"2026-01-31T12:00:00Z\","
	    "\"operation\":{\"type\":\"CreateWebhook\",\"events\":[\"OpenIdCredentialIssued\"],"
	    "\"url\":\"https://example.com/\",\"disabled\":false}}";
	static const char issuance[] =
	    "{\"commandId\":\"c\",\"tenantId\":\"acme\",\"timestamp\":1,\"credentialId\":\"i\","
	    "\"credentialConfigurationId\":\"k\",\"credentialProfile\":\"p\",\"format\":\"f\","
	    "\"claims\":{\"a\":[1.5]},\"credential\":\"x.y.z\"}";

	for (size_t i = 0; i < ARRAY_LEN(sample_events); i++) {
		_cleanup_(buffer_destroy) struct buffer json = BUFFER_INIT(65536);
		char name[32];

		json_append_event_record(&json, &sample_events[i]);
		snprintf(name, sizeof(name), "event-%zu", i);
		write_seed("avro_json", name, json.data, json.len);
	}
	write_seed("avro_json", "create", create, sizeof(create) - 1);
	write_seed("avro_json", "issuance", issuance, sizeof(issuance) - 1);
}

/* What our own schemas do not have: an enum, a map, numbers with a point. */
static void write_foreign_schema(void) {
	static const char seed[] =
	    "{\"type\":\"record\",\"name\":\"WebhookCommand\",\"namespace\":\"posthorn.v1\","
	    "\"fields\":["
	    "{\"name\":\"commandId\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\","
	    "\"B\"]}},"
	    "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":[\"double\",\"float\"]}}]}\0"
	    "\x02\x02\x02k\x02"
	    "four\0";

	write_seed("avro_schema", "foreign", seed, sizeof(seed) - 1);
	write_seed("avro_registry", "foreign", seed, sizeof(seed) - 1);
}

int main(int argc, char *argv[]) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);
	_cleanup_(codec_freep) struct codec *codec = NULL;

	if (argc != 2)
		return 2;
	root = argv[1];
	if (codec_new(NULL, &codec, &problems))
		abort();
	write_records(codec);
	write_foreign_schema();
	write_json();
	return 0;
}
