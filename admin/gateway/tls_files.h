/* A certificate and its private key, as files in PEM. */
#pragma once

#include "base/buffer.h"
#include "terminal/status.h"

struct tls_files {
	struct buffer certificate; /* with the chain behind it */
	struct buffer private_key;
};

/* The key is wiped. */
void tls_files_destroy(struct tls_files *files);
/* Says what is wrong: also with a private key that secret_file.h refuses. */
enum admin_status tls_files_read(const char *certificate_file, const char *key_file,
				 struct tls_files *out) _must_check_;
