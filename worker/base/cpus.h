/*
 * The number of CPUs that this process may use. It is not the machine's: a container has an
 * affinity mask, a CPU quota, or both, and 64 threads on one CPU's time only wait for each other.
 */
#pragma once

/*
 * The smaller of the affinity mask (sched_getaffinity(2), which a cpuset narrows too) and the
 * quotas of the process's control groups, rounded up; at least 1. Falls back to the CPUs that are
 * online.
 */
int cpus_available(void);

/* Returns the whole text of a file, which the caller frees; NULL where it cannot be read. */
typedef char *(*cpus_read)(const char *path, void *userdata);

/*
 * The smallest CPU quota of the process's control groups and their visible ancestors, rounded up to
 * whole CPUs; INT_MAX without one. A file that `read` cannot read, or that has another form, is no
 * limit. Source: Linux, Documentation/admin-guide/cgroup-v2.rst (cpu.max) and
 * scheduler/sched-bwc.rst (cpu.cfs_quota_us, cpu.cfs_period_us); proc_pid_cgroup(5),
 * proc_pid_mountinfo(5).
 */
int cpus_quota(cpus_read read, void *userdata);
