/* openapi.json, compiled in by embed.cmake: the description of the API (OpenAPI 3.1), served at /openapi.json. */
#pragma once

#include <stddef.h>

extern const char openapi_json[];
extern const size_t openapi_json_len;
