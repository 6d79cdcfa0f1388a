/*
 * The mapping between the schemas' records and the domain's structs: a table for each record with a
 * row for each field, in the schema's order. Decoding, encoding and JSON all read these tables.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum field_kind {
	FIELD_TEXT,         /* const char *                          string */
	FIELD_TEXT_OR_NULL, /* const char *, NULL: null              ["null", "string"] */
	FIELD_TEXT_SIZED,   /* const char * and its size_t length    string */
	FIELD_TEXTS,        /* const char ** and its size_t count    array of string */
	FIELD_UUID,         /* struct uuid                           string */
	FIELD_UUID_FLAGGED, /* struct uuid and a bool, false: null  ["null", "string"] */
	FIELD_BOOLEAN,      /* bool                                  boolean */
	FIELD_INT,          /* int32_t                               int */
	FIELD_INT_OR_NULL,  /* int32_t, 0: null                      ["null", "int"] */
	FIELD_INT_FLAGGED,  /* int32_t and a bool, false: null       ["null", "int"] */
	FIELD_LONG,         /* int64_t                               long */
	FIELD_LONG_OR_NULL, /* int64_t, -1: null                     ["null", "long"] */
	FIELD_TIME,         /* int64_t, wall ms                      timestamp-millis */
	FIELD_TIME_OR_NULL, /* int64_t, wall ms, 0: null             ["null", timestamp-millis] */
	FIELD_TIME_FLAGGED, /* int64_t, wall ms, and a bool, false: null        the same */
	FIELD_FIXED,        /* uint8_t[]                             fixed */
	FIELD_BYTES,        /* const uint8_t * and its size_t length bytes: a sealed secret */
	FIELD_VERSION,      /* nothing: always 1                     int */
	FIELD_NAME,         /* an enum, by `name` string */
	FIELD_NAMES,        /* enums in an array, by `names`         array of string */
	FIELD_ARRAY,        /* a pointer and a size_t count          array of records, by `array` */
	FIELD_RECORD_OR_NULL, /* a pointer, NULL: null   ["null", a record], by `array` */
	FIELD_UNION,          /* an enum and the value it selects union of records, by `branches` */
};

/* A text that encodes a member of the record. */
struct field_name {
	const char *(*get)(const void *record);
	int (*set)(
	    void *record,
	    const char *text); /* 0, or 1 for an unknown text; NULL: other fields determine it */
};

/* An array of enums inside the struct. */
struct field_names {
	size_t max; /* the elements it has room for */
	const char *(*get)(const void *record, size_t index);
	int (*add)(void *record, const char *text); /* 0, or 1 for an unknown or repeated text */
};

struct field_array {
	const struct record *items;
	size_t item_size;
	size_t max; /* 0: any number */
};

/* The branches of a union, in the order of the enum that selects one. A branch that is null is the
 * first one, and leaves the enum alone. */
struct field_union {
	const struct branch {
		const struct record *record; /* NULL: null */
		size_t size; /* of the struct behind the pointer; 0: the struct itself holds it */
	} *branches;
	size_t count;
	int first; /* the enum's value for branches[0] */
};

/* The branch that the enum selects; the first one, null, where it selects none of this union. */
static inline const struct branch *field_union_branch(const struct field_union *branches,
						      int selected) {
	int at = selected - branches->first;

	return &branches->branches[at >= 0 && (size_t)at < branches->count ? at : 0];
}

struct field {
	const char *name;
	enum field_kind kind;
	unsigned char edition; /* the first one of the schema that has it; 0: 1. See edition.h */
	bool optional;         /* a writer may lack it: then it is zero, or the kind's null */
	bool is_secret;        /* no fault's detail shows a value in it */
	bool is_json; /* TEXT, TEXT_OR_NULL: JSON as text; in a JSON record it is the value itself,
			 and may be absent */
	const char
	    *beside_type; /* its name in JSON where `type` names the record; NULL: the same */
	size_t offset;    /* of the value in the struct; UNION: of the enum */
	size_t second;    /* of the length, count or flag; FIXED: its size; UNION: of the selected
			     value */
	union {
		const struct field_name *as_name;
		const struct field_names *as_names;
		const struct field_array *as_array;
		const struct field_union *as_union;
	};
};

/* The field's name in JSON. `has_type`: a member `type` names its record. */
static inline const char *field_json_name(const struct field *field, bool has_type) {
	return has_type && field->beside_type ? field->beside_type : field->name;
}

struct record {
	const char *name; /* in the schema, without its namespace */
	const struct field *fields;
	size_t field_count;
	void (*complete)(void *record);     /* called after decoding, to fill members that depend on
					       other fields; or NULL */
	int (*edition)(const void *record); /* the least one that can hold the values of its
					       fields of edition 1; NULL: 1 */
};

/* The tables of struct command, issuance, event_command, analytic_event and state_record. */
extern const struct record command_record, issuance_record, event_command_record,
    analytic_event_record, state_record_record;
/* The tables of the struct problem inside an event, and of the unions inside an event, a receipt
 * and a state record. */
extern const struct record event_problem_record;
extern const struct field_union event_data_union, event_published_union, event_secret_union,
    state_union;
extern const struct field_names webhook_signatures_names;
extern const struct field_array webhook_filter_array;

/* Fills members that come from the enclosing record: a webhook's tenant, and a problem's status. */
struct event_data;
void event_data_complete(struct event_data *data, const char *tenant_id, int status);

#define RECORD_TABLE(table) .fields = (table), .field_count = ARRAY_LEN(table)
#define FIELD_AT(kind_, struct_, member) .kind = (kind_), .offset = offsetof(struct struct_, member)
#define SECOND_EDITION .edition = 2, .optional = true
/* The rows of a webhook in an event and in its state alike; `headers_` is the table of its headers,
 * which are sealed in the state and names alone in an event. */
#define WEBHOOK_SECOND_EDITION(headers_)                                                           \
	{ "description", FIELD_AT(FIELD_TEXT_OR_NULL, webhook, description), SECOND_EDITION },     \
	    { "headers", FIELD_AT(FIELD_ARRAY, webhook, headers), SECOND_EDITION,                  \
	      .second = offsetof(struct webhook, header_count), .as_array = (headers_) },          \
	    { "signatures", FIELD_AT(FIELD_NAMES, webhook, signatures), SECOND_EDITION,            \
	      .second = offsetof(struct webhook, signature_count),                                 \
	      .as_names = &webhook_signatures_names },                                             \
	    { "filter", FIELD_AT(FIELD_RECORD_OR_NULL, webhook, filter), SECOND_EDITION,           \
	      .as_array = &webhook_filter_array },                                                 \
	{                                                                                          \
		"rateLimit", FIELD_AT(FIELD_INT_OR_NULL, webhook, rate_limit), SECOND_EDITION      \
	}
