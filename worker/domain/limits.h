/* The maximum sizes of a command's fields and results, in bytes of UTF-8 unless said otherwise.
 * Beyond them a command is refused with a clear reason. */
#pragma once

enum {
	TENANT_ID_MAX =
	    256, /* also not empty; else a dead letter, since there is no tenant to answer */
	COMMAND_ID_MAX = 256, /* also not empty */
	REQUEST_ID_MAX = 256,
	CLIENT_ID_MAX = 256,
	SHOWN_IDENTIFIER_MAX = 4096, /* of an over-long identifier in an event */
	IDENTIFIER_MAX = 1024,       /* userId, credentialId, credentialConfigurationId,
					credentialProfile, format, credentialOfferId, sessionId */
	/* Levels of claims and credential. The body around them has three more, and the
	 * strictest JSON parser of receivers reads 64 (System.Text.Json). */
	JSON_DEPTH_MAX = 60,
	/* Of the bodies of one command. They are one transaction, for which every other tenant
	 * of the worker waits: half a second where worker and broker share two cores. */
	FANOUT_BYTES_MAX = 32 * 1024 * 1024,
	FANOUT_MAX = 256 *
	    1024, /* webhooks of one command; so many bodies always exceed FANOUT_BYTES_MAX */
	NOTICE_FANOUT_MAX = 256,      /* webhooks that are looked at, and told, for one notice */
	DESCRIPTION_MAX = 256,        /* characters */
	FILTER_VALUES_MAX = 64,       /* of one list */
	FILTER_BYTES_MAX = 16 * 1024, /* of all values of a filter */
	RATE_LIMIT_MAX = 10 * 1000,   /* attempts a second */
	PAGE_LIMIT_DEFAULT = 100,
	PAGE_LIMIT_MAX = 1000,
	PAGE_BYTES_MAX = 700 *
	    1024, /* a page ends early, with a cursor, so that Kafka takes its record */
	PAGE_READ_MAX = 4 * 1024 * 1024, /* of the records that a page is made of: they have what it
					    does not show, the sealed headers */
	RECOVER_MAX = 1000, /* deliveries that a RecoverDeliveries command revives in a turn */
	RECOVER_BYTES_MAX = 16 * 1024 * 1024, /* of their records, which are one transaction */
	RECOVER_WALKED_MAX = 5000,            /* deliveries that it looks at in a turn */
	RECOVER_WALKED_BYTES_MAX = 16 * 1024 * 1024, /* of their records, which are decoded */
};
