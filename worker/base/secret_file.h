/*
 * Files that hold a secret: master keys, the tokens' file, a TLS key, a configuration with a
 * password. Who may read one may act in our name, and who may write to one decides in whose. So a
 * file is used only with one of these owners and modes:
 *
 *     the process's own user's                             0600 or less
 *     root's, and its group is one of the process's        0640 or less
 *
 * For a process that runs as root, root's own group does not count as the second: every file there
 * would be of it.
 *
 * Links are followed, and what was opened is judged: Kubernetes mounts a Secret behind links
 * (`..data`), as root's with the group of fsGroup and mode 0440.
 * Source: PostgreSQL 17, section 18.9 (the rule for server.key); Kubernetes, "Secrets"
 * (defaultMode) and "Security Context" (fsGroup).
 */
#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <sys/stat.h>

enum { SECRET_FILE_E_REFUSED = 1 };

/*
 * Opens it to read: `*fd` is the caller's to close. Returns 0; SECRET_FILE_E_REFUSED with what is
 * wrong and what to do in `why`, to stand behind the file's name ("has mode 0644 and ..."); or the
 * negative errno of open or fstat.
 */
int secret_file_open(const char *path, int *fd, struct buffer *why) _must_check_;

/* The same of a file that is open: `file` is of fstat(2). Returns 0 or SECRET_FILE_E_REFUSED. */
int secret_file_judge(const struct stat *file, struct buffer *why) _must_check_;

/* Whether a group is one of the process's, root's own not counted for a process that is root. */
bool secret_file_group_is_ours(gid_t group);
