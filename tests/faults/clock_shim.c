/* Preloaded into an agent: the wall clock is set, and the machine has slept, when a file says so.
 * Each line of the file: the moment (CLOCK_MONOTONIC), seconds to add to CLOCK_REALTIME, seconds to CLOCK_BOOTTIME. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double monotonic_s(void) {
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static long seconds_to_add(clockid_t clock) {
    const char *path = getenv("AIPOWER_TEST_CLOCK");
    FILE *file = path == NULL ? NULL : fopen(path, "re");
    double at_s;
    long wall_s, boot_s, sum_s = 0;
    if (file == NULL) return 0;
    while (fscanf(file, "%lf %ld %ld", &at_s, &wall_s, &boot_s) == 3) {
        if (at_s <= monotonic_s()) sum_s += clock == CLOCK_REALTIME ? wall_s : boot_s;
    }
    fclose(file);
    return sum_s;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    long result = syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME)) now->tv_sec += seconds_to_add(clock);
    return (int)result;
}
