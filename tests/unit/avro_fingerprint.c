/* Canonical forms and fingerprints, as fastavro 1.13 computes them. */
#include "avro/canonical.h"
#include "avro/embedded.h"
#include "avro/fingerprint.h"
#include "unit.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
	const char *name, *schema, *canonical;
	uint64_t fingerprint;
} rows[] = {
	{ "null", "\"null\"", "\"null\"", 0x63dd24e7cc258f8a },
	{ "boolean", "\"boolean\"", "\"boolean\"", 0x9f42fc78a4d4f764 },
	{ "int", "\"int\"", "\"int\"", 0x7275d51a3f395c8f },
	{ "long", "\"long\"", "\"long\"", 0xd054e14493f41db7 },
	{ "float", "\"float\"", "\"float\"", 0x4d7c02cb3ea8d790 },
	{ "double", "\"double\"", "\"double\"", 0x8e7535c032ab957e },
	{ "bytes", "\"bytes\"", "\"bytes\"", 0x4fc016dac3201965 },
	{ "string", "\"string\"", "\"string\"", 0x8f014872634503c7 },
	{ "a primitive as an object", "{\"type\":\"int\",\"doc\":\"x\"}", "\"int\"",
	  0x7275d51a3f395c8f },
	{ "array", "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}",
	  "{\"type\":\"array\",\"items\":\"string\"}", 0xce5b3256262fd79f },
	{ "map, logical type",
	  "{\"values\":[\"null\",{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}],"
	  "\"type\":\"map\"}",
	  "{\"type\":\"map\",\"values\":[\"null\",\"long\"]}", 0xac0f01ab3bdf3989 },
	{ "fixed",
	  "{\"type\":\"fixed\",\"name\":\"md5\",\"namespace\":\"a.b\",\"size\":16,\"aliases\":["
	  "\"c\"]}",
	  "{\"name\":\"a.b.md5\",\"type\":\"fixed\",\"size\":16}", 0x2ee8c1c6318ef7a5 },
	{ "enum, name with dots",
	  "{\"type\":\"enum\",\"name\":\"x.y.Suit\",\"symbols\":[\"A\",\"B\"],\"doc\":\"d\","
	  "\"default\":\"A\"}",
	  "{\"name\":\"x.y.Suit\",\"type\":\"enum\",\"symbols\":[\"A\",\"B\"]}",
	  0x5e9e48b6df70cc10 },
	{ "recursion and two namespaces",
	  "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"n\",\"fields\":[{\"name\":\"next\","
	  "\"type\":[\"null\",\"R\"],\"default\":null,"
	  "\"order\":\"ignore\"},{\"name\":\"other\",\"type\":{\"type\":\"record\",\"name\":\"m."
	  "S\",\"fields\":[{\"name\":\"r\",\"type\":\"n.R\"},"
	  "{\"name\":\"s\",\"type\":\"S\"}]}}]}",
	  "{\"name\":\"n.R\",\"type\":\"record\",\"fields\":[{\"name\":\"next\",\"type\":[\"null\","
	  "\"n.R\"]},{\"name\":\"other\",\"type\":"
	  "{\"name\":\"m.S\",\"type\":\"record\",\"fields\":[{\"name\":\"r\",\"type\":\"n.R\"},{"
	  "\"name\":\"s\",\"type\":\"m.S\"}]}}]}",
	  0xab2101bcbcbff960 },
	{ "no fields", "{\"namespace\":\"n\",\"fields\":[],\"type\":\"record\",\"name\":\"R\"}",
	  "{\"name\":\"n.R\",\"type\":\"record\",\"fields\":[]}", 0xd972951cd379662f },
	{ "escapes",
	  "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"type\":\"int\",\"name\":\"a\\u0062\","
	  "\"default\":1}]}",
	  "{\"name\":\"R\",\"type\":\"record\",\"fields\":[{\"name\":\"ab\",\"type\":\"int\"}]}",
	  0x83fe123403167281 },
};

/* The bytes on the wire, in each form: a schema that changes here is another schema to all
 * producers. The other forms are those of goavro 2.12 and hamba 2.27. */
