#include "history/file.h"

#include "base/buffer.h"
#include "base/log.h"
#include "history/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_TIMEOUT_MS = 5000, REASON_MAX = 512 };

/*
 * synchronous: a machine that dies may lose the last commits, which are folded again, and never
 * leaves a torn file (WAL). cache_size (KiB) bounds the memory: the newest bucket of the indexes,
 * and much of that by a delivery's id. page_size: each new entry there changes a page of its own.
 * mmap_size: a truncated file must not become a signal. temp_store: no other folder need be
 * writable, and what a query sorts is small.
 */
static const char write_pragmas[] = "PRAGMA page_size = 4096;"
				    "PRAGMA journal_mode = WAL;"
				    "PRAGMA synchronous = NORMAL;"
				    "PRAGMA cache_size = -131072;"
				    "PRAGMA mmap_size = 0;"
				    "PRAGMA temp_store = MEMORY;"
				    "PRAGMA wal_autocheckpoint = 8000;"
				    "PRAGMA journal_size_limit = 67108864;";
static const char read_pragmas[] = "PRAGMA query_only = 1;"
				   "PRAGMA cache_size = -8192;"
				   "PRAGMA mmap_size = 0;"
				   "PRAGMA temp_store = MEMORY;";

DEFINE_CLEANUP(sqlite3, sqlite3_close_v2)
DEFINE_CLEANUP(sqlite3_stmt, sqlite3_finalize)

static int fail_errno(const char *path, int error) {
	log_error("the history cannot be used", "path=%s error=%s", log_quote(path),
		  log_quote(strerror(error)));
	return -error;
}

int history_file_lock(const char *data_dir) {
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

int history_file_remove(const char *file) {
	static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		_cleanup_(x_freep) char *path = x_asprintf("%s%s", file, suffixes[i]);

		if (unlink(path) < 0 && errno != ENOENT)
			return fail_errno(path, errno);
	}
	return 0;
}

enum meta { META_SAME, META_OTHER, META_NONE, META_ERROR };

/* Compares the value of `name` in meta. */
static enum meta meta_compare(sqlite3 *db, const char *name, const char *expected) {
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *statement = NULL;
	const char *value;

	if (sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE name = ?1", -1, &statement,
			       NULL) != SQLITE_OK ||
	    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC) != SQLITE_OK)
		return META_ERROR;
	switch (sqlite3_step(statement)) {
	case SQLITE_ROW:
		value = (const char *)sqlite3_column_text(statement, 0);
		return value && strcmp(value, expected) == 0 ? META_SAME : META_OTHER;
	case SQLITE_DONE:
		return META_NONE;
	default:
		return META_ERROR;
	}
}

bool history_file_is_unusable(sqlite3 *db) {
	int error = sqlite3_errcode(db);

	return error == SQLITE_CORRUPT || error == SQLITE_NOTADB || error == SQLITE_ERROR;
}

/* A file that SQLite could not read now may be read later: descriptors or memory are missing. */
static int judge_error(const char *file, sqlite3 *db, struct buffer *reason) {
	if (history_file_is_unusable(db)) {
		buffer_append_string(reason, sqlite3_errmsg(db));
		return HISTORY_FILE_E_OTHER;
	}
	log_error("the history cannot be opened", "file=%s error=%s", log_quote(file),
		  log_quote(sqlite3_errmsg(db)));
	return -EIO;
}

/* Returns HISTORY_FILE_E_OTHER with a reason where it is to be made anew. */
static int open_usable(const char *file, struct buffer *reason, sqlite3 **out) {
	_cleanup_(sqlite3_close_v2p) sqlite3 *db = NULL;

	if (access(file, F_OK) < 0 && errno != ENOENT)
		return fail_errno(file, errno);
	if (access(file, F_OK) < 0) {
		buffer_append_string(reason, "there is none");
		return HISTORY_FILE_E_OTHER;
	}
	if (sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
		SQLITE_OK ||
	    sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS) != SQLITE_OK ||
	    sqlite3_exec(db, write_pragmas, NULL, NULL, NULL) != SQLITE_OK)
		return judge_error(file, db, reason);
	switch (meta_compare(db, "schema", history_schema_version)) {
	case META_SAME:
		*out = TAKE(db);
		return 0;
	case META_ERROR:
		return judge_error(file, db, reason);
	default:
		buffer_append_string(reason, "it is of another schema");
		return HISTORY_FILE_E_OTHER;
	}
}

static bool meta_put(sqlite3 *db, const char *name, const char *value) {
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *statement = NULL;

	return sqlite3_prepare_v2(db, "INSERT INTO meta VALUES (?1, ?2)", -1, &statement, NULL) ==
		   SQLITE_OK &&
	       sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC) == SQLITE_OK &&
	       sqlite3_bind_text(statement, 2, value, -1, SQLITE_STATIC) == SQLITE_OK &&
	       sqlite3_step(statement) == SQLITE_DONE;
}

static bool set_up(sqlite3 *db) {
	return sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS) == SQLITE_OK &&
	       sqlite3_exec(db, write_pragmas, NULL, NULL, NULL) == SQLITE_OK &&
	       sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK &&
	       sqlite3_exec(db, history_schema, NULL, NULL, NULL) == SQLITE_OK &&
	       meta_put(db, "schema", history_schema_version) &&
	       sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
}

/* The file is made here for its mode: it shows who was issued what. */
static int make(const char *file, sqlite3 **out) {
	_cleanup_(sqlite3_close_v2p) sqlite3 *db = NULL;
	int fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return fail_errno(file, errno);
	close(fd);
	if (sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
		SQLITE_OK ||
	    !set_up(db)) {
		log_error("the history cannot be made", "file=%s error=%s", log_quote(file),
			  log_quote(sqlite3_errmsg(db)));
		return -EIO;
	}
	*out = TAKE(db);
	return 0;
}

int history_file_open(const char *file, sqlite3 **out) {
	_cleanup_(buffer_destroy) struct buffer reason = BUFFER_INIT(REASON_MAX);
	int r = open_usable(file, &reason, out);

	if (r <= 0)
		return r;
	log_info("the history is made anew", "file=%s reason=%s", log_quote(file),
		 log_quote(reason.data));
	r = history_file_remove(file);
	return r ? r : make(file, out);
}

int history_file_claim(sqlite3 *db, const char *source) {
	switch (meta_compare(db, "source", source)) {
	case META_SAME:
		return 0;
	case META_OTHER:
		return HISTORY_FILE_E_OTHER;
	case META_NONE:
		return meta_put(db, "source", source) ? 0 : -EIO;
	default:
		return -EIO;
	}
}

int history_file_open_readonly(const char *file, sqlite3 **out) {
	int r = sqlite3_open_v2(file, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (r == SQLITE_OK)
		r = sqlite3_busy_timeout(*out, BUSY_TIMEOUT_MS);
	if (r == SQLITE_OK)
		r = sqlite3_exec(*out, read_pragmas, NULL, NULL, NULL);
	return r;
}
