#include "replica/file.h"

#include "base/buffer.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/uuid.h"
#include "replica/internal.h"
#include "replica/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_TIMEOUT_MS = 5000, REASON_MAX = 512 };

/*
 * page_size: large bodies stay on few pages. synchronous: Kafka makes a commit durable. cache_size
 * (KiB) bounds the memory. mmap_size: a truncated file must not become a signal.
 */
static const char pragmas[] = "PRAGMA page_size = 8192;"
			      "PRAGMA journal_mode = WAL;"
			      "PRAGMA synchronous = OFF;"
			      "PRAGMA cache_size = -16384;"
			      "PRAGMA mmap_size = 0;"
			      "PRAGMA journal_size_limit = 67108864;";

/* The file must have been made for these. A machine that died may have lost pages that were never
 * synced: therefore the boot counts. */
struct identity {
	const char *schema;
	const char *cluster;
	char boot[UUID_TEXT_SIZE];
};

DEFINE_CLEANUP(sqlite3, sqlite3_close_v2)
DEFINE_CLEANUP(sqlite3_stmt, sqlite3_finalize)

static int fail_errno(const char *path, int error) {
	log_error("the replica cannot be used", "path=%s error=%s", log_quote(path),
		  log_quote(strerror(error)));
	return -error;
}

int file_lock(const char *data_dir) {
	_cleanup_(x_freep) char *path = x_asprintf("%s/lock", data_dir);
	int fd;

	if (mkdir(data_dir, 0700) < 0 && errno != EEXIST)
		return fail_errno(data_dir, errno);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail_errno(path, errno);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int error = errno == EWOULDBLOCK ? EBUSY : errno;

		close(fd);
		return fail_errno(path, error);
	}
	return fd;
}

const char *const file_suffixes[FILE_SUFFIXES] = { "", "-wal", "-shm", "-journal" };

int file_remove(const char *file) {
	for (size_t i = 0; i < FILE_SUFFIXES; i++) {
		_cleanup_(x_freep) char *path = x_asprintf("%s%s", file, file_suffixes[i]);

		if (unlink(path) < 0 && errno != ENOENT)
			return fail_errno(path, errno);
	}
	return 0;
}

static void read_boot(char out[UUID_TEXT_SIZE]) {
	_cleanup_(fd_closep) int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	struct uuid unknown;

	if (fd >= 0 && read(fd, out, UUID_TEXT_SIZE - 1) == UUID_TEXT_SIZE - 1) {
		out[UUID_TEXT_SIZE - 1] = '\0';
		return;
	}
	/* Without a boot id every start counts as a new boot. */
	unknown = uuid_random();
	uuid_format(&unknown, out);
}

/* Whether the value of `name` in meta is another one; then `reason` says so. An error of SQLite's
 * counts as a difference. */
static bool meta_differs(sqlite3 *db, const char *name, const char *expected,
			 struct buffer *reason) {
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *statement = NULL;
	int r =
	    sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE name = ?1", -1, &statement, NULL);

	if (r == SQLITE_OK) {
		sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
		r = sqlite3_step(statement);
	}
	if (r == SQLITE_ROW) {
		const char *value = (const char *)sqlite3_column_text(statement, 0);

		if (value && strcmp(value, expected) == 0)
			return false;
		buffer_printf(reason, "it is of another %s", name);
	} else if (r == SQLITE_DONE) {
		buffer_printf(reason, "it does not say its %s", name);
	} else {
		buffer_append_string(reason, sqlite3_errmsg(db));
	}
	return true;
}

/* Whether it was being filled when its worker died. An error of SQLite's counts. */
static bool is_half_filled(sqlite3 *db, struct buffer *reason) {
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *statement = NULL;
	int r = sqlite3_prepare_v2(db, "SELECT 1 FROM meta WHERE name = '" REPLICA_FILLING "'", -1,
				   &statement, NULL);

	if (r == SQLITE_OK)
		r = sqlite3_step(statement);
	if (r == SQLITE_DONE)
		return false;
	buffer_append_string(reason,
			     r == SQLITE_ROW ? "it was not filled whole" : sqlite3_errmsg(db));
	return true;
}

