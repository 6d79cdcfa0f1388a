/* The replica's beginning and end: its folder, its file and its memory. */
#include "base/log.h"
#include "replica/file.h"
#include "replica/folder.h"
#include "replica/row.h"

#include <errno.h>
#include <unistd.h>

enum { WHY_MAX = 8 * 1024, SUBSCRIBERS_MAX = 2 * 1024 * 1024 };

/* MEMSTATUS: a count of memory would take a lock at each allocation. STMTJRNL_SPILL: the journal of
 * a turn is small and stays in memory. */
int replica_init(void) {
	return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK &&
		       sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1) == SQLITE_OK
		   ? 0
		   : -EINVAL;
}

static struct replica *replica_new(const char *file, struct codec *codec) {
	struct replica *replica = x_calloc(1, sizeof(*replica));

	replica->file = x_strdup(file);
	replica->codec = codec;
	replica->scratch = arena_new();
	replica->unflushed = unflushed_new();
	replica->subscribers = subscriber_cache_new(SUBSCRIBERS_MAX);
	replica->lock_fd = -1;
	replica_registry_init(&replica->registry, replica);
	return replica;
}

int replica_judge_folder(const char *data_dir, struct buffer *why) {
	return folder_judge(data_dir, why);
}

/*
 * SQLite sorts in temporary files when it makes an index. They are in this folder, since no other
 * need be writable. Called before the file is opened: SQLite reads the variable without a lock.
 */
static void use_for_temporary_files(const char *data_dir) {
	if (sqlite3_temp_directory && strcmp(sqlite3_temp_directory, data_dir) == 0)
		return;
	sqlite3_free(sqlite3_temp_directory);
	sqlite3_temp_directory = x_checked(sqlite3_mprintf("%s", data_dir));
}

/* Called with the lock. Judges the folder and its files before any is opened, and removes a file
 * that is not to be believed. */
static int prepare_folder(const char *data_dir, const char *file) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX);
	bool is_open_to_group = false;
	int r = folder_secure(data_dir, &is_open_to_group, &why);

	if (r) {
		log_error("the worker's folder cannot be trusted", "error=%s",
			  log_quote(r < 0 ? strerror(-r) : why.data));
		return r < 0 ? r : -EPERM;
	}
	folder_remove_leftovers(data_dir);
	use_for_temporary_files(data_dir);
	if (!is_open_to_group)
		return 0;
	log_warn("the replica's group could write to it, so it is made anew; where Kubernetes' "
		 "fsGroup does that at each mount, set "
		 "fsGroupChangePolicy to OnRootMismatch",
		 "file=%s", log_quote(file));
	return file_remove(file);
}

int replica_open(const char *data_dir, const char *cluster_id, struct codec *codec,
		 struct replica **out) {
	_cleanup_(x_freep) char *file = x_asprintf("%s/replica.db", data_dir);
	_cleanup_(replica_closep) struct replica *replica = replica_new(file, codec);
	int r;

	replica->lock_fd = file_lock(data_dir);
	if (replica->lock_fd < 0)
		return replica->lock_fd;
	r = prepare_folder(data_dir, file);
	if (r)
		return r;
	r = file_open(file, cluster_id, &replica->db, &replica->is_new);
	if (r)
		return r;
	/* The schema's version is right: a statement that cannot be prepared means damage. */
	if (statements_prepare(&replica->statements, replica->db) != SQLITE_OK) {
		row_fail(replica, "prepare");
		replica->damaged = true;
		return -EIO;
	}
	*out = TAKE(replica);
	return 0;
}

int replica_open_readonly(const char *file, struct codec *codec, struct replica **out) {
	_cleanup_(replica_closep) struct replica *replica = replica_new(file, codec);
	int r = file_open_readonly(file, &replica->db);

	if (r)
		return r;
	if (statements_prepare(&replica->statements, replica->db) != SQLITE_OK)
		return row_fail(replica, "prepare");
	*out = TAKE(replica);
	return 0;
}

/* A failed commit loses nothing: the changelog has these turns. */
static void close_turns(struct replica *replica) {
	if (!replica->is_gathering)
		return;
	replica_rollback(replica);
	if (!replica->damaged && replica_flush(replica))
		log_warn("the last turns are not in the replica", "file=%s",
			 log_quote(replica->file));
}

void replica_close(struct replica *replica) {
	if (!replica)
		return;
	close_turns(replica);
	statements_finalize(&replica->statements);
	sqlite3_close_v2(replica->db);
	/* Only the process that holds the lock removes a damaged file. */
	if (replica->damaged && replica->lock_fd >= 0) {
		log_warn("the damaged replica is removed", "file=%s", log_quote(replica->file));
		if (file_remove(replica->file) < 0)
			log_warn("the damaged replica could not be removed", "file=%s",
				 log_quote(replica->file));
	}
	if (replica->lock_fd >= 0)
		close(replica->lock_fd);
	for (size_t i = 0; i < REPLICA_LATE; i++)
		free(replica->late[i]);
	arena_free(replica->scratch);
	unflushed_free(replica->unflushed);
	subscriber_cache_free(replica->subscribers);
	free(replica->file);
	free(replica);
}

void replica_discard(struct replica *replica) {
	replica->damaged = true;
	replica_close(replica);
}
