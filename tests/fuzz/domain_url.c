/*
 * Endpoint urls under three policies: normalising twice is normalising once, nothing stands in a
 * url that may not, no address gets through that the policy does not name, and curl, which will
 * send to it, reads the same host, port, path and query as are signed.
 */
#include "domain/url.h"
#include "fuzz.h"

#include <arpa/inet.h>
#include <curl/curl.h>

static struct network few[] = {
	{ .address = { .s6_addr = { [10] = 0xff, [11] = 0xff, [12] = 127 } },
	  .prefix_bits = 104 }, /* 127.0.0.0/8 */
	{ .address = { .s6_addr = { 0xfd } }, .prefix_bits = 8 },
};
static struct network all[] = {
	{ .address = { .s6_addr = { [10] = 0xff, [11] = 0xff } }, .prefix_bits = 96 },
	{ .prefix_bits = 0 },
};
static const struct network_list lists[] = { { 0 },
					     { .items = few, .count = ARRAY_LEN(few) },
					     { .items = all, .count = ARRAY_LEN(all) } };
static const struct url_policy policies[] = {
	{ .allow_networks = &lists[0] },
	{ .allow_http = true, .allow_networks = &lists[1] },
	{ .allow_http = true, .allow_networks = &lists[2] },
};

/*
 * As a program reads it that takes every form of a number for an address; a root's dot aside.
 * Returns false where it is a name.
 */
static bool read_address(const char *host, struct in6_addr *out) {
	_cleanup_(x_freep) char *name = x_strdup(host);
	struct in_addr ipv4;
	size_t len = strlen(name);

	if (len && name[len - 1] == '.')
		name[len - 1] = '\0';
	if (inet_pton(AF_INET6, name, out) == 1)
		return true;
	if (!inet_aton(name, &ipv4))
		return false;
	*out = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
	memcpy(&out->s6_addr[12], &ipv4, sizeof(ipv4));
	return true;
}

static void check_host(const struct url_policy *policy, const struct url_parts *parts) {
	struct in6_addr address;

	CHECK(*parts->host);
	if (read_address(parts->host, &address))
		CHECK(network_list_contains(policy->allow_networks, &address));
	else
		CHECK(!parts->host[strspn(parts->host, "abcdefghijklmnopqrstuvwxyz0123456789-_.")]);
	CHECK(*parts->host != '.' && !strstr(parts->host, ".."));
}

static bool has_dot_segment(const char *path) {
	for (; *path; path += *path == '/') {
		size_t len = strcspn(path, "/");

		if ((len == 1 && path[0] == '.') || (len == 2 && path[0] == '.' && path[1] == '.'))
			return true;
		path += len;
	}
	return false;
}

static void check_text(const char *url, const struct url_policy *policy,
		       const struct url_parts *parts) {
	size_t len = strlen(url);

	CHECK(len <= URL_MAX);
	CHECK(!strncmp(url, "https://", 8) || (policy->allow_http && !strncmp(url, "http://", 7)));
	/* Visible ASCII, without what any of the programs on the way might take for a delimiter. */
	for (size_t i = 0; i < len; i++)
		CHECK(url[i] > 0x20 && url[i] < 0x7f && !strchr("\"<>\\^`{|}#'", url[i]));
	CHECK(!strchr(parts->authority, '@') && !strchr(parts->authority, '%'));
	CHECK(*parts->path == '/' && !has_dot_segment(parts->path));
	CHECK(!parts->query || (parts->query[0] == '?' && parts->query[1]));
}

/* The request line follows from curl's own reading. */
static void check_curl(const char *url, const struct url_parts *parts, unsigned flags) {
	CURLU *handle = curl_url();
	char *host, *port, *path, *query = NULL, *rest = NULL;
	const char *bracket;

	CHECK(handle && curl_url_set(handle, CURLUPART_URL, url, flags) == CURLUE_OK);
	CHECK(curl_url_get(handle, CURLUPART_HOST, &host, 0) == CURLUE_OK);
	CHECK(curl_url_get(handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK);
	CHECK(curl_url_get(handle, CURLUPART_PATH, &path, 0) == CURLUE_OK);
	bracket = *host == '[' ? host + 1 : host;
	CHECK(!strncmp(bracket, parts->host, strlen(parts->host)) &&
	      strlen(host) == strlen(parts->host) + (*host == '[' ? 2 : 0));
	CHECK(strtol(port, NULL, 10) == parts->port);
	CHECK(!strcmp(path, parts->path));
	if (curl_url_get(handle, CURLUPART_QUERY, &query, 0) == CURLUE_OK)
		CHECK(parts->query && !strcmp(query, parts->query + 1));
	else
		CHECK(!parts->query);
	CHECK(curl_url_get(handle, CURLUPART_USER, &rest, 0) == CURLUE_NO_USER);
	CHECK(curl_url_get(handle, CURLUPART_FRAGMENT, &rest, 0) == CURLUE_NO_FRAGMENT);
	curl_free(host);
	curl_free(port);
	curl_free(path);
	curl_free(query);
	curl_url_cleanup(handle);
}

static void check(struct arena *arena, const char *text, const struct url_policy *policy) {
	struct url_parts parts;
	const char *why = "";
	char *url, *again;

	if (url_normalise(arena, text, policy, &url, &why)) {
		CHECK(*why);
		return;
	}
	CHECK(!url_normalise(arena, url, policy, &again, &why));
	CHECK(!strcmp(url, again));
	url_split(arena, url, &parts);
	check_text(url, policy, &parts);
	check_host(policy, &parts);
	check_curl(url, &parts, 0);
	check_curl(url, &parts, CURLU_PATH_AS_IS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(x_freep) char *text = fuzz_text(data, size);

	for (size_t i = 0; i < ARRAY_LEN(policies); i++)
		check(arena, text, &policies[i]);
	return 0;
}
