/* A crowd of processes: crowd COUNT BUSY BURN_US PERIOD_US
 * Prints the pid of each; all end when standard input does. The first BUSY of them burn BURN_US of CPU in each
 * PERIOD_US, out of step with each other; the others sleep for good. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static int64_t cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void burn_us(long us) {
    int64_t end_ns = cpu_ns() + us * 1000;
    while (cpu_ns() < end_ns) {
    }
}

static void work(long number, long busy, long burn, long period) {
    if (number >= busy) {
        for (;;) pause();
    }
    usleep((useconds_t)(period / busy * number));
    for (;;) {
        burn_us(burn);
        usleep((useconds_t)(period - burn));
    }
}

static pid_t begin(long number, char **argv) {
    pid_t parent = getpid(), child = fork();
    if (child != 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1); /* it died before it could have been told to the kernel */
    fclose(stdin);
    fclose(stdout);
    work(number, atol(argv[2]), atol(argv[3]), atol(argv[4]));
    _exit(0);
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    long count = atol(argv[1]);
    setvbuf(stdout, NULL, _IONBF, 0);
    pid_t *pids = calloc((size_t)count, sizeof *pids);
    for (long number = 0; number < count; number++) {
        pids[number] = begin(number, argv);
        if (pids[number] < 0) {
            perror("crowd: fork");
            return 1;
        }
    }
    static char buffer[1 << 16];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    for (long number = 0; number < count; number++) printf("%d\n", pids[number]);
    fclose(stdout);
    while (getchar() != EOF) {
    }
    return 0;
}
