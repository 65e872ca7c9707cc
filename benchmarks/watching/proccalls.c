/* Counts the calls of a process on files below /proc: put before libc by LD_PRELOAD, it passes every call on.
 * AIPOWER_PROC_TALLY names a file of four numbers, shared by all processes: on, opens, reads, looks. A look is a
 * call that asks about a path and opens nothing. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPENS = 1, READS, LOOKS, NUMBERS };
enum { DESCRIPTORS = 1 << 16 };

static uint64_t *tally;
static bool below_proc[DESCRIPTORS];

__attribute__((constructor)) static void map_tally(void) {
    const char *path = getenv("AIPOWER_PROC_TALLY");
    int file = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return;
    void *memory = mmap(NULL, NUMBERS * sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory != MAP_FAILED) tally = memory;
}

static void count(int kind) {
    if (tally != NULL && tally[0] != 0) __atomic_fetch_add(&tally[kind], 1, __ATOMIC_RELAXED);
}

static bool known(int file) {
    return file >= 0 && file < DESCRIPTORS && below_proc[file];
}

static bool is_proc(int folder, const char *path) {
    if (path == NULL) return false;
    if (path[0] == '/') return strncmp(path, "/proc", 5) == 0 && (path[5] == '/' || path[5] == '\0');
    return known(folder);
}

static int opened(int file, bool proc) {
    if (proc) count(OPENS);
    if (file >= 0 && file < DESCRIPTORS) below_proc[file] = proc;
    return file;
}

/* The next definition of the function, asked for once. */
#define NEXT(type, name)                                                                                     \
    static type (*next)();                                                                                   \
    if (next == NULL) next = (type(*)())dlsym(RTLD_NEXT, name)

static mode_t mode_of(int flags, va_list rest) {
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? (mode_t)va_arg(rest, int) : 0;
}

#define OPEN(name)                                                                                           \
    int name(const char *path, int flags, ...) {                                                             \
        NEXT(int, #name);                                                                                    \
        va_list rest;                                                                                        \
        va_start(rest, flags);                                                                               \
        mode_t mode = mode_of(flags, rest);                                                                  \
        va_end(rest);                                                                                        \
        return opened(next(path, flags, mode), is_proc(AT_FDCWD, path));                                     \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                                         \
    int name(int folder, const char *path, int flags, ...) {                                                 \
        NEXT(int, #name);                                                                                    \
        va_list rest;                                                                                        \
        va_start(rest, flags);                                                                               \
        mode_t mode = mode_of(flags, rest);                                                                  \
        va_end(rest);                                                                                        \
        return opened(next(folder, path, flags, mode), is_proc(folder, path));                               \
    }
OPENAT(openat)
OPENAT(openat64)

#define FOPEN(name)                                                                                          \
    FILE *name(const char *path, const char *mode) {                                                         \
        NEXT(FILE *, #name);                                                                                 \
        FILE *file = next(path, mode);                                                                       \
        if (is_proc(AT_FDCWD, path)) count(OPENS), count(READS);                                             \
        return file;                                                                                         \
    }
FOPEN(fopen)
FOPEN(fopen64)

/* Reading a folder goes on inside libc, unseen: it is counted as one read. */
DIR *opendir(const char *path) {
    NEXT(DIR *, "opendir");
    if (is_proc(AT_FDCWD, path)) count(OPENS), count(READS);
    return next(path);
}

DIR *fdopendir(int file) {
    NEXT(DIR *, "fdopendir");
    if (known(file)) count(READS);
    return next(file);
}

ssize_t read(int file, void *buffer, size_t size) {
    NEXT(ssize_t, "read");
    if (known(file)) count(READS);
    return next(file, buffer, size);
}

#define PREAD(name)                                                                                          \
    ssize_t name(int file, void *buffer, size_t size, off_t at) {                                            \
        NEXT(ssize_t, #name);                                                                                \
        if (known(file)) count(READS);                                                                       \
        return next(file, buffer, size, at);                                                                 \
    }
PREAD(pread)
PREAD(pread64)

ssize_t readlink(const char *path, char *buffer, size_t size) {
    NEXT(ssize_t, "readlink");
    if (is_proc(AT_FDCWD, path)) count(LOOKS);
    return next(path, buffer, size);
}

ssize_t readlinkat(int folder, const char *path, char *buffer, size_t size) {
    NEXT(ssize_t, "readlinkat");
    if (is_proc(folder, path)) count(LOOKS);
    return next(folder, path, buffer, size);
}

#define STAT(name)                                                                                           \
    int name(const char *path, struct stat *facts) {                                                         \
        NEXT(int, #name);                                                                                    \
        if (is_proc(AT_FDCWD, path)) count(LOOKS);                                                           \
        return next(path, facts);                                                                            \
    }
STAT(stat)
STAT(lstat)
#define STAT64(name)                                                                                         \
    int name(const char *path, struct stat64 *facts) {                                                       \
        NEXT(int, #name);                                                                                    \
        if (is_proc(AT_FDCWD, path)) count(LOOKS);                                                           \
        return next(path, facts);                                                                            \
    }
STAT64(stat64)
STAT64(lstat64)

int fstatat(int folder, const char *path, struct stat *facts, int flags) {
    NEXT(int, "fstatat");
    if (is_proc(folder, path)) count(LOOKS);
    return next(folder, path, facts, flags);
}

int fstatat64(int folder, const char *path, struct stat64 *facts, int flags) {
    NEXT(int, "fstatat64");
    if (is_proc(folder, path)) count(LOOKS);
    return next(folder, path, facts, flags);
}

int access(const char *path, int mode) {
    NEXT(int, "access");
    if (is_proc(AT_FDCWD, path)) count(LOOKS);
    return next(path, mode);
}

int close(int file) {
    NEXT(int, "close");
    if (file >= 0 && file < DESCRIPTORS) below_proc[file] = false;
    return next(file);
}
