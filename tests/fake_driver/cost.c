/* What a call costs its caller, and how many there were, as the environment wants it; nothing by default. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"

/* Shared by all processes that were given the file; whoever made it sets `on` while calls are to be counted. */
typedef struct {
    uint64_t on, calls, cpu_ns;
} Tally;

static struct {
    int64_t latency_ns;
    bool spin; /* a driver that works or polls; otherwise one that sleeps on an interrupt */
    Tally *tally;
} cost;

static Tally *map_tally(const char *path) {
    int file = open(path, O_RDWR | O_CLOEXEC);
    void *memory = file < 0 ? MAP_FAILED : mmap(NULL, sizeof(Tally), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (file >= 0) close(file);
    if (memory != MAP_FAILED) return memory;
    fprintf(stderr, "fake nvml: cannot count in %s\n", path);
    return NULL;
}

static void read_environment(void) {
    const char *latency_us = getenv("AIPOWER_FAKE_NVML_LATENCY_US"), *tally = getenv("AIPOWER_FAKE_NVML_TALLY");
    cost.latency_ns = latency_us == NULL ? 0 : (int64_t)(strtod(latency_us, NULL) * 1e3);
    cost.spin = getenv("AIPOWER_FAKE_NVML_SPIN") != NULL;
    cost.tally = tally == NULL ? NULL : map_tally(tally);
}

static int64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void take_time(void) {
    int64_t end_ns = clock_ns(CLOCK_MONOTONIC) + cost.latency_ns;
    struct timespec end = {.tv_sec = end_ns / 1000000000, .tv_nsec = end_ns % 1000000000};
    if (!cost.spin) {
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) != 0) {
        }
    }
    while (clock_ns(CLOCK_MONOTONIC) < end_ns) {
    }
}

int64_t cost_begin(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, read_environment);
    bool counted = cost.tally != NULL && __atomic_load_n(&cost.tally->on, __ATOMIC_RELAXED) != 0;
    int64_t began_ns = counted ? clock_ns(CLOCK_THREAD_CPUTIME_ID) : -1;
    if (counted) __atomic_fetch_add(&cost.tally->calls, 1, __ATOMIC_RELAXED);
    if (cost.latency_ns > 0) take_time();
    return began_ns;
}

void cost_end(const Call *call) {
    if (call->began_cpu_ns < 0) return;
    uint64_t spent_ns = (uint64_t)(clock_ns(CLOCK_THREAD_CPUTIME_ID) - call->began_cpu_ns);
    __atomic_fetch_add(&cost.tally->cpu_ns, spent_ns, __ATOMIC_RELAXED);
}
