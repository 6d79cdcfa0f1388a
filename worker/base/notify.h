/*
 * What a program tells its service manager: systemd, or whatever has set NOTIFY_SOCKET. Without one
 * nothing is told. Any thread. A manager that does not listen is no error; a word waits for a few
 * seconds for one that is busy, and the watchdog's, which is said again soon, does not wait at all.
 * Source: sd_notify(3), "Standalone Implementations".
 */
#pragma once

/* The start is over. Ends a reload too. */
void notify_ready(void);
/* The configuration is read again, until notify_ready. */
void notify_reloading(void);
/* The end has begun. */
void notify_stopping(void);
/* The loop goes round: the manager ends and restarts a program that does not say so for the time
 * that it wants (WATCHDOG_USEC). Called by the loop itself; tells nothing where nobody wants it. */
void notify_watchdog(void);
