/* The gateway's certificate and its private key: files in PEM, which are read again when they
 * change. To be used by one thread at a time. */
#pragma once

#include "base/buffer.h"
#include "base/file_version.h"
#include "http/tls.h"

struct tls_files {
	char *certificate_file, *key_file; /* owned; NULL: there are none */
	struct file_version versions[2];   /* those last read */
};

/* Copies the files' names. */
void tls_files_init(struct tls_files *files, const char *certificate_file, const char *key_file);
void tls_files_destroy(struct tls_files *files);

struct tls_fault {
	const char *key;   /* the setting that names the file */
	const char *file;  /* borrowed from the files */
	struct buffer why; /* owned */
};

#define TLS_FAULT_INIT { .why = BUFFER_INIT(1024) }
void tls_fault_destroy(struct tls_fault *fault);

/* Reads both, and shows them to connections that are accepted from now on; makes `*tls` where it is
 * NULL. Returns 0; or -EINVAL with the fault, such as a private key that secret_file.h refuses, and
 * `*tls` is as before. */
int tls_files_show(struct tls_files *files, struct http_tls **tls,
		   struct tls_fault *fault) _must_check_;
/* Whether one of them is another one than it was when they were last read. */
bool tls_files_have_changed(const struct tls_files *files);
