/* schema.sql, compiled in by embed.cmake. */
#pragma once

extern const char replica_schema[];
/* A hash of the text: a changed text is another schema. */
extern const char replica_schema_version[];
