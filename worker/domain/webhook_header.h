/* The rules for the headers that a webhook's callbacks carry. Source: RFC 9110 sections 5.1, 5.5
 * and 5.6.2. */
#pragma once

enum { WEBHOOK_HEADER_NAME_MAX = 128, WEBHOOK_HEADER_VALUE_MAX = 4096 }; /* bytes */

/* The broken rule in words, or NULL. Reserved names are those of the connection, of what a callback
 * says itself, and of posthorn. `name` may be NULL. */
const char *webhook_header_name_fault(const char *name);
/* The same of a value. The words never have the value, which is a secret. */
const char *webhook_header_value_fault(const char *value);
