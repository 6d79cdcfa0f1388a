/*
 * One of the curl multi handles of a delivery thread. There are many, because the end of a transfer
 * walks the handle's whole connection and DNS caches, and small caches are short walks. A host
 * belongs to one shard, so that its kept connections are found.
 */
#pragma once

#include "delivery/sockets.h"
#include "delivery/tls_sessions.h"

#include <curl/curl.h>

#define SHARD_NO_DEADLINE INT64_MAX

struct shard {
	CURLM *multi;
	struct tls_sessions *sessions; /* counted; those last asked for */
	struct sockets *sockets;       /* the thread's; borrowed */
	int64_t deadline_us;           /* monotonic: curl wants to be called then */
	uint8_t index;
};

void shard_init(struct shard *shard, uint8_t index, struct sockets *sockets);
/* Closes its connections. No transfer may be in it any more. */
void shard_destroy(struct shard *shard);

/* The TLS sessions of its hosts, of none but the authorities that are trusted since then
 * (tls_authorities_changed_us). Borrowed. */
struct tls_sessions *shard_sessions(struct shard *shard, int64_t trusted_since_us);

/* Sets how many connections the shard keeps, idle ones included. */
void shard_keep_connections(struct shard *shard, long count);

/* Serves EPOLLIN | EPOLLOUT events of a socket of the shard. */
void shard_handle_events(struct shard *shard, int fd, uint32_t events);
/* Serves the deadline, which has passed. */
void shard_handle_deadline(struct shard *shard);
