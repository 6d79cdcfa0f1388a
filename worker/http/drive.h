/* Drives a connection from step to step, on the thread of its loop. Internal to the server. */
#pragma once

#include "http/connection.h"

/* Runs until blocked, for one request at most. A connection with more to do is in the loop's
 * list of ready ones afterwards. */
void http_drive(struct http_connection *connection);
/* Continues from WAITING: the answer came through the inbox. */
void http_drive_answered(struct http_connection *connection);
