/* What is wrapped. Each notes in FILE, in nanoseconds, when its first instruction ran, when its last did, and the CPU
   time that it and the children it waited for have used until then.

       load FILE true                nothing
       load FILE fork COUNT WIDTH    children that end at once, at most WIDTH at a time
       load FILE exec COUNT WIDTH    children that each become another program, which ends at once
       load leaf                     that program */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t used_ns(int who) {
    struct rusage used;
    getrusage(who, &used);
    return (int64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000000 +
           (int64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000;
}

static void child(const char *program) {
    if (program != NULL) execl(program, program, "leaf", (char *)NULL);
    _exit(program == NULL ? 0 : 127);
}

/* Returns 0 if all children were started and ended well. */
static int storm(long count, long width, const char *program) {
    long alive = 0;
    int bad = 0, status;
    while (count > 0 || alive > 0) {
        if (count > 0 && alive < width) {
            pid_t pid = fork();
            if (pid < 0) return 1;
            if (pid == 0) child(program);
            count--, alive++;
            continue;
        }
        if (wait(&status) < 0) return 1;
        bad |= status != 0;
        alive--;
    }
    return bad;
}

static int work(int count, char **words) {
    if (count == 3 && strcmp(words[2], "true") == 0) return 0;
    if (count != 5) return 2;
    int execs = strcmp(words[2], "exec") == 0;
    return storm(atol(words[3]), atol(words[4]), execs ? "/proc/self/exe" : NULL);
}

int main(int count, char **words) {
    int64_t first_ns = now_ns();
    if (count == 2 && strcmp(words[1], "leaf") == 0) return 0;
    if (count < 3) return 2;
    int code = work(count, words);
    FILE *out = fopen(words[1], "we");
    if (out == NULL) return perror(words[1]), 1;
    int64_t cpu_ns = used_ns(RUSAGE_SELF) + used_ns(RUSAGE_CHILDREN);
    fprintf(out, "%lld %lld %lld\n", (long long)first_ns, (long long)now_ns(), (long long)cpu_ns);
    fclose(out);
    return code;
}
