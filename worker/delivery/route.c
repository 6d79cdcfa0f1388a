#include "delivery/route.h"

#include "base/arena.h"
#include "base/invariant.h"
#include "base/log.h"
#include "base/packed_text.h"

#include <curl/curl.h>

/* FNV-1a with a final mix, so that hosts that differ in a digit of their port still spread over
 * threads and shards. */
static uint64_t hash_text(const char *text) {
	uint64_t hash = 0xcbf29ce484222325U;

	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 0x100000001b3U;
	hash ^= hash >> 33;
	hash *= 0xff51afd7ed558ccdU;
	return hash ^ hash >> 33;
}

/* Routes are many and live long: the parts are packed into one block of their own size instead of
 * an arena. */
static char *pack_parts(const struct url_parts *parts, struct url_parts *out) {
	char *storage = x_malloc(packed_text_size(parts->scheme) + packed_text_size(parts->host) +
				 packed_text_size(parts->authority) +
				 packed_text_size(parts->path) + packed_text_size(parts->query));
	char *end = storage;

	*out = (struct url_parts){
		.scheme = packed_text_add(&end, parts->scheme),
		.host = packed_text_add(&end, parts->host),
		.port = parts->port,
		.authority = packed_text_add(&end, parts->authority),
		.path = packed_text_add(&end, parts->path),
		.query = packed_text_add(&end, parts->query),
	};
	return storage;
}

/* The url is normalised already: curl must take the path as it is, for these bytes are the ones
 * that are signed. */
static CURLU *parse_location(const char *url) {
	CURLU *location = x_checked(curl_url());
	CURLUcode code = curl_url_set(location, CURLUPART_URL, url, CURLU_PATH_AS_IS);

	invariant_with(code == CURLUE_OK, "the url of a route is normalised", "url=%s",
		       log_quote(url));
	return location;
}

struct route *route_new(const struct uuid *webhook_id, const char *tenant_id, const char *url,
			struct signer *signer, struct callback_profile *profile) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct route *route = x_calloc(1, sizeof(*route));
	struct url_parts parts;

	url_split(arena, url, &parts);
	route->references = 1;
	route->webhook_id = *webhook_id;
	route->tenant_id = x_strdup(tenant_id);
	route->url = x_strdup(url);
	route->storage = pack_parts(&parts, &route->parts);
	route->host_key = x_strdup(url_endpoint(arena, url));
	route->host_hash = hash_text(route->host_key);
	route->location = parse_location(url);
	route->signer = signer_ref(signer);
	route->profile = profile;
	return route;
}

struct route *route_ref(struct route *route) {
	atomic_fetch_add_explicit(&route->references, 1, memory_order_relaxed);
	return route;
}

void route_unref(struct route *route) {
	if (!route || atomic_fetch_sub_explicit(&route->references, 1, memory_order_acq_rel) != 1)
		return;
	curl_url_cleanup(route->location);
	signer_unref(route->signer);
	callback_profile_free(route->profile);
	free(route->host_key);
	free(route->storage);
	free(route->url);
	free(route->tenant_id);
	free(route);
}
