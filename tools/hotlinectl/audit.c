/* Every event carries the hash of the one before, so a chain cannot be changed in its middle; but its end could be cut off, and a
 * ticket taken away with all its events.  A root, signed with a key that the database does not have, covers the heads of all chains
 * that grew since the root before.  The check computes every hash itself and asks the database for nothing but its rows. */

#include "ctl.h"
#include "secret.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_HELP "file of the signing key (default: $HOTLINE_AUDIT_KEY_FILE)"

const struct option audit_key_options[] = { { NULL, NULL, NULL } };
const struct option audit_sign_options[] = {
    { "key", "FILE", KEY_HELP },
    { "all", NULL, "look at every ticket, not only at those of the last days: once after an import" },
    { NULL, NULL, NULL },
};
const struct option audit_verify_options[] = {
    { "public", "FILE", "the public keys, one in a line (default: that of the signing key)" },
    { "key", "FILE", KEY_HELP },
    { "roots", "FILE", "roots exported earlier, all of which must still be there" },
    { "rows", "N", "how many differences to print (default 50)" },
    { NULL, NULL, NULL },
};

enum {
    HASH = crypto_hash_sha256_BYTES,
    HEX = 2 * HASH + 1,
    ID = 17, /* a key's name: the first half of the first 16 bytes of its public half */
    SIGNATURE_HEX = 2 * crypto_sign_BYTES + 1,
    PUBLIC_MAX = 64
};

/* What is written late (the database was away, a long transaction) is still found by the next root. */
#define LATE "interval '3 days'"

static void to_hex(char *out, const unsigned char *bytes, size_t len)
{
    sodium_bin2hex(out, 2 * len + 1, bytes, len);
}

/* ---- keys ---- */

struct pair {
    unsigned char public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
    char id[ID];
};

static void name_key(char id[ID], const unsigned char public[crypto_sign_PUBLICKEYBYTES])
{
    to_hex(id, public, (ID - 1) / 2);
}

static const char *key_file(const struct args *args)
{
    return args_text(args, "key", getenv("HOTLINE_AUDIT_KEY_FILE"));
}

static void read_pair(const char *path, struct pair *pair)
{
    unsigned char seed[crypto_sign_SEEDBYTES];
    char line[128];
    size_t len;

    if (!path || !*path)
        fail("which key?  Give --key FILE or set HOTLINE_AUDIT_KEY_FILE (hotlinectl audit key FILE makes one)");
    if (!secret_line(path, line, sizeof line) || strlen(line) != 2 * sizeof seed ||
        sodium_hex2bin(seed, sizeof seed, line, strlen(line), NULL, &len, NULL) != 0)
        fail("%s is not a signing key that only its owner may read: 64 hex digits", path);
    crypto_sign_seed_keypair(pair->public, pair->secret, seed);
    name_key(pair->id, pair->public);
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(line, sizeof line);
}

/* Make a signing key and print its public half. */
int audit_key(const struct args *args)
{
    unsigned char seed[crypto_sign_SEEDBYTES];
    char text[2 * sizeof seed + 2], public[HEX];
    struct pair pair;
    int fd;

    if (sodium_init() < 0)
        fail("libsodium cannot start");
    randombytes_buf(seed, sizeof seed);
    to_hex(text, seed, sizeof seed);
    text[2 * sizeof seed] = '\n';
    fd = open(args->at[0], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, text, sizeof text - 1) != (ssize_t)sizeof text - 1 || fsync(fd) != 0 || close(fd) != 0)
        fail("cannot write %s, or it is there already", args->at[0]);
    crypto_sign_seed_keypair(pair.public, pair.secret, seed);
    to_hex(public, pair.public, sizeof pair.public);
    puts(public);
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(text, sizeof text);
    sodium_memzero(&pair, sizeof pair);
    return 0;
}

static struct {
    unsigned char key[PUBLIC_MAX][crypto_sign_PUBLICKEYBYTES];
    int n;
} known;

static void know(const char *line)
{
    size_t len;

    if (known.n == PUBLIC_MAX || strlen(line) != (size_t)2 * crypto_sign_PUBLICKEYBYTES ||
        sodium_hex2bin(known.key[known.n], sizeof known.key[0], line, strlen(line), NULL, &len, NULL) != 0)
        fail("not a public key of 64 hex digits: %s", line);
    known.n++;
}

