/* Notes what a program does to the files of one folder, in the order in which it does it, for powercut.rs: loaded by
 * LD_PRELOAD, it stands between the program and the C library. Nothing is synced really, which is what takes time.
 *
 * A record is its kind, the file's inode, a place, the length of what follows, and that: data, or names.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *folder;
static int record = -1;
/* One at a time, so that the order of the records is that of the deeds. */
static pthread_mutex_t alone = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("POWERCUT_RECORD");
    folder = getenv("POWERCUT_FOLDER");
    if (path && folder)
        record = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void put(const void *bytes, size_t length) {
    while (length > 0) {
        long put = syscall(SYS_write, record, bytes, length);
        if (put <= 0)
            abort();
        bytes = (const char *)bytes + put;
        length -= put;
    }
}

static void note(char kind, uint64_t file, uint64_t place, const void *bytes, uint64_t length) {
    uint64_t head[4] = {(uint64_t)kind, file, place, length};
    put(head, sizeof head);
    put(bytes, length);
}

/* The name of a file in the folder; NULL for any other. */
static const char *name_of(const char *path) {
    size_t length = folder ? strlen(folder) : 0;
    if (record < 0 || strncmp(path, folder, length) != 0 || path[length] != '/')
        return NULL;
    return path + length + 1;
}

/* The inode of a file in the folder, or of the folder itself; 0 for any other. */
static uint64_t inode_of(int fd, int *is_folder) {
    char link[64], path[4096];
    struct stat data;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = record < 0 ? -1 : readlink(link, path, sizeof path - 1);
    if (length < 0 || fstat(fd, &data) != 0)
        return 0;
    path[length] = 0;
    *is_folder = strcmp(path, folder) == 0;
    return *is_folder || name_of(path) ? data.st_ino : 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int open_noted(const char *path, int flags, mode_t mode) {
    const char *name = flags & (O_CREAT | O_TRUNC) ? name_of(path) : NULL;
    if (!name)
        return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    pthread_mutex_lock(&alone);
    struct stat data;
    int is_new = lstat(path, &data) != 0;
    int fd = syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd >= 0 && fstat(fd, &data) == 0) {
        if (is_new)
            note('C', data.st_ino, 0, name, strlen(name));
        else if (flags & O_TRUNC)
            note('T', data.st_ino, 0, NULL, 0);
    }
    pthread_mutex_unlock(&alone);
    return fd;
}

#define OPEN(name)                                  \
    int name(const char *path, int flags, ...) {    \
        va_list more;                               \
        va_start(more, flags);                      \
        mode_t mode = va_arg(more, int);            \
        va_end(more);                               \
        return open_noted(path, flags, mode);       \
    }
OPEN(open)
OPEN(open64)

static ssize_t write_noted(int fd, const void *bytes, ssize_t written, off_t place) {
    int is_folder;
    uint64_t file = written > 0 ? inode_of(fd, &is_folder) : 0;
    if (file)
        note('W', file, place < 0 ? lseek(fd, 0, SEEK_CUR) - written : place, bytes, written);
    return written;
}

ssize_t write(int fd, const void *bytes, size_t length) {
    pthread_mutex_lock(&alone);
    ssize_t written = write_noted(fd, bytes, syscall(SYS_write, fd, bytes, length), -1);
    pthread_mutex_unlock(&alone);
    return written;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t place) {
    pthread_mutex_lock(&alone);
    ssize_t written = syscall(SYS_pwrite64, fd, bytes, length, place);
    written = write_noted(fd, bytes, written, place);
    pthread_mutex_unlock(&alone);
    return written;
}

int ftruncate64(int fd, off64_t length) {
    int is_folder;
    pthread_mutex_lock(&alone);
    int done = syscall(SYS_ftruncate, fd, length);
    uint64_t file = done == 0 ? inode_of(fd, &is_folder) : 0;
    if (file)
        note('T', file, length, NULL, 0);
    pthread_mutex_unlock(&alone);
    return done;
}

static int sync_noted(int fd, long number) {
    int is_folder;
    pthread_mutex_lock(&alone);
    uint64_t file = inode_of(fd, &is_folder);
    if (file)
        note(is_folder ? 'D' : 'S', file, 0, NULL, 0);
    pthread_mutex_unlock(&alone);
    return file ? 0 : syscall(number, fd);
}

int fsync(int fd) { return sync_noted(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_noted(fd, SYS_fdatasync); }

int rename(const char *from, const char *to) {
    const char *old = name_of(from), *new = name_of(to);
    pthread_mutex_lock(&alone);
    int done = REAL(rename)(from, to);
    if (done == 0 && old && new) {
        char names[8192];
        int length = snprintf(names, sizeof names, "%s/%s", old, new);
        note('R', 0, 0, names, length);
    }
    pthread_mutex_unlock(&alone);
    return done;
}

int unlink(const char *path) {
    const char *name = name_of(path);
    pthread_mutex_lock(&alone);
    int done = REAL(unlink)(path);
    if (done == 0 && name)
        note('U', 0, 0, name, strlen(name));
    pthread_mutex_unlock(&alone);
    return done;
}
