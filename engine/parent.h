#ifndef PARENT_H
#define PARENT_H

#include "worker.h"

/* Keep the workers and services alive until told to stop; returns the exit status. */
int parent_run(const struct module *modules, size_t nmodules, const struct service *services, size_t nservices);

#endif
