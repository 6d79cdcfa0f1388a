/*
 * How many CPUs this process may use. A machine's cores are not the answer: a container has an
 * affinity mask, a quota of CPU time, or both, and a process that starts a thread for each of 64
 * cores within one CPU's time only waits for itself.
 */
#pragma once

/*
 * The smaller of the affinity mask (sched_getaffinity(2), which a cpuset narrows too) and the
 * quotas of the process's control groups, rounded up. At least 1. Where the system tells nothing,
 * the cores that are online.
 */
int cpus_available(void);

/* The whole text of a file, which the caller frees; NULL where it cannot be read. */
typedef char *(*cpus_read)(const char *path, void *userdata);

/*
 * The smallest CPU quota of the process's control groups and of all their ancestors that are
 * visible here, rounded up to whole CPUs; INT_MAX without one. What `read` cannot read, or does not
 * say so in the form below, is no limit. Source: Linux, Documentation/admin-guide/cgroup-v2.rst
 * (cpu.max) and scheduler/sched-bwc.rst (cpu.cfs_quota_us, cpu.cfs_period_us); proc_pid_cgroup(5),
 * proc_pid_mountinfo(5).
 */
int cpus_quota(cpus_read read, void *userdata);
