/* cpu.c - reading /proc. */
#include "tests/bench/cpu.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static uint64_t threads_ns(pid_t pid)
{
    char path[300];
    uint64_t sum = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *d = opendir(path);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL; ) {
        unsigned long long ns = 0;
        snprintf(path, sizeof path, "/proc/%d/task/%.20s/schedstat", (int)pid, e->d_name);
        FILE *f = e->d_name[0] != '.' ? fopen(path, "r") : NULL;
        if (f != NULL) {
            if (fscanf(f, "%llu", &ns) == 1)
                sum += ns;
            fclose(f);
        }
    }
    if (d != NULL)
        closedir(d);
    return sum;
}

static uint64_t own_rss(pid_t pid)
{
    char path[64];
    unsigned long size = 0, rss = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return 0;
    if (fscanf(f, "%lu %lu", &size, &rss) != 2)
        rss = 0;
    fclose(f);
    return (uint64_t)rss * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
}

static uint64_t with_children(pid_t pid, uint64_t (*one)(pid_t))
{
    char path[64];
    uint64_t sum = one(pid);
    int child;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return sum;
    while (fscanf(f, "%d", &child) == 1)
        sum += one((pid_t)child);
    fclose(f);
    return sum;
}

uint64_t cpu_ns(pid_t pid) { return with_children(pid, threads_ns); }
uint64_t rss_kib(pid_t pid) { return with_children(pid, own_rss); }
