/*
 * TLS sessions of a shard's hosts, which its next connections resume. An easy handle keeps only the
 * sessions of its own transfers, and the next transfer to a host uses another handle.
 *
 * A session is resumed without a look at the receiver's certificate. So those that began under
 * other authorities are given up with the object that holds them. It is counted, since a handle
 * holds it until its next transfer. One thread's.
 */
#pragma once

#include "base/memory.h"

#include <curl/curl.h>
#include <stdint.h>

struct tls_sessions {
	CURLSH *share;
	int references;
	int64_t trusted_since_us; /* of the authorities: tls_authorities_changed_us */
};

/* With one reference, the caller's. */
struct tls_sessions *tls_sessions_new(int64_t trusted_since_us);
struct tls_sessions *tls_sessions_ref(struct tls_sessions *sessions);
/* No handle may have the last one's share any more. Safe on NULL. */
void tls_sessions_unref(struct tls_sessions *sessions);
