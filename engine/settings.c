#include "settings.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"

enum type { TEXT, NUMBER, LEVEL };

struct setting {
    const char *name;
    enum type type;
    size_t offset;
    const char *start; /* default */
    long min, max;
    const char *zh, *en;
};

#define AT(member) offsetof(struct settings, member)

static const struct setting table[] = {
    { "listen", TEXT, AT(listen), "127.0.0.1", 0, 0, "监听地址", "address to listen on, numeric" },
    { "port", NUMBER, AT(port), "12345", 0, 65535, "监听端口，0 为任选", "port to listen on; 0 takes a free one" },
    { "port_file", TEXT, AT(port_file), "", 0, 0, "写入实际端口的文件", "file that gets the port in use" },
    { "workers", NUMBER, AT(workers), "0", 0, 64, "工作进程数，0 为每核一个", "worker processes; 0: one per core" },
    { "user", TEXT, AT(user), "", 0, 0, "以 root 启动后切换到的用户", "user to become when started as root" },
    { "pid_file", TEXT, AT(pid_file), "", 0, 0, "进程号文件", "file that gets the parent's process id" },
    { "log_level", LEVEL, AT(log_level), "info", 0, 0, "日志级别 error/warn/info/debug", "error, warn, info or debug" },
    { "drain_seconds", NUMBER, AT(drain_seconds), "10", 0, 600, "停止时等待在途请求的秒数",
      "how long a stop waits for requests under way" },

    { "database", TEXT, AT(database), "dbname=hotline", 0, 0, "PostgreSQL 连接串，可列多个主机；密码请用 passfile",
      "PostgreSQL conninfo, several hosts allowed; numeric addresses do not block; the password belongs in a "
      "passfile" },
    { "write_lanes", NUMBER, AT(write_lanes), "2", 1, 32, "每进程写连接数", "write connections of each worker" },
    { "read_lanes", NUMBER, AT(read_lanes), "4", 1, 64, "每进程读连接数", "read connections of each worker" },
    { "batch_max", NUMBER, AT(batch_max), "64", 1, 1000, "一次提交的最多调用数", "most calls in one commit" },
    { "queue_max", NUMBER, AT(queue_max), "2000", 1, 100000, "每个函数最多排队数，超过即答 503",
      "calls of one function that may wait; beyond, 503 at once" },
    { "wait_ms", NUMBER, AT(wait_ms), "150", 10, 60000, "持续过载时，预计排队超过此毫秒数的调用即答 503",
      "in a lasting overload, calls that would wait for longer get 503 at once, in milliseconds" },
    { "connect_ms", NUMBER, AT(connect_ms), "3000", 100, 60000, "数据库连接超时（毫秒）",
      "database connect time-out of one host, in milliseconds" },
    { "batch_ms", NUMBER, AT(batch_ms), "8000", 100, 600000, "写批次超时（毫秒）",
      "a batch without answer for so long is given up, in milliseconds" },
    { "read_ms", NUMBER, AT(read_ms), "5000", 100, 600000, "查询超时（毫秒）",
      "statement time-out of reads, in milliseconds" },
    { "lock_ms", NUMBER, AT(lock_ms), "3000", 10, 600000, "等待行锁超时（毫秒）",
      "how long a batch waits for a lock, in milliseconds" },
    { "request_ms", NUMBER, AT(request_ms), "15000", 100, 600000, "单个请求的期限（毫秒）",
      "deadline of one request, in milliseconds" },

    { "redis", TEXT, AT(redis), "", 0, 0, "Redis 套接字路径或数字地址:端口，空为不用",
      "Redis: path of a socket or numeric address:port; empty: none" },
    { "redis_password_file", TEXT, AT(redis_password_file), "", 0, 0, "Redis 密码文件", "file with its password" },
    { "redis_ms", NUMBER, AT(redis_ms), "200", 10, 10000, "Redis 应答超时（毫秒）",
      "how long a Redis command waits, in milliseconds" },
    { "spool_redis", TEXT, AT(spool_redis), "", 0, 0,
      "暂存用 Redis（独立进程，appendonly yes、appendfsync always、noeviction），只属于本机、不做主从切换；空为不用",
      "the Redis of the spool, a process of its own with appendonly yes, appendfsync always, maxmemory-policy "
      "noeviction; "
      "it belongs to this host alone and does not fail over; empty: none" },
    { "spool_password_file", TEXT, AT(spool_password_file), "", 0, 0, "暂存 Redis 密码文件", "file with its password" },
    { "spool_max", NUMBER, AT(spool_max), "100000", 1, 10000000, "暂存最多条数，也是预留工单号的数量",
      "most complaints in the spool; as many ticket numbers are reserved for it" },

    { "contact_key_file", TEXT, AT(contact_key_file), "", 0, 0, "联系方式加密密钥文件",
      "keys that encrypt contact data" },
    { "hash_key_file", TEXT, AT(hash_key_file), "", 0, 0, "散列与查询码密钥文件", "key of hashes and query codes" },

    { "body_max", NUMBER, AT(body_max), "262144", 1024, 1000000, "请求体上限（字节）", "largest body, in bytes" },
    { "header_max", NUMBER, AT(header_max), "16384", 1024, 65536, "请求头上限（字节）",
      "largest head of a request, in bytes" },
    { "conns_max", NUMBER, AT(conns_max), "10000", 1, 1000000, "每进程连接上限，超过即答 503 并断开",
      "connections of each worker; who comes beyond is answered 503 and let go" },
    { "read_seconds", NUMBER, AT(read_seconds), "30", 1, 3600, "请求须在此秒数内收完",
      "how long a request may take to come in, from its first byte to its last" },
    { "idle_seconds", NUMBER, AT(idle_seconds), "60", 1, 3600, "空闲连接保留秒数",
      "how long a silent connection is kept" },
    { "write_seconds", NUMBER, AT(write_seconds), "20", 1, 3600, "发送停滞的秒数上限",
      "how long a reply may make no progress" },
    { "stream_max", NUMBER, AT(stream_max), "2000", 0, 100000, "每进程事件流上限", "event streams of each worker" },
    { "stream_buffer", NUMBER, AT(stream_buffer), "262144", 4096, 16777216, "每个事件流未发送字节上限",
      "bytes a slow event stream may owe" },
    { "trusted_proxies", TEXT, AT(trusted_proxies), "", 0, 0, "可信反向代理地址，逗号分隔",
      "reverse proxies believed about client addresses, separated by commas" },
    { "web_root", TEXT, AT(web_root), "", 0, 0, "网页文件目录，空为不提供网页", "folder of the pages; empty: none" },
    { "public_origin", TEXT, AT(public_origin), "", 0, 0, "公众访问的网址，用于来源校验",
      "address people reach us at, for the check of Origin; empty: the Host header" },

    { "fetch_max", NUMBER, AT(fetch_max), "32", 1, 1000, "每进程同时向外发出的请求数",
      "outgoing requests of each worker at a time" },
    { "fetch_ms", NUMBER, AT(fetch_ms), "10000", 100, 120000, "向外请求的超时（毫秒）",
      "time limit of an outgoing request, in milliseconds" },
    { "fetch_plain", NUMBER, AT(fetch_plain), "0", 0, 1, "1 为允许不加密的向外请求（仅限可信内网）",
      "1 allows outgoing requests without TLS, in a trusted network only" },
    { "fetch_ca_file", TEXT, AT(fetch_ca_file), "", 0, 0, "校验对方证书的根证书文件，空为系统自带",
      "root certificates that outgoing requests trust; empty: the system's" },
    { "notice_ways", TEXT, AT(notice_ways), "", 0, 0, "启用的通知方式，逗号分隔：sms、email、webhook，空为不发送",
      "ways by which notices go out, separated by commas: sms, email, webhook; empty: none" },
    { "sms_file", TEXT, AT(sms_file), "", 0, 0, "短信网关文件（含密钥，仅本程序可读），见 channels/notice/README.md",
      "SMS gateways with their secrets, readable by the daemon alone: channels/notice/README.md" },
    { "smtp_url", TEXT, AT(smtp_url), "", 0, 0, "邮件服务器，如 smtps://mail.example.gov.cn",
      "mail server, such as smtps://mail.example.gov.cn" },
    { "smtp_user", TEXT, AT(smtp_user), "", 0, 0, "邮件服务器用户名", "user name at the mail server" },
    { "smtp_password_file", TEXT, AT(smtp_password_file), "", 0, 0, "邮件服务器密码文件", "file with its password" },
    { "mail_from", TEXT, AT(mail_from), "", 0, 0, "发件人地址", "address that mail comes from" },
    { "exchange_file", TEXT, AT(exchange_file), "", 0, 0,
      "对接平台密钥文件（仅本程序可读），见 channels/exchange/README.md",
      "platforms that exchange tickets with us and their secrets: channels/exchange/README.md" },

    { "files_root", TEXT, AT(files_root), "", 0, 0, "附件目录（须为本地磁盘或各主机共用的目录），空为不接收附件",
      "folder of attached files, on a disk of this host or shared by all hosts; empty: no files are taken" },
    { "files_reserve_mb", NUMBER, AT(files_reserve_mb), "1024", 0, 100000000,
      "附件磁盘剩余低于此值（MB）时不再接收附件",
      "with less than this left on the disk of files, in megabytes, new uploads are refused" },
    { "upload_hours", NUMBER, AT(upload_hours), "24", 1, 720, "未用于工单的上传保留小时数",
      "how long an upload that no ticket names is kept, in hours" },
    { "upload_waiting_max", NUMBER, AT(upload_waiting_max), "256", 1, 10000, "等待校验入库的上传数上限",
      "whole uploads that may wait for their check" },

    { "limit_submit", NUMBER, AT(limit_submit), "6", 0, 1000000, "每地址每分钟提交数，0 为不限",
      "complaints per address and minute; 0: any number" },
    { "limit_query", NUMBER, AT(limit_query), "30", 0, 1000000, "每地址每分钟查询数",
      "look-ups per address and minute" },
    { "limit_login", NUMBER, AT(limit_login), "20", 0, 1000000, "每地址每分钟登录数",
      "sign-ins per address and minute" },
    { "limit_staff", NUMBER, AT(limit_staff), "1200", 0, 1000000, "每会话每分钟请求数",
      "requests per session and minute" },
    { "limit_upload", NUMBER, AT(limit_upload), "60", 0, 1000000, "每地址每分钟新建上传数",
      "uploads begun per address and minute" },
    { "challenge_rate", NUMBER, AT(challenge_rate), "600", 0, 1000000,
      "本机每分钟收到的公众提交超过此数时，要求先完成计算验证（防攻击），0 为从不自动开启；hotlinectl door challenge "
      "on 手动开启",
      "when more complaints than this a minute reach this host from the public, each must first solve a proof of work; "
      "0: never by itself; hotlinectl door challenge on asks for it at once" },
    { "challenge_numbers", NUMBER, AT(challenge_numbers), "50000", 1000, 10000000,
      "计算验证的难度：平均需试算此数的一半次散列（5 万约为手机上数秒）",
      "difficulty of the proof of work: half as many hashes are tried on average; 50000 are a few seconds on a phone" },
    { "password_waiting_max", NUMBER, AT(password_waiting_max), "64", 1, 10000, "等待口令校验的上限",
      "password checks that may wait" },

    { "app_jurisdiction", TEXT, AT(app_jurisdiction), "", 0, 0,
      "Open311 接口的 jurisdiction_id（如 shantou.gov.cn），空为不开放",
      "jurisdiction_id of the Open311 interface, such as shantou.gov.cn; empty: no such interface" },
    { "app_key_file", TEXT, AT(app_key_file), "", 0, 0, "应用的密钥文件，每行为 名称:密钥的 SHA-256",
      "keys of applications, a line each: name:SHA-256 of the key in hex; read again when it changes" },
    { "limit_app", NUMBER, AT(limit_app), "600", 0, 1000000, "每个应用密钥每分钟请求数，0 为不限",
      "requests per application key and minute; 0: any number" },

    { "wechat_file", TEXT, AT(wechat_file), "", 0, 0,
      "微信公众号文件（含密钥，仅本程序可读），空为不开放，见 channels/wechat/README.md",
      "the WeChat official account with its secrets, readable by the daemon alone: channels/wechat/README.md; empty: "
      "none" },
    { "wechat_phone", NUMBER, AT(wechat_phone), "0", 0, 1, "1 为微信投诉必须留电话，0 为可匿名",
      "1: a complaint by WeChat needs a phone number; 0: it may be anonymous" },
};

