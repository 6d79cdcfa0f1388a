#include "registry/client.h"

#include "base/invariant.h"
#include "base/secret_file.h"
#include "registry/authorization.h"

#include <curl/curl.h>
#include <unistd.h>

/* Source: Confluent Schema Registry API, "Content Types". */
#define MEDIA_TYPE "application/vnd.schemaregistry.v1+json"

enum { URLS_MAX = 16, AUTHORIZATION_MAX = 32 * 1024 };

struct registry_client {
	const struct config *config;
	const atomic_bool *stopping;
	CURL *easy;
	char *urls[URLS_MAX]; /* owned, without a slash at the end */
	size_t url_count, at; /* the one that answered last */
	char error[CURL_ERROR_SIZE];
};

static void set_checked(CURLcode code) {
	if (code == CURLE_OUT_OF_MEMORY)
		out_of_memory();
	invariant_with(code == CURLE_OK, "libcurl has the options that it is built with",
		       "error=%s", curl_easy_strerror(code));
}

#define SET(client, option, value) set_checked(curl_easy_setopt((client)->easy, option, value))

static void add_urls(struct registry_client *client, const char *list) {
	while (client->url_count < URLS_MAX) {
		size_t len;

		list += strspn(list, ", \t");
		len = strcspn(list, ", \t");
		if (!len)
			return;
		client->urls[client->url_count] = x_strndup(list, len);
		while (len > 0 && client->urls[client->url_count][len - 1] == '/')
			client->urls[client->url_count][--len] = '\0';
		client->url_count++;
		list += strcspn(list, ", \t");
	}
}

/* A private key that others can read is refused, like each secret file. */
static int judge_key(const struct config *config, struct buffer *why) {
	_cleanup_(buffer_destroy) struct buffer rule = BUFFER_INIT(1024);
	const char *path = config->schema_registry_key_file;
	int fd, r;

	if (!path)
		return 0;
	r = secret_file_open(path, &fd, &rule);
	if (r == 0) {
		close(fd);
		return 0;
	}
	buffer_printf(why, "schema.registry.key.file: %s %s", path,
		      r < 0 ? strerror(-r) : rule.data);
	return CLIENT_E_REFUSED;
}

static int judge_files(const struct config *config, struct buffer *why) {
	_cleanup_(buffer_destroy) struct buffer header = BUFFER_INIT(AUTHORIZATION_MAX);

	return authorization_append(config, &header, why) || judge_key(config, why)
		   ? CLIENT_E_REFUSED
		   : 0;
}

static int on_progress(void *userdata, curl_off_t a _unused_, curl_off_t b _unused_,
		       curl_off_t c _unused_, curl_off_t d _unused_) {
	const struct registry_client *client = userdata;

	return atomic_load(client->stopping);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *userdata) {
	struct buffer *body = userdata;

	buffer_append(body, bytes, size * count);
	return body->overflowed ? 0 : size * count;
}

static void set_options(struct registry_client *client) {
	const struct config *config = client->config;

	SET(client, CURLOPT_NOSIGNAL, 1L);
	SET(client, CURLOPT_NOPROGRESS, 0L);
	SET(client, CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(client, CURLOPT_XFERINFODATA, client);
	SET(client, CURLOPT_WRITEFUNCTION, on_body);
	SET(client, CURLOPT_ERRORBUFFER, client->error);
	SET(client, CURLOPT_TIMEOUT_MS, (long)config->schema_registry_timeout_ms);
	SET(client, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(client, CURLOPT_USERAGENT, "posthorn");
	SET(client, CURLOPT_PROXY, "");
	if (config->schema_registry_ca_file)
		SET(client, CURLOPT_CAINFO, config->schema_registry_ca_file);
	if (config->schema_registry_certificate_file) {
		SET(client, CURLOPT_SSLCERT, config->schema_registry_certificate_file);
		SET(client, CURLOPT_SSLKEY, config->schema_registry_key_file);
	}
}

int registry_client_new(const struct config *config, const atomic_bool *stopping,
			struct registry_client **out, struct buffer *why) {
	_cleanup_(registry_client_freep) struct registry_client *client = NULL;
	int r = judge_files(config, why);

	if (r)
		return r;
	client = x_calloc(1, sizeof(*client));
	client->config = config;
	client->stopping = stopping;
	client->easy = x_checked(curl_easy_init());
	add_urls(client, config->schema_registry_url);
	set_options(client);
	*out = TAKE(client);
	return 0;
}

void registry_client_free(struct registry_client *client) {
	if (!client)
		return;
	curl_easy_cleanup(client->easy);
	for (size_t i = 0; i < client->url_count; i++)
		free(client->urls[i]);
	free(client);
}

static void list_freep(struct curl_slist **list) {
	curl_slist_free_all(*list);
}

static struct curl_slist *add_line(struct curl_slist *list, const char *line) {
	return x_checked(curl_slist_append(list, line));
}

/* One url. Returns as registry_client_call does. */
static int call_one(struct registry_client *client, const char *url, const char *path,
		    const struct curl_slist *lines, const char *json, long *status,
		    struct buffer *body, struct buffer *why) {
	_cleanup_(x_freep) char *whole = x_asprintf("%s%s", url, path);
	CURLcode code;

	buffer_clear(body);
	body->overflowed = false;
	client->error[0] = '\0';
	SET(client, CURLOPT_URL, whole);
	SET(client, CURLOPT_HTTPHEADER, lines);
	SET(client, CURLOPT_WRITEDATA, body);
	SET(client, CURLOPT_HTTPGET, 1L);
	if (json)
		SET(client, CURLOPT_COPYPOSTFIELDS, json);
	code = curl_easy_perform(client->easy);
	if (code == CURLE_OK)
		curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, status);
	if (code == CURLE_OK &&
	    (*status == 200 || *status == 404 || *status == 409 || *status == 422))
		return 0;
	buffer_printf(why, "%s%s: ", why->len ? "; " : "", whole);
	if (code == CURLE_OK)
		buffer_printf(why, "status %ld", *status);
	else if (body->overflowed)
		buffer_append_string(why, "the answer is too long");
	else
		buffer_append_string(why,
				     *client->error ? client->error : curl_easy_strerror(code));
	return CLIENT_E_FAILED;
}

int registry_client_call(struct registry_client *client, const char *path, const char *json,
			 long *status, struct buffer *body, struct buffer *why) {
	_cleanup_(buffer_destroy) struct buffer header = BUFFER_INIT(AUTHORIZATION_MAX);
	_cleanup_(list_freep) struct curl_slist *lines = NULL;
	int r = CLIENT_E_FAILED;

	if (authorization_append(client->config, &header, why))
		return CLIENT_E_FAILED;
	lines = add_line(lines, "Accept: " MEDIA_TYPE ", application/json");
	lines = add_line(lines, "Content-Type: " MEDIA_TYPE);
	if (header.len)
		lines = add_line(lines, header.data);
	for (size_t i = 0; i < client->url_count && r && !atomic_load(client->stopping); i++) {
		size_t at = (client->at + i) % client->url_count;

		r = call_one(client, client->urls[at], path, lines, json, status, body, why);
		if (r == 0)
			client->at = at;
	}
	return r;
}
