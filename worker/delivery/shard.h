/*
 * One of the curl multi handles of a delivery thread. There are many because finishing a transfer
 * walks the handle's whole connection and DNS caches: a host belongs to one shard, so the walks
 * stay short and its connections are still found.
 */
#pragma once

#include "delivery/sockets.h"

#include <curl/curl.h>

#define SHARD_NO_DEADLINE INT64_MAX

struct shard {
	CURLM *multi;
	CURLSH *sessions; /* TLS sessions of its hosts, to be resumed by whichever transfer connects
			     next */
	struct sockets *sockets; /* the thread's, borrowed */
	int64_t deadline_us;     /* monotonic: when curl wants to be called */
	uint8_t index;
};

void shard_init(struct shard *shard, uint8_t index, struct sockets *sockets);
/* No transfer may be in it, nor use its sessions any more. Closes its connections. */
void shard_destroy(struct shard *shard);

/* How many connections the shard keeps, idle ones included. */
void shard_keep_connections(struct shard *shard, long count);

/* EPOLLIN | EPOLLOUT events of a socket of the shard. */
void shard_handle_events(struct shard *shard, int fd, uint32_t events);
/* The deadline has passed. */
void shard_handle_deadline(struct shard *shard);
