/* The driver's process sampler: a ring of samples, averaged over those that are newer than the caller's stamp. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

typedef struct {
    double sum_percent;
    long last; /* the latest sample that names the process */
} Account;

static unsigned int pid_from_file(const char *path) {
    unsigned int pid = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL) return 0;
    if (fscanf(file, "%u", &pid) != 1) pid = 0;
    fclose(file);
    return pid;
}

/* 0 while the pid is not known yet. */
unsigned int process_pid(const Process *process) {
    const char *source = process->pid_source;
    if (strncmp(source, "file:", 5) == 0) return pid_from_file(source + 5);
    if (strncmp(source, "env:", 4) == 0) source = getenv(source + 4);
    return source == NULL ? 0 : (unsigned int)strtoul(source, NULL, 10);
}

static bool runs(unsigned int pid) {
    return kill((pid_t)pid, 0) == 0 || errno == EPERM;
}

/* The pid to show, or 0 where the process is not known yet or no more. */
static unsigned int shown_pid(const Process *process) {
    unsigned int pid = process_pid(process);
    return pid != 0 && process->only_alive && !runs(pid) ? 0 : pid;
}

unsigned int present_pid(const Process *process, double now_s) {
    return process->start_s <= now_s && now_s < process->end_s ? shown_pid(process) : 0;
}

/* Mean utilisation during the sample that ends at sample * period_s. */
static double process_percent(const Gpu *gpu, const Process *process, long sample) {
    double period_s = gpu->sampler.period_s;
    double from_s = fmax(((double)sample - 1.0) * period_s, process->start_s);
    double to_s = fmin((double)sample * period_s, process->end_s);
    return to_s > from_s ? shapes_integral(&process->busy, from_s, to_s) / period_s : 0.0;
}

/* Fills percents[] and returns their sum. */
static double all_percents(const Gpu *gpu, long sample, const unsigned int *pids, double *percents) {
    double sum = 0.0;
    for (size_t i = 0; i < gpu->process_count; i++) {
        percents[i] = pids[i] != 0 ? process_percent(gpu, &gpu->processes[i], sample) : 0.0;
        sum += percents[i];
    }
    return sum;
}

/* The process that a sample names: the busier, the likelier. */
static size_t named_process(const Gpu *gpu, long sample, const double *percents, double sum) {
    double point = chance(gpu->sampler.seed ^ mix((uint64_t)sample)) * sum;
    size_t chosen = 0;
    for (size_t i = 0; i < gpu->process_count; i++) {
        if (percents[i] <= 0.0) continue;
        chosen = i;
        if (point < percents[i]) break;
        point -= percents[i];
    }
    return chosen;
}

static void account(Account *entry, double percent, long sample) {
    if (percent <= 0.0) return;
    entry->sum_percent += percent;
    entry->last = sample;
}

static void account_sample(const Gpu *gpu, long sample, const unsigned int *pids, double *percents, Account *accounts) {
    double sum = all_percents(gpu, sample, pids, percents);
    if (sum <= 0.0) return;
    if (gpu->sampler.one_per_sample) {
        account(&accounts[named_process(gpu, sample, percents, sum)], fmin(sum, 100.0), sample);
        return;
    }
    double scale = sum > 100.0 ? 100.0 / sum : 1.0;
    for (size_t i = 0; i < gpu->process_count; i++) account(&accounts[i], percents[i] * scale, sample);
}

static unsigned long long stamp_us(const Machine *machine, const Gpu *gpu, long sample) {
    return (unsigned long long)llround(unix_at_s(machine, (double)sample * gpu->sampler.period_s) * 1e6);
}

static long latest_sample(const Gpu *gpu, double now_s) {
    return (long)floor(now_s / gpu->sampler.period_s);
}

/* The first sample in the ring that is newer than last_seen_us. */
static long first_sample(const Machine *machine, const Gpu *gpu, long latest, unsigned long long last_seen_us) {
    long first = latest - (long)floor(gpu->sampler.ring_s / gpu->sampler.period_s) + 1;
    while (first <= latest && stamp_us(machine, gpu, first) <= last_seen_us) first++;
    return first;
}

static size_t named_rows(const Machine *machine, const Gpu *gpu, const unsigned int *pids, const Account *accounts,
                         long samples, nvmlProcessUtilizationSample_t *rows) {
    size_t count = 0;
    for (size_t i = 0; i < gpu->process_count; i++) {
        if (accounts[i].sum_percent <= 0.0) continue;
        rows[count].pid = pids[i];
        rows[count].timeStamp = stamp_us(machine, gpu, accounts[i].last);
        rows[count++].smUtil = (unsigned int)(accounts[i].sum_percent / (double)samples + 1e-9);
    }
    return count;
}

/* Rows as they were seen in the field: no such process, a utilisation far above 100. */
static size_t garbage_rows(const Machine *machine, const Gpu *gpu, long latest, nvmlProcessUtilizationSample_t *rows) {
    unsigned long long stamp = gpu->sampler.garbage_stamp_us;
    if (stamp == 0) stamp = stamp_us(machine, gpu, latest);
    for (unsigned int i = 0; i < gpu->sampler.garbage_rows; i++) {
        uint64_t noise = mix(gpu->sampler.seed + i + 1);
        rows[i] = (nvmlProcessUtilizationSample_t){.pid = (unsigned int)(noise >> 32), .timeStamp = stamp};
        rows[i].smUtil = (unsigned int)noise | 0x80u;
    }
    return gpu->sampler.garbage_rows;
}

size_t sample_rows(const Machine *machine, const Gpu *gpu, double now_s, unsigned long long last_seen_us,
                   nvmlProcessUtilizationSample_t **rows) {
    size_t processes = gpu->process_count;
    long latest = latest_sample(gpu, now_s);
    long first = first_sample(machine, gpu, latest, last_seen_us);
    *rows = calloc(processes + gpu->sampler.garbage_rows + 1, sizeof **rows);
    Account *accounts = calloc(processes + 1, sizeof *accounts);
    double *percents = calloc(processes + 1, sizeof *percents);
    unsigned int *pids = calloc(processes + 1, sizeof *pids);
    for (size_t i = 0; i < processes; i++) pids[i] = shown_pid(&gpu->processes[i]);
    for (long k = first; k <= latest; k++) account_sample(gpu, k, pids, percents, accounts);
    size_t count = named_rows(machine, gpu, pids, accounts, latest - first + 1, *rows);
    count += garbage_rows(machine, gpu, latest, *rows + count);
    free(pids);
    free(percents);
    free(accounts);
    return count;
}

/* A life without a beginning begins with the script. */
Life sampled_life(const Gpu *gpu, const Process *process, double now_s) {
    double period_s = gpu->sampler.period_s;
    long first = (long)floor(fmax(process->start_s, 0.0) / period_s) + 1;
    long last = (long)ceil(fmin(process->end_s, now_s) / period_s);
    Life life = {0};
    for (long k = first; k <= last; k++) {
        life.count++;
        life.sum_percent += process_percent(gpu, process, k);
    }
    return life;
}

unsigned int engine_busy_percent(const Gpu *gpu, double now_s) {
    double sum = 0.0;
    for (size_t i = 0; i < gpu->process_count; i++) {
        if (shown_pid(&gpu->processes[i]) != 0) sum += process_percent(gpu, &gpu->processes[i], latest_sample(gpu, now_s));
    }
    return (unsigned int)fmin(sum + 1e-9, 100.0);
}
