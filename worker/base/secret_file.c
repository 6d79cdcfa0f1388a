#include "base/secret_file.h"

#include "base/fd.h"
#include "base/utf8.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	OWN_MODE = S_IRUSR | S_IWUSR,
	ROOTS_MODE = S_IRUSR | S_IWUSR | S_IRGRP,
	MODE_BITS = 07777,
	ACL_ENTRIES_MAX = 32,
};

bool secret_file_group_is_ours(gid_t group) {
	_cleanup_(x_freep) gid_t *groups = NULL;
	int count = getgroups(0, NULL);

	if (group == 0 && geteuid() == 0)
		return false;
	if (group == getegid())
		return true;
	groups = x_calloc((size_t)MAX(count, 0), sizeof(*groups));
	count = getgroups(count, groups);
	for (int i = 0; i < count; i++)
		if (groups[i] == group)
			return true;
	return false;
}

/* On a Kubernetes volume with fsGroup the next mount makes files group-writable. */
static void append_remedy(struct buffer *why, mode_t mode, mode_t allowed) {
	buffer_printf(why, " (chmod %o", (unsigned)(mode & allowed));
	if (mode & S_IWGRP)
		buffer_append_string(
		    why, "; where Kubernetes' fsGroup did that: mount it as a Secret with "
			 "defaultMode 0440, or set fsGroupChangePolicy to OnRootMismatch");
	buffer_append_char(why, ')');
}

static int refuse_mode(struct buffer *why, mode_t mode, mode_t allowed, const char *since) {
	buffer_printf(why, "has mode %04o and must have %04o or less, since %s",
		      (unsigned)(mode & MODE_BITS), (unsigned)allowed, since);
	append_remedy(why, mode, allowed);
	return SECRET_FILE_E_REFUSED;
}

int secret_file_judge(const struct stat *file, struct buffer *why) {
	mode_t mode = file->st_mode & MODE_BITS;
	bool is_own = file->st_uid == geteuid(), is_roots = file->st_uid == 0;

	if (!S_ISREG(file->st_mode)) {
		buffer_append_string(why, "is not a regular file");
		return SECRET_FILE_E_REFUSED;
	}
	if (!is_own && !is_roots) {
		buffer_printf(
		    why, "is owned by user %u, and must be by this process's user (%u) or root",
		    (unsigned)file->st_uid, (unsigned)geteuid());
		return SECRET_FILE_E_REFUSED;
	}
	if (is_roots && secret_file_group_is_ours(file->st_gid))
		return mode & ~ROOTS_MODE
			   ? refuse_mode(why, mode, ROOTS_MODE,
					 "root owns it and its group is this process's")
			   : 0;
	if (mode & ~OWN_MODE)
		return refuse_mode(why, mode, OWN_MODE,
				   is_own ? "this process's user owns it"
					  : "root owns it and its group is not this process's");
	return 0;
}

struct access_list {
	struct posix_acl_xattr_header header;
	struct posix_acl_xattr_entry entries[ACL_ENTRIES_MAX];
};

static bool is_for_us_alone(const struct posix_acl_xattr_entry *entry) {
	switch (le16toh(entry->e_tag)) {
	case ACL_USER:
		return le32toh(entry->e_id) == geteuid();
	case ACL_GROUP_OBJ:
	case ACL_GROUP:
		return entry->e_perm == 0;
	default:
		return true; /* the owner's, the mask, and the others', as in the mode */
	}
}

/* Whether the group bits of the mode are the mask of an access list that gives rights to no group,
 * and to no other user than this process's. */
static bool group_bits_are_ours(int fd) {
	struct access_list list;
	ssize_t len = fgetxattr(fd, "system.posix_acl_access", &list, sizeof(list));
	size_t count;

	if (len < (ssize_t)sizeof(list.header) ||
	    le32toh(list.header.a_version) != POSIX_ACL_XATTR_VERSION)
		return false;
	count = ((size_t)len - sizeof(list.header)) / sizeof(list.entries[0]);
	for (size_t i = 0; i < count; i++)
		if (!is_for_us_alone(&list.entries[i]))
			return false;
	return true;
}

static int judge_opened(int fd, struct buffer *why) {
	struct stat file;

	if (fstat(fd, &file) < 0)
		return -errno;
	if (file.st_mode & S_IRWXG && group_bits_are_ours(fd))
		file.st_mode &= ~(mode_t)S_IRWXG;
	return secret_file_judge(&file, why);
}

int secret_file_open(const char *path, int *fd, struct buffer *why) {
	/* O_NONBLOCK: opening a named pipe must not hang before the file's type is checked. */
	int opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int r;

	if (opened < 0)
		return -errno;
	r = judge_opened(opened, why);
	if (r == 0)
		*fd = opened;
	else
		close(opened);
	return r;
}

/* Into one allocation: a growing buffer would leave copies of the secret behind. */
static int read_all(int fd, struct buffer *out) {
	char *room = buffer_reserve(out, out->max);
	ssize_t len = 0;

	while (room && out->len < out->max &&
	       (len = read(fd, room + out->len, out->max - out->len)) != 0) {
		if (len > 0)
			out->len += (size_t)len;
		else if (errno != EINTR)
			return -errno;
	}
	out->data[out->len] = '\0';
	return 0;
}

static void drop_line_end(struct buffer *text) {
	if (text->len && text->data[text->len - 1] == '\n')
		text->data[--text->len] = '\0';
	if (text->len && text->data[text->len - 1] == '\r')
		text->data[--text->len] = '\0';
}

int secret_file_read(const char *path, struct buffer *out, struct buffer *why) {
	_cleanup_(fd_closep) int fd = -1;
	int r = secret_file_open(path, &fd, why);

	if (r == 0)
		r = read_all(fd, out);
	if (r != 0)
		return r;
	if (out->len == out->max) {
		buffer_append_string(why, "is too large for a secret");
		return SECRET_FILE_E_REFUSED;
	}
	drop_line_end(out);
	if (out->len && utf8_is_text(out->data, out->len))
		return 0;
	buffer_append_string(why, out->len ? "is not UTF-8 text" : "is empty");
	return SECRET_FILE_E_REFUSED;
}
