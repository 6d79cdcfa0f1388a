/*
 * One attempt on the wire: a pooled easy handle, the headers that were signed for it, and what came
 * back. Everything that curl borrows while it sends (header lines, body, url) is owned by the
 * transfer or by its job.
 */
#pragma once

#include "delivery/response.h"
#include "delivery/scheduler.h"
#include "delivery/shard.h"
#include "delivery/shared.h"
#include "delivery/tls.h"
#include "signature/callback.h"

enum { TRANSFER_HEADER_LINES_MAX = 10, TRACEPARENT_LEN = 55 };

struct transfer {
	struct transfer *prev, *next; /* in the list of its thread: in flight, or pooled */
	CURL *easy;
	struct shared *shared;       /* borrowed */
	struct sockets *sockets;     /* the thread's, borrowed */
	struct scheduler *scheduler; /* the thread's, borrowed */
	struct shard *shard;         /* while in flight */
	struct claim claim;          /* while in flight */
	struct response response;
	int64_t started_us;          /* monotonic */
	const char *refused_by;      /* the address guard's reason, static; NULL: none */
	char error[CURL_ERROR_SIZE]; /* what curl says about it; empty: nothing */
	struct tls_watch tls;        /* of the connection that was opened for it */
	bool out_of_sockets;
	bool resolved;   /* its host's address was found, or was not needed */
	bool connects;   /* a socket was opened for it, or was to be: no kept connection did */
	bool sent;       /* its request, or a part of it, as far as it was not withheld */
	bool unanswered; /* the kept connection that it was sent over has ended, and curl would send
			    it again */
	bool withheld;   /* connected, and then it was not to be sent any more */
	struct callback_headers signed_headers;
	struct curl_slist
	    lines[TRANSFER_HEADER_LINES_MAX]; /* linked by hand: a list a transfer, no allocation */
	char delivery_id[UUID_TEXT_SIZE];
	char traceparent[sizeof("traceparent: ") + TRACEPARENT_LEN];
};

struct transfer *transfer_new(struct shared *shared, struct sockets *sockets,
			      struct scheduler *scheduler);
void transfer_free(struct transfer *transfer);

/* Signs, and hands the request to the shard. Returns false when curl refuses it. */
bool transfer_begin(struct transfer *transfer, const struct claim *claim,
		    struct shard *shard) _must_check_;

/*
 * Where curl says that the transfer ended: sends its request once more where engine.h says so.
 * Returns whether it is under way again; else it is to be ended.
 */
bool transfer_repeat(struct transfer *transfer, CURLcode code) _must_check_;

/* Takes the transfer out of its shard and writes how it went into its job. */
void transfer_end(struct transfer *transfer, CURLcode code);

/* The same, before it came to its end: it counts where the verdict had fallen, else it was not
 * made. */
void transfer_abandon(struct transfer *transfer);
