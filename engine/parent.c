#include "parent.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base.h"
#include "http.h"
#include "log.h"
#include "settings.h"
#include "stats.h"

enum { CHILDREN_MAX = 80, BACKOFF_LEAST = 100, BACKOFF_MOST = 5000, STEADY = 10000 /* milliseconds */ };

/* A process to keep alive: a worker in its slot, or a service. */
struct child {
    const char *name;
    const struct service *service; /* NULL: a worker */
    int slot, listener;
    pid_t pid;              /* 0: not running */
    int64_t started, again; /* milliseconds: when it began, when to begin anew */
    int backoff;
};

static struct {
    struct child children[CHILDREN_MAX];
    size_t n;
    const struct module *modules;
    size_t nmodules;
    bool stopping;
    int failed;    /* exit status when no worker ever came up */
    int reloading; /* index of the worker now being replaced, -1: none */
} parent;

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

/* ---- before the first fork ------------------------------------------------------------------------------------------------ */

/* The parent makes every worker's socket and keeps it: privileged ports work after root is given up, connections that
 * arrive while a worker is replaced wait for the next one, and port 0 is the same for all. */
static bool listen_all(int workers)
{
    int port = settings()->port;

    for (int i = 0; i < workers; i++) {
        struct child *child = &parent.children[parent.n++];

        *child = (struct child){ .name = "worker", .slot = i, .listener = http_listen(settings()->listen, port) };
        if (child->listener < 0)
            return false;
        port = http_port(child->listener);
    }
    return true;
}

static bool write_file(const char *path, long number)
{
    FILE *file = *path ? fopen(path, "we") : NULL;
    bool good = file && fprintf(file, "%ld\n", number) > 0;

    if (file)
        good = !fclose(file) && good;
    if (*path && !good)
        log_error("file_failed", "path=%s err=%s", path, strerror(errno));
    return !*path || good;
}

static bool drop_root(void)
{
    const char *name = settings()->user;
    struct passwd entry, *user = NULL;
    char texts[4096];

    if (!*name || geteuid() != 0)
        return true;
    if (getpwnam_r(name, &entry, texts, sizeof texts, &user) || !user) {
        log_error("user_unknown", "user=%s", name);
        return false;
    }
    if (initgroups(name, user->pw_gid) || setgid(user->pw_gid) || setuid(user->pw_uid)) {
        log_error("user_failed", "user=%s err=%s", name, strerror(errno));
        return false;
    }
    return true;
}

static void raise_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static bool prepare_modules(void)
{
    for (size_t i = 0; i < parent.nmodules; i++)
        if (parent.modules[i].prepare && !parent.modules[i].prepare()) {
            log_error("module_failed", "name=%s", parent.modules[i].name);
            return false;
        }
    return true;
}

static bool prepare_services(const struct service *services, size_t n, int workers)
{
    for (size_t i = 0; i < n; i++) {
        if (services[i].prepare && !services[i].prepare(workers)) {
            log_error("service_failed", "name=%s", services[i].name);
            return false;
        }
        parent.children[parent.n++] =
            (struct child){ .name = services[i].name, .service = &services[i], .listener = -1 };
    }
    return true;
}

static int count_workers(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (settings()->workers)
        return settings()->workers;
    return cores < 1 ? 1 : cores > 64 ? 64 : (int)cores;
}

static bool prepare(const struct service *services, size_t nservices)
{
    int workers = count_workers();

    raise_files();
    return stats_share(workers) && listen_all(workers) && prepare_modules() &&
           prepare_services(services, nservices, workers) && write_file(settings()->pid_file, getpid()) &&
           write_file(settings()->port_file, http_port(parent.children[0].listener)) && drop_root();
}

/* ---- children --------------------------------------------------------------------------------------------------------------- */

/* A child never outlives its parent: the kernel sends it the signal that drains it. */
static void follow_parent(pid_t pid)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != pid)
        raise(SIGTERM);
}

static void keep_own_listener(int listener)
{
    for (size_t i = 0; i < parent.n; i++)
        if (parent.children[i].listener >= 0 && parent.children[i].listener != listener)
            close(parent.children[i].listener);
}

static int run_service(const struct child *child)
{
    sigset_t none;

    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    return child->service->run();
}

static void start(struct child *child)
{
    pid_t own = getpid(), pid = fork();

    child->started = now();
    if (pid < 0) {
        log_error("fork_failed", "err=%s", strerror(errno));
        child->again = now() + BACKOFF_MOST;
    } else if (pid == 0) {
        follow_parent(own);
        keep_own_listener(child->listener);
        exit(child->service ? run_service(child)
                            : worker_run(child->slot, child->listener, parent.modules, parent.nmodules));
    } else {
        child->pid = pid;
    }
}

