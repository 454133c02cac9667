// node tests/load/replay-2018/run.mjs PLAN UNTIL: plays the plan on the engine that tools/replay-2018 started, counts it, and writes
// build/replay-2018/latest.json; statements.txt beside it says where the database's time went.

import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { count } from './count.mjs';

const [plan, until] = process.argv.slice(2);
const { REPLAY, REPLAY_OUT: out, REPLAY_PORT: port, REPLAY_ENGINE: engine, HOTLINECTL, PGHOST, CLUSTER_DIR } = process.env;
const database = { host: PGHOST, user: 'postgres', database: 'hotline_2018' };
const isWhole = until === '2018-09-01';

const ticks = Number(execFileSync('getconf', ['CLK_TCK']));
const stat = (pid) => {
    try {
        return readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
    } catch {
        return null; // it has ended
    }
};

// CPU seconds of a process and all below it, those that have ended too.
function cpuSeconds(top) {
    const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((pid) => [Number(pid), stat(pid)]).filter(([, s]) => s);
    const found = new Set([top]);

    for (let grown = true; grown;) {
        grown = false;
        for (const [pid, s] of all) if (found.has(Number(s[1])) && !found.has(pid)) grown = Boolean(found.add(pid));
    }
    return all.filter(([pid]) => found.has(pid)).reduce((sum, [, s]) => sum + (+s[11] + +s[12] + +s[13] + +s[14]) / ticks, 0);
}

// The program draws its progress itself.
function play() {
    return new Promise((resolve, reject) => {
        const child = spawn('setpriv', ['--pdeathsig', 'KILL', REPLAY, plan, 'tools/demo/complaints.jsonl', join(out, 'journal'), port, '--until', until],
            { stdio: ['ignore', 'pipe', 'inherit'] });
        let said = '';

        child.stdout.on('data', (bytes) => (said += bytes));
        child.on('error', reject);
        child.on('exit', (code) => (code === 0 ? resolve(JSON.parse(said)) : reject(new Error(`the replay ended with ${code}`))));
    });
}

const db = new pg.Client(database);
await db.connect();
const rows = async (query) => (await db.query(query)).rows;
const names = ['fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method', 'wal_compression', 'shared_buffers', 'max_wal_size',
    'checkpoint_timeout', 'server_version'];
const settings = Object.fromEntries((await rows(`select name, current_setting(name) as value from pg_settings where name in ('${names.join("','")}')`))
    .map((s) => [s.name, s.value]));
if (settings.fsync !== 'on' || settings.synchronous_commit !== 'on') throw new Error('this cluster is not durable');

const postmaster = Number(readFileSync(join(CLUSTER_DIR, 'pg/postmaster.pid'), 'utf8').split('\n')[0]);
const wal = async () => Number((await rows("select pg_current_wal_lsn() - '0/0' as at"))[0].at);
const cpu = () => ({ postgres: cpuSeconds(postmaster), engine: cpuSeconds(Number(engine)) });
const [cpuBefore, walBefore] = [cpu(), await wal()];
const played = await play();
const [cpuAfter, written] = [cpu(), await wal() - walBefore];

const statements = await rows(`
    select calls, round(total_exec_time::numeric) as ms, round((total_exec_time * 1000 / calls)::numeric, 1) as us, rows,
           left(regexp_replace(query, '\\s+', ' ', 'g'), 140) as query
    from pg_stat_statements where dbid = (select oid from pg_database where datname = current_database()) order by total_exec_time desc limit 40`);
writeFileSync(join(out, 'statements.txt'), statements.map((s) =>
    `${s.ms.padStart(9)} ms ${s.calls.padStart(9)} calls ${s.us.padStart(10)} us ${s.rows.padStart(9)} rows  ${s.query}\n`).join(''));
if (process.env.PROFILE) {
    const functions = await rows(`
        select schemaname || '.' || funcname as name, calls, round((total_time * 1000 / calls)::numeric, 1) as us_total,
               round((self_time * 1000 / calls)::numeric, 1) as us_self, round(self_time::numeric) as self_ms
        from pg_stat_user_functions order by self_time desc limit 80`);
    writeFileSync(join(out, 'functions.txt'), functions.map((f) =>
        `${f.name.padEnd(36)} ${f.calls.padStart(9)} calls ${f.us_total.padStart(11)} us ${f.us_self.padStart(9)} us self ${f.self_ms.padStart(8)} ms\n`).join(''));
}
const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
writeFileSync(join(out, 'batch_sizes.txt'), metrics.split('\n').filter((line) => /^hotlined_db_/.test(line)).join('\n') + '\n');

const counted = await count(readFileSync(plan, 'utf8'), { until, url: `http://127.0.0.1:${port}`, database });
const verify = execFileSync(HOTLINECTL, ['metrics', 'verify'], { encoding: 'utf8', maxBuffer: 1 << 26 }).trim();
console.log(`metrics verify: ${verify.split('\n').at(-1)}`);
const sound = counted.wrong === 0 && /\b0 differences/.test(verify);

const perCall = (s) => Math.round((s * 1e6) / played.calls);
const spent = { postgres: cpuAfter.postgres - cpuBefore.postgres, engine: cpuAfter.engine - cpuBefore.engine, replay: played.cpu_seconds };
const result = {
    commit: execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim(),
    date: new Date().toISOString(),
    machine: `${cpus().length} x ${cpus()[0].model}, ${Math.round(totalmem() / 2 ** 30)} GB`,
    settings,
    until,
    // A figure of the whole alone: not of some days, not of a run that was interrupted.
    replay_2018_s: isWhole && played.runs === 1 ? played.seconds : null,
    seconds: played.seconds,
    runs: played.runs,
    accepted: counted.accepted,
    closed: counted.closed,
    calls: played.calls,
    readings: played.readings,
    repeats: played.repeats,
    cpu_us_per_call: { ...Object.fromEntries(Object.entries(spent).map(([name, s]) => [name, perCall(s)])), all: perCall(Object.values(spent).reduce((a, b) => a + b)) },
    wal_bytes_per_ticket: Math.round(written / counted.accepted),
    differences: counted.wrong,
    sound,
};
writeFileSync(join(out, 'latest.json'), JSON.stringify(result, null, 4));
console.log(`${played.calls} calls in ${played.seconds} s, ${Math.round(played.calls / played.seconds)} a second; CPU a call: `
    + Object.entries(result.cpu_us_per_call).map(([name, us]) => `${name} ${us} us`).join(', '));
if (isWhole) console.log(`replay_2018_s ${result.replay_2018_s ?? '-'}   bar <= 300${result.replay_2018_s > 300 ? '   MISSED' : ''}`);
await db.end();
process.exitCode = sound ? 0 : 1;
