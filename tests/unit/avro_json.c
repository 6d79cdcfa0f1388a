/*
 * Commands and events as JSON: a row is the text, with ' for ", and the same command as Avro, its
 * faults, or the reason why it is refused.
 */
#include "avro/codec.h"
#include "avro/json.h"
#include "avro_samples.h"
#include "unit.h"

static struct codec *codec;
static struct arena *arena;

static int setup(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);

	arena = arena_new();
	return codec_new(NULL, &codec, &problems);
}

static int teardown(void **state _unused_) {
	codec_free(codec);
	arena_free(arena);
	return 0;
}

/* Decodes from memory that ends where the text does, so that a sanitizer sees a byte too much. */
static int decode(enum sample_kind kind, const char *text, size_t len, union sample_value *out,
		  const char **why) {
	_cleanup_(x_freep) char *exact = x_malloc(len ? len : 1);

	for (size_t i = 0; i < len; i++)
		exact[i] = text[i] == '\'' ? '"' : text[i];
	*why = "";
	return sample_decode(codec, arena, kind, exact, len, out, why);
}

static const struct problem *faults_of(enum sample_kind kind, const union sample_value *value) {
	return kind == SAMPLE_COMMAND ? value->command.envelope.faults
				      : value->issuance.envelope.faults;
}

#define HEAD                                                                                       \
	"'commandId':'cmd-1','tenantId':'acme','requestId':'req-1','clientId':'client-1',"         \
	"'timestamp':1767225600000"
#define COMMAND(operation) "{" HEAD ",'operation':" operation "}"
#define CREATE                                                                                     \
	"{'type':'CreateWebhook','events':['OpenIdCredentialIssued',"                              \
	"'OpenIdCredentialIssuedSummary'],'url':'https://hooks.example.com/ü','disabled':true}"
#define DELETE "{'type':'DeleteWebhook','id':'d'}"
#define ISSUED                                                                                     \
	"'userId':'user-1','credentialId':'cred-1','credentialConfigurationId':'config-1',"        \
	"'credentialProfile':'profile-1','format':'jwt_vc_json','credentialOfferId':'offer-1',"    \
	"'sessionId':'session-1'"
#define CLAIMS "'claims':{'a':1},'credential':'ey.J.x'"

static const struct command until_1970 = { .envelope = SAMPLE_ENVELOPE,
					   .operation = OPERATION_RECOVER_DELIVERIES,
					   .id = "r",
					   .has_until = true };

