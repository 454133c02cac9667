/* The record set for the province: JSON Lines of one snapshot, its SM3 digest, an SM2 signature, and our own score of it. */

#include "ctl.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct option export_options[] = {
    { "out", "FILE", "where the records go; the digest goes to FILE.sm3, the signature to FILE.sig" },
    { "since", "EVENT", "only tickets with a step after this event (delta; \"last\": after the export before)" },
    { "sign", "FILE", "SM2 private key (PEM) to sign with" },
    { NULL, NULL, NULL },
};

const struct option export_scores_options[] = { { NULL, NULL, NULL } };

enum { PAGE = 200, DIGEST = 32 };

/* Ids are given before they are committed: a delta looks back as far as the longest transaction.  What comes twice is the same. */
#define LATE "(600000::bigint << 20)"

static const char distinguishing[] = "1234567812345678";

struct run {
    PGconn *db;
    FILE *out;
    EVP_MD_CTX *digest, *sign;
    EVP_PKEY *key;
    const char *path;
    char since[24];
    bool delta;
    long tickets, records, missing, codes, shorts, disorder, late;
};

static void must(int good, const char *what)
{
    if (good != 1)
        fail("OpenSSL cannot %s", what);
}

static void open_digest(struct run *run)
{
    run->digest = EVP_MD_CTX_new();
    must(run->digest && EVP_DigestInit_ex(run->digest, EVP_sm3(), NULL), "compute SM3");
}

static void open_key(struct run *run, const char *path)
{
    FILE *file = fopen(path, "re");
    EVP_PKEY_CTX *ctx = NULL;

    run->key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    if (file)
        fclose(file);
    if (!run->key || !EVP_PKEY_is_a(run->key, "SM2"))
        fail("%s holds no SM2 private key", path);
    run->sign = EVP_MD_CTX_new();
    must(run->sign && EVP_DigestSignInit(run->sign, &ctx, EVP_sm3(), NULL, run->key) == 1 &&
             EVP_PKEY_CTX_set1_id(ctx, distinguishing, sizeof distinguishing - 1) > 0,
         "sign with SM2");
}

static void put_line(struct run *run, const char *line)
{
    size_t len = strlen(line);

    if (fwrite(line, 1, len, run->out) != len || fputc('\n', run->out) == EOF)
        fail("cannot write %s", run->path);
    must(EVP_DigestUpdate(run->digest, line, len) && EVP_DigestUpdate(run->digest, "\n", 1), "compute SM3");
    if (run->sign)
        must(EVP_DigestSignUpdate(run->sign, line, len) && EVP_DigestSignUpdate(run->sign, "\n", 1), "sign");
}

static void put_ticket(struct run *run, const char *id)
{
    PGresult *rows = sql_query(run->db, "select hotline.export_ticket($1)", 1, &id);

    run->records += PQntuples(rows);
    for (int i = 0; i < PQntuples(rows); i++)
        put_line(run, PQgetvalue(rows, i, 0));
    PQclear(rows);
}

static void count_faults(struct run *run, PGresult *rows, int i)
{
    run->missing += strtol(PQgetvalue(rows, i, 1), NULL, 10);
    run->codes += strtol(PQgetvalue(rows, i, 2), NULL, 10);
    run->shorts += *PQgetvalue(rows, i, 3) == 't';
    run->disorder += *PQgetvalue(rows, i, 4) == 't';
    run->late += *PQgetvalue(rows, i, 5) == 't';
    run->tickets++;
}

/* A page of tickets after this id; false when there are no more. */
static bool put_page(struct run *run, char last[24])
{
    const char *const values[] = { last, run->since };
    PGresult *rows = sql_query(
        run->db,
        "select t.id, (select count(*) from unnest(f) x where x like 'missing:%'), (select count(*) from unnest(f) x "
        "where "
        "x like 'code:%'), 'short' = any (f), 'order' = any (f), 'late' = any (f)"
        " from (select id from hotline.ticket t where id > $1::bigint and state <> 10 and secrecy <> 3 and ($2::bigint "
        "= 0"
        "   or exists (select from hotline.event e where e.ticket_id = t.id and e.id > $2::bigint - " LATE "))"
        "   order by id limit 200) t cross join lateral hotline.export_faults(t.id) f order by t.id",
        2, values);
    int n = PQntuples(rows);

    for (int i = 0; i < n; i++) {
        count_faults(run, rows, i);
        put_ticket(run, PQgetvalue(rows, i, 0));
        snprintf(last, 24, "%s", PQgetvalue(rows, i, 0));
    }
    PQclear(rows);
    return n == PAGE;
}

static void put_head(struct run *run, const char *last)
{
    const char *const values[] = { run->delta ? "delta" : "full", run->since, last };
    char *line =
        sql_text(run->db,
                 "select jsonb_build_object('kind', 'export', 'mode', $1::text, 'since', $2::text, 'last', $3::text,"
                 " 'at', hotline.time_text(hotline.now()), 'scheme', 'domain-2.6')",
                 3, values);

    put_line(run, line);
    free(line);
}

