/* The questions to a schema registry, in its own words. Source: Confluent Schema Registry API. */
#pragma once

#include "registry/client.h"

enum {
	PROTOCOL_E_FAILED = CLIENT_E_FAILED, /* no answer that counts: ask again later */
	PROTOCOL_E_UNKNOWN = 3,              /* the registry does not have it */
	PROTOCOL_E_REFUSED = 4,              /* asking again changes nothing */
};

/* Each has the reason of an error in `why`. A 404 counts as PROTOCOL_E_UNKNOWN only with the
 * registry's own error code: a proxy, or another path of the url, answers 404 as well. */

/* Appends the schema of this id, with all to which it refers. */
int protocol_get_schema(struct registry_client *client, uint32_t id, struct buffer *schema,
			struct buffer *why) _must_check_;
/* The id that a schema has in a subject. */
int protocol_find_id(struct registry_client *client, const char *subject, const char *schema,
		     uint32_t *id, struct buffer *why) _must_check_;
/* Registers it where it is not yet. PROTOCOL_E_REFUSED: it is not compatible, or is not valid. */
int protocol_register(struct registry_client *client, const char *subject, const char *schema,
		      uint32_t *id, struct buffer *why) _must_check_;
/* Whether the subject's rules allow it as the next version. PROTOCOL_E_UNKNOWN: there is no
 * version yet. */
int protocol_is_compatible(struct registry_client *client, const char *subject, const char *schema,
			   bool *compatible, struct buffer *why) _must_check_;
