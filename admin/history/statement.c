#include "history/statement.h"

static const char *const writes[WRITE_COUNT] = {
	[WRITE_BEGIN] = "BEGIN",
	[WRITE_COMMIT] = "COMMIT",
	[WRITE_SOURCE_GET] = "SELECT next_offset, complete_since_ms FROM source WHERE "
			     "partition = ?1",
	[WRITE_SOURCE_PUT] =
	    "INSERT INTO source VALUES (?1, ?2, ?3) ON CONFLICT (partition) DO UPDATE "
	    "SET next_offset = ?2, complete_since_ms = "
	    "max(complete_since_ms, ?3)",
	[WRITE_TENANT_GET] = "SELECT id FROM tenant WHERE text = ?1 AND partition = ?2",
	[WRITE_TENANT_PUT] =
	    "INSERT INTO tenant (text, partition) VALUES (?1, ?2) ON CONFLICT (text) "
	    "DO UPDATE SET partition = ?2 RETURNING id",
	[WRITE_WORD_GET] = "SELECT id FROM word WHERE text = ?1",
	[WRITE_WORD_PUT] = "INSERT INTO word (text) VALUES (?1) RETURNING id",
	[WRITE_DELIVERY_FIND] =
	    "SELECT place, attempts, subject_key, command_key, event_id IS NOT NULL FROM delivery "
	    "WHERE id = ?1",
	[WRITE_DELIVERY_PUT] =
	    "INSERT INTO delivery VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
	    "?14, ?15, ?16, ?17, ?18, ?19) ON CONFLICT (place) DO NOTHING",
	[WRITE_DELIVERY_UPDATE] =
	    "UPDATE delivery SET status = ?2, ended_at_ms = ?3, next_attempt_at_ms = ?4, "
	    "attempts = ?5, last_status = ?6, last_reason = ?7 WHERE place = ?1",
	[WRITE_DELIVERY_FILL] =
	    "UPDATE delivery SET event_id = coalesce(event_id, ?2), subject = coalesce(subject, "
	    "?3), subject_key = coalesce(subject_key, ?4), command_id = coalesce(command_id, ?5), "
	    "command_key = coalesce(command_key, ?6) WHERE place = ?1",
	[WRITE_DELIVERY_EVENTS_FILL] =
	    "UPDATE event SET subject_key = coalesce(subject_key, ?2), command_key = "
	    "coalesce(command_key, ?3) WHERE delivery = ?1",
	[WRITE_EVENT_PUT] =
	    "INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
	    "?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21) ON CONFLICT (place) DO NOTHING",
	[WRITE_SUBJECT_GET] =
	    "SELECT subject_key FROM event INDEXED BY event_command WHERE place >> 46 = ?1 AND "
	    "command_key = ?2 AND subject_key IS NOT NULL LIMIT 1",
	[WRITE_SUBJECT_PUT] =
	    "UPDATE event INDEXED BY event_without_subject SET subject_key = ?3 WHERE place >> 46 "
	    "= ?1 AND command_key = ?2 AND delivery IS NULL AND subject_key IS NULL",
	[WRITE_ATTEMPT] = "INSERT INTO attempts VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO "
			  "UPDATE SET succeeded = succeeded + ?5, failed = failed + ?6",
	[WRITE_OLDEST] = "SELECT min(place) FROM event",
	[WRITE_NTH_OLDEST] = "SELECT place FROM event ORDER BY place LIMIT 1 OFFSET ?1",
	[WRITE_PRUNE_DELIVERIES] =
	    "DELETE FROM delivery WHERE place IN (SELECT delivery FROM event WHERE place < ?1) AND "
	    "NOT EXISTS (SELECT 1 FROM event WHERE delivery = delivery.place AND place >= ?1)",
	[WRITE_PRUNE_EVENTS] = "DELETE FROM event WHERE place < ?1",
	[WRITE_PRUNE_ATTEMPTS] = "DELETE FROM attempts WHERE hour < ?1",
	[WRITE_PRUNED] =
	    "INSERT INTO meta VALUES ('complete since', ?1) ON CONFLICT (name) DO UPDATE "
	    "SET value = max(CAST(value AS INTEGER), ?1)",
};

/*
 * ?1 the tenant, ?2 and ?3 the places between which to look (exclusive, inclusive), ?4 what the
 * index knows, ?5 the bucket or more of that. The condition repeats that of a partial index, by
 * which SQLite knows that it may use it.
 */
#define DELIVERY_VALUES                                                                            \
	"d.place, d.id, d.webhook_id, d.event_id, type.text, d.subject, d.command_id, "            \
	"d.request_id, d.client_id, d.is_whole, d.status, d.ended_at_ms, d.next_attempt_at_ms, "   \
	"d.attempts, d.last_status, reason.text"
#define DELIVERY_WORDS                                                                             \
	" LEFT JOIN word type ON type.id = d.event_type"                                           \
	" LEFT JOIN word reason ON reason.id = d.last_reason"
#define DELIVERIES(index, condition)                                                               \
	"SELECT " DELIVERY_VALUES " FROM delivery d INDEXED BY " index DELIVERY_WORDS              \
	" WHERE d.tenant = ?1 AND d.place < ?2 AND d.place >= ?3 " condition                       \
	" ORDER BY d.place DESC"

#define EVENT_VALUES                                                                               \
	"e.place, e.id, kind.text, e.is_repeat, e.status, e.webhook, e.number, why.text, "         \
	"e.duration_ms, e.attempted_at_ms, e.next_attempt_at_ms, e.command_id, e.subject, "        \
	"e.subject_key, e.value"
#define EVENT_WORDS                                                                                \
	" LEFT JOIN word kind ON kind.id = e.type LEFT JOIN word why ON why.id = e.reason"
