/* The scripted machine, and what the parts of the fake offer each other.
 * Times are seconds since the script's t0. A loaded machine never changes, so every process that loads
 * the same script sees the same machine at the same moment. A live script that is replaced makes a new machine. */
#ifndef AIPOWER_MACHINE_H
#define AIPOWER_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nvml_abi.h"

enum { TEXT = 96 };

typedef enum { SHAPE_SEGMENT, SHAPE_SQUARE, SHAPE_RAMP } ShapeKind;

/* Something added to a level from start_s to end_s. The level is watts, or percent for utilisation. */
typedef struct {
    ShapeKind kind;
    double start_s, end_s;
    double level;      /* a ramp's first level */
    double last_level; /* ramp only */
    double period_s;   /* square only; it is on for the first `duty` of each period */
    double duty;
} Shape;

typedef struct {
    Shape *items;
    size_t count;
} Shapes;

/* Publishes the mean power of the last window_s every period_s, at phase_s + k * period_s.
 * Where sample_s > 0 the window is known only through samples of that length, one per period. */
typedef struct {
    bool supported;
    double period_s, window_s, phase_s, sample_s;
} PowerSensor;

typedef enum { ENERGY_NONE, ENERGY_CONSTANT, ENERGY_FULL, ENERGY_PARTTIME } EnergyMode;

typedef struct {
    EnergyMode mode;
    double period_s, phase_s;
    double window_s; /* part-time only: the part of each period that is measured */
    double base_mj;  /* the counter at time 0 */
} EnergyCounter;

enum { KIND_COMPUTE = 1, KIND_GRAPHICS = 2, KIND_MPS = 4 };

typedef struct {
    char *pid_source; /* a number, env:NAME or file:PATH */
    double start_s, end_s;
    unsigned int kinds;
    unsigned int instance;
    unsigned long long memory_bytes;
    bool only_alive; /* left out while no such process runs */
    Shapes busy;
} Process;

typedef struct {
    bool one_per_sample; /* each sample names one process, as the hardware does; otherwise all */
    double period_s, ring_s;
    uint64_t seed;
    bool sizing_success;
    bool zero_rows;
    unsigned int garbage_rows;
    unsigned long long garbage_stamp_us; /* 0: the latest sample's */
} Sampler;

typedef struct {
    char *glob;
    double start_s, end_s;
    nvmlReturn_t code;
    double probability;
    double delay_s;
} FaultRule;

typedef struct {
    FaultRule *items;
    size_t count;
} FaultRules;

typedef struct {
    double start_s, end_s;
} Span;

typedef struct {
    Span *items;
    size_t count;
} Spans;

typedef struct {
    double at_s, amount_mj;
} Jump;

typedef enum { MIG_UNSUPPORTED, MIG_OFF, MIG_ON } MigMode;

enum { MEASURES = 4 }; /* graphics, SM, tensor, memory */

/* A GPU instance of MIG and how busy it is, in percent of itself. */
typedef struct {
    unsigned int id, slices;
    Shapes measures[MEASURES];
} Instance;

typedef struct Gpu {
    unsigned int index, minor, architecture;
    char uuid[TEXT], name[TEXT], pci_bus_id[TEXT];
    unsigned int pci_device_id, pci_subsystem_id;
    unsigned int limit_min_mw, limit_max_mw, limit_default_mw, limit_current_mw;
    bool persistence, accounting;
    MigMode mig;
    Instance *instances;
    size_t instance_count;
    unsigned long long memory_bytes;
    double idle_w;
    Shapes power;
    double gain, offset_w;
    EnergyCounter energy;
    PowerSensor instant, average;
    bool draw_is_average;
    bool gpu_scope;                /* false: the field calls reject the GPU scope */
    double module_w, memory_share; /* negative: no such scope */
    Sampler sampler;
    Process *processes;
    size_t process_count;
    FaultRules faults;
    double *resets_s;
    size_t reset_count;
    Spans stuck, lost;
    Jump *jumps;
    size_t jump_count;
} Gpu;

typedef struct {
    double at_s, by_s;
} Step;