static void know_public(const struct args *args)
{
    const char *path = args_text(args, "public", NULL);
    struct pair pair;
    char line[256], hex[HEX];
    FILE *file;

    if (!path) {
        read_pair(key_file(args), &pair);
        to_hex(hex, pair.public, sizeof pair.public);
        sodium_memzero(&pair, sizeof pair);
        know(hex);
        return;
    }
    file = fopen(path, "re");
    if (!file)
        fail("cannot read %s", path);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        if (*line && *line != '#')
            know(line);
    }
    fclose(file);
}

static const unsigned char *public_of(const char *id)
{
    char own[ID];

    for (int i = 0; i < known.n; i++) {
        name_key(own, known.key[i]);
        if (!strcmp(own, id))
            return known.key[i];
    }
    return NULL;
}

/* ---- roots ---- */

/* Everything that a root says, in the form in which it is hashed, printed and exported. */
struct root {
    long n, heads;
    long long at; /* microseconds since 1970 */
    char digest[HEX], prev[HEX], root[HEX], key[ID], signature[SIGNATURE_HEX];
};

static void hash_root(const struct root *root, char out[HEX])
{
    unsigned char hash[HASH];
    char text[512];
    int len = snprintf(text, sizeof text, "hotline audit 1\n%ld\n%lld\n%ld\n%s\n%s\n", root->n, root->at, root->heads,
                       root->digest, root->prev);

    crypto_hash_sha256(hash, (const unsigned char *)text, (size_t)len);
    to_hex(out, hash, sizeof hash);
}

static void print_root(const struct root *root)
{
    printf("%ld %lld %ld %s %s %s %s %s\n", root->n, root->at, root->heads, root->digest, root->prev, root->root,
           root->key, root->signature);
}

static const char roots_query[] =
    "select n, (extract(epoch from at) * 1000000)::bigint, heads, encode(digest, 'hex'), coalesce(encode(prev, 'hex'), "
    "'-'), encode(root, 'hex'), key_id, encode(signature, 'hex') from hotline.audit_root order by n";

static void take_text(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text);
}

static void take_root(const PGresult *rows, int i, struct root *root)
{
    root->n = strtol(PQgetvalue(rows, i, 0), NULL, 10);
    root->at = strtoll(PQgetvalue(rows, i, 1), NULL, 10);
    root->heads = strtol(PQgetvalue(rows, i, 2), NULL, 10);
    take_text(root->digest, sizeof root->digest, PQgetvalue(rows, i, 3));
    take_text(root->prev, sizeof root->prev, PQgetvalue(rows, i, 4));
    take_text(root->root, sizeof root->root, PQgetvalue(rows, i, 5));
    take_text(root->key, sizeof root->key, PQgetvalue(rows, i, 6));
    take_text(root->signature, sizeof root->signature, PQgetvalue(rows, i, 7));
}

/* ---- rows one at a time, however many there are ---- */

struct stream {
    PGconn *db;
    PGresult *row; /* NULL: there are no more */
};

static void stream_next(struct stream *s)
{
    PQclear(s->row);
    s->row = PQgetResult(s->db);
    if (s->row && PQresultStatus(s->row) == PGRES_SINGLE_TUPLE)
        return;
    if (!s->row || PQresultStatus(s->row) != PGRES_TUPLES_OK)
        fail("the database refuses: %s", PQerrorMessage(s->db));
    PQclear(s->row);
    s->row = NULL;
    PQclear(PQgetResult(s->db)); /* the end of the statement */
}

static void stream_open(struct stream *s, const char *query)
{
    s->row = NULL;
    if (!PQsendQueryParams(s->db, query, 0, NULL, NULL, NULL, NULL, 0) || !PQsetSingleRowMode(s->db))
        fail("the database refuses: %s", PQerrorMessage(s->db));
    stream_next(s);
}

static const char *text_at(const struct stream *s, int column)
{
    return PQgetvalue(s->row, 0, column);
}

static long long number_at(const struct stream *s, int column)
{
    return strtoll(text_at(s, column), NULL, 10);
}

