#include "base/cpus.h"

#include "base/memory.h"

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

enum {
	FILE_MAX = 1 << 20, /* the mountinfo of a machine with thousands of mounts */
	MASK_CPUS_MIN = 1024,
	MASK_CPUS_MAX = 1 << 16,
};

struct reader {
	cpus_read read;
	void *userdata;
};

/* --- The quota of one control group --- */

static int whole_cpus(long long quota_us, long long period_us) {
	long long cpus = quota_us <= 0 || period_us <= 0
			     ? INT_MAX
			     : quota_us / period_us + (quota_us % period_us != 0);

	return (int)MIN(cpus, (long long)INT_MAX);
}

static char *read_in(const struct reader *reader, const char *folder, const char *file) {
	_cleanup_(x_freep) char *path = x_asprintf("%s/%s", folder, file);

	return reader->read(path, reader->userdata);
}

/* "max 100000" means no limit. */
static int group_quota_v2(const struct reader *reader, const char *folder) {
	_cleanup_(x_freep) char *text = read_in(reader, folder, "cpu.max");
	long long quota_us, period_us;

	return text && sscanf(text, "%lld %lld", &quota_us, &period_us) == 2
		   ? whole_cpus(quota_us, period_us)
		   : INT_MAX;
}

/* -1 means no limit. */
static int group_quota_v1(const struct reader *reader, const char *folder) {
	_cleanup_(x_freep) char *quota = read_in(reader, folder, "cpu.cfs_quota_us");
	_cleanup_(x_freep) char *period = read_in(reader, folder, "cpu.cfs_period_us");

	return quota && period ? whole_cpus(atoll(quota), atoll(period)) : INT_MAX;
}

/* --- From the process's group up to the hierarchy's mount --- */

struct mount {
	char *root;  /* the mounted group */
	char *point; /* the mount point */
	bool is_v2;
};

static int mount_quota(const struct reader *reader, const struct mount *mount, const char *group) {
	size_t root_len = strcmp(mount->root, "/") ? strlen(mount->root) : 0,
	       point_len = strlen(mount->point);
	bool inside =
	    !strncmp(group, mount->root, root_len) && (group[root_len] == '/' || !group[root_len]);
	/* A group outside the mounted one was named in another cgroup namespace. The mount
	 * itself is then this process's group. */
	_cleanup_(x_freep) char *folder =
	    x_asprintf("%s%s", mount->point, inside ? group + root_len : "");
	int least = INT_MAX;

	for (;;) {
		char *slash = strrchr(folder, '/');
		int quota =
		    mount->is_v2 ? group_quota_v2(reader, folder) : group_quota_v1(reader, folder);

		least = MIN(least, quota);
		if (!slash || (size_t)(slash - folder) < point_len)
			return least;
		*slash = '\0';
	}
}

/* Whether `name` is an element of the comma-separated `list`. */
static bool has_name(const char *list, const char *name) {
	size_t len = strlen(name);

	for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		if (!strncmp(at, name, len) && (!at[len] || at[len] == ','))
			return true;
	return false;
}

/* Replaces \040 by a blank and so on. Source: proc_pid_mountinfo(5), octal escapes as in
 * getmntent(3). */
static void unescape(char *text) {
	char *out = text;

	for (const char *at = text; *at; at++) {
		bool octal = at[0] == '\\' && strspn(at + 1, "01234567") >= 3;

		if (octal)
			*out++ = (char)((at[1] - '0') << 6 | (at[2] - '0') << 3 | (at[3] - '0'));
		else
			*out++ = *at;
		at += octal ? 3 : 0;
	}
	*out = '\0';
}

/* id parent major:minor ROOT POINT options [optional...] - TYPE source OPTIONS */
static bool parse_mount(char *line, struct mount *mount) {
	char *fields[5], *rest = line, *state = NULL, *tail = strstr(line, " - "), *type, *options;

	if (!tail)
		return false;
	*tail = '\0';
	for (size_t i = 0; i < ARRAY_LEN(fields); i++, rest = NULL) {
		fields[i] = strtok_r(rest, " ", &state);
		if (!fields[i])
			return false;
	}
	type = strtok_r(tail + strlen(" - "), " ", &state);
	if (!type || !strtok_r(NULL, " ", &state))
		return false;
	options = strtok_r(NULL, " ", &state);
	mount->root = fields[3];
	mount->point = fields[4];
	mount->is_v2 = !strcmp(type, "cgroup2");
	unescape(mount->root);
	unescape(mount->point);
	return mount->is_v2 || (!strcmp(type, "cgroup") && options && has_name(options, "cpu"));
}

/* Lines of hierarchy:controllers:group. The v2 hierarchy is 0 and has no controllers there. */
static char *find_group(const char *groups, bool is_v2) {
	_cleanup_(x_freep) char *text = x_strdup(groups);
	char *state = NULL;

	for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
		char *controllers = strchr(line, ':'),
		     *group = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!group)
			continue;
		*controllers++ = *group++ = '\0';
		if (is_v2 ? !strcmp(line, "0") && !*controllers : has_name(controllers, "cpu"))
			return x_strdup(group);
	}
	return NULL;
}

int cpus_quota(cpus_read read, void *userdata) {
	const struct reader reader = { read, userdata };
	_cleanup_(x_freep) char *groups = read("/proc/self/cgroup", userdata),
				*mounts = read("/proc/self/mountinfo", userdata);
	char *state = NULL;
	int least = INT_MAX;

	if (!groups || !mounts)
		return INT_MAX;
	for (char *line = strtok_r(mounts, "\n", &state); line;
	     line = strtok_r(NULL, "\n", &state)) {
		struct mount mount;
		_cleanup_(x_freep) char *group =
		    parse_mount(line, &mount) ? find_group(groups, mount.is_v2) : NULL;
		int quota = group ? mount_quota(&reader, &mount, group) : INT_MAX;

		least = MIN(least, quota);
	}
	return least;
}

/* --- This process --- */

static char *read_file(const char *path, void *userdata _unused_) {
	FILE *file = fopen(path, "re");
	_cleanup_(x_freep) char *text = NULL;
	size_t len;

	if (!file)
		return NULL;
	text = x_malloc(FILE_MAX + 1);
	len = fread(text, 1, FILE_MAX, file);
	fclose(file);
	text[len] = '\0';
	return x_realloc(TAKE(text), len + 1);
}

/* The kernel rejects a mask smaller than its own, which exceeds cpu_set_t on machines with more
 * than 1,024 CPUs. */
static int count_allowed(void) {
	for (int cpus = MASK_CPUS_MIN; cpus <= MASK_CPUS_MAX; cpus *= 2) {
		cpu_set_t *mask = CPU_ALLOC((size_t)cpus);
		size_t size = CPU_ALLOC_SIZE((size_t)cpus);
		int count = mask && !sched_getaffinity(0, size, mask) ? CPU_COUNT_S(size, mask) : 0;

		CPU_FREE(mask);
		if (count)
			return count;
	}
	return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

int cpus_available(void) {
	int allowed = count_allowed(), quota = cpus_quota(read_file, NULL);

	return MAX(MIN(allowed, quota), 1);
}
