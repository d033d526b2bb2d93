/* A disk that fails, or a process that dies, at a chosen call: preloaded into a process that uses a vault.
 *
 * FAULTY_FOLDER: calls on files below it count. FAULTY_CONTROL: a file of five numbers that both sides map or read:
 * what to do (see disk.rs), at which call, how many were counted, whether it was done, and files created elsewhere. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

enum { OFF, NO_SYNC, NO_SYNC_EVER, NO_SPACE, NO_SPACE_EVER, KILL };
enum { MODE, AT, COUNTED, DONE, ELSEWHERE, NUMBERS };

static volatile int32_t *control;
static char folder[4096];
static int (*real_open)(const char *, int, ...);

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULTY_CONTROL");
    real_open = dlsym(RTLD_NEXT, "open64");
    if (!path || !getenv("FAULTY_FOLDER")) return;
    snprintf(folder, sizeof folder, "%s", getenv("FAULTY_FOLDER"));
    int fd = real_open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void *map = mmap(NULL, NUMBERS * sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED) control = map;
}

static int is_below(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return strncmp(path, folder, strlen(folder)) == 0;
}

/* Whether this call, which is a sync or a write, is to fail. */
static int fails(int fd, int is_sync) {
    if (!control || control[MODE] == OFF || !is_below(fd)) return 0;
    int mode = control[MODE];
    int counts = mode == KILL || (is_sync ? mode == NO_SYNC || mode == NO_SYNC_EVER
                                          : mode == NO_SPACE || mode == NO_SPACE_EVER);
    if (!counts) return 0;
    int32_t number = __sync_add_and_fetch(&control[COUNTED], 1);
    int ever = mode == NO_SYNC_EVER || mode == NO_SPACE_EVER;
    if (ever ? number < control[AT] : number != control[AT]) return 0;
    control[DONE] = 1;
    if (mode == KILL) kill(getpid(), SIGKILL);
    errno = is_sync ? EIO : ENOSPC;
    return 1;
}

#define CALL(result, name, is_sync, parameters, arguments)                 \
    result name parameters {                                               \
        static result(*real) parameters;                                   \
        if (!real) real = (result(*) parameters)dlsym(RTLD_NEXT, #name);   \
        return fails(fd, is_sync) ? -1 : real arguments;                   \
    }

CALL(int, fsync, 1, (int fd), (fd))
CALL(int, fdatasync, 1, (int fd), (fd))
CALL(ssize_t, write, 0, (int fd, const void *bytes, size_t size), (fd, bytes, size))
CALL(ssize_t, pwrite, 0, (int fd, const void *bytes, size_t size, off_t at), (fd, bytes, size, at))
CALL(ssize_t, pwrite64, 0, (int fd, const void *bytes, size_t size, off64_t at), (fd, bytes, size, at))
CALL(int, ftruncate, 0, (int fd, off_t size), (fd, size))
CALL(int, ftruncate64, 0, (int fd, off64_t size), (fd, size))

static void note_creation(const char *path, int flags) {
    int creates = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
    if (control && creates && strncmp(path, folder, strlen(folder)) != 0) control[ELSEWHERE]++;
}

#define OPEN(name)                                                \
    int name(const char *path, int flags, ...) {                  \
        va_list rest;                                             \
        va_start(rest, flags);                                    \
        mode_t mode = va_arg(rest, mode_t);                       \
        va_end(rest);                                             \
        note_creation(path, flags);                               \
        return real_open(path, flags, mode);                      \
    }

OPEN(open)
OPEN(open64)
