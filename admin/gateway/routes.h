/* The routes of the API. */
#pragma once

#include "gateway/router.h"

/* Ends with an empty row. */
extern const struct route routes_table[];
