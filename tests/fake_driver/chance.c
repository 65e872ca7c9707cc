/* Repeatable randomness: chance is a function of what it is asked about, so no process has a state of its own. */
#include "machine.h"

/* The finaliser of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). */
uint64_t mix(uint64_t key) {
    key += 0x9E3779B97F4A7C15u;
    key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9u;
    key = (key ^ (key >> 27)) * 0x94D049BB133111EBu;
    return key ^ (key >> 31);
}

double chance(uint64_t key) {
    return (double)(mix(key) >> 11) / 9007199254740992.0; /* 2^53 */
}
