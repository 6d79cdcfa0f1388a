/*
 * The handlers' view of the state: look-ups in the registry of webhooks and its surroundings, as
 * functions. The replica implements them over SQLite, the unit tests over arrays. A look-up sees
 * every change that was applied before it, also within the same turn.
 *
 * All return 0, REGISTRY_E_NOT_FOUND, or a negative errno, which is forwarded. Results live in the
 * arena.
 *
 * Each reads within the bounds that its caller gives: none reads as much as the tenant's state
 * happens to hold.
 */
#pragma once

#include "base/arena.h"
#include "domain/cursor.h"
#include "domain/event_type.h"
#include "domain/state.h"

enum { REGISTRY_E_NOT_FOUND = 1 };

/* A webhook that takes events now, with the event types it takes. */
struct subscriber {
	struct uuid webhook_id;
	unsigned types; /* 1 << enum event_type_builtin of a credential, and those below; at least
			   one */

	/* Where it has more; else none. */
	const char *const *more_types; /* [more_count]: those of its types that have no bit */
	size_t more_count;
	const struct webhook_filter *filter; /* NULL: none */
	const char *endpoint;                /* as url_endpoint says; NULL: it takes no notices */
};

enum {
	/* It takes types that have no bit, or has a filter. */
	SUBSCRIBER_HAS_MORE = 1 << EVENT_TYPE_CREDENTIAL_COUNT,
	/* It takes notices, and so has more. */
	SUBSCRIBER_TAKES_NOTICES = SUBSCRIBER_HAS_MORE << 1,
};

/* The set of types that a webhook takes now: 0 where it is disabled. */
unsigned subscriber_types(const struct webhook *webhook);
/* Fills the rest. The types and the filter borrow from the webhook; the others are in the arena. */
void subscriber_add_more(struct subscriber *subscriber, struct arena *arena,
			 const struct webhook *webhook);
/* Copies what the subscriber borrows into the arena. */
void subscriber_copy_more(struct subscriber *subscriber, struct arena *arena);

/* Whether it takes an event of a type that has no bit. One that its filter alone leaves out is
 * counted in `filtered`. */
bool subscriber_takes(const struct subscriber *subscriber, const char *type,
		      const struct event_facts *facts, int *filtered);

/* Which subscribers are looked for. */
struct subscriber_query {
	/* Whether it is one of them. All that it borrows lives during the call alone. */
	bool (*takes)(void *userdata, const struct subscriber *subscriber);
	void *userdata;
	size_t limit;
	bool of_notices;   /* those alone that take notices */
	size_t walked_max; /* of these; 0: all */
};

/* Which of a tenant's webhooks are read: those after the position (NULL: from the start), no
 * further one past this number, or past these bytes of records. */
struct webhook_query {
	const struct cursor *after;
	size_t limit, bytes_max; /* each at least 1 */
};

struct webhook_list {
	struct webhook *items;
	size_t count;
	bool has_more; /* the bounds left some out */
};

/* A walk over a webhook's deliveries that have ended and are kept, in the order of their ends. */
struct delivery_walk {
	struct uuid webhook_id;
	enum delivery_status status;
	int64_t since_ms, until_ms; /* wall, inclusive: when they ended */
	/* Whether it is taken. All that it borrows lives during the call alone. */
	bool (*takes)(void *userdata, const struct delivery *delivery);
	void *userdata;
	struct delivery_bounds bounds; /* of those that are taken; at least one is */
	struct delivery_bounds walked; /* of all; those that ended in the same millisecond are
					  walked too */
};

struct registry {
	void *userdata;
	int (*webhook_get)(void *userdata, struct arena *arena, const char *tenant_id,
			   const struct uuid *id, struct webhook *out);
	/* The tenant's webhooks in the order (createdAt, id), within the bounds of the query. */
	int (*webhook_list)(void *userdata, struct arena *arena, const char *tenant_id,
			    const struct webhook_query *query, struct webhook_list *out);
	/* The number of the tenant's webhooks. */
	int (*webhook_count)(void *userdata, const char *tenant_id, int64_t *out);
	/* Up to `limit` of the tenant's webhooks that take events, of those that the query takes,
	 * in the order (createdAt, id). They are walked one by one, and only the ids and types of
	 * those that are taken are kept. */
	int (*subscribers)(void *userdata, struct arena *arena, const char *tenant_id,
			   const struct subscriber_query *query, struct subscriber **out,
			   size_t *count);
	int (*receipt_get)(void *userdata, struct arena *arena, const char *tenant_id,
			   const char *command_id, struct receipt *out);
	/* The tenant's key of the highest epoch, which signs. */
	int (*signing_key_newest)(void *userdata, struct arena *arena, const char *tenant_id,
				  struct signing_key *out);
	/* How many of the tenant's `limit` newest keys are not expired at `now_ms`. */
	int (*signing_key_count)(void *userdata, const char *tenant_id, int64_t now_ms,
				 size_t limit, size_t *out);
	/* A delivery's status, and the time at which it is due or died. */
	int (*delivery_find)(void *userdata, const struct uuid *id, enum delivery_status *status,
			     int64_t *due_ms);
	/* A delivery with its body. */
	int (*delivery_get)(void *userdata, struct arena *arena, const struct uuid *id,
			    struct delivery *out);
	/* The deliveries that the walk takes. `*next_ms` is where a walk goes on that was ended by
	 * its bounds; 0: there are no more. */
	int (*delivery_ended)(void *userdata, struct arena *arena, const struct delivery_walk *walk,
			      struct delivery **out, size_t *count, int64_t *next_ms);
};
