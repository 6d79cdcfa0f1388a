#include "base/cpus.h"
#include "base/memory.h"
#include "unit.h"

#include <limits.h>
#include <sched.h>

#define V2_MOUNT                                                                                   \
	"30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 "                        \
	"rw,nsdelegate,memory_recursiveprot\n"
#define V1_MOUNT                                                                                   \
	"33 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:15 - cgroup cgroup "           \
	"rw,cpu,cpuacct\n"
#define OTHER_MOUNTS                                                                               \
	"23 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"                                  \
	"34 31 0:30 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n"

struct file {
	const char *path, *text;
};

static const struct machine {
	const char *what;
	const char *groups, *mounts; /* /proc/self/cgroup and /proc/self/mountinfo */
	struct file files[8];
	int cpus;
} machines[] = {
	{ "nothing in /proc", NULL, NULL, { { 0 } }, INT_MAX },
	{ "no control groups", "", OTHER_MOUNTS, { { 0 } }, INT_MAX },
	{ "v2 without a quota",
	  "0::/a\n",
	  V2_MOUNT,
	  { { "/sys/fs/cgroup/a/cpu.max", "max 100000\n" } },
	  INT_MAX },
	{ "v2 without the file", "0::/a\n", V2_MOUNT, { { 0 } }, INT_MAX },
	{ "v2, one CPU",
	  "0::/a\n",
	  V2_MOUNT,
	  { { "/sys/fs/cgroup/a/cpu.max", "100000 100000\n" } },
	  1 },
	{ "v2, half a CPU",
	  "0::/a\n",
	  V2_MOUNT,
	  { { "/sys/fs/cgroup/a/cpu.max", "50000 100000\n" } },
	  1 },
	{ "v2, two and a half",
	  "0::/a\n",
	  V2_MOUNT,
	  { { "/sys/fs/cgroup/a/cpu.max", "250000 100000\n" } },
	  3 },
	{ "v2, another period",
	  "0::/a\n",
	  V2_MOUNT,
	  { { "/sys/fs/cgroup/a/cpu.max", "20000 5000\n" } },
	  4 },
	{ "v2, the limit of an ancestor",
	  "0::/system.slice/a.service/inner\n",
	  OTHER_MOUNTS V2_MOUNT,
	  { { "/sys/fs/cgroup/system.slice/cpu.max", "200000 100000\n" },
	    { "/sys/fs/cgroup/system.slice/a.service/cpu.max", "400000 100000\n" },
	    { "/sys/fs/cgroup/system.slice/a.service/inner/cpu.max", "max 100000\n" } },
	  2 },
	{ "v2, a name space of its own",
	  "0::/\n",
	  V2_MOUNT,
	  { { "/sys/fs/cgroup/cpu.max", "300000 100000\n" } },
	  3 },
	{ "v2, in the container that is mounted",
	  "0::/docker/abc/inner\n",
	  "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
	  { { "/sys/fs/cgroup/inner/cpu.max", "max 100000\n" },
	    { "/sys/fs/cgroup/cpu.max", "200000 100000\n" } },
	  2 },
	{ "v2, a group outside of what is mounted",
	  "0::/docker/abcd\n",
	  "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
	  { { "/sys/fs/cgroupd/cpu.max", "100000 100000\n" },
	    { "/sys/fs/cgroup/cpu.max", "500000 100000\n" } },
	  5 },
	{ "v2, mounted where a blank is",
	  "0::/a\n",
	  "30 23 0:26 / /run/my\\040groups rw - cgroup2 cgroup2 rw\n",
	  { { "/run/my groups/a/cpu.max", "200000 100000\n" } },
	  2 },
	{ "v1 without a quota",
	  "5:cpuset:/b\n4:cpu,cpuacct:/a\n",
	  V1_MOUNT,
	  { { "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n" },
	    { "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n" } },
	  INT_MAX },
	{ "v1, one and a half",
	  "5:cpuset:/b\n4:cpuacct,cpu:/a\n0::/\n",
	  OTHER_MOUNTS V1_MOUNT,
	  { { "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "150000\n" },
	    { "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n" } },
	  2 },
	{ "v1, the limit of an ancestor",
	  "4:cpu,cpuacct:/kubepods/pod/c\n",
	  V1_MOUNT,
	  { { "/sys/fs/cgroup/cpu,cpuacct/kubepods/pod/c/cpu.cfs_quota_us", "800000\n" },
	    { "/sys/fs/cgroup/cpu,cpuacct/kubepods/pod/c/cpu.cfs_period_us", "100000\n" },
	    { "/sys/fs/cgroup/cpu,cpuacct/kubepods/pod/cpu.cfs_quota_us", "300000\n" },
	    { "/sys/fs/cgroup/cpu,cpuacct/kubepods/pod/cpu.cfs_period_us", "100000\n" } },
	  3 },
	{ "v1, cpuset and cpuacct alone are none of it",
	  "5:cpuset:/b\n6:cpuacct:/b\n",
	  OTHER_MOUNTS,
	  { { "/sys/fs/cgroup/cpuset/b/cpu.cfs_quota_us", "100000\n" },
	    { "/sys/fs/cgroup/cpuset/b/cpu.cfs_period_us", "100000\n" } },
	  INT_MAX },
	{ "both, the smaller",
	  "4:cpu,cpuacct:/a\n0::/a\n",
	  V1_MOUNT "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
	  { { "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "400000\n" },
	    { "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n" },
	    { "/sys/fs/cgroup/unified/a/cpu.max", "200000 100000\n" } },
	  2 },
	{ "text that is no quota",
	  "0::/a\n4:cpu:/a\nnonsense\n:\n",
	  V1_MOUNT V2_MOUNT "nonsense\n1 2 3\n1 2 3 / - \n - \n1 2 3 4 5 - cgroup\n",
	  { { "/sys/fs/cgroup/a/cpu.max", "lots\n" },
	    { "/sys/fs/cgroup/cpu.max", "" },
	    { "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "" },
	    { "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "0\n" } },
	  INT_MAX },
	{ "numbers beyond all CPUs",
	  "0::/a\n",
	  V2_MOUNT,
	  { { "/sys/fs/cgroup/a/cpu.max", "9223372036854775807 1\n" },
	    { "/sys/fs/cgroup/cpu.max", "-5 0\n" } },
	  INT_MAX },
};

static char *read_machine(const char *path, void *userdata) {
	const struct machine *machine = userdata;
	const char *text = NULL;

	if (!strcmp(path, "/proc/self/cgroup"))
		text = machine->groups;
	if (!strcmp(path, "/proc/self/mountinfo"))
		text = machine->mounts;
	for (size_t i = 0; i < ARRAY_LEN(machine->files) && machine->files[i].path; i++)
		if (!strcmp(path, machine->files[i].path))
			text = machine->files[i].text;
	return text ? x_strdup(text) : NULL;
}

static void a_quota_is_the_smallest_up_to_the_root(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(machines); i++) {
		int cpus = cpus_quota(read_machine, (void *)(uintptr_t)&machines[i]);

		if (cpus != machines[i].cpus)
			fail_msg("%s: %d, not %d", machines[i].what, cpus, machines[i].cpus);
	}
}

static void an_affinity_mask_of_one_is_one_cpu(void **state _unused_) {
	cpu_set_t before, one;

	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	CPU_ZERO(&one);
	for (size_t cpu = 0; !CPU_COUNT(&one); cpu++)
		if (CPU_ISSET(cpu, &before))
			CPU_SET(cpu, &one);
	assert_true(cpus_available() >= 1 && cpus_available() <= CPU_COUNT(&before));
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(cpus_available(), 1);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quota_is_the_smallest_up_to_the_root),
		cmocka_unit_test(an_affinity_mask_of_one_is_one_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
