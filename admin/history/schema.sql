-- The history's tables. A row's `place` is its time in milliseconds, times 2^20, plus a number that tells rows of one millisecond apart
-- (history/place.h): the rows lie in the order of time, so that a page of the newest is read, and the oldest deleted, in one stretch.
--
-- An index by a hash would have its newest entries anywhere, and each of them would change a page of its own. So the indexes of what is looked up
-- by a text or by an event's id begin with the bucket of the row's time (place >> 46: 18.6 hours): the newest entries lie together, and so do the
-- oldest. A look-up asks each bucket.

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

-- `status` is enum history_status; `event_type` and `last_reason` are words; the keys are hashes of tenant and text (history/key.h). `is_whole`: its
-- recording was folded, so that its place has the time of that; of others it has the time of their first event here.
CREATE TABLE delivery (
	place              INTEGER PRIMARY KEY,
	id                 BLOB NOT NULL,
	tenant             INTEGER NOT NULL,
	webhook_id         BLOB NOT NULL,
	event_id           BLOB,
	event_type         INTEGER NOT NULL,
	subject            TEXT,
	subject_key        INTEGER,
	command_id         TEXT,
	command_key        INTEGER,
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
CREATE INDEX delivery_event ON delivery (place >> 46, event_id) WHERE event_id IS NOT NULL;
CREATE INDEX delivery_subject ON delivery (place >> 46, subject_key) WHERE subject_key IS NOT NULL;
CREATE INDEX delivery_command ON delivery (place >> 46, command_key) WHERE command_key IS NOT NULL;
-- Few have not succeeded, and few were answered with an error.
CREATE INDEX delivery_status ON delivery (tenant, status) WHERE status <> 1;
CREATE INDEX delivery_answer ON delivery (tenant, last_status) WHERE last_status >= 300;
CREATE INDEX delivery_webhook_status ON delivery (webhook_id, status) WHERE status <> 1;
CREATE INDEX delivery_webhook_answer ON delivery (webhook_id, last_status) WHERE last_status >= 300;

-- `type` and `reason` are words; `webhook` is a key of its id. `delivery` is a delivery's place. `is_failure`: it tells of an attempt that failed.
-- `number`: of a delivery's event the attempt, of an issued credential its deliveries. `nth`: of an attempt, how many its delivery had with it. That
-- is their order: a time may be of a clock that was set back, and numbers begin anew when a delivery is sent again. command_id, subject and
-- published_id are of events that belong to no delivery; `subject_key` is that of the subject, or of the one that another event of the command has
-- (history/subjects.h). `value`, the event as Avro, is there where the columns do not say all (history/event_row.h).
CREATE TABLE event (
	place              INTEGER PRIMARY KEY,
	id                 BLOB NOT NULL,
	tenant             INTEGER NOT NULL,
	type               INTEGER NOT NULL,
	is_repeat          INTEGER NOT NULL,
	is_failure         INTEGER NOT NULL,
	status             INTEGER,
	delivery           INTEGER,
	webhook            INTEGER,
	command_key        INTEGER,
	subject_key        INTEGER,
	number             INTEGER,
	nth                INTEGER,
	reason             INTEGER,
	duration_ms        INTEGER,
	attempted_at_ms    INTEGER,
	next_attempt_at_ms INTEGER,
	command_id         TEXT,
	subject            TEXT,
	published_id       BLOB,
	value              BLOB
);
CREATE INDEX event_tenant ON event (tenant);
CREATE INDEX event_delivery ON event (delivery, nth) WHERE delivery IS NOT NULL;
CREATE INDEX event_webhook ON event (webhook) WHERE webhook IS NOT NULL;
CREATE INDEX event_command ON event (place >> 46, command_key) WHERE command_key IS NOT NULL;
CREATE INDEX event_subject ON event (place >> 46, subject_key) WHERE subject_key IS NOT NULL;
CREATE INDEX event_published ON event (place >> 46, published_id) WHERE published_id IS NOT NULL;
CREATE INDEX event_answer ON event (tenant, status) WHERE status >= 300;
CREATE INDEX event_webhook_answer ON event (webhook, status) WHERE status >= 300;
CREATE INDEX event_failure ON event (webhook) WHERE is_failure = 1;
-- Until another event of their command tells its subject.
CREATE INDEX event_without_subject ON event (place >> 46, command_key) WHERE delivery IS NULL AND command_key IS NOT NULL AND subject_key IS NULL;

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