static struct settings now;

static const struct setting *find(const char *name, size_t len)
{
    for (size_t i = 0; i < COUNT(table); i++) {
        const char *own = table[i].name;
        size_t at = 0;

        while (at < len && own[at] && (name[at] == own[at] || (name[at] == '-' && own[at] == '_')))
            at++;
        if (at == len && !own[at])
            return &table[i];
    }
    return NULL;
}

static bool set_number(const struct setting *setting, const char *value)
{
    char *end;
    long number;

    errno = 0;
    number = strtol(value, &end, 10);
    if (errno || end == value || *end || number < setting->min || number > setting->max)
        return false;
    *(int *)((char *)&now + setting->offset) = (int)number;
    return true;
}

static void set_text(const struct setting *setting, const char *value)
{
    const char **slot = (const char **)((char *)&now + setting->offset);
    char *copy = strdup(value);

    if (!copy)
        abort();
    free((char *)*slot);
    *slot = copy;
}

/* from says where the value was found. */
static bool set(const struct setting *setting, const char *value, const char *from)
{
    bool good = true;

    if (setting->type == NUMBER)
        good = set_number(setting, value);
    else if (setting->type == LEVEL)
        good = log_level_named(value, (enum log_level *)((char *)&now + setting->offset));
    else
        set_text(setting, value);
    if (good)
        return true;
    if (setting->type == NUMBER)
        fprintf(stderr, "hotlined: %s: %s must be a number from %ld to %ld\n", from, setting->name, setting->min,
                setting->max);
    else
        fprintf(stderr, "hotlined: %s: %s must be error, warn, info or debug\n", from, setting->name);
    return false;
}

