/* The machine that is loaded now, and the sessions with its driver.
 * A live script is read again whenever its file was replaced: a new epoch in it is a driver that was loaded anew. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "machine.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Machine *loaded; /* kept after shutdown, as are those before it: handles of a careless caller must not dangle */
static struct stat loaded_from;
static int users;
static unsigned int session_epoch; /* of the driver with which the session of all users was begun */

static bool replaced(const char *path) {
    struct stat now;
    if (stat(path, &now) != 0) return false;
    bool same = now.st_ino == loaded_from.st_ino && now.st_mtim.tv_sec == loaded_from.st_mtim.tv_sec &&
                now.st_mtim.tv_nsec == loaded_from.st_mtim.tv_nsec;
    return !same;
}

static void load(const char *path) {
    struct stat before = {0};
    stat(path, &before);
    Machine *fresh = machine_load(path);
    if (fresh == NULL) return;
    fresh->previous = loaded;
    loaded = fresh;
    loaded_from = before;
}

static const Machine *current(void) {
    const char *path = getenv("AIPOWER_FAKE_NVML");
    if (path == NULL && loaded == NULL) fprintf(stderr, "fake nvml: AIPOWER_FAKE_NVML is not set\n");
    if (path != NULL && (loaded == NULL || (loaded->live && replaced(path)))) load(path);
    return loaded;
}

const Machine *machine_now(void) {
    pthread_mutex_lock(&lock);
    const Machine *machine = current();
    pthread_mutex_unlock(&lock);
    return machine;
}

Session session_now(void) {
    pthread_mutex_lock(&lock);
    const Machine *machine = users > 0 ? current() : NULL;
    Session session = {.machine = machine, .stale = machine != NULL && machine->epoch != session_epoch};
    pthread_mutex_unlock(&lock);
    return session;
}

/* Only the first user begins a session, as in the real library: those who join a stale one share it. */
void session_join(const Machine *machine) {
    pthread_mutex_lock(&lock);
    if (users++ == 0) session_epoch = machine->epoch;
    pthread_mutex_unlock(&lock);
}

void session_leave(void) {
    pthread_mutex_lock(&lock);
    users--;
    pthread_mutex_unlock(&lock);
}

static const Gpu *gpu_with_uuid(const Machine *machine, const char *uuid) {
    for (size_t i = 0; i < machine->gpu_count; i++) {
        if (strcmp(machine->gpus[i].uuid, uuid) == 0) return &machine->gpus[i];
    }
    return NULL;
}

static bool holds(const Machine *machine, const Gpu *gpu) {
    return gpu >= machine->gpus && gpu < machine->gpus + machine->gpu_count;
}

/* A handle outlives a replaced script, but not a driver that was loaded anew. */
nvmlReturn_t find_gpu(const Machine *machine, nvmlDevice_t device, const Gpu **gpu) {
    const Machine *holder = machine;
    while (holder != NULL && !(device != NULL && holds(holder, device))) holder = holder->previous;
    if (holder == NULL || holder->epoch != machine->epoch) return NVML_ERROR_INVALID_ARGUMENT;
    *gpu = holder == machine ? device : gpu_with_uuid(machine, device->uuid);
    return *gpu == NULL ? NVML_ERROR_GPU_IS_LOST : NVML_SUCCESS;
}
