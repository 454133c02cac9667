// node tests/load/bench.mjs: the speed of the engine beside that of the database alone, on one machine and in one run.
//
// Prints a table and writes build/bench/latest.json; what each group of rows writes beside it is said in its file.  ONLY=lists,clocks
// runs some groups and writes build/bench/lists,clocks.json instead.  make bench prepares the cluster, which is durable, and what the
// environment names.  TICKETS and BENCH_SECONDS give a smaller or a larger run.  Everything, the load included, shares the machine:
// only ratios mean anything elsewhere.

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { Hotline } from '../http/harness.mjs';
import { act } from './bench/act.mjs';
import { app } from './bench/app.mjs';
import { clocks } from './bench/clocks.mjs';
import { intake } from './bench/intake.mjs';
import { lists } from './bench/lists.mjs';
import { out, say, size } from './bench/load.mjs';
import { pressure } from './bench/pressure.mjs';
import { profile } from './bench/profile.mjs';
import { reports } from './bench/reports.mjs';
import { streams } from './bench/streams.mjs';
import { uploads } from './bench/uploads.mjs';
import { wechat } from './bench/wechat.mjs';

// A group is given { rows, open } and leaves rows; what it opens is closed after it.
const groups = { intake, app, wechat, act, lists, clocks, streams, uploads, pressure, profile, reports };

class Rows {
    all = [];

    // One figure; ok is null where there is no bar or nothing was measured.
    row(name, value, unit, bar = null, ok = null) {
        this.all.push({ name, value, unit, bar, ok });
        console.log(`${name.padEnd(32)} ${String(value ?? 'not run').padStart(12)} ${unit.padEnd(8)} ${bar ? `bar ${bar}` : 'recorded'}${ok === false ? '   MISSED' : ''}`);
    }

    atLeast(name, value, unit, bar) {
        this.row(name, value, unit, `>= ${bar}`, value >= bar);
    }

    atMost(name, value, unit, bar) {
        this.row(name, value, unit, `<= ${bar}`, value <= bar);
    }
}

async function settings(hotline) {
    const names = ['fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method', 'wal_compression', 'shared_buffers', 'max_wal_size', 'server_version'];
    const found = await hotline.sql('select name, current_setting(name) as value from pg_settings where name = any ($1)', [names]);

    return Object.fromEntries(found.map((s) => [s.name, s.value]));
}

// ---- all of it ------------------------------------------------------------------------------------------------------------

const wanted = (process.env.ONLY || Object.keys(groups).join(',')).split(',');
for (const name of wanted)
    if (!groups[name])
        throw new Error(`no such group: ${name}; there are ${Object.keys(groups).join(', ')}`);

mkdirSync(out, { recursive: true });
const rows = new Rows();
let server;
for (const name of wanted) {
    const opened = [];
    // An engine, and a database of its own that is copied from a template.
    const open = async (set = {}, options = {}) => {
        const hotline = new Hotline({ settings: set });

        opened.push(hotline);
        await hotline.open(options);
        server ??= await settings(hotline);
        if (server.fsync !== 'on' || server.synchronous_commit !== 'on')
            throw new Error('this cluster is not durable');
        return hotline;
    };

    say(name);
    try {
        await groups[name]({ rows, open });
    } catch (error) {
        console.error(`${name}:`, error);
        process.exitCode = 1;
    }
    for (const hotline of opened)
        await hotline.stop().catch((error) => {
            console.error(`${name}:`, error);
            process.exitCode = 1;
        });
}
writeFileSync(join(out, `${process.env.ONLY || 'latest'}.json`), JSON.stringify({
    commit: execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim(),
    date: new Date().toISOString(),
    machine: `${cpus().length} x ${cpus()[0].model}, ${Math.round(totalmem() / 2 ** 30)} GB`,
    settings: { tickets: size, ...server },
    rows: rows.all,
}, null, 4));