static const struct {
	const char *name;
	enum sample_kind kind;
	const char *json;
	const void *same; /* the sample that it is */
} understood[] = {
	{ "a time of 1970, which is not null", SAMPLE_COMMAND,
	  COMMAND("{'type':'RecoverDeliveries','id':'r','since':0,'until':0}"), &until_1970 },
	{ "create", SAMPLE_COMMAND, COMMAND(CREATE), &sample_commands[0] },
	{ "members in another order, with white space", SAMPLE_COMMAND,
	  "{ 'operation' :\n\t{ 'disabled' : true , 'url' : 'https://hooks.example.com/ü' ,\r\n"
	  "'events' : [ 'OpenIdCredentialIssued' , 'OpenIdCredentialIssuedSummary' ] ,"
	  "'type' : 'CreateWebhook' } , " HEAD " } \n",
	  &sample_commands[0] },
	{ "escapes in names and values", SAMPLE_COMMAND,
	  "{" HEAD ",'oper\\u0061tion':{'type':'CreateWebhook','events':['OpenIdCredential\\u0049"
	  "ssued','OpenIdCredentialIssuedSummary'],'url':'https:\\/\\/hooks.example.com\\/\\u00fc',"
	  "'disabled':true}}",
	  &sample_commands[0] },
	{ "a time with milliseconds", SAMPLE_COMMAND,
	  "{'commandId':'cmd-1','tenantId':'acme','requestId':'req-1','clientId':'client-1',"
	  "'timestamp':'2026-01-01T00:00:00.000Z','operation':" DELETE "}",
	  &sample_commands[5] },
	{ "a time without them, elsewhere", SAMPLE_COMMAND,
	  "{'commandId':'cmd-1','tenantId':'acme','requestId':'req-1','clientId':'client-1',"
	  "'timestamp':'2026-01-01T01:30:00+01:30','operation':" DELETE "}",
	  &sample_commands[5] },
	{ "list", SAMPLE_COMMAND,
	  COMMAND("{'type':'RetrieveWebhooks','limit':-7,'cursor':'Y3Vyc29y'}"),
	  &sample_commands[1] },
	{ "optional ones left out", SAMPLE_COMMAND,
	  "{'commandId':'c','tenantId':'t','timestamp':-1,"
	  "'operation':{'type':'RetrieveWebhooks'}}",
	  &sample_commands[2] },
	{ "optional ones null", SAMPLE_COMMAND,
	  "{'commandId':'c','tenantId':'t','requestId':null,'clientId':null,'timestamp':-1,"
	  "'operation':{'type':'RetrieveWebhooks','limit':null,'cursor':null}}",
	  &sample_commands[2] },
	{ "get", SAMPLE_COMMAND, COMMAND("{'type':'RetrieveWebhook','id':'not a uuid'}"),
	  &sample_commands[3] },
	{ "update with nothing in it", SAMPLE_COMMAND,
	  COMMAND("{'type':'UpdateWebhook','id':'u','events':[],'url':'','disabled':null}"),
	  &sample_commands[4] },
	{ "delete", SAMPLE_COMMAND, COMMAND(DELETE), &sample_commands[5] },
	{ "test", SAMPLE_COMMAND, COMMAND("{'type':'TestWebhook','id':'t'}"), &sample_commands[6] },
	{ "rotate", SAMPLE_COMMAND, COMMAND("{'type':'RotateSigningKey'}"), &sample_commands[7] },
	{ "recover", SAMPLE_COMMAND,
	  COMMAND("{'type':'RecoverDeliveries','id':'r','since':'2026-01-01T00:00:00.002Z'}"),
	  &sample_commands[8] },
	{ "issuance", SAMPLE_ISSUANCE, "{" HEAD "," ISSUED "," CLAIMS "}", &sample_issuances[0] },
	{ "issuance without options", SAMPLE_ISSUANCE,
	  "{'commandId':'c','tenantId':'t','timestamp':0,'credentialId':'i',"
	  "'credentialConfigurationId':'k','credentialProfile':'p','format':'f'}",
	  &sample_issuances[1] },
	{ "issuance with nothing in its options", SAMPLE_ISSUANCE,
	  "{'commandId':'c','tenantId':'t','timestamp':0,'credentialId':'i','claims':null,"
	  "'credentialConfigurationId':'k','credentialProfile':'p','format':'f','credential':null}",
	  &sample_issuances[1] },
};

static void a_command_in_json_is_the_same_as_in_avro(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(understood); i++) {
		_cleanup_(buffer_destroy) struct buffer is = BUFFER_INIT(65536),
							should = BUFFER_INIT(65536);
		union sample_value value;
		const char *why;

		print_message("%s\n", understood[i].name);
		assert_int_equal(decode(understood[i].kind, understood[i].json,
					strlen(understood[i].json), &value, &why),
				 0);
		assert_null(faults_of(understood[i].kind, &value));
		sample_encode(codec, understood[i].kind, &value, &is);
		sample_encode(codec, understood[i].kind, understood[i].same, &should);
		assert_int_equal(is.len, should.len);
		assert_memory_equal(is.data, should.data, is.len);
	}
}