/* Opens the file that is there. Returns NULL, with a reason, when it cannot be used. */
static sqlite3 *open_usable(const char *file, const struct identity *identity,
			    struct buffer *reason) {
	_cleanup_(sqlite3_close_v2p) sqlite3 *db = NULL;

	if (access(file, F_OK) < 0) {
		buffer_append_string(reason, "there is none");
		return NULL;
	}
	if (sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
		SQLITE_OK ||
	    sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS) != SQLITE_OK ||
	    sqlite3_exec(db, pragmas, NULL, NULL, NULL) != SQLITE_OK) {
		buffer_append_string(reason, sqlite3_errmsg(db));
		return NULL;
	}
	if (meta_differs(db, "schema", identity->schema, reason) ||
	    meta_differs(db, "cluster", identity->cluster, reason) ||
	    meta_differs(db, "boot", identity->boot, reason) || is_half_filled(db, reason))
		return NULL;
	return TAKE(db);
}

static int meta_put(sqlite3 *db, const char *name, const char *value) {
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *statement = NULL;
	int r = sqlite3_prepare_v2(db, "INSERT INTO meta (name, value) VALUES (?1, ?2)", -1,
				   &statement, NULL);

	if (r != SQLITE_OK)
		return r;
	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, value, -1, SQLITE_STATIC);
	r = sqlite3_step(statement);
	return r == SQLITE_DONE ? SQLITE_OK : r;
}

static bool set_up_schema(sqlite3 *db, const struct identity *identity) {
	return sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS) == SQLITE_OK &&
	       sqlite3_exec(db, pragmas, NULL, NULL, NULL) == SQLITE_OK &&
	       sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK &&
	       sqlite3_exec(db, replica_schema, NULL, NULL, NULL) == SQLITE_OK &&
	       meta_put(db, "schema", identity->schema) == SQLITE_OK &&
	       meta_put(db, "cluster", identity->cluster) == SQLITE_OK &&
	       meta_put(db, "boot", identity->boot) == SQLITE_OK &&
	       sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
}

static int create_file(const char *file, const struct identity *identity, sqlite3 **out) {
	_cleanup_(sqlite3_close_v2p) sqlite3 *db = NULL;
	/* The file is made here for its mode: it holds the bodies of callbacks. SQLite gives the
	 * files beside it the same mode. */
	int fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return fail_errno(file, errno);
	close(fd);
	if (sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
		SQLITE_OK ||
	    !set_up_schema(db, identity)) {
		log_error("the replica cannot be made", "file=%s error=%s", log_quote(file),
			  log_quote(sqlite3_errmsg(db)));
		return -EIO;
	}
	*out = TAKE(db);
	return 0;
}

int file_open(const char *file, const char *cluster_id, sqlite3 **out, bool *is_new) {
	_cleanup_(buffer_destroy) struct buffer reason = BUFFER_INIT(REASON_MAX);
	struct identity identity = { .schema = replica_schema_version, .cluster = cluster_id };
	int r;

	read_boot(identity.boot);
	*out = open_usable(file, &identity, &reason);
	*is_new = !*out;
	if (*out)
		return 0;
	log_info("the replica is made anew", "file=%s reason=%s", log_quote(file),
		 log_quote(reason.data));
	r = file_remove(file);
	return r ? r : create_file(file, &identity, out);
}

int file_open_readonly(const char *file, sqlite3 **out) {
	_cleanup_(buffer_destroy) struct buffer reason = BUFFER_INIT(REASON_MAX);
	_cleanup_(sqlite3_close_v2p) sqlite3 *db = NULL;

	if (access(file, R_OK) < 0)
		return fail_errno(file, errno);
	if (sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) !=
		SQLITE_OK ||
	    sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS) != SQLITE_OK) {
		log_error("the replica cannot be read", "file=%s error=%s", log_quote(file),
			  log_quote(sqlite3_errmsg(db)));
		return -EIO;
	}
	if (meta_differs(db, "schema", replica_schema_version, &reason) ||
	    is_half_filled(db, &reason)) {
		log_error("the replica cannot be read", "file=%s error=%s", log_quote(file),
			  log_quote(reason.data));
		return -EINVAL;
	}
	*out = TAKE(db);
	return 0;
}
