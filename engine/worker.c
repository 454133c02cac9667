#include "worker.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "http.h"
#include "log.h"
#include "loop.h"
#include "req.h"
#include "settings.h"
#include "stats.h"

static struct {
    int slot;
    const struct module *modules;
    size_t nmodules, opened;
    struct timer *patience; /* how long a drain may take */
    bool draining;
    char who[24];
} worker;

int worker_slot(void)
{
    return worker.slot;
}

/* ---- what a worker says about itself ------------------------------------------------------------------------------------ */

static enum next tell_alive(struct req *r)
{
    return reply_raw(r, 200, "text/plain; charset=utf-8", (struct bytes){ "ok\n", 3 });
}

static struct bytes print_body(struct req *r, const cJSON *body)
{
    const char *text = json_print(r->arena, body);

    return (struct bytes){ text, strlen(text) };
}

static void add_problem(cJSON *problems, const char *part, const char *problem)
{
    cJSON *entry = problem ? cJSON_CreateObject() : NULL;

    if (!entry)
        return;
    cJSON_AddStringToObject(entry, "part", part);
    cJSON_AddStringToObject(entry, "problem", problem);
    cJSON_AddItemToArray(problems, entry);
}

static enum next tell_ready(struct req *r)
{
    cJSON *body = json_object(r->arena), *problems = cJSON_AddArrayToObject(body, "problems");
    cJSON *notes = cJSON_AddArrayToObject(body, "notes");

    for (size_t i = 0; i < worker.opened; i++) {
        const struct module *module = &worker.modules[i];

        add_problem(problems, module->name, module->problem ? module->problem() : NULL);
        add_problem(notes, module->name, module->note ? module->note() : NULL);
    }
    add_problem(problems, "worker", worker.draining ? "stopping" : NULL);
    cJSON_AddBoolToObject(body, "ready", cJSON_GetArraySize(problems) == 0);
    cJSON_AddNumberToObject(body, "worker", worker.slot);
    return reply_raw(r, cJSON_GetArraySize(problems) ? 503 : 200, "application/json", print_body(r, body));
}

static enum next tell_stats(struct req *r)
{
    char *text = stats_print(r->arena);

    return reply_raw(r, 200, "text/plain; version=0.0.4; charset=utf-8", (struct bytes){ text, strlen(text) });
}

static step_fn *const get_healthz[] = { tell_alive };
static step_fn *const get_readyz[] = { tell_ready };
static step_fn *const get_metrics[] = { tell_stats };

static const struct route routes[] = {
    { "GET", "/healthz", get_healthz, 0 },
    { "GET", "/readyz", get_readyz, 0 },
    { "GET", "/metrics", get_metrics, 0 },
};

/* ---- life ----------------------------------------------------------------------------------------------------------------- */

static void stop_late(void *arg)
{
    (void)arg;
    log_warn("drain_cut", "requests=%zu streams=%zu", req_count(), stream_count());
    loop_stop();
}

/* Asked to stop: by the parent's signal, or by the kernel because the parent is gone. */
static void drain(void *arg)
{
    (void)arg;
    if (worker.draining)
        return;
    worker.draining = true;
    log_info("draining", "requests=%zu streams=%zu", req_count(), stream_count());
    timer_set(worker.patience, settings()->drain_seconds * 1000L);
    for (size_t i = worker.opened; i-- > 0;)
        if (worker.modules[i].drain)
            worker.modules[i].drain();
    http_drain(loop_stop);
}

static bool open_modules(void)
{
    for (; worker.opened < worker.nmodules; worker.opened++) {
        const struct module *module = &worker.modules[worker.opened];

        if (module->open && !module->open()) {
            log_error("module_failed", "name=%s", module->name);
            return false;
        }
    }
    return true;
}

static void close_modules(void)
{
    while (worker.opened-- > 0)
        if (worker.modules[worker.opened].close)
            worker.modules[worker.opened].close();
}

/* Signals that reach a process group by the terminal are the parent's to pass on. */
static void take_signals(void)
{
    sigset_t none;

    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    loop_signal(SIGTERM, drain, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

int worker_run(int slot, int listener, const struct module *modules, size_t n)
{
    int status = 1;

    worker.slot = slot;
    worker.modules = modules;
    worker.nmodules = n;
    snprintf(worker.who, sizeof worker.who, "proc=worker%d", slot);
    log_open(settings()->log_level, worker.who);
    stats_attach(slot);
    if (!loop_open())
        return status;
    take_signals();
    worker.patience = timer_new(stop_late, NULL);
    http_routes(routes, COUNT(routes));
    if (open_modules() && http_open(listener)) {
        log_info("worker_up", "pid=%d", (int)getpid());
        loop_run();
        status = 0;
    }
    close_modules(); /* answers what still waits, */
    loop_settle();   /* ends the last streams, */
    http_close();    /* and only then the connections go */
    timer_free(worker.patience);
    loop_close();
    return status;
}