static void set_defaults(void)
{
    for (size_t i = 0; i < COUNT(table); i++) {
        bool good = set(&table[i], table[i].start, "default");

        assert(good);
        (void)good;
    }
}

static char *trim(char *text)
{
    char *end = text + strlen(text);

    while (end > text && isspace((unsigned char)end[-1]))
        *--end = 0;
    return text + strspn(text, " \t\r\n");
}

/* One line of the file: name = value, # begins a comment line. */
static bool read_line(char *line, const char *from)
{
    const struct setting *setting;
    char *name = trim(line), *equals = strchr(name, '=');

    if (!*name || *name == '#')
        return true;
    if (!equals) {
        fprintf(stderr, "hotlined: %s: expected name = value\n", from);
        return false;
    }
    *equals = 0;
    name = trim(name);
    setting = find(name, strlen(name));
    if (!setting) {
        fprintf(stderr, "hotlined: %s: unknown setting %s\n", from, name);
        return false;
    }
    return set(setting, trim(equals + 1), from);
}

static bool read_file(const char *path)
{
    char line[4096], from[512];
    bool good = true;
    int n = 0;
    FILE *file = fopen(path, "re");

    if (!file) {
        fprintf(stderr, "hotlined: %s: %s\n", path, strerror(errno));
        return false;
    }
    while (good && fgets(line, sizeof line, file)) {
        snprintf(from, sizeof from, "%s line %d", path, ++n);
        good = read_line(line, from);
    }
    if (ferror(file)) {
        fprintf(stderr, "hotlined: %s: %s\n", path, strerror(errno));
        good = false;
    }
    fclose(file);
    return good;
}