/* Others sign this text. */
static void claims_and_credential_keep_their_bytes(void **state _unused_) {
	static const char *const texts[] = {
		"{}",
		"{ 'b' : 1.10 , 'a' : [ 1e400, 123456789012345678901234567890 ] }",
		"{'a':'\\u0041 } ] \\' \\\\','b':{'c':[{}]}}",
		"'ey.J.x'",
		"''",
		"[1]",
		"nonsense",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		_cleanup_(x_freep) char *json = x_asprintf(
		    "{" HEAD "," ISSUED ",'claims':%s,'credential': %s }", texts[i], texts[i]);
		_cleanup_(x_freep) char *same = x_strdup(texts[i]);
		union sample_value value;
		const char *why;

		for (char *p = same; *p; p++)
			*p = *p == '\'' ? '"' : *p;
		assert_int_equal(decode(SAMPLE_ISSUANCE, json, strlen(json), &value, &why), 0);
		assert_null(value.issuance.envelope.faults);
		assert_string_equal(value.issuance.claims, same);
		assert_string_equal(value.issuance.credential, same);
	}
}

#define STRING "Must be a string, without NUL"
#define TIME "Must be a time such as 2026-01-31T12:00:00Z, or milliseconds since 1970"
#define TYPES                                                                                      \
	"Must be one of CreateWebhook RetrieveWebhooks RetrieveWebhook UpdateWebhook "             \
	"DeleteWebhook TestWebhook RotateSigningKey RecoverDeliveries RetrieveSecret "             \
	"RotateSecret "                                                                            \
	"ResendDelivery"
#define MINIMAL "{'commandId':'c','tenantId':'t','timestamp':1,'operation':" DELETE
#define DELETE_TOO ",'operation':" DELETE "}"