typedef struct Machine {
    double t0_monotonic_s;
    double wall_offset_s; /* unix time minus CLOCK_MONOTONIC */
    Step *wall_steps;     /* when the wall clock was set, and by how much */
    size_t wall_step_count;
    bool live; /* the script is read again when its file was replaced */
    unsigned int epoch;
    struct Machine *previous; /* what the script said before */
    char *clock_path;     /* where set, the file that holds the time instead of the clock */
    char driver[TEXT], nvml[TEXT];
    int cuda;
    nvmlReturn_t init_code;
    FaultRules faults;
    Gpu *gpus;
    size_t gpu_count;
} Machine;

/* script.c: NULL, with the reason on stderr, where the script cannot be used. */
Machine *machine_load(const char *path);
void machine_free(Machine *machine);

/* power.c: integrals over [from_s, to_s], signed where from_s > to_s, and the truth behind every sensor. */
double shapes_integral(const Shapes *shapes, double from_s, double to_s);
double metered_energy_j(const Gpu *gpu, double from_s, double to_s);

/* sensors.c */
uint64_t energy_counter_mj(const Gpu *gpu, double now_s, double extra_w);
double power_reading_w(const Gpu *gpu, const PowerSensor *sensor, double now_s);

/* sampler.c */
/* The pid of a process that holds a context now, else 0. */
unsigned int present_pid(const Process *process, double now_s);
/* The pid of a process whether it runs or not, 0 while it is not known. */
unsigned int process_pid(const Process *process);

/* All samples of a process's life so far, and what they say of it. */
typedef struct {
    unsigned int count;
    double sum_percent;
} Life;
Life sampled_life(const Gpu *gpu, const Process *process, double now_s);
unsigned int engine_busy_percent(const Gpu *gpu, double now_s);
/* Rows newer than last_seen_us; *rows is allocated for the caller to free. */
size_t sample_rows(const Machine *machine, const Gpu *gpu, double now_s, unsigned long long last_seen_us,
                   nvmlProcessUtilizationSample_t **rows);

/* chance.c: the same key gives the same number in every process. */
uint64_t mix(uint64_t key);
double chance(uint64_t key);

/* calls.c: what happens before a call answers. */
typedef struct {
    const char *function;
    const Machine *machine;
    const Gpu *gpu;
    double began_s, now_s; /* before and after the scripted delay */
    int64_t began_cpu_ns;  /* negative where nobody counts */
    nvmlReturn_t result;   /* not SUCCESS: the answer of the call */
} Call;

Call begin_call(const char *function, const Gpu *gpu, const Machine *machine);
Call enter_system(const char *function);
Call enter_device(const char *function, nvmlDevice_t device);
nvmlReturn_t field_fault(const Call *call, unsigned int field);
nvmlReturn_t device_fault(const Call *call, const Gpu *gpu);
nvmlReturn_t answer_text(const char *text, char *buffer, unsigned int length);
double machine_time_s(const Machine *machine);
/* Unix time of the moment at_s, as the wall clock showed it then. */
double unix_at_s(const Machine *machine, double at_s);

/* cost.c: how long each call takes by itself, and what calls took. */
int64_t cost_begin(void);
void cost_end(const Call *call);

/* live.c */
typedef struct {
    const Machine *machine; /* NULL while the library is not initialised */
    bool stale;             /* the driver was loaded anew since the session began */
} Session;

/* The machine that the script describes now, NULL where it cannot be used. */
const Machine *machine_now(void);
Session session_now(void);
void session_join(const Machine *machine);
void session_leave(void);
nvmlReturn_t find_gpu(const Machine *machine, nvmlDevice_t device, const Gpu **gpu);

/* Declares `call` and returns from the enclosing function where the script says that it fails. */
#define ENTER_SYSTEM()                                                                                       \
    __attribute__((cleanup(cost_end))) Call call = enter_system(__func__);                                   \
    if (call.result != NVML_SUCCESS) return call.result
#define ENTER_DEVICE(device)                                                                                 \
    __attribute__((cleanup(cost_end))) Call call = enter_device(__func__, device);                           \
    if (call.result != NVML_SUCCESS) return call.result
#define REQUIRE(pointer)                                                                                     \
    if ((pointer) == NULL) return NVML_ERROR_INVALID_ARGUMENT

#endif
