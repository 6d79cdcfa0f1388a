/* The bounds on what a command may say, in bytes of UTF-8. What is beyond them is refused with a
 * clear reason. */
#pragma once

enum {
	TENANT_ID_MAX = 256, /* also not empty; else a dead letter, for there is nobody to answer */
	COMMAND_ID_MAX = 256, /* also not empty */
	REQUEST_ID_MAX = 256,
	CLIENT_ID_MAX = 256,
	SHOWN_IDENTIFIER_MAX =
	    4096, /* of an identifier that is beyond its limit: what events show of it */
	IDENTIFIER_MAX = 1024, /* userId, credentialId, credentialConfigurationId,
				  credentialProfile, format, credentialOfferId, sessionId */
	/*
	 * Levels of claims and credential. The body around them has three, and the strictest of the
	 * parsers that receivers have read 64 (System.Text.Json).
	 */
	JSON_DEPTH_MAX = 60,
	/*
	 * Of the bodies of one command. They are one transaction, and every other tenant of the
	 * worker waits for it: half a second where worker and broker share two cores.
	 */
	FANOUT_BYTES_MAX = 32 * 1024 * 1024,
	FANOUT_MAX = 256 * 1024, /* webhooks of one command: that many bodies, however small, are
				    more than FANOUT_BYTES_MAX */
	PAGE_LIMIT_DEFAULT = 100,
	PAGE_LIMIT_MAX = 1000,
	PAGE_BYTES_MAX = 700 * 1024, /* a page ends early, with a cursor, rather than make a record
					that Kafka would refuse */
	RECOVER_MAX = 1000, /* deliveries of one RecoverDeliveries command, the oldest first; it is
			       repeated until it finds none */
	RECOVER_BYTES_MAX = 16 * 1024 * 1024, /* of their records, which are in one transaction */
};