static const struct {
	const char *name;
	enum sample_kind kind;
	const char *json;
	const char *faults; /* "param=value: msg", a line each */
} wrong[] = {
	{ "an unknown member", SAMPLE_COMMAND, MINIMAL ",'urgent':true}",
	  "urgent=true: Is not known\n" },
	{ "unknown members, whatever they hold", SAMPLE_COMMAND,
	  MINIMAL ",'a':{'b':[1,2,{}]},'':'x','operation2':[}}",
	  "a=: Is not known\n=x: Is not known\noperation2=: Is not known\n" },
	{ "an unknown member of the operation", SAMPLE_COMMAND,
	  COMMAND("{'type':'DeleteWebhook','id':'d','force':1}"), "force=1: Is not known\n" },
	{ "a member of another operation", SAMPLE_COMMAND,
	  COMMAND("{'type':'DeleteWebhook','id':'d','url':'u'}"), "url=u: Is not known\n" },
	{ "strings that are none", SAMPLE_COMMAND,
	  "{'commandId':'c','tenantId':'t','requestId':1,'clientId':{'a':1},'timestamp':1,"
	  "'operation':{'type':'UpdateWebhook','id':[],'events':['a',2,null,'b'],'url':true}}",
	  "requestId=1: " STRING "\nclientId=: " STRING "\nid=: " STRING "\nevents[1]=2: " STRING
	  "\nevents[2]=null: " STRING "\nurl=true: " STRING "\n" },
	{ "a string with NUL", SAMPLE_COMMAND, COMMAND("{'type':'TestWebhook','id':'a\\u0000'}"),
	  "id=a\\u0000: " STRING "\n" },
	{ "a string with half a character", SAMPLE_COMMAND,
	  COMMAND("{'type':'TestWebhook','id':'\\ud800'}"), "id=\\ud800: " STRING "\n" },
	{ "a string with an unknown escape", SAMPLE_COMMAND,
	  COMMAND("{'type':'TestWebhook','id':'\\x'}"), "id=\\x: " STRING "\n" },
	{ "events that are no array", SAMPLE_COMMAND,
	  COMMAND("{'type':'CreateWebhook','events':'OpenIdCredentialIssued','url':'u'}"),
	  "events=OpenIdCredentialIssued: Must be an array\n" },
	{ "a boolean as text", SAMPLE_COMMAND,
	  COMMAND("{'type':'CreateWebhook','events':[],'url':'u','disabled':'true'}"),
	  "disabled=true: Must be true or false\n" },
	{ "numbers that are none", SAMPLE_COMMAND,
	  COMMAND("{'type':'RetrieveWebhooks','limit':'5'}"),
	  "limit=5: Must be a whole number of 32 bits\n" },
	{ "a number with a fraction", SAMPLE_COMMAND,
	  COMMAND("{'type':'RetrieveWebhooks','limit':5.0}"),
	  "limit=5.0: Must be a whole number of 32 bits\n" },
	{ "a number that is too large", SAMPLE_COMMAND,
	  COMMAND("{'type':'RetrieveWebhooks','limit':2147483648}"),
	  "limit=2147483648: Must be a whole number of 32 bits\n" },
	{ "times that are none", SAMPLE_COMMAND,
	  "{'commandId':'c','tenantId':'t','timestamp':'yesterday','operation':"
	  "{'type':'RecoverDeliveries','id':'r','since':99999999999999999999}}",
	  "timestamp=yesterday: " TIME "\nsince=99999999999999999999: " TIME "\n" },
	{ "half a word", SAMPLE_COMMAND,
	  COMMAND("{'type':'CreateWebhook','events':[],'url':'u','disabled':tru}"),
	  "disabled=tru: Must be true or false\n" },
	{ "members that are missing", SAMPLE_COMMAND, "{'commandId':'c','tenantId':'t'}",
	  "timestamp=: Must be given\noperation=: Must be given\n" },
	{ "members of the operation that are missing", SAMPLE_COMMAND,
	  COMMAND("{'type':'UpdateWebhook'}"),
	  "id=: Must be given\nevents=: Must be given\nurl=: Must be given\n" },
	{ "required ones null", SAMPLE_COMMAND,
	  "{'commandId':'c','tenantId':'t','timestamp':null,'operation':null}",
	  "timestamp=null: Must not be null\noperation=null: Must not be null\n" },
	{ "members twice", SAMPLE_COMMAND, MINIMAL ",'tenantId':'u','timestamp':2" DELETE_TOO,
	  "tenantId=u: Must be given once\ntimestamp=2: Must be given once\n"
	  "operation=: Must be given once\n" },
	{ "a type twice", SAMPLE_COMMAND, COMMAND("{'type':'DeleteWebhook','id':'d','type':tru}"),
	  "type=tru: Must be given once\n" },
	{ "an operation without a type", SAMPLE_COMMAND, COMMAND("{'id':'d'}"),
	  "operation.type=: " TYPES "\n" },
	{ "an unknown operation", SAMPLE_COMMAND, COMMAND("{'type':'deleteWebhook','id':'d'}"),
	  "operation.type=deleteWebhook: " TYPES "\n" },
	{ "an operation's type that is no string", SAMPLE_COMMAND, COMMAND("{'type':{'a':1}}"),
	  "operation.type=: " TYPES "\n" },
	{ "an operation that is its name", SAMPLE_COMMAND, COMMAND("'RotateSigningKey'"),
	  "operation=RotateSigningKey: Must be an object with a type\n" },
	{ "an operation as Avro's JSON has it", SAMPLE_COMMAND,
	  COMMAND("{'posthorn.v1.DeleteWebhook':{'id':'d'}}"), "operation.type=: " TYPES "\n" },
	{ "headers, whose values are secrets", SAMPLE_COMMAND,
	  COMMAND("{'type':'CreateWebhook','events':[],'url':'u','headers':[{'name':'a','value':5},"
		  "{'name':7,'valeu':'s'},{'value':'s','value':'t'}],'headers':[{'name':'s'}]}"),
	  "headers[0].value=: " STRING "\nheaders[1].name=: " STRING
	  "\nheaders[1].valeu=: Is not known\nheaders[2].value=: Must be given once\n"
	  "headers[2].name=: Must be given\nheaders=: Must be given once\n" },
	{ "headers that are none", SAMPLE_COMMAND,
	  COMMAND("{'type':'CreateWebhook','events':[],'url':'u','headers':'s','signatures':{}}"),
	  "headers=: Must be an array\nsignatures=: Must be an array\n" },
	{ "headers that are no objects", SAMPLE_COMMAND,
	  COMMAND("{'type':'CreateWebhook','events':[],'url':'u','headers':['s',5]}"),
	  "headers=: Must be an array of objects\nheaders=: Must be an array of objects\n" },
	{ "members of a filter", SAMPLE_COMMAND,
	  COMMAND("{'type':'CreateWebhook','events':[],'url':'u',"
		  "'filter':{'subjects':['a'],'subject':['a',1],'format':'f'}}"),
	  "filter.subjects=: Is not known\nfilter.subject[1]=1: " STRING
	  "\nfilter.format=f: Must be an array\n" },
	{ "an issuance's members", SAMPLE_ISSUANCE,
	  "{'commandId':'c','tenantId':'t','timestamp':0,'credentialId':7,'credentialProfile':null,"
	  "'format':'f','credentials':[]}",
	  "credentialId=7: " STRING "\ncredentialProfile=null: Must not be null\n"
	  "credentials=: Is not known\ncredentialConfigurationId=: Must be given\n" },
};