static bool read_environment(void)
{
    for (size_t i = 0; i < COUNT(table); i++) {
        char name[64] = "HOTLINE_";
        size_t len = strlen(name);
        const char *value;

        for (const char *c = table[i].name; *c; c++)
            name[len++] = (char)toupper((unsigned char)*c);
        value = getenv(name);
        if (value && !set(&table[i], value, name))
            return false;
    }
    return true;
}

static bool read_argument(const char *argument)
{
    const char *name = argument + 2, *equals = strchr(name, '=');
    const struct setting *setting = equals ? find(name, (size_t)(equals - name)) : NULL;

    if (!setting) {
        fprintf(stderr, "hotlined: unknown argument %s (hotlined --help lists them)\n", argument);
        return false;
    }
    return set(setting, equals + 1, argument);
}

static void print_help(void)
{
    puts(
        "hotlined: the dispatch engine of a 12345 hotline\n\n"
        "Settings come from --config=FILE, then the environment (HOTLINE_PORT=80), then the command line (--port=80).\n"
        "--print-config prints a sample file.\n");
    for (size_t i = 0; i < COUNT(table); i++)
        printf("  --%s=%s\n        %s（%s）\n", table[i].name, table[i].start, table[i].en, table[i].zh);
}

static void print_sample(void)
{
    for (size_t i = 0; i < COUNT(table); i++)
        printf("# %s\n# %s\n#%s = %s\n\n", table[i].zh, table[i].en, table[i].name, table[i].start);
}

static const char *config_of(int argc, char *const argv[])
{
    const char *path = NULL;

    for (int i = 1; i < argc; i++)
        if (!strncmp(argv[i], "--config=", 9))
            path = argv[i] + 9;
    return path;
}

static bool read_arguments(int argc, char *const argv[])
{
    for (int i = 1; i < argc; i++) {
        if (!strncmp(argv[i], "--config=", 9))
            continue;
        if (strncmp(argv[i], "--", 2) != 0) {
            fprintf(stderr, "hotlined: unexpected argument %s (hotlined --help)\n", argv[i]);
            return false;
        }
        if (!read_argument(argv[i]))
            return false;
    }
    return true;
}

enum settings_verdict settings_load(int argc, char *const argv[])
{
    const char *config = config_of(argc, argv);

    for (int i = 1; i < argc; i++) {
        bool help = !strcmp(argv[i], "--help");

        if (!help && strcmp(argv[i], "--print-config") != 0)
            continue;
        (help ? print_help : print_sample)();
        return SETTINGS_SHOWN;
    }
    set_defaults();
    if ((config && !read_file(config)) || !read_environment() || !read_arguments(argc, argv))
        return SETTINGS_BAD;
    return SETTINGS_RUN;
}

const struct settings *settings(void)
{
    return &now;
}
