#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>
#include <stdio.h>

#include "log.h"

/* Read once at start from one table: defaults, then a file, the environment (HOTLINE_<NAME>), the command line
 * (--name=value).  Secrets come from files that settings name, never as a value. */

struct settings {
    const char *listen;
    int port;
    const char *port_file;
    int workers;
    const char *user;
    const char *pid_file;
    enum log_level log_level;
    int drain_seconds;

    const char *database;
    int write_lanes;
    int read_lanes;
    int batch_max;
    int queue_max;
    int wait_ms;
    int connect_ms;
    int batch_ms;
    int read_ms;
    int lock_ms;
    int request_ms;

    const char *redis;
    const char *redis_password_file;
    int redis_ms;
    const char *spool_redis;
    const char *spool_password_file;
    int spool_max;

    const char *contact_key_file;
    const char *hash_key_file;

    int body_max;
    int header_max;
    int conns_max;
    int read_seconds;
    int idle_seconds;
    int write_seconds;
    int stream_max;
    int stream_buffer;
    const char *trusted_proxies;
    const char *web_root;
    const char *public_origin;

    int fetch_max;
    int fetch_ms;
    int fetch_plain;
    const char *fetch_ca_file;
    const char *notice_ways;
    const char *sms_file;
    const char *smtp_url;
    const char *smtp_user;
    const char *smtp_password_file;
    const char *mail_from;
    const char *exchange_file;

    const char *files_root;
    int files_reserve_mb;
    int upload_hours;
    int upload_waiting_max;

    int limit_submit;
    int limit_query;
    int limit_login;
    int limit_staff;
    int limit_upload;
    int challenge_rate;
    int challenge_numbers;
    int password_waiting_max;

    const char *app_jurisdiction;
    const char *app_key_file;
    int limit_app;

    const char *wechat_file;
    int wechat_phone;
};

enum settings_verdict { SETTINGS_RUN, SETTINGS_SHOWN, SETTINGS_BAD };

/* Fill the settings.  SETTINGS_SHOWN: --help or --print-config was asked for and printed; SETTINGS_BAD: said on stderr why. */
enum settings_verdict settings_load(int argc, char *const argv[]);

const struct settings *settings(void);

#endif