static const struct {
	const char *file, *forms[CANONICAL_FORM_COUNT];
} own[] = {
	{ "webhook-command.avsc", { "c676534eba5849ef", "b52aaff0caf4dc2e", "b3027c8c373c6e8b" } },
	{ "credential-issuance-command.avsc",
	  { "47a196a47e343d0b", "22c9e20b19574b97", "fb873d9730198717" } },
	{ "analytic-event.avsc", { "2b5079d84f1c3e89", "ada0fe9696955372", "6f5aea20a14a938f" } },
	{ "state-record.avsc", { "10997430efb1c053", "14540acdfb00158e", "b47239f3a20c8bd5" } },
	{ "event-command.avsc", { "40b393c712d34272", "1b6c01faed43ac03", "ec354a4565663df6" } },
	{ "edition-1/webhook-command.avsc",
	  { "91544110aa85c38d", "55dbf517d5d20ceb", "a0f3a23c80ba6e2c" } },
	{ "edition-1/analytic-event.avsc",
	  { "f68dc647a1dda9a9", "91045247de0e6b6f", "8242f5d2e6b0f212" } },
	{ "edition-1/state-record.avsc",
	  { "a68f5bdbec7d2c27", "f206e721bcd2c625", "610cd0465bd6633c" } },
};

static void canonical_forms_and_fingerprints(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(4096);

		print_message("%s\n", rows[i].name);
		assert_int_equal(canonical_append(&out, rows[i].schema, strlen(rows[i].schema),
						  CANONICAL_SPECIFICATION),
				 0);
		assert_string_equal(out.data, rows[i].canonical);
		assert_true(fingerprint_of(out.data, out.len) == rows[i].fingerprint);
	}
}

static void check_own(const struct embedded_schema *schema, const char *const *forms) {
	for (int form = 0; form < CANONICAL_FORM_COUNT; form++) {
		_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(65536);
		char text[17];

		assert_int_equal(canonical_append(&out, (const char *)schema->json, schema->len,
						  (enum canonical_form)form),
				 0);
		snprintf(text, sizeof(text), "%016" PRIx64,
			 __builtin_bswap64(fingerprint_of(out.data, out.len)));
		assert_string_equal(text, forms[form]);
	}
}

static void our_own_fingerprints(void **state _unused_) {
	for (size_t i = 0; i < EMBEDDED_SCHEMA_COUNT; i++) {
		assert_string_equal(embedded_schemas[i].file, own[i].file);
		check_own(&embedded_schemas[i], own[i].forms);
	}
}

static void what_is_no_schema_is_refused(void **state _unused_) {
	static const char *const wrong[] = {
		"",
		"{",
		"1",
		"null",
		"{}",
		"{\"type\":\"record\"}",
		"{\"type\":\"record\",\"name\":\"R\"}",
		"{\"type\":\"array\"}",
		"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[1]}",
		"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"type\":\"int\"}]}",
		"[1]",
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(4096);

		print_message("%s\n", wrong[i]);
		assert_int_equal(
		    canonical_append(&out, wrong[i], strlen(wrong[i]), CANONICAL_SPECIFICATION),
		    CANONICAL_E_REFUSED);
	}
}

/* Also where the second one is spelt otherwise; avro-c would leak the parts made by then. */
static void a_name_is_defined_once(void **state _unused_) {
	static const char *const wrong[] = {
		"[{\"type\":\"fixed\",\"name\":\"F\",\"size\":1},{\"type\":\"fixed\",\"name\":"
		"\"F\",\"size\":1}]",
		"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":{"
		"\"type\":\"record\",\"name\":\"R\",\"fields\":[]}}]}",
		"{\"type\":\"record\",\"name\":\"n.R\",\"fields\":[{\"name\":\"a\",\"type\":{"
		"\"type\":\"enum\",\"name\":\"R\",\"symbols\":[]}}]}",
	};
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(4096);
	static const char right[] = "[{\"type\":\"fixed\",\"name\":\"F\",\"size\":1},{\"type\":"
				    "\"fixed\",\"name\":\"n.F\",\"size\":1}]";

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (canonical_append(&out, wrong[i], strlen(wrong[i]), CANONICAL_SPECIFICATION) !=
		    CANONICAL_E_NAME_TWICE)
			fail_msg("%s", wrong[i]);
	assert_int_equal(canonical_append(&out, right, strlen(right), CANONICAL_SPECIFICATION), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(canonical_forms_and_fingerprints),
		cmocka_unit_test(our_own_fingerprints),
		cmocka_unit_test(what_is_no_schema_is_refused),
		cmocka_unit_test(a_name_is_defined_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
