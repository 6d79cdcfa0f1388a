/* A certificate and its private key, as files in PEM. */
#pragma once

#include "base/buffer.h"
#include "terminal/status.h"

struct tls_files {
	struct buffer certificate; /* followed by its chain */
	struct buffer private_key;
};

/* Wipes the key. */
void tls_files_destroy(struct tls_files *files);
/* Reads both. Prints the fault of a file, such as a private key that secret_file.h refuses, and
 * returns ADMIN_USAGE then. */
enum admin_status tls_files_read(const char *certificate_file, const char *key_file,
				 struct tls_files *out) _must_check_;
