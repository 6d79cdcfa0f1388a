/* A command's problem, in the words of the request that became the command. */
#pragma once

#include "base/arena.h"
#include "domain/problem.h"

/* A copy in the arena: members of the command's envelope are named as the headers that they came
 * in. */
struct problem *command_problem_name_headers(struct arena *arena, const struct problem *problem);

/* Orders the details as the members of a request are read, unknown ones last. */
void command_problem_sort(struct problem *problem);