static void every_wrong_member_is_named(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		_cleanup_(buffer_destroy) struct buffer is = BUFFER_INIT(65536);
		const struct problem *faults;
		union sample_value value;
		const char *why;

		print_message("%s\n", wrong[i].name);
		assert_int_equal(
		    decode(wrong[i].kind, wrong[i].json, strlen(wrong[i].json), &value, &why), 0);
		faults = faults_of(wrong[i].kind, &value);
		assert_non_null(faults);
		assert_int_equal(faults->status, 400);
		for (size_t k = 0; k < faults->detail_count; k++) {
			const struct problem_detail *row = &faults->details[k];

			assert_string_equal(row->location, "body");
			buffer_printf(&is, "%s=%s: %s\n", row->param, row->value, row->msg);
		}
		for (char *p = is.data; *p; p++)
			*p = *p == '"' ? '\'' : *p;
		assert_string_equal(is.data, wrong[i].faults);
	}
}

static void a_command_of_no_known_operation_has_none(void **state _unused_) {
	static const char *const texts[] = { COMMAND("{'id':'d'}"), COMMAND("{'type':'Go'}"),
					     COMMAND("7"), COMMAND("null"), "{" HEAD "}" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		union sample_value value;
		const char *why;

		assert_int_equal(decode(SAMPLE_COMMAND, texts[i], strlen(texts[i]), &value, &why),
				 0);
		assert_int_equal(value.command.operation, OPERATION_UNKNOWN);
	}
}

static const struct {
	const char *name, *json, *why;
} refused[] = {
	{ "no member", "{}",
	  "JSON WebhookCommand without tenantId: it must be given, as a string" },
	{ "no tenant", "{'commandId':'c','timestamp':1" DELETE_TOO,
	  "JSON WebhookCommand without tenantId" },
	{ "a tenant that is no string", "{'commandId':'c','tenantId':7,'timestamp':1" DELETE_TOO,
	  "JSON WebhookCommand without tenantId" },
	{ "no commandId", "{'tenantId':'t','timestamp':1" DELETE_TOO,
	  "JSON WebhookCommand without commandId" },
	{ "a commandId that is null", "{'tenantId':'t','commandId':null" DELETE_TOO,
	  "JSON WebhookCommand without commandId" },
	{ "a bracket alone", "{", "malformed JSON: a bracket is not closed (at byte 1)" },
	{ "no name", "{1}", "malformed JSON: a name is no string (at byte 1)" },
	{ "no colon", "{'a' 1}", "malformed JSON: a colon is missing (at byte 5)" },
	{ "no value", "{'a':}", "malformed JSON: a value is missing (at byte 5)" },
	{ "no comma", "{'a':1 'b':2}", "malformed JSON: a comma is missing (at byte 7)" },
	{ "a comma too much", "{'a':1,}", "malformed JSON: a name is no string (at byte 7)" },
	{ "a comma first", "{,'a':1}", "malformed JSON: a name is no string (at byte 1)" },
	{ "a string without an end", "{'a':'b}",
	  "malformed JSON: a string has no end (at byte 8)" },
	{ "a string that ends with a backslash", "{'a':'b\\",
	  "malformed JSON: a string has no end" },
	{ "an array without an end", "{'a':[{}", "malformed JSON: a bracket is not closed" },
	{ "another command behind it", MINIMAL "}" MINIMAL "}",
	  "malformed JSON: text is left over behind it" },
	{ "an operation that is malformed", COMMAND("{'type':'DeleteWebhook' 'id':'d'}"),
	  "malformed JSON: a comma is missing (at byte 143)" },
	{ "events that are malformed",
	  COMMAND("{'type':'CreateWebhook','url':'u','events':['a' 'b']}"),
	  "malformed JSON: a comma is missing" },
	{ "no UTF-8", "{'a':'\xff'}", "malformed JSON: it is not UTF-8 without NUL" },
};

