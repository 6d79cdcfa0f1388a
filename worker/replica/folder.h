/*
 * The worker's folder (worker.data.dir): who may write to it, and to the replica's files in it.
 * Write access decides where callbacks go and what they say, so owners and modes are checked before
 * a file is opened.
 *
 * The folder. Its owner is this process's user, or root. Others may not write to it. Its group may
 * write to it where root owns it and the group is one of this process's, as in the root of a
 * Kubernetes volume with fsGroup. Where this user owns it the group's write permission is removed:
 * fsGroup sets it at each mount.
 *
 * The files. Each is a regular file with one name (no symbolic or hard link), owned by this user,
 * and others may not write to it. A file that its group may write to, as after fsGroup, is not
 * believed: the replica is made again. Read permission of others is removed.
 *
 * Everything else is refused: another program made it, and an operator has to look at it.
 */
#pragma once

#include "base/buffer.h"

#include <stdbool.h>

enum { FOLDER_E_REFUSED = 1 };

/*
 * Changes nothing. Returns 0, also when there is no folder and it can be made; FOLDER_E_REFUSED
 * with a sentence in `why`; or a negative errno, also for a folder that this process may not write
 * to.
 */
int folder_judge(const char *data_dir, struct buffer *why) _must_check_;

/* The same, and removes the permissions named above. `*is_open_to_group`: the replica is not to be
 * believed. */
int folder_secure(const char *data_dir, bool *is_open_to_group, struct buffer *why) _must_check_;

/* Removes temporary files of processes that died between making a file and unlinking it. */
void folder_remove_leftovers(const char *data_dir);
