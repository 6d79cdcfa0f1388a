/*
 * The answers to "who takes this tenant's events", as long as nothing changes them: an issuance
 * need not ask SQLite. Its bytes are bounded; the answer that was kept first leaves first.
 *
 *     kept ──► a change of one of the tenant's webhooks: the tenant is forgotten
 *          ──► a rollback, a partition that is dropped: all are forgotten
 */
#pragma once

#include "domain/registry.h"

#include <stdbool.h>

struct subscriber_cache;

/* `bytes_max`: of all answers together. */
struct subscriber_cache *subscriber_cache_new(size_t bytes_max);
void subscriber_cache_free(struct subscriber_cache *cache);

struct subscriber_list {
	const struct subscriber *items;
	size_t count;
};

/* The tenant's list, or NULL. It lives until the next call that changes something. */
const struct subscriber_list *subscriber_cache_get(const struct subscriber_cache *cache,
						   const char *tenant_id);
/* Copies the list, all that the tenant has, with what it borrows. One that is too large is not
 * kept.
 */
void subscriber_cache_put(struct subscriber_cache *cache, const char *tenant_id,
			  const struct subscriber_list *list);
/* Whether a list of so many bytes may be kept: of at most a quarter of all. */
bool subscriber_cache_takes(const struct subscriber_cache *cache, size_t bytes);
/* The bytes of a list that are the subscriber's. */
size_t subscriber_cache_bytes_of(const struct subscriber *subscriber);
void subscriber_cache_forget(struct subscriber_cache *cache, const char *tenant_id);
void subscriber_cache_clear(struct subscriber_cache *cache);
size_t subscriber_cache_bytes(const struct subscriber_cache *cache);
