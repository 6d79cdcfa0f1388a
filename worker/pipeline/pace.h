/*
 * How turns and commands keep step with the delivery threads. While these have enough to do, nobody
 * waits for what a turn would bring; so there are few turns, and each is worth its transaction.
 *
 * A turn is put off as long as the threads are busy, and what waits for them lasts longer than the
 * turn would take: it begins early enough that they do not run out. Where they keep up nothing
 * waits for them, and a turn begins at once. It is put off for a quarter of a second at most, and
 * not at all where the last one was undone.
 *
 * Commands that are handled while the threads cannot keep up become rows, are looked up again, and
 * are deleted. So they wait in Kafka, as long as there is enough to do for a whole further round;
 * but never for longer than a second, whatever is wrong with this judgement.
 *
 *                ◄── turn ──►◄── put off ──►◄── turn ──►
 *     waiting    ▼ as commands were committed           ▼
 *     attempts   ██████████▇▇▇▇▇▇▆▆▆▆▆▆▆▅▅▅▅▅▅▃▃▃▃▃▂▂▂▂▂▂█████████
 *                                           ▲ enough for one turn
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Times are monotonic. */
struct pace {
	int64_t asked_us;   /* when it was looked how busy the threads are */
	uint64_t worked_us; /* how long they had worked by then, all together */
	bool is_busy;       /* for more than a third of the time, of late */
	int64_t took_us;    /* when commands were last taken */
	int64_t turned_us;  /* when the last turn ended; 0: it was undone, or there was none */
	int64_t turn_us;    /* how long turns take, of late */
	size_t ended;       /* attempts, */
	int64_t ended_us;   /* within this time, of late */
};

/* What is known of the delivery threads now. */
struct pace_sight {
	int64_t now_us;     /* monotonic */
	uint64_t worked_us; /* since their start, all together */
	int threads;
	/* Attempts that wait for a thread, to many endpoints that answer promptly. One in flight
	 * waits for its endpoint, and one that has ended for a turn: neither counts. */
	size_t waiting;
};

/* Whether the turn that there is work for is to wait. */
bool pace_puts_off(struct pace *pace, const struct pace_sight *sight);
/* Whether its commands are to wait. Where they are not, they are taken now. */
bool pace_is_ahead(struct pace *pace, const struct pace_sight *sight);

/* A turn that began then was committed, with the outcomes of so many attempts. */
void pace_turned(struct pace *pace, int64_t begun_us, int64_t now_us, size_t outcomes);
void pace_undone(struct pace *pace);
