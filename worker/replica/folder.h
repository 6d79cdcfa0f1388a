/*
 * The worker's folder (worker.data.dir): who may write to it, and to the replica's files in it.
 * Whoever may decides where callbacks go and what they say, so they are judged before they are
 * believed.
 *
 *     folder    its owner is this process's user, or root; others may not write to it. Its group
 * may where it is root's and of a group of ours, as the root of a volume of Kubernetes' with
 *               fsGroup is. Of a folder of our own the group's right is taken back: fsGroup gives
 * it at each mount. files     regular, with one name (no link of either kind), this user's, not
 * writable by others. One that its group may write to, fsGroup's work as well, is not believed: the
 * replica is made anew. That others may read one is taken back.
 *
 * All else is refused: it is somebody else's work, and looking at it is a person's.
 */
#pragma once

#include "base/buffer.h"

#include <stdbool.h>

enum { FOLDER_E_REFUSED = 1 };

/*
 * Returns 0, also when it is not there and can be made; FOLDER_E_REFUSED with a sentence in `why`;
 * or a negative errno, also of one that this process may not write to. Changes nothing.
 */
int folder_judge(const char *data_dir, struct buffer *why) _must_check_;

/* The same, and takes back what is taken back. `*is_open_to_group`: the replica is not to be
 * believed. */
int folder_secure(const char *data_dir, bool *is_open_to_group, struct buffer *why) _must_check_;

/* Removes temporary files that a process left behind which died between making and unlinking one.
 */
void folder_remove_leftovers(const char *data_dir);
