/*
 * One attempt on the wire: a pooled easy handle, the headers that were signed for it, and its
 * response. The transfer or its job owns everything that curl borrows while it sends (header lines,
 * body, url).
 */
#pragma once

#include "delivery/engine_shared.h"
#include "delivery/response.h"
#include "delivery/scheduler.h"
#include "delivery/shard.h"
#include "delivery/tls.h"
#include "signature/callback.h"
#include "trace/span.h"

struct transfer {
	struct transfer *prev, *next; /* in the list of its thread: in flight, or pooled */
	CURL *easy;
	struct engine_shared *shared; /* borrowed */
	struct sockets *sockets;      /* the thread's, borrowed */
	struct scheduler *scheduler;  /* the thread's, borrowed */
	struct shard *shard;          /* while in flight */
	struct scheduler_claim claim; /* while in flight */
	struct response response;
	int64_t started_us;            /* monotonic */
	const char *refused_by;        /* the address guard's reason, static; NULL: none */
	char error[CURL_ERROR_SIZE];   /* curl's message; empty: none */
	struct tls_watch tls;          /* of the connection that was opened for it */
	const char *tls_version;       /* of the connection that it was sent over; NULL: none */
	struct client_pair *pair;      /* counted; the one that curl borrows; NULL: none */
	struct tls_sessions *sessions; /* counted; those that curl resumes and adds to */
	bool out_of_sockets;
	bool resolved; /* its host's address was found, or was not needed */
	bool connects; /* a socket was opened for it, or refused: it uses no kept connection */
	bool sent;     /* the request was begun, unless it was withheld */
	/* The kept connection that it was sent over has ended, and curl would send it again. */
	bool unanswered;
	bool withheld;       /* connected, and then refused by the gate or the lease */
	struct buffer lines; /* all header lines, as one text */
	struct curl_slist header, no_expect; /* curl's list of them, linked without an allocation */
	struct span_ref span;                /* of the attempt; an empty id: none */
};

struct transfer *transfer_new(struct engine_shared *shared, struct sockets *sockets,
			      struct scheduler *scheduler);
void transfer_free(struct transfer *transfer);

/* Signs the request and hands it to the shard. Copies the claim. Returns false where it must not be
 * sent, or curl refuses it; it is to be ended then (verdict.h), with CURLE_FAILED_INIT. */
bool transfer_begin(struct transfer *transfer, const struct scheduler_claim *claim,
		    struct shard *shard) _must_check_;

/*
 * The transfer ended with curl's `code`: sends its request once more where the engine's rule of
 * repetition asks for it (engine.h). Returns whether it is under way again; else it is to be ended
 * (verdict.h).
 */
bool transfer_repeat(struct transfer *transfer, CURLcode code) _must_check_;

/* Takes the transfer out of its shard, and wipes the secrets of its headers. */
void transfer_leave(struct transfer *transfer);