/* The digest over the heads of one root; a root without any has the digest of nothing. */
static long digest_heads(struct stream *heads, long root, char out[HEX])
{
    crypto_hash_sha256_state state;
    unsigned char hash[HASH];
    char line[192];
    long n = 0;

    crypto_hash_sha256_init(&state);
    for (; heads->row && number_at(heads, 0) == root; stream_next(heads), n++) {
        int len = snprintf(line, sizeof line, "%s:%s:%.80s\n", text_at(heads, 1), text_at(heads, 2), text_at(heads, 3));

        crypto_hash_sha256_update(&state, (const unsigned char *)line, (size_t)len);
    }
    crypto_hash_sha256_final(&state, hash);
    to_hex(out, hash, sizeof hash);
    return n;
}

/* ---- sign ---- */

static void cover(PGconn *db, struct root *root, bool all)
{
    char number[24];
    const char *const values[] = { number };
    struct stream heads = { db, NULL };

    snprintf(number, sizeof number, "%ld", root->n);
    PQclear(sql_query(db,
                      all ? "insert into hotline.audit_head (root, ticket_id, n, hash) "
                            "select $1::int, t.id, t.event_n, t.event_hash from hotline.ticket t "
                            "where t.event_n > coalesce((select max(h.n) from hotline.audit_head h where h.ticket_id = "
                            "t.id), 0)"
                          : "insert into hotline.audit_head (root, ticket_id, n, hash) "
                            "select $1::int, t.id, t.event_n, t.event_hash "
                            "from (select distinct ticket_id from hotline.event where id >= (select "
                            "hotline.id_at(max(at) - " LATE ") from hotline.audit_root)) e "
                            "join hotline.ticket t on t.id = e.ticket_id "
                            "where t.event_n > coalesce((select max(h.n) from hotline.audit_head h where h.ticket_id = "
                            "t.id), 0)",
                      1, values));
    stream_open(&heads, "select root, ticket_id, n, encode(hash, 'hex') from hotline.audit_head "
                        "where root = (select max(root) from hotline.audit_head) order by ticket_id");
    if (heads.row && number_at(&heads, 0) != root->n)
        while (heads.row) /* nothing has grown: these are an earlier root's */
            stream_next(&heads);
    root->heads = digest_heads(&heads, root->n, root->digest);
}

static void store_root(PGconn *db, const struct root *root)
{
    char n[24], at[24], heads[24];
    const char *const values[] = {
        n, at, heads, root->digest, strcmp(root->prev, "-") ? root->prev : NULL, root->root, root->key, root->signature
    };

    snprintf(n, sizeof n, "%ld", root->n);
    snprintf(at, sizeof at, "%lld", root->at);
    snprintf(heads, sizeof heads, "%ld", root->heads);
    sql_do(db,
           "insert into hotline.audit_root (n, at, heads, digest, prev, root, key_id, signature) "
           "values ($1, 'epoch'::timestamptz + $2::bigint * interval '1 microsecond', $3, decode($4, 'hex'), "
           "decode($5, 'hex'), decode($6, 'hex'), $7, decode($8, 'hex'))",
           COUNT(values), values);
}

/* Cover what has grown since the last root with a new one, and print it: whoever keeps that line has a witness. */
int audit_sign(const struct args *args)
{
    unsigned char hash[HASH], signature[crypto_sign_BYTES];
    struct root last = { .n = 0, .root = "-" }, root = { 0 };
    struct pair pair;
    PGresult *rows;
    PGconn *db;
    char *at;

    if (sodium_init() < 0)
        fail("libsodium cannot start");
    read_pair(key_file(args), &pair);
    db = sql_open(args);
    sql_do(db, "select pg_advisory_lock(hashtext('hotline.audit'))", 0, NULL);
    sql_do(db, "begin isolation level repeatable read", 0, NULL);
    rows = sql_query(db, roots_query, 0, NULL);
    if (PQntuples(rows) > 0)
        take_root(rows, PQntuples(rows) - 1, &last);
    PQclear(rows);
    root.n = last.n + 1;
    at = sql_text(db, "select (extract(epoch from hotline.now()) * 1000000)::bigint", 0, NULL);
    root.at = strtoll(at, NULL, 10);
    free(at);
    take_text(root.prev, sizeof root.prev, last.root);
    take_text(root.key, sizeof root.key, pair.id);
    cover(db, &root, root.n == 1 || args_count(args, "all"));
    hash_root(&root, root.root);
    sodium_hex2bin(hash, sizeof hash, root.root, HEX - 1, NULL, NULL, NULL);
    crypto_sign_detached(signature, NULL, hash, sizeof hash, pair.secret);
    to_hex(root.signature, signature, sizeof signature);
    store_root(db, &root);
    sql_do(db, "commit", 0, NULL);
    sodium_memzero(&pair, sizeof pair);
    print_root(&root);
    PQfinish(db);
    return 0;
}

