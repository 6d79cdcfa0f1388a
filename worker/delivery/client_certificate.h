/*
 * The client certificate for endpoints that ask for one (endpoint.tls.certificate.file and
 * .key.file). The delivery threads share it.
 *
 * The files are looked at when an attempt begins, once a second at most, and read again where one
 * of them is another one than before. A pair that cannot be used, because only one of its files is
 * written yet or only a part of it, keeps the former one. New connections are opened with the new
 * pair, resuming no session of the former one; kept connections of the former one are not used any
 * more.
 */
#pragma once

#include "base/config.h"
#include "base/file_version.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

/* Immutable and counted. */
struct client_pair {
	atomic_int references;
	struct buffer certificate_text, key_text; /* PEM */
	struct curl_blob certificate, key;        /* the same for curl, borrowed */
	int64_t expires_s;                        /* the certificate's end, since 1970 */
};

struct client_certificate {
	const char *certificate_file, *key_file; /* borrowed; NULL: there is none */
	_Atomic int64_t look_at_us;              /* monotonic: the next look at the files */
	pthread_mutex_t looking;
	struct file_version versions[2]; /* those last read; under `looking` */
	pthread_mutex_t mutex;
	struct client_pair *pair;  /* counted; under `mutex` */
	_Atomic int64_t expires_s; /* of the pair; 0: there is none */
};

/* Borrows the file's names. Returns 0, or -EINVAL after logging why the files cannot be used. */
int client_certificate_init(struct client_certificate *certificate,
			    const struct config *config) _must_check_;
void client_certificate_destroy(struct client_certificate *certificate);

/* The present pair, counted for the caller; NULL where there is none. */
struct client_pair *client_certificate_get(struct client_certificate *certificate);
/* Wipes the key of the last one. Safe on NULL. */
void client_pair_unref(struct client_pair *pair);
DEFINE_CLEANUP(struct client_pair, client_pair_unref)
