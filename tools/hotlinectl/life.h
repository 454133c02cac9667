#ifndef LIFE_H
#define LIFE_H

#include "chance.h"
#include "client.h"
#include "moment.h"
#include "texts.h"

#include <libpq-fe.h>
#include <stdbool.h>

/* The life of one complaint as it is planned: legs, each a list of steps.  plan.c says which lives there are, life.c drives. */

enum actor { CITIZEN, OPERATOR, ACCEPTOR, LEADER, DISPATCHER, AUDITOR, CALLBACK, UNIT_D, UNIT_H, UNIT_A, SYSTEM };

struct life;
struct worker;

/* When a step comes after the one before it. */
struct delay {
    enum {
        SOON,
        OFFICE,
        NEXT_DAY,
        AFTER
    } how;             /* minutes day and night · office minutes · the next office day · after clock's due */
    int min, max;      /* minutes */
    const char *clock; /* SOON, OFFICE: be done before this clock is due; AFTER: its due time is where to start */
};

enum outcome { DONE, AGAIN, FAILED };

typedef enum outcome step_fn(struct worker *worker, struct life *life);
typedef void fill_fn(struct life *life, cJSON *inputs);

struct step {
    const char *transition;
    enum actor who;
    step_fn *run; /* NULL ends a leg */
    const char *action;
    fill_fn *fill;
    struct delay after;
    const char *leads;   /* the states it may lead to, divided by |; NULL: any */
    const char *only_in; /* skipped in other states */
};

enum { LEGS_MAX = 16 };

struct story {
    const char *name;
    int share;                         /* of a hundred */
    const struct step *legs[LEGS_MAX]; /* NULL after the last */
    const char *type;                  /* the appeal type it needs; NULL: any */
    bool unnamed;                      /* anonymous: no phone, nobody to contact */
    bool no_reply;                     /* the citizen asks for no answer */
};

struct life {
    int index;
    const struct story *story;
    int leg, step;
    moment at; /* of the next step */
    struct chance chance;
    const struct text *text;
    bool over, failed;
    int waited; /* how often an awaited effect was looked for */
    char phone[16], address[20], name[32];
    char id[24], number[20], code[16], state[24], unit[16], item[16], type[16];
    char category[16], division[16], dup_check[24], approval[24];
    const char *resolved, *satisfied; /* the citizen's verdict of the round */
    int version;
    struct {
        char kind[16];
        moment due;
    } clocks[12];
    int n_clocks;
};

/* Choose the stories of n lives: each hundred has the exact shares, in an order drawn by lot. */
void plan_make(struct life *lives, int n, uint64_t seed, moment start, int days);

/* The step that comes next; NULL after the last. */
const struct step *life_step(const struct life *life);

/* ---- the steps (life.c) ---- */

step_fn life_file, life_draft, life_dup_check, life_classify, life_act, life_dispatch, life_decide, life_look,
    life_await, life_await_long;

struct worker *life_worker(const char *url);
void life_worker_free(struct worker *worker, long *calls, long *repeats);
struct client *life_client(struct worker *worker);

enum { TOKEN_MAX = 200 };

/* The token of this person, signed in at the simulated time where they are not yet. */
void life_sign_in(struct worker *worker, const char *login, moment at, char token[TOKEN_MAX]);

/* Run the steps of a life that come before until; sets its time to that of the next. */
void life_run(struct worker *worker, struct life *life, moment until);

/* Open the log and the book of sessions; run: a word that no other run has.  window: seconds between two settings of the clock. */
void life_open(const char *log, const char *run, int window);
void life_close(void);

long life_failures(void);

#endif