static void a_command_that_nobody_could_be_answered_is_refused(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		union sample_value value;
		const char *why;

		print_message("%s\n", refused[i].name);
		assert_int_equal(
		    decode(SAMPLE_COMMAND, refused[i].json, strlen(refused[i].json), &value, &why),
		    CODEC_E_REFUSED);
		if (strncmp(why, refused[i].why, strlen(refused[i].why)) != 0)
			fail_msg("%s", why);
	}
}

/* Source: RFC 8259 section 2, which has no place for it. */
static void a_nul_byte_is_refused_anywhere(void **state _unused_) {
	static const struct {
		const char *text;
		size_t len;
	} rows[] = {
		{ "{'a':null\0}", 11 },
		{ "{'a':1\0}", 8 },
		{ "{'a':'\0'}", 9 },
		{ "{'a':1}\0", 8 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		union sample_value value;
		const char *why;

		assert_int_equal(decode(SAMPLE_COMMAND, rows[i].text, rows[i].len, &value, &why),
				 CODEC_E_REFUSED);
		assert_string_equal(why, "malformed JSON: it is not UTF-8 without NUL");
	}
}

static void every_truncation_is_refused(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(understood); i++) {
		size_t whole = strlen(understood[i].json);
		union sample_value value;
		const char *why;

		while (understood[i].json[whole - 1] != '}')
			whole--;
		for (size_t len = 0; len < whole; len++)
			assert_int_equal(
			    decode(understood[i].kind, understood[i].json, len, &value, &why),
			    CODEC_E_REFUSED);
	}
}

/* The changelog is the workers' own. */
static void a_state_record_is_never_json(void **state _unused_) {
	union sample_value value;
	const char *why;

	assert_int_equal(decode(SAMPLE_STATE, "{}", 2, &value, &why), CODEC_E_REFUSED);
	assert_non_null(strstr(why, "unknown frame"));
}

/* --- Events --- */

static struct codec *json_codec(void) {
	const struct codec_settings settings = { .results_framing = RESULTS_JSON };
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);
	struct codec *out;

	assert_int_equal(codec_new(&settings, &out, &problems), 0);
	return out;
}

static void an_event_in_json_loses_nothing(void **state _unused_) {
	_cleanup_(codec_freep) struct codec *writer = json_codec();

	for (size_t i = 0; i < ARRAY_LEN(sample_events); i++) {
		_cleanup_(buffer_destroy) struct buffer json = BUFFER_INIT(65536),
							is = BUFFER_INIT(65536),
							should = BUFFER_INIT(65536);
		struct analytic_event event;
		const char *why = "";

		codec_encode_event(writer, &sample_events[i], &json);
		assert_int_equal(json.data[0], '{');
		if (codec_decode_event(codec, arena, json.data, json.len, &event, &why))
			fail_msg("%s: %s", why, json.data);
		codec_encode_event(codec, &event, &is);
		codec_encode_event(codec, &sample_events[i], &should);
		assert_int_equal(is.len, should.len);
		assert_memory_equal(is.data, should.data, is.len);
	}
}

static void only_events_are_written_as_json(void **state _unused_) {
	_cleanup_(codec_freep) struct codec *writer = json_codec();
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(65536);

	codec_encode_state(writer, &sample_states[0], &out);
	codec_encode_command(writer, &sample_commands[0], &out);
	assert_int_equal((uint8_t)out.data[0], 0xc3);
}

