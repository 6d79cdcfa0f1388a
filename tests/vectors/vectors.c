/* Published and independently made vectors of the signatures: see README.md for where each comes
 * from. */
#include "../unit/unit.h"
#include "signature/callback.h"
#include "signature/jwk.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { FILE_MAX = 64 * 1024, HEADERS_MAX = 16 };

struct vector {
	const char *folder;
	void (*check)(const struct vector *vector);
};

static void read_file(const struct vector *vector, const char *name, struct buffer *out) {
	_cleanup_(x_freep) char *path = x_asprintf(VECTORS_DIR "/%s/%s", vector->folder, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		fail_msg("%s cannot be opened", path);
	*out = BUFFER_INIT(FILE_MAX);
	n = read(fd, buffer_reserve(out, FILE_MAX), FILE_MAX);
	close(fd);
	assert_true(n >= 0 && n < FILE_MAX);
	out->len = (size_t)n;
	out->data[n] = '\0';
}

/* A file of one line, without its end. */
static void read_line(const struct vector *vector, const char *name, struct buffer *out) {
	read_file(vector, name, out);
	assert_true(out->len && out->data[out->len - 1] == '\n');
	out->data[--out->len] = '\0';
}

static void read_jwk_member(const struct buffer *jwk, const char *member, uint8_t out[32]) {
	_cleanup_(x_freep) char *start = x_asprintf("\"%s\":", member);
	const char *p = strstr(jwk->data, start);
	size_t len;

	assert_non_null(p);
	p = strchr(p + strlen(start), '"') + 1;
	assert_int_equal(sodium_base642bin(out, 32, p, strcspn(p, "\""), NULL, &len, NULL,
					   sodium_base64_VARIANT_URLSAFE_NO_PADDING),
			 0);
	assert_int_equal(len, 32);
}

/* The signer of the case's key; its public half must be the JWK's. */
static struct signer *read_signer(const struct vector *vector) {
	_cleanup_(buffer_destroy) struct buffer jwk;
	uint8_t seed[32], x[32];
	struct signer *signer;

	read_file(vector, "key", &jwk);
	read_jwk_member(&jwk, "d", seed);
	read_jwk_member(&jwk, "x", x);
	signer = signer_from_seed(seed);
	assert_memory_equal(signer_public_key(signer), x, sizeof(x));
	return signer;
}

static void check_signature(const struct vector *vector) {
	_cleanup_(signer_unrefp) struct signer *signer = read_signer(vector);
	_cleanup_(buffer_destroy) struct buffer base, expected, actual = BUFFER_INIT(256);
	uint8_t signature[SIGNER_SIGNATURE_LEN];

	read_file(vector, "signature-base", &base);
	read_line(vector, "signature", &expected);
	signer_sign(signer, base.data, base.len, signature);
	buffer_append_base64(&actual, signature, sizeof(signature));
	assert_string_equal(actual.data, expected.data);
}

static void check_thumbprint(const struct vector *vector) {
	_cleanup_(signer_unrefp) struct signer *signer = read_signer(vector);
	_cleanup_(buffer_destroy) struct buffer expected;

	read_line(vector, "thumbprint", &expected);
	assert_string_equal(signer_kid(signer), expected.data);
}

static void check_signature_and_thumbprint(const struct vector *vector) {
	check_signature(vector);
	check_thumbprint(vector);
}

static void check_content_digest(const struct vector *vector) {
	_cleanup_(buffer_destroy) struct buffer body, expected, actual = BUFFER_INIT(256);

	read_file(vector, "body", &body);
	read_line(vector, "content-digest", &expected);
	content_digest_append(&actual, body.data, body.len);
	assert_string_equal(actual.data, expected.data);
}

/* A request file taken apart in place. */
struct request {
	struct buffer bytes;
	const char *path, *query;
	const char *names[HEADERS_MAX], *values[HEADERS_MAX];
	size_t header_count;
	const char *body;
	size_t body_len;
};

static void request_destroy(struct request *request) {
	buffer_destroy(&request->bytes);
}

static char *take_line(char **p) {
	char *line = strsep(p, "\n");

	assert_non_null(*p);
	return line;
}

static void read_request_line(struct request *request, char *line, struct buffer *text) {
	char *target = line + strlen("POST ");
	char *query;

	assert_int_equal(strncmp(line, "POST ", 5), 0);
	target[strcspn(target, " ")] = '\0';
	query = strchr(target, '?');
	/* The query keeps its "?", so the path is cut off into memory of its own. */
	buffer_append(text, target, query ? (size_t)(query - target) : strlen(target));
	request->path = text->data;
	request->query = query;
}

static void read_request(const struct vector *vector, struct request *request,
			 struct buffer *path) {
	char *p, *line;

	*request = (struct request){ 0 };
	read_file(vector, "request", &request->bytes);
	p = request->bytes.data;
	read_request_line(request, take_line(&p), path);
	while (*(line = take_line(&p))) {
		char *value = strstr(line, ": ");

		assert_non_null(value);
		assert_true(request->header_count < HEADERS_MAX);
		*value = '\0';
		request->names[request->header_count] = line;
		request->values[request->header_count++] = value + 2;
	}
	request->body = p;
	request->body_len = request->bytes.len - (size_t)(p - request->bytes.data);
}

static const char *header(const struct request *request, const char *name) {
	for (size_t i = 0; i < request->header_count; i++)
		if (strcasecmp(request->names[i], name) == 0)
			return request->values[i];
	fail_msg("the request has no %s", name);
	return NULL;
}

static struct callback callback_of(const struct request *request) {
	return (struct callback){
		.authority = header(request, "host"),
		.path = request->path,
		.query = request->query,
		.content_type = header(request, "content-type"),
		.delivery_id = header(request, "webhook-id"),
		.timestamp_s = strtoll(header(request, "webhook-timestamp"), NULL, 10),
		.body = request->body,
		.body_len = request->body_len,
	};
}

/* Signs the request's callback again: every line that is made must be the request's. */
static void check_lines(const struct vector *vector, unsigned formats, size_t count) {
	_cleanup_(signer_unrefp) struct signer *signer = read_signer(vector);
	_cleanup_(buffer_destroy) struct buffer path = BUFFER_INIT(4096),
						lines = BUFFER_INIT(CALLBACK_LINES_MAX);
	_cleanup_(request_destroy) struct request request;
	struct callback callback;
	char *rest, *name, *value;

	read_request(vector, &request, &path);
	callback = callback_of(&request);
	callback_sign(&lines, signer, formats, &callback);
	for (rest = lines.data; (name = strtok_r(NULL, "\r\n", &rest)); count--) {
		value = strstr(name, ": ");
		*value = '\0';
		if (formats & CALLBACK_SIGN_RFC9421 || strcmp(name, "content-digest") != 0)
			assert_string_equal(value + 2, header(&request, name));
	}
	assert_int_equal(count, 0);
}

static void check_signature_base(const struct vector *vector) {
	_cleanup_(signer_unrefp) struct signer *signer = read_signer(vector);
	_cleanup_(buffer_destroy) struct buffer path = BUFFER_INIT(4096), expected,
						parameters = BUFFER_INIT(4096),
						base = BUFFER_INIT(8192);
	_cleanup_(request_destroy) struct request request;
	struct callback callback;

	read_file(vector, "signature-base", &expected);
	read_request(vector, &request, &path);
	callback = callback_of(&request);
	signature_parameters_append(&parameters, &callback, signer_kid(signer));
	signature_base_append(&base, &callback, header(&request, "content-digest"),
			      parameters.data);
	assert_string_equal(base.data, expected.data);
}

static void check_callback(const struct vector *vector) {
	check_signature(vector);
	check_signature_base(vector);
	check_lines(vector, CALLBACK_SIGN_RFC9421 | CALLBACK_SIGN_STANDARD_WEBHOOKS, 6);
	check_lines(vector, CALLBACK_SIGN_RFC9421, 5);
}

static void check_standard_webhooks(const struct vector *vector) {
	check_signature(vector);
	check_lines(vector, CALLBACK_SIGN_STANDARD_WEBHOOKS, 4);
}

static struct vector vectors[] = {
	{ "rfc9421-b.2.6", check_signature_and_thumbprint },
	{ "rfc8037-a.4", check_signature_and_thumbprint },
	{ "rfc9530-b.1", check_content_digest },
	{ "rfc9530-b.2", check_content_digest },
	{ "rfc9530-b.3", check_content_digest },
	{ "rfc9530-d", check_content_digest },
	{ "standard-webhooks-v1a", check_standard_webhooks },
	{ "callback-path", check_callback },
	{ "callback-query", check_callback },
	{ "callback-port-empty-query", check_callback },
	{ "callback-utf8-body", check_callback },
	{ "callback-empty-body", check_callback },
};

static void test_vector(void **state) {
	const struct vector *vector = *state;

	vector->check(vector);
}

int main(void) {
	struct CMUnitTest tests[ARRAY_LEN(vectors)];

	for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
		tests[i] =
		    (struct CMUnitTest){ vectors[i].folder, test_vector, NULL, NULL, &vectors[i] };
	return _cmocka_run_group_tests("vectors", tests, ARRAY_LEN(tests), NULL, NULL);
}