/* Print the roots, to be kept where the database's owner cannot change them. */
int audit_export(const struct args *args)
{
    PGconn *db = sql_open(args);
    PGresult *rows = sql_query(db, roots_query, 0, NULL);
    struct root root;

    for (int i = 0; i < PQntuples(rows); i++) {
        take_root(rows, i, &root);
        print_root(&root);
    }
    PQclear(rows);
    PQfinish(db);
    return 0;
}

/* ---- verify ---- */

static struct {
    long most, found, events, chains, roots;
} count;

__attribute__((format(printf, 1, 2))) static void wrong(const char *format, ...)
{
    va_list list;

    if (count.found++ >= count.most)
        return;
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    putchar('\n');
}

static void check_signature(const struct root *root)
{
    const unsigned char *key = public_of(root->key);
    unsigned char hash[HASH], signature[crypto_sign_BYTES];

    if (!key)
        wrong("root %ld: signed with key %s, which is not among the public keys", root->n, root->key);
    else if (sodium_hex2bin(hash, sizeof hash, root->root, strlen(root->root), NULL, NULL, NULL) != 0 ||
             sodium_hex2bin(signature, sizeof signature, root->signature, strlen(root->signature), NULL, NULL, NULL) !=
                 0 ||
             crypto_sign_verify_detached(signature, hash, sizeof hash, key) != 0)
        wrong("root %ld: the signature is false", root->n);
}

static void check_root(const struct root *root, const struct root *before, struct stream *heads)
{
    char digest[HEX], hash[HEX];
    long n;

    while (heads->row && number_at(heads, 0) < root->n) {
        wrong("ticket %s: a head under root %s, which is not there", text_at(heads, 1), text_at(heads, 0));
        stream_next(heads);
    }
    n = digest_heads(heads, root->n, digest);
    hash_root(root, hash);
    if (root->n != before->n + 1)
        wrong("root %ld: the root before it is %ld", root->n, before->n);
    if (strcmp(root->prev, before->root) != 0)
        wrong("root %ld: does not follow from root %ld", root->n, before->n);
    if (root->at < before->at)
        wrong("root %ld: is older than root %ld", root->n, before->n);
    if (n != root->heads || strcmp(digest, root->digest) != 0)
        wrong("root %ld: its heads were changed (%ld were signed, %ld are there)", root->n, root->heads, n);
    if (strcmp(hash, root->root) != 0)
        wrong("root %ld: was changed", root->n);
    check_signature(root);
}

static void check_roots(PGconn *db, struct root *last)
{
    struct stream heads = { db, NULL };
    PGresult *rows = sql_query(db, roots_query, 0, NULL);
    struct root root;

    stream_open(&heads,
                "select root, ticket_id, n, encode(hash, 'hex') from hotline.audit_head order by root, ticket_id");
    for (int i = 0; i < PQntuples(rows); i++) {
        take_root(rows, i, &root);
        check_root(&root, last, &heads);
        *last = root;
        count.roots++;
    }
    for (; heads.row; stream_next(&heads))
        wrong("ticket %s: a head under root %s, which is not there", text_at(&heads, 1), text_at(&heads, 0));
    PQclear(rows);
}

