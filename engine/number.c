#include "number.h"

#include <stdio.h>
#include <string.h>

#include "base.h"
#include "db.h"
#include "loop.h"

enum { BLOCK = 1000, LOW = 500, AGAIN_MS = 200 };

static const struct api_fn api_numbers = { .name = "numbers", .write = true };

/* A ring of numbers in hand. */
static struct {
    int32_t numbers[2 * BLOCK];
    size_t first, count;
    bool asking;
    struct timer *timer; /* asks again after a failure; NULL once closed */
} stock;

static void keep(const cJSON *list)
{
    const cJSON *number;

    cJSON_ArrayForEach(number, list)
    {
        if (stock.count == COUNT(stock.numbers))
            return;
        stock.numbers[(stock.first + stock.count++) % COUNT(stock.numbers)] = (int32_t)number->valuedouble;
    }
}

static void take_block(const struct db_answer *answer, void *arg)
{
    cJSON *data = answer->status == 200 ? cJSON_ParseWithLength(answer->body, answer->len) : NULL;

    (void)arg;
    stock.asking = false;
    if (data)
        keep(cJSON_GetObjectItem(data, "numbers"));
    else if (stock.timer)
        timer_set(stock.timer, AGAIN_MS);
    cJSON_Delete(data);
}

static void refill(void *arg)
{
    char json[32];
    int len = snprintf(json, sizeof json, "{\"n\":%d}", BLOCK);

    (void)arg;
    if (stock.asking || stock.count > LOW)
        return;
    stock.asking = true;
    db_call(&(struct db_call){ .fn = &api_numbers, .json = json, .len = (size_t)len, .done = take_block });
}

bool number_open(void)
{
    stock.timer = timer_new(refill, NULL);
    refill(NULL);
    return true;
}

void number_close(void)
{
    timer_free(stock.timer);
    stock.timer = NULL;
}

bool number_take(cJSON *call)
{
    char text[16];

    refill(NULL);
    if (stock.count == 0)
        return false;
    snprintf(text, sizeof text, "%d", stock.numbers[stock.first]);
    cJSON_AddStringToObject(call, "seq", text);
    stock.first = (stock.first + 1) % COUNT(stock.numbers);
    stock.count--;
    return true;
}