static void find_since(struct run *run, const char *since)
{
    char *last = NULL;

    run->delta = since != NULL;
    if (since && !strcmp(since, "last"))
        last = sql_text(run->db, "select last_event from hotline.export_run order by id desc limit 1", 0, NULL);
    snprintf(run->since, sizeof run->since, "%s", last ? last : since && strcmp(since, "last") != 0 ? since : "0");
    if (strspn(run->since, "0123456789") != strlen(run->since) || strlen(run->since) > 18)
        fail("--since takes the id of an event, as the export before printed it, or last");
    if (since && !strcmp(run->since, "0"))
        run->delta = false; /* the first one is a full one */
    free(last);
}

static void to_file(const char *path, const char *ending, const void *data, size_t len)
{
    char name[4200];
    FILE *file;

    snprintf(name, sizeof name, "%s%s", path, ending);
    file = fopen(name, "we");
    if (!file || fwrite(data, 1, len, file) != len || fclose(file) != 0)
        fail("cannot write %s", name);
}

static void finish(struct run *run, char sm3[2 * DIGEST + 1])
{
    unsigned char digest[EVP_MAX_MD_SIZE], signature[256];
    unsigned len = 0;
    size_t signed_len = sizeof signature;

    must(EVP_DigestFinal_ex(run->digest, digest, &len) && len == DIGEST, "compute SM3");
    for (unsigned i = 0; i < len; i++)
        snprintf(sm3 + (size_t)2 * i, 3, "%02x", digest[i]);
    if (fclose(run->out) != 0)
        fail("cannot write %s", run->path);
    to_file(run->path, ".sm3", sm3, (size_t)2 * DIGEST);
    if (run->sign) {
        must(EVP_DigestSignFinal(run->sign, signature, &signed_len), "sign");
        to_file(run->path, ".sig", signature, signed_len);
    }
    EVP_MD_CTX_free(run->digest);
    EVP_MD_CTX_free(run->sign);
    EVP_PKEY_free(run->key);
}

static char *number(char *out, long n)
{
    snprintf(out, 24, "%ld", n);
    return out;
}

static void keep_run(struct run *run, const char *last, const char *sm3)
{
    char texts[7][24];
    const char *const values[] = { run->delta ? "delta" : "full",
                                   run->since,
                                   last,
                                   number(texts[0], run->tickets),
                                   number(texts[1], run->records),
                                   sm3,
                                   number(texts[2], run->missing),
                                   number(texts[3], run->codes),
                                   number(texts[4], run->shorts),
                                   number(texts[5], run->disorder),
                                   number(texts[6], run->late) };
    char *score =
        sql_text(run->db,
                 "insert into hotline.export_run (id, at, mode, first_event, last_event, tickets, records, sm3, score)"
                 " values (hotline.new_id(), hotline.now(), $1, $2, $3, $4, $5, $6, hotline.export_score($4::int, $7, "
                 "$8, $9, $10, "
                 "$11, $1 = 'delta')) returning score",
                 11, values);

    printf("mode     %s\ntickets  %ld\nrecords  %ld\nsm3      %s\nlast     %s\nscore    %s\n", values[0], run->tickets,
           run->records, sm3, last, score);
    free(score);
}

int export_records(const struct args *args)
{
    struct run run = { .path = args_must(args, "out") };
    const char *key = args_text(args, "sign", NULL);
    char sm3[2 * DIGEST + 1], at[24] = "0", *last;

    run.db = sql_open(args);
    find_since(&run, args_text(args, "since", NULL));
    open_digest(&run);
    if (key)
        open_key(&run, key);
    if (!(run.out = fopen(run.path, "we")))
        fail("cannot write %s", run.path);
    sql_do(run.db, "begin isolation level repeatable read read only", 0, NULL);
    last = sql_text(run.db, "select coalesce(max(id), 0) from hotline.event", 0, NULL);
    put_head(&run, last);
    while (put_page(&run, at))
        ;
    sql_do(run.db, "commit", 0, NULL);
    finish(&run, sm3);
    keep_run(&run, last, sm3);
    free(last);
    PQfinish(run.db);
    return 0;
}

int export_scores(const struct args *args)
{
    PGconn *db = sql_open(args);
    PGresult *rows = sql_query(db,
                               "select to_char(at, 'YYYY-MM-DD HH24:MI') as at, mode, tickets, records,"
                               " score->>'complete' as complete, score->>'content' as content, score->>'in_time' as "
                               "\"in time\", score->>'total' || ' of 25' as total, last_event as last"
                               " from hotline.export_run order by id desc limit 50",
                               0, NULL);

    sql_print(rows);
    PQclear(rows);
    PQfinish(db);
    return 0;
}
