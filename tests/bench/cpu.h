/* cpu.h - processor time that processes have taken, to the nanosecond, all threads and children. */
#ifndef BENCH_CPU_H
#define BENCH_CPU_H
#include <stdint.h>
#include <sys/types.h>

/* Nanoseconds of run time of a process: every thread, and every direct child (nginx's workers). */
uint64_t cpu_ns(pid_t pid);
/* Resident memory in KiB, children included. */
uint64_t rss_kib(pid_t pid);
#endif
