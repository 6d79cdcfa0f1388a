/* The window of an endpoint: how many of its deliveries are in memory, and when. */
#include "dispatch_script.h"

static const struct dispatch_row rows[] = {
	/* clang-format off */
	/* An endpoint without a route is read from the replica first. */
	{ "a new endpoint is filled by a refill, not by its commit",
	  "add A1; sent ; due now; refill; sent A1; due never; memory 1" },
	{ "a window begins with one",
	  "put A1-9; activate 0 1; refill; sent A1; memory 1" },
	{ "a window that is full is not refilled",
	  "put A1-9; activate 0 1; refill; sent A1; due never; refill; sent " },
	{ "a success doubles the window of one",
	  "put A1-9; activate 0 1; refill; sent A1; ok A1; refill; sent A2-3" },
	{ "a windowful of successes doubles it",
	  "put A1-9; activate 0 1; refill; ok A1; refill; sent A2-3; ok A2; refill; sent A4; "
	  "ok A3-4; refill; sent A5-8" },
	{ "a window is refilled when half of it is used",
	  "put A1-12; activate 0 1; refill; late A1; refill; late A2-3; refill; sent A4-7; "
	  "due never; late A4; due never; late A5; due now; refill; sent A8-9" },
	{ "a slow endpoint's window ends at the bound in flight",
	  "put A1-40; activate 0 1; refill; late A1; refill; late A2-3; refill; late A4-7; "
	  "refill; late A8-11; refill; sent A12-15; memory 4" },
	{ "a prompt endpoint's window goes beyond it",
	  "put A1-40; activate 0 1; refill; ok A1; refill; ok A2-3; refill; ok A4-7; refill; "
	  "sent A8-15; memory 8" },
	{ "503 halves the window",
	  "put A1-40; activate 0 1; refill; late A1; refill; late A2-3; refill; late A4-6; "
	  "503 A7; refill; sent A8-9; memory 2" },
	{ "503 does not narrow a window of one",
	  "put A1-9; activate 0 1; refill; 503 A1; refill; sent A2; memory 1" },
	{ "a failure narrows a wide window to the bound in flight",
	  "put A1-40; activate 0 1; refill; ok A1; refill; ok A2-3; refill; ok A4-7; refill; "
	  "ok A8-14; fail A15; refill; sent A16-19; memory 4" },
	{ "a failure within the bound leaves the window",
	  "put A1-40; activate 0 1; refill; late A1; refill; sent A2-3; fail A2; refill; "
	  "sent A4" },
	{ "a failure ends the streak of successes",
	  "put A1-40; activate 0 1; refill; late A1; refill; late A2; fail A3; refill; "
	  "sent A4-5; late A4; refill; sent A6; late A5; refill; sent A7-9" },
	{ "an internal failure says nothing of the endpoint",
	  "put A1-40; activate 0 1; refill; late A1; refill; late A2-3; refill; sent A4-7; "
	  "internal A4-6; refill; sent A8-10; open 0" },
	{ "a refused job is due again at once, and its window stays",
	  "put A1-9; activate 0 1; refill; ok A1; refill; sent A2-3; refused A2-3; due now; "
	  "refill; sent A2-3" },
	{ "a recorded delivery goes to a known endpoint at once",
	  "add A1; refill; sent A1; ok A1; add A2; sent A2; memory 1" },
	{ "a recorded delivery waits where the window is full",
	  "add A1; refill; sent A1; add A2; sent ; due never; ok A1; due now; refill; sent A2" },
	{ "a recorded delivery does not pass those that are due before it",
	  "put A1-9; activate 0 1; refill; ok A1; refill; late A2-3; add A20; sent ; refill; "
	  "sent A4-7" },
	{ "a recorded delivery without texts is read when it is due",
	  "add A1; refill; sent A1; ok A1; add-brief A2; sent ; due now; refill; sent A2" },
	{ "a recorded delivery that is due later waits in the replica",
	  "add A1; refill; sent A1; ok A1; add A2@500; sent ; due 500; +499; refill; sent ; "
	  "+1; refill; sent A2" },
	{ "what waits for a thread is told from what is in flight",
	  "put A1-40; activate 0 1; refill; ok A1; refill; waiting 2; sent A2-3; waiting 0; "
	  "ok A2-3; refill; waiting 4; sent A4-7; ok A4-6; waiting 0; refill; waiting 3" },
	{ "what waits for an endpoint that is not known to be prompt does not count",
	  "put A1-40; activate 0 1; refill; waiting 0; late A1; refill; waiting 0; sent A2-3" },
	{ "what is in flight to others is left out of it",
	  "put A1-40 B1; activate 0 1; refill; ok A1; sent B1; refill; waiting 1; sent A2-3" },
	{ "a delivery in memory is not sent a second time",
	  "add A1; refill; ok A1; add A2; sent A2; add A2; refill; sent ; memory 1" },
	{ "a failed delivery is due when its schedule says",
	  "add A1; refill; sent A1; fail A1; due 10000; +9999; refill; sent ; +1; refill; "
	  "sent A1" },
	{ "a job that is not in memory changes nothing",
	  "add A1; refill; forget 0; fail A1; memory 0; known 1; open 0" },
	/* clang-format on */
};

DISPATCH_ROWS_MAIN(rows)
