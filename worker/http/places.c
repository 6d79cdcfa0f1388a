#include "http/places.h"

#include "base/memory.h"

#define uthash_malloc(size) x_malloc(size)
#include <uthash.h>
#include <utlist.h>

struct http_address {
	UT_hash_handle hh;
	struct in6_addr bytes;
	size_t count;              /* connections */
	size_t waiting;            /* those that wait for the client */
	struct http_place *oldest; /* of those, the one that has waited longest */
	struct heap_node crowd;    /* key: minus waiting */
};

void http_places_destroy(struct http_places *places) {
	heap_destroy(&places->crowds);
}

static struct in6_addr group_of(const struct in6_addr *address) {
	struct in6_addr group = *address;

	if (!IN6_IS_ADDR_V4MAPPED(address))
		memset(group.s6_addr + 8, 0, 8);
	return group;
}

static struct http_address *find_or_add(struct http_places *places, const struct in6_addr *bytes) {
	struct in6_addr group = group_of(bytes);
	struct http_address *address;

	HASH_FIND(hh, places->addresses, &group, sizeof(group), address);
	if (address)
		return address;
	address = x_calloc(1, sizeof(*address));
	address->bytes = group;
	HASH_ADD(hh, places->addresses, bytes, sizeof(group), address);
	return address;
}

static void set_crowd(struct http_places *places, struct http_address *address) {
	if (address->waiting)
		heap_set(&places->crowds, &address->crowd, -(int64_t)address->waiting);
	else
		heap_remove(&places->crowds, &address->crowd);
}

static void enter(struct http_places *places, struct http_place *place, enum http_phase phase,
		  int64_t now_ms) {
	struct http_address *address = place->address;

	place->phase = phase;
	place->since_ms = now_ms;
	DL_APPEND(places->lists[phase], place);
	if (phase == HTTP_PHASE_SERVER)
		return;
	DL_APPEND2(address->oldest, place, prev_of, next_of);
	address->waiting++;
	set_crowd(places, address);
}

static void leave(struct http_places *places, struct http_place *place) {
	struct http_address *address = place->address;

	DL_DELETE(places->lists[place->phase], place);
	if (place->phase == HTTP_PHASE_SERVER)
		return;
	DL_DELETE2(address->oldest, place, prev_of, next_of);
	address->waiting--;
	set_crowd(places, address);
}

void http_places_add(struct http_places *places, struct http_place *place,
		     const struct in6_addr *address, int64_t now_ms) {
	place->address = find_or_add(places, address);
	place->address->count++;
	places->count++;
	enter(places, place, HTTP_PHASE_REQUEST, now_ms);
}

void http_places_remove(struct http_places *places, struct http_place *place) {
	struct http_address *address = place->address;

	leave(places, place);
	places->count--;
	if (--address->count)
		return;
	HASH_DEL(places->addresses, address);
	free(address);
}

void http_places_set_phase(struct http_places *places, struct http_place *place,
			   enum http_phase phase, int64_t now_ms) {
	leave(places, place);
	enter(places, place, phase, now_ms);
}

int64_t http_places_deadline(const struct http_places *places) {
	int64_t deadline_ms = INT64_MAX;

	for (int phase = HTTP_PHASE_REQUEST; phase < HTTP_PHASE_COUNT; phase++) {
		if (places->lists[phase])
			deadline_ms = MIN(deadline_ms, places->lists[phase]->since_ms +
							   places->timeouts_ms[phase]);
	}
	return deadline_ms;
}

struct http_place *http_places_expired(const struct http_places *places, int64_t now_ms) {
	for (int phase = HTTP_PHASE_REQUEST; phase < HTTP_PHASE_COUNT; phase++) {
		struct http_place *first = places->lists[phase];

		if (first && first->since_ms + places->timeouts_ms[phase] <= now_ms)
			return first;
	}
	return NULL;
}

struct http_place *http_places_victim(const struct http_places *places) {
	struct heap_node *first = heap_first(&places->crowds);

	return first ? CONTAINER_OF(first, struct http_address, crowd)->oldest : NULL;
}

struct http_place *http_places_any(const struct http_places *places, enum http_phase phase) {
	return places->lists[phase];
}
