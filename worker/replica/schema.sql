-- The replica's tables: one for each kind of key, each row with the encoded record as it stands in the changelog (`value`) and the columns that
-- it is looked up by. A key may stand in two partitions (a producer with another partitioner does that), so the partition belongs to it.
--
-- Rows lie in the order in which they came, and only the small entries of the indexes are scattered. So those of one turn are neighbours and few
-- pages are written; and a restore, which writes what it read in portions that are each sorted by key, goes through the keys again and again but
-- writes every value once. (Clustered by key it would write again the pages that the portion before has written.)

CREATE TABLE meta (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
) WITHOUT ROWID;

-- The next changelog offset that a partition's rows do not reflect yet, and when that was stored.
CREATE TABLE reflected (
	partition        INTEGER PRIMARY KEY,
	changelog_offset INTEGER NOT NULL,
	stored_at_ms     INTEGER NOT NULL
);

CREATE TABLE position (
	partition INTEGER PRIMARY KEY,
	value     BLOB NOT NULL
);

-- `key` is the changelog's, so that its order is the dump's; `tenant` is the same tenant without percent-encoding.
CREATE TABLE webhook (
	key           TEXT NOT NULL,
	partition     INTEGER NOT NULL,
	tenant        TEXT NOT NULL,
	created_at_ms INTEGER NOT NULL,
	id            BLOB NOT NULL,
	types         INTEGER NOT NULL, -- of events that it takes now: subscriber_types of domain/registry.h
	value         BLOB NOT NULL,
	PRIMARY KEY (key, partition)
);
CREATE INDEX webhook_list ON webhook (tenant, created_at_ms, id);
CREATE INDEX webhook_subscribers ON webhook (tenant, created_at_ms, id, types) WHERE types > 0;

-- How many webhooks a tenant has; a row is there while it has any. Counting them would cost a tenant's every webhook for each new one. No trigger
-- keeps it: a statement with triggers has a journal of its own inside the turn's, and to end that one SQLite walks through all of the turn's.
CREATE TABLE tenant (
	id       TEXT PRIMARY KEY,
	webhooks INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE signing_key (
	key           TEXT NOT NULL,
	partition     INTEGER NOT NULL,
	tenant        TEXT NOT NULL,
	epoch         INTEGER NOT NULL,
	expires_at_ms INTEGER NOT NULL,
	value         BLOB NOT NULL,
	PRIMARY KEY (key, partition)
);
CREATE INDEX signing_key_list ON signing_key (tenant, epoch DESC);
CREATE INDEX signing_key_expiry ON signing_key (partition, expires_at_ms) WHERE expires_at_ms > 0;

-- The master keys that signing keys and webhooks of a partition name, or named: a few rows, whatever the number of keys. An index over the keys would cost each
-- of them more than all its others.
CREATE TABLE master_key (
	partition INTEGER NOT NULL,
	id        TEXT NOT NULL,
	PRIMARY KEY (partition, id)
) WITHOUT ROWID;

CREATE TABLE receipt (
	key           TEXT NOT NULL,
	partition     INTEGER NOT NULL,
	expires_at_ms INTEGER NOT NULL,
	value         BLOB NOT NULL,
	PRIMARY KEY (key, partition)
);
CREATE INDEX receipt_expiry ON receipt (partition, expires_at_ms);

-- `status` is enum delivery_status (0: pending, 1: dead, 2: succeeded); `due_ms` is the next attempt's time, of one that ended the time of its end.
--
-- A delivery is written and deleted soon after, with a body that is large beside its columns, and its id is a hash.
CREATE TABLE delivery (
	id         BLOB NOT NULL,
	partition  INTEGER NOT NULL,
	webhook_id BLOB NOT NULL,
	tenant     TEXT NOT NULL,
	status     INTEGER NOT NULL,
	due_ms     INTEGER NOT NULL,
	value      BLOB NOT NULL,
	PRIMARY KEY (id, partition)
);
-- Each is partial, so that only the pending one is paid for by all, and ends in the rowid. The status stands in them although it is always the same:
-- without it SQLite would look it up in the table, row by row.
CREATE INDEX delivery_pending ON delivery (webhook_id, status, due_ms, partition) WHERE status = 0;
CREATE INDEX delivery_ended ON delivery (webhook_id, status, due_ms) WHERE status <> 0;
CREATE INDEX delivery_ended_age ON delivery (partition, status, due_ms) WHERE status <> 0;
