#ifndef WORKER_H
#define WORKER_H

#include <stdbool.h>
#include <stddef.h>

/* A part of the daemon.  prepare runs once in the parent, before it gives up its privileges and forks; open runs in every
 * worker, in the order of the list; drain when a worker is asked to stop; close in reverse order.  Any may be NULL.
 * False stops the start and has been logged. */
struct module {
    const char *name;
    bool (*prepare)(void);
    bool (*open)(void);
    void (*drain)(void);
    void (*close)(void);
    const char *(*problem)(void); /* for /readyz: NULL when ready, else what is wrong */
    const char *(*note)(void);    /* likewise, what somebody should know although requests can be served */
};

/* A process of its own that the parent keeps alive beside the workers.  prepare runs in the parent before the first fork,
 * with the number of workers; run is the process, its return value its exit status. */
struct service {
    const char *name;
    bool (*prepare)(int workers);
    int (*run)(void);
};

/* The life of a worker; returns its exit status. */
int worker_run(int slot, int listener, const struct module *modules, size_t n);

/* Which worker this is, from 0. */
int worker_slot(void);

#endif