#define EVENTS(index, condition)                                                                   \
	"SELECT " EVENT_VALUES ", " DELIVERY_VALUES " FROM event e INDEXED BY " index EVENT_WORDS  \
	" LEFT JOIN delivery d ON d.place = e.delivery" DELIVERY_WORDS                             \
	" WHERE e.tenant = ?1 AND e.place < ?2 AND e.place >= ?3 " condition                       \
	" ORDER BY e.place DESC"

static const char *const reads[READ_COUNT] = {
	[READ_BEGIN] = "BEGIN",
	[READ_END] = "ROLLBACK",
	[READ_COMPLETE_SINCE] =
	    "SELECT max(coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = "
	    "'complete since'), 0), coalesce((SELECT max(complete_since_ms) FROM source WHERE "
	    "partition = ?1 OR ?1 IS NULL), 0))",
	[READ_TENANT] = "SELECT id, partition FROM tenant WHERE text = ?1",
	[READ_ENDS] = "SELECT (SELECT min(place) FROM delivery), (SELECT min(place) FROM event), "
		      "(SELECT max(place) FROM delivery), (SELECT max(place) FROM event)",
	[READ_DELIVERY] = "SELECT " DELIVERY_VALUES " FROM delivery d" DELIVERY_WORDS
			  " WHERE d.id = ?2 AND d.tenant = ?1",
	[READ_DELIVERIES] = DELIVERIES("delivery_tenant", ""),
	[READ_DELIVERIES_OF_EVENT] =
	    DELIVERIES("delivery_event", "AND d.place >> 46 = ?5 AND d.event_id = ?4"),
	[READ_DELIVERIES_OF_COMMAND] =
	    DELIVERIES("delivery_command", "AND d.place >> 46 = ?5 AND d.command_key = ?4"),
	[READ_DELIVERIES_OF_SUBJECT] =
	    DELIVERIES("delivery_subject", "AND d.place >> 46 = ?5 AND d.subject_key = ?4"),
	[READ_DELIVERIES_OF_STATUS] =
	    DELIVERIES("delivery_status", "AND d.status = ?4 AND d.status <> 1"),
	[READ_DELIVERIES_OF_ANSWER] =
	    DELIVERIES("delivery_answer", "AND d.last_status = ?4 AND d.last_status >= 300"),
	[READ_DELIVERIES_OF_WEBHOOK] = DELIVERIES("delivery_webhook", "AND d.webhook_id = ?4"),
	[READ_DELIVERIES_OF_WEBHOOK_STATUS] = DELIVERIES(
	    "delivery_webhook_status", "AND d.webhook_id = ?4 AND d.status = ?5 AND d.status <> 1"),
	[READ_DELIVERIES_OF_WEBHOOK_ANSWER] =
	    DELIVERIES("delivery_webhook_answer",
		       "AND d.webhook_id = ?4 AND d.last_status = ?5 AND d.last_status >= 300"),
	[READ_EVENTS] = EVENTS("event_tenant", ""),
	[READ_EVENTS_OF_COMMAND] =
	    EVENTS("event_command", "AND e.place >> 46 = ?5 AND e.command_key = ?4"),
	[READ_EVENTS_OF_SUBJECT] =
	    EVENTS("event_subject", "AND e.place >> 46 = ?5 AND e.subject_key = ?4"),
	[READ_EVENTS_OF_WEBHOOK] = EVENTS("event_webhook", "AND e.webhook = ?4"),
	[READ_EVENTS_OF_ANSWER] = EVENTS("event_answer", "AND e.status = ?4 AND e.status >= 300"),
	[READ_EVENTS_OF_WEBHOOK_ANSWER] = EVENTS(
	    "event_webhook_answer", "AND e.webhook = ?4 AND e.status = ?5 AND e.status >= 300"),
	[READ_EVENTS_OF_DELIVERY] =
	    "SELECT " EVENT_VALUES " FROM event e INDEXED BY event_delivery" EVENT_WORDS
	    " WHERE e.delivery = ?1 AND e.nth > ?2 ORDER BY e.nth",
	[READ_FAILURES] = EVENTS("event_failure", "AND e.webhook = ?4 AND e.is_failure = 1"),
	[READ_COMMAND_OF_EVENT] =
	    "SELECT command_id FROM delivery INDEXED BY delivery_event WHERE place >> 46 = ?2 AND "
	    "event_id = ?3 AND tenant = ?1 AND command_id IS NOT NULL LIMIT 1",
	[READ_COMMAND_OF_PUBLISHED] =
	    "SELECT command_id FROM event INDEXED BY event_published WHERE place >> 46 = ?2 AND "
	    "published_id = ?3 AND tenant = ?1 AND command_id IS NOT NULL LIMIT 1",
	[READ_ATTEMPTS] = "SELECT bucket, succeeded, failed FROM attempts WHERE hour = ?1 AND "
			  "tenant = ?2 AND webhook_id = ?3",
};

static int prepare(sqlite3 *db, const char *const *texts, size_t count, sqlite3_stmt **out) {
	int r = SQLITE_OK;

	for (size_t i = 0; r == SQLITE_OK && i < count; i++)
		r = sqlite3_prepare_v3(db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &out[i], NULL);
	return r;
}

int history_prepare_write(sqlite3 *db, sqlite3_stmt *out[WRITE_COUNT]) {
	return prepare(db, writes, WRITE_COUNT, out);
}

int history_prepare_read(sqlite3 *db, sqlite3_stmt *out[READ_COUNT]) {
	return prepare(db, reads, READ_COUNT, out);
}

void history_statements_finalize(sqlite3_stmt **statements, size_t count) {
	for (size_t i = 0; i < count; i++)
		sqlite3_finalize(statements[i]);
}
