/*
 * Files that hold a secret: master keys, the tokens' file, a TLS key, a configuration with a
 * password. A reader of such a file can act in the operator's name, and a writer decides in whose
 * name. So a file is used only with one of these owners and modes:
 *
 *     the process's own user's                             0600 or less
 *     root's, and its group is one of the process's        0640 or less
 *
 * For a process that runs as root, root's own group does not count: it would allow every file of
 * root's.
 *
 * Where the file has an access list (acl(5)), the mode's group bits are the list's mask. They do
 * not count where the list gives rights to no group, and to no user but the process's own: so
 * systemd hands over a credential, in a file of root's. Source: systemd.exec(5), LoadCredential=.
 *
 * Links are followed, and the opened file is judged: Kubernetes mounts a Secret behind links
 * (`..data`), owned by root, with the group of fsGroup and mode 0440. Source: PostgreSQL 17,
 * section 18.9 (the rule for server.key); Kubernetes, "Secrets" (defaultMode) and "Security
 * Context" (fsGroup).
 */
#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <sys/stat.h>

enum { SECRET_FILE_E_REFUSED = 1 };

/*
 * Opens `path` for reading; the caller closes `*fd`. Returns 0; SECRET_FILE_E_REFUSED with the
 * fault and the remedy in `why`, to follow the file's name ("has mode 0644 and ..."); or the
 * negative errno of open or fstat.
 */
int secret_file_open(const char *path, int *fd, struct buffer *why) _must_check_;

/*
 * Reads a secret that is one line of text: the whole file, without the line's end. `out` has to
 * have room for it. Returns as secret_file_open does, SECRET_FILE_E_REFUSED also for an empty file,
 * one that is too large, and one that is no UTF-8 text.
 */
int secret_file_read(const char *path, struct buffer *out, struct buffer *why) _must_check_;

/* Judges an open file by its fstat(2). Returns 0 or SECRET_FILE_E_REFUSED. */
int secret_file_judge(const struct stat *file, struct buffer *why) _must_check_;

/* Whether a group is one of the process's; for a process that is root, root's own does not
 * count. */
bool secret_file_group_is_ours(gid_t group);
