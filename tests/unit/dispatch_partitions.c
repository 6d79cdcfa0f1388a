/* Partitions that come and go, with the backlog, the gate and the epoch of each. */
#include "dispatch_script.h"

static const struct dispatch_row rows[] = {
	/* clang-format off */
	{ "the gate opens with the epoch",
	  "gate 0 0; activate 0 7; gate 0 7; gate 1 0" },
	{ "the backlog is counted",
	  "put A1-3 B1-2 N1-9; activate 0 1; pending 5; known 2" },
	{ "the backlog is counted by tenant",
	  "put A1-3 a1-2 B1; activate 0 1; tenant A 5; tenant B 1; tenant N 0" },
	{ "a second activation counts the backlog again, not twice",
	  "put A1-3; activate 0 1; suspend 0; activate 0 1; pending 3; tenant A 3" },
	{ "a backlog that is due is sent",
	  "put A1; activate 0 1; due now; refill; sent A1" },
	{ "a backlog that is due later is rescanned now and sent then",
	  "put A1@5000; activate 0 1; due now; refill; sent ; due 5000; +5000; refill; sent A1" },
	{ "a backlog of a webhook that is deleted is cancelled now",
	  "put A1@5000; delete A; activate 0 1; refill; cancels A1:deleted" },
	{ "a replica that fails leaves the gate closed",
	  "put A1; broken 1; activate-fails 0 1; gate 0 0; broken 0; activate 0 1; gate 0 1" },
	{ "a suspended partition has a closed gate and sends nothing",
	  "put A1-2 N1; activate 0 1; activate 1 2; suspend 0; gate 0 0; gate 1 2; refill; "
	  "sent N1" },
	{ "a partition that comes back with its epoch keeps its window",
	  "put A1-9; activate 0 1; refill; ok A1; suspend 0; activate 0 1; refill; sent A2-3" },
	{ "a partition that comes back with its epoch keeps what is in flight",
	  "put A1-2; activate 0 1; refill; sent A1; suspend 0; activate 0 1; refill; sent ; "
	  "memory 1; ok A1; refill; sent A2" },
	{ "a partition that is forgotten has nothing in memory",
	  "put A1-2 N1; activate 0 1; activate 1 1; refill; memory 2; forget 0; memory 1; "
	  "known 1; tenant A 0; tenant N 1" },
	{ "another epoch sends again what the old one had in flight",
	  "put A1; activate 0 1; refill; sent A1; suspend 0; forget 0; activate 0 2; gate 0 2; "
	  "refill; sent A1" },
	{ "another epoch begins with a window of one",
	  "put A1-9; activate 0 1; refill; ok A1; suspend 0; forget 0; activate 0 2; refill; "
	  "sent A2" },
	{ "another epoch knows no breaker but the recorded one",
	  "put A1-9; activate 0 1; refill; fail A1; refill; fail A2; refill; fail A3; open 1; "
	  "suspend 0; forget 0; open 0; activate 0 2; refill; sent A4" },
	{ "a partition that is forgotten leaves the lanes to others",
	  "limits 2 1; put A1 N1; activate 0 1; activate 1 1; refill; sent A1; forget 0; "
	  "refill; sent N1" },
	{ "the reports of a suspended partition are not listed",
	  "put A1-2; activate 0 1; refill; gone A1; suspend 0; reports ; end-reports 1; "
	  "activate 0 1; refill; sent A2" },
	{ "the cancellations of a suspended partition are not listed",
	  "put A1@500; activate 0 1; disable A; refill; suspend 0; cancels ; activate 0 1; "
	  "refill; cancels A1:disabled" },
	{ "an activation says when the next delivery is due",
	  "put A1@500 B1@900; activate 0 1; refill; due 500" },
	{ "an idle endpoint counts as none",
	  "add A1; refill; known 1; ok A1; known 0" },
	/* clang-format on */
};

DISPATCH_ROWS_MAIN(rows)
