-- The history's tables. A row's `place` is its time in milliseconds, times 2^20, plus a number that tells rows of one millisecond apart
-- (history/place.h): the rows lie in the order of time, so that a page of the newest is read, and the oldest deleted, in one stretch.

CREATE TABLE meta (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
) WITHOUT ROWID;

-- How far webhook-results is folded, and the time since which nothing of the partition is missing.
CREATE TABLE source (
	partition         INTEGER PRIMARY KEY,
	next_offset       INTEGER NOT NULL,
	complete_since_ms INTEGER NOT NULL
);

-- Nothing is deleted here: a tenant, and a word, comes once.
CREATE TABLE tenant (
	id        INTEGER PRIMARY KEY,
	text      TEXT NOT NULL UNIQUE,
	partition INTEGER NOT NULL
);
CREATE TABLE word (
	id   INTEGER PRIMARY KEY,
	text TEXT NOT NULL UNIQUE
);

-- `status` is enum history_status; `event_type` and `last_reason` are words. `is_whole`: its recording was folded, so that its place has the time
-- of that; of others it has the time of their first event here.
CREATE TABLE delivery (
	place              INTEGER PRIMARY KEY,
	id                 BLOB NOT NULL,
	tenant             INTEGER NOT NULL,
	webhook_id         BLOB NOT NULL,
	event_id           BLOB,
	event_type         INTEGER NOT NULL,
	subject            TEXT,
	command_id         TEXT,
	request_id         TEXT,
	client_id          TEXT,
	is_whole           INTEGER NOT NULL,
	status             INTEGER NOT NULL,
	ended_at_ms        INTEGER,
	next_attempt_at_ms INTEGER,
	attempts           INTEGER NOT NULL,
	last_status        INTEGER,
	last_reason        INTEGER
);
CREATE UNIQUE INDEX delivery_id ON delivery (id);
CREATE INDEX delivery_tenant ON delivery (tenant);
CREATE INDEX delivery_webhook ON delivery (webhook_id);
CREATE INDEX delivery_event ON delivery (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX delivery_subject ON delivery (tenant, subject) WHERE subject IS NOT NULL;
CREATE INDEX delivery_command ON delivery (tenant, command_id) WHERE command_id IS NOT NULL;
-- Few have not succeeded, and few were answered with an error.
CREATE INDEX delivery_status ON delivery (tenant, status) WHERE status <> 1;
CREATE INDEX delivery_answer ON delivery (tenant, last_status) WHERE last_status >= 300;

-- `value` is the event as Avro, without its tenant and ids, and without what its delivery's row has (history/event_value.h). command_id, subject
-- and webhook_id are those of events that belong to no delivery; failed attempts have webhook_id too.
CREATE TABLE event (
	place      INTEGER PRIMARY KEY,
	tenant     INTEGER NOT NULL,
	type       INTEGER NOT NULL,
	status     INTEGER,
	delivery   INTEGER,
	command_id TEXT,
	subject    TEXT,
	webhook_id BLOB,
	value      BLOB NOT NULL
);
CREATE INDEX event_tenant ON event (tenant);
CREATE INDEX event_delivery ON event (delivery) WHERE delivery IS NOT NULL;
CREATE INDEX event_command ON event (tenant, command_id) WHERE command_id IS NOT NULL;
CREATE INDEX event_subject ON event (tenant, subject) WHERE subject IS NOT NULL;
CREATE INDEX event_failure ON event (webhook_id) WHERE webhook_id IS NOT NULL AND delivery IS NOT NULL;

-- How many attempts there were in an hour (its number since 1970), by the bucket of their duration (history/duration_bucket.h). The hour comes
-- first in the key: rows are added at the table's end and deleted at its beginning.
CREATE TABLE attempts (
	hour       INTEGER NOT NULL,
	tenant     INTEGER NOT NULL,
	webhook_id BLOB NOT NULL,
	bucket     INTEGER NOT NULL,
	succeeded  INTEGER NOT NULL,
	failed     INTEGER NOT NULL,
	PRIMARY KEY (hour, tenant, webhook_id, bucket)
) WITHOUT ROWID;
