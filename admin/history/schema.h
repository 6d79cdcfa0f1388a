/* schema.sql, compiled in. */
#pragma once

extern const char history_schema[];
/* A hash of the text: a changed text is another schema. */
extern const char history_schema_version[];