/* Is each root of an earlier export still there as it was? */
static void check_export(PGconn *db, const char *path)
{
    PGresult *rows = sql_query(db, roots_query, 0, NULL);
    FILE *file = fopen(path, "re");
    struct root was, is;
    int got;

    if (!file)
        fail("cannot read %s", path);
    while ((got = fscanf(file, "%ld %lld %ld %64s %64s %64s %16s %128s", &was.n, &was.at, &was.heads, was.digest,
                         was.prev, was.root, was.key, was.signature)) == 8) {
        if (was.n < 1 || was.n > PQntuples(rows)) {
            wrong("root %ld: was exported and is not there", was.n);
            continue;
        }
        take_root(rows, (int)was.n - 1, &is);
        if (is.n != was.n || strcmp(is.root, was.root) != 0)
            wrong("root %ld: is not the one that was exported", was.n);
    }
    if (got != EOF)
        fail("%s is not an export of roots", path);
    fclose(file);
    PQclear(rows);
}

static const char events_query[] =
    "select e.ticket_id, e.n, coalesce(e.from_state, 0), e.to_state, (extract(epoch from e.at) * 1000000)::bigint, "
    "coalesce(encode(e.prev_hash, 'hex'), ''), encode(e.hash, 'hex'), "
    "concat_ws('|', e.id, e.ticket_id, e.n, e.transition, e.action, (extract(epoch from e.at) * 1000000)::bigint, "
    "coalesce(e.actor_id, 0), e.actor_role, coalesce(e.unit_id, 0), coalesce(e.assignment_id, 0), "
    "coalesce(e.from_state, 0), e.to_state, coalesce(e.assignment_from, 0), coalesce(e.assignment_to, 0), "
    "array_to_string(e.units, ','), e.payload::text) from hotline.event e order by e.ticket_id, e.n";
enum { E_TICKET, E_N, E_FROM, E_TO, E_AT, E_PREV, E_HASH, E_TEXT };

static const char tickets_query[] = "select id, event_n, coalesce(encode(event_hash, 'hex'), ''), state, "
                                    "(extract(epoch from event_at) * 1000000)::bigint from hotline.ticket order by id";
enum { T_ID, T_N, T_HASH, T_STATE, T_AT };

static const char heads_query[] =
    "select ticket_id, n, encode(hash, 'hex'), root from hotline.audit_head order by ticket_id, n";
enum { H_TICKET, H_N, H_HASH, H_ROOT };

/* The end of a chain as far as it was walked. */
struct chain {
    long long ticket, n, at, state, covered;
    char hash[HEX];
};

/* The hash that an event should have after the one before it. */
static void hash_event(const struct stream *events, const char *prev, char out[HEX])
{
    unsigned char hash[HASH];
    crypto_hash_sha256_state state;
    const char *text = text_at(events, E_TEXT);
    size_t len = 0;

    crypto_hash_sha256_init(&state);
    if (sodium_hex2bin(hash, sizeof hash, prev, strlen(prev), NULL, &len, NULL) == 0)
        crypto_hash_sha256_update(&state, hash, len);
    crypto_hash_sha256_update(&state, (const unsigned char *)text, strlen(text));
    crypto_hash_sha256_final(&state, hash);
    to_hex(out, hash, sizeof hash);
}

static void check_event(const struct stream *events, struct chain *c)
{
    char hash[HEX];

    hash_event(events, text_at(events, E_PREV), hash);
    if (number_at(events, E_N) != c->n + 1)
        wrong("ticket %lld: event %s comes after event %lld", c->ticket, text_at(events, E_N), c->n);
    if (strcmp(text_at(events, E_PREV), c->hash) != 0)
        wrong("ticket %lld: event %s does not follow from event %lld", c->ticket, text_at(events, E_N), c->n);
    if (strcmp(text_at(events, E_HASH), hash) != 0)
        wrong("ticket %lld: event %s was changed", c->ticket, text_at(events, E_N));
    if (number_at(events, E_AT) < c->at)
        wrong("ticket %lld: event %s is earlier than event %lld", c->ticket, text_at(events, E_N), c->n);
    if (number_at(events, E_FROM) != c->state)
        wrong("ticket %lld: event %s starts from another state than event %lld ended in", c->ticket,
              text_at(events, E_N), c->n);
    c->n = number_at(events, E_N);
    c->at = number_at(events, E_AT);
    c->state = number_at(events, E_TO);
    take_text(c->hash, sizeof c->hash, text_at(events, E_HASH));
    count.events++;
}