#define EVENT                                                                                      \
	"{'id':'01234567-89ab-4cde-8f01-23456789ab02','type':'WEBHOOK_CREATE_FAIL',"               \
	"'category':'webhook','version':1,'timestamp':'2026-01-01T00:00:00.001Z','tenantId':'"     \
	"acme'"

static void the_data_of_an_event_has_its_type(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(65536);

	json_append_event_record(&out, &sample_events[4]);
	assert_non_null(strstr(out.data, "\"data\":{\"type\":\"Problem\",\"code\":\"BadRequest\","
					 "\"problemType\":\"request\",\"message\":"));
	buffer_clear(&out);
	json_append_event_record(&out, &sample_events[0]);
	assert_non_null(strstr(out.data, "\"data\":null}"));
}

static void events_of_others_are_read_or_refused(void **state _unused_) {
	static const struct {
		const char *name, *json, *why;
	} rows[] = {
		{ "as few members as there may be",
		  "{'id':'01234567-89ab-4cde-8f01-23456789ab02','type':'WEBHOOK_CREATE_FAIL',"
		  "'timestamp':1,'tenantId':'acme'}",
		  NULL },
		{ "members more",
		  EVENT ",'more':{'a':[1]},'data':{'type':'Recovered','deliveries':"
			"1,'more':2}}",
		  NULL },
		{ "an unknown type", "{'id':'01234567-89ab-4cde-8f01-23456789ab02','type':'X'}",
		  "field AnalyticEvent.type: Is not known" },
		{ "data of an unknown type", EVENT ",'data':{'type':'X'}}",
		  "field AnalyticEvent.data.type: Must be one of Webhook WebhookPage" },
		{ "no data of a webhook", EVENT ",'data':{'type':'Webhook'}}",
		  "field AnalyticEvent.id: Must be given" },
		{ "an id that is none", "{'id':'x'}", "field AnalyticEvent.id: Must be a UUID" },
		{ "details that are no objects", EVENT ",'data':{'type':'Problem','details':[1]}}",
		  "field AnalyticEvent.details: Must be an array of objects" },
		{ "a secret in the place of a webhook",
		  EVENT ",'data':{'type':'Webhook','id':'01234567-89ab-4cde-8f01-23456789ab02',"
			"'events':[],'url':'u','disabled':false,'createdAt':1,'updatedAt':1},"
			"'secret':{'type':'WebhookSecret','epoch':1}}",
		  "field AnalyticEvent.secret: Must not stand beside data of another kind" },
		{ "a webhook in the place of a secret",
		  EVENT
		  ",'secret':{'type':'WebhookSecret','epoch':1},'data':{'type':'Webhook','id':"
		  "'01234567-89ab-4cde-8f01-23456789ab02','events':[],'url':'u','disabled':"
		  "false,'createdAt':1,'updatedAt':1}}",
		  "field AnalyticEvent.data: Must not stand beside data of another kind" },
		{ "malformed", EVENT, "malformed JSON: a bracket is not closed" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		union sample_value value;
		const char *why;
		int r = decode(SAMPLE_EVENT, rows[i].json, strlen(rows[i].json), &value, &why);

		print_message("%s\n", rows[i].name);
		assert_int_equal(r, rows[i].why ? CODEC_E_REFUSED : 0);
		if (rows[i].why && strncmp(why, rows[i].why, strlen(rows[i].why)) != 0)
			fail_msg("%s", why);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_in_json_is_the_same_as_in_avro),
		cmocka_unit_test(claims_and_credential_keep_their_bytes),
		cmocka_unit_test(every_wrong_member_is_named),
		cmocka_unit_test(a_command_of_no_known_operation_has_none),
		cmocka_unit_test(a_command_that_nobody_could_be_answered_is_refused),
		cmocka_unit_test(a_nul_byte_is_refused_anywhere),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(a_state_record_is_never_json),
		cmocka_unit_test(an_event_in_json_loses_nothing),
		cmocka_unit_test(only_events_are_written_as_json),
		cmocka_unit_test(the_data_of_an_event_has_its_type),
		cmocka_unit_test(events_of_others_are_read_or_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