static void start_due(void)
{
    for (size_t i = 0; i < parent.n; i++)
        if (!parent.children[i].pid && !parent.stopping && parent.children[i].again <= now())
            start(&parent.children[i]);
}

/* Milliseconds until something is to be done without a signal. */
static int64_t wait_time(void)
{
    int64_t wait = 60000;

    for (size_t i = 0; i < parent.n; i++)
        if (!parent.children[i].pid && parent.children[i].again - now() < wait)
            wait = parent.children[i].again - now();
    return parent.stopping || wait > 60000 ? 60000 : wait < 0 ? 0 : wait;
}

static void signal_children(int number, bool services)
{
    for (size_t i = 0; i < parent.n; i++)
        if (parent.children[i].pid && services == (parent.children[i].service != NULL))
            kill(parent.children[i].pid, number);
}

static size_t count_running(bool services)
{
    size_t n = 0;

    for (size_t i = 0; i < parent.n; i++)
        n += parent.children[i].pid && services == (parent.children[i].service != NULL);
    return n;
}

/* Replace the workers one after another: the next goes when the one before has come back. */
static void reload_next(void)
{
    for (parent.reloading++; (size_t)parent.reloading < parent.n; parent.reloading++) {
        struct child *child = &parent.children[parent.reloading];

        if (!child->service && child->pid) {
            kill(child->pid, SIGTERM);
            return;
        }
    }
    parent.reloading = -1;
    log_info("reloaded", "workers=%zu", count_running(false));
}

static void schedule(struct child *child, int status)
{
    bool steady = now() - child->started > STEADY;

    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        child->again = now();
        child->backoff = 0;
        return;
    }
    child->backoff = steady || !child->backoff ? BACKOFF_LEAST : child->backoff * 2;
    if (child->backoff > BACKOFF_MOST)
        child->backoff = BACKOFF_MOST;
    child->again = now() + child->backoff;
    log_error("child_died", "name=%s slot=%d pid=%d signal=%d status=%d again_ms=%d", child->name, child->slot,
              (int)child->pid, WIFSIGNALED(status) ? WTERMSIG(status) : 0, WIFEXITED(status) ? WEXITSTATUS(status) : 0,
              child->backoff);
}

static void reap(void)
{
    pid_t pid;
    int status;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (size_t i = 0; i < parent.n; i++) {
            struct child *child = &parent.children[i];

            if (child->pid != pid)
                continue;
            if (!parent.stopping)
                schedule(child, status);
            child->pid = 0;
            start_due();
            if (parent.reloading == (int)i)
                reload_next();
        }
    }
}

/* Nobody accepts any more: close our copies too, so that who comes now is refused at once. */
static void stop(void)
{
    if (parent.stopping)
        return;
    log_info("stopping", "workers=%zu", count_running(false));
    parent.stopping = true;
    for (size_t i = 0; i < parent.n; i++)
        if (parent.children[i].listener >= 0)
            close(parent.children[i].listener);
    signal_children(SIGTERM, false);
}

static void handle(int number)
{
    if (number == SIGTERM || number == SIGINT)
        stop();
    else if (number == SIGHUP && parent.reloading < 0 && !parent.stopping)
        reload_next();
}

/* Workers may need the services until they are done, so the services are stopped last. */
static void supervise(const sigset_t *signals)
{
    while (!parent.stopping || count_running(false)) {
        struct timespec wait;
        int64_t ms;

        start_due();
        ms = wait_time();
        wait = (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
        handle(sigtimedwait(signals, NULL, &wait));
        reap();
    }
    signal_children(SIGTERM, true);
    while (count_running(true)) {
        sigtimedwait(signals, NULL, &(struct timespec){ .tv_sec = 1 });
        reap();
        signal_children(SIGKILL, true);
    }
}

int parent_run(const struct module *modules, size_t nmodules, const struct service *services, size_t nservices)
{
    static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
    sigset_t signals;

    parent.modules = modules;
    parent.nmodules = nmodules;
    parent.reloading = -1;
    log_open(settings()->log_level, "proc=parent");
    sigemptyset(&signals);
    for (size_t i = 0; i < COUNT(numbers); i++)
        sigaddset(&signals, numbers[i]);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    if (!prepare(services, nservices))
        return 1;
    log_info("listening", "url=http://%s:%d pid=%d", settings()->listen, http_port(parent.children[0].listener),
             (int)getpid());
    supervise(&signals);
    if (*settings()->pid_file)
        unlink(settings()->pid_file);
    log_info("stopped", "status=%d", 0);
    return 0;
}