/* Heads up to this event: one of the same event must have its hash. */
static void check_heads(struct stream *heads, struct chain *c, long long n)
{
    for (; heads->row && number_at(heads, H_TICKET) == c->ticket && number_at(heads, H_N) <= n; stream_next(heads)) {
        if (number_at(heads, H_N) < c->n || number_at(heads, H_N) > c->n)
            wrong("ticket %lld: event %s, signed in root %s, is not there", c->ticket, text_at(heads, H_N),
                  text_at(heads, H_ROOT));
        else if (strcmp(text_at(heads, H_HASH), c->hash) != 0)
            wrong("ticket %lld: event %s is not the one signed in root %s", c->ticket, text_at(heads, H_N),
                  text_at(heads, H_ROOT));
        c->covered = number_at(heads, H_N);
    }
}

static void check_end(const struct stream *tickets, const struct chain *c, long long covered_to)
{
    if (number_at(tickets, T_N) != c->n || strcmp(text_at(tickets, T_HASH), c->hash) != 0)
        wrong("ticket %lld: its last event is said to be %s, its chain ends with %lld", c->ticket,
              text_at(tickets, T_N), c->n);
    else if (number_at(tickets, T_STATE) != c->state)
        wrong("ticket %lld: its state is not that of its last event", c->ticket);
    if (c->covered < c->n && c->at < covered_to)
        wrong("ticket %lld: events %lld to %lld are under no root (after an import: hotlinectl audit sign --all)",
              c->ticket, c->covered + 1, c->n);
}

/* Walk events, tickets and signed heads side by side, all in order of the tickets. */
static void check_chains(struct stream *events, struct stream *tickets, struct stream *heads, long long covered_to)
{
    while (events->row || tickets->row || heads->row) {
        struct chain c = { .ticket = INT64_MAX };

        for (int i = 0; i < 3; i++) {
            const struct stream *s = (const struct stream *[]){ events, tickets, heads }[i];

            if (s->row && number_at(s, 0) < c.ticket)
                c.ticket = number_at(s, 0);
        }
        for (; events->row && number_at(events, E_TICKET) == c.ticket; stream_next(events)) {
            check_heads(heads, &c, number_at(events, E_N) - 1);
            check_event(events, &c);
            check_heads(heads, &c, c.n);
        }
        check_heads(heads, &c, INT64_MAX);
        if (tickets->row && number_at(tickets, T_ID) == c.ticket) {
            check_end(tickets, &c, covered_to);
            stream_next(tickets);
        } else
            wrong("ticket %lld: is not there%s", c.ticket, c.n ? ", but events of it are" : "");
        count.chains++;
    }
}

/* Three connections that see one snapshot. */
static void open_streams(const struct args *args, struct stream *streams, int n)
{
    char *snapshot = NULL, statement[128];

    for (int i = 0; i < n; i++) {
        streams[i].db = sql_open(args);
        sql_do(streams[i].db, "begin isolation level repeatable read read only", 0, NULL);
        if (i == 0)
            snapshot = sql_text(streams[i].db, "select pg_export_snapshot()", 0, NULL);
        else {
            snprintf(statement, sizeof statement, "set transaction snapshot '%s'", snapshot);
            sql_do(streams[i].db, statement, 0, NULL);
        }
    }
    free(snapshot);
}

/* Compute every chain and every root again and say what is wrong. */
int audit_verify(const struct args *args)
{
    struct root last = { .n = 0, .root = "-" };
    struct stream streams[3];
    const char *path = args_text(args, "roots", NULL);

    count.most = args_number(args, "rows", 50, 1, 1000000);
    if (sodium_init() < 0)
        fail("libsodium cannot start");
    know_public(args);
    open_streams(args, streams, COUNT(streams));
    check_roots(streams[0].db, &last);
    if (path)
        check_export(streams[0].db, path);
    stream_open(&streams[0], events_query);
    stream_open(&streams[1], tickets_query);
    stream_open(&streams[2], heads_query);
    check_chains(&streams[0], &streams[1], &streams[2], last.n ? last.at - 3LL * 86400 * 1000000 : INT64_MIN);
    for (int i = 0; i < COUNT(streams); i++)
        PQfinish(streams[i].db);
    printf("%ld events in %ld chains under %ld roots: %ld differences\n", count.events, count.chains, count.roots,
           count.found);
    return count.found ? 1 : 0;
}
