/* stopwatch FILE COMMAND [ARGUMENT...]: runs the command and writes to FILE, in nanoseconds of CLOCK_MONOTONIC,

       start end cpu peak-rss-bytes left status

   CPU and peak memory are those of all its descendants, orphans too, which fall to this process. It is small, so that
   the peak of a program is not that of the process which forked it. A descendant that outlives the command by more
   than LINGER_S is killed, and counted as left. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINGER_S = 10, NOT_STARTED = 127 };

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t ns(struct timeval span) { return (int64_t)span.tv_sec * 1000000000 + (int64_t)span.tv_usec * 1000; }

static pid_t start(char **command) {
    pid_t pid = fork();
    if (pid != 0) return pid;
    execvp(command[0], command);
    perror(command[0]);
    _exit(NOT_STARTED);
}

/* The children that this process has now, orphans that fell to it too; killed. Their number. */
static int kill_children(void) {
    int killed = 0, pid;
    FILE *list = fopen("/proc/thread-self/children", "re");
    if (list == NULL) return 0;
    while (fscanf(list, "%d", &pid) == 1) {
        if (kill(pid, SIGKILL) == 0) killed++;
    }
    fclose(list);
    return killed;
}

/* Waits until no descendant is left; the number of those that had to be killed. */
static int drain(void) {
    int left = 0;
    int64_t until_ns = now_ns() + LINGER_S * INT64_C(1000000000);
    struct timespec pause = {.tv_nsec = 1000000};
    for (;;) {
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid < 0 && errno == ECHILD) return left;
        if (pid > 0) continue;
        if (now_ns() > until_ns) left += kill_children();
        nanosleep(&pause, NULL);
    }
}

int main(int count, char **words) {
    if (count < 3) {
        fprintf(stderr, "usage: stopwatch FILE COMMAND [ARGUMENT...]\n");
        return 2;
    }
    int status = 0;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int64_t start_ns = now_ns();
    pid_t pid = start(words + 2);
    if (pid < 0) return perror("fork"), 1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    int64_t end_ns = now_ns();
    int left = drain();
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    FILE *out = fopen(words[1], "we");
    if (out == NULL) return perror(words[1]), 1;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    fprintf(out, "%lld %lld %lld %lld %d %d\n", (long long)start_ns, (long long)end_ns,
            (long long)(ns(used.ru_utime) + ns(used.ru_stime)), (long long)used.ru_maxrss * 1024, left, code);
    return fclose(out) == 0 ? 0 : 1;
}
