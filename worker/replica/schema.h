/* schema.sql, compiled in by embed.cmake. */
#pragma once

extern const char replica_schema[];
extern const char
    replica_schema_version[]; /* of the schema's text: another one is another schema */
