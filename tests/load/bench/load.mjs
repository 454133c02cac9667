// The load, in processes of its own, and what it costs.

import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const out = process.env.BENCH_DIR;
export const seconds = Number(process.env.BENCH_SECONDS ?? 10);
// How large the city is whose lists, figures and clocks are measured.
export const size = Number(process.env.TICKETS ?? 1000000);

export const round = (value, digits = 2) => Number(value.toFixed(digits));
export const say = (text) => console.error(`bench: ${text}`);

let files = 0;

export function requests(lines) {
    const file = join(out, `requests-${++files}.tsv`);

    writeFileSync(file, lines.map(([what, token, body]) => `${what}\t${token ?? ''}\t${typeof body === 'string' ? body : body ? JSON.stringify(body) : ''}\n`).join(''));
    return file;
}

export function run(command, args, options = {}) {
    return new Promise((resolve, reject) => {
        const child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], { stdio: ['ignore', 'pipe', 'pipe'], ...options });
        let said = '', complained = '';

        child.stdout.on('data', (bytes) => (said += bytes));
        child.stderr.on('data', (bytes) => (complained += bytes));
        child.on('error', reject);
        child.on('exit', (code) => (code === 0 ? resolve(said + complained) : reject(new Error(`${command}: ${complained.slice(-2000)}`))));
    });
}

// → { per_second, p50_ms, p99_ms, …, failed: { status: how many } }
export const load = async (hotline, lines, { connections = 128, time = seconds, more = [] } = {}) =>
    JSON.parse(await run(process.env.HTTP_LOAD, [String(hotline.port), String(connections), String(time), requests(lines), ...more]));

// The same; an answer that is not 2xx spoils the figure.
export async function http(hotline, lines, options) {
    const got = await load(hotline, lines, options);

    if (Object.keys(got.failed).length > 0)
        throw new Error(`answers that are not 2xx: ${JSON.stringify(got.failed)}`);
    return got;
}

// One call a transaction, through plain libpq.  The first seconds fill each connection's caches and are not counted.
// → transactions of the script a second
export async function pgbench(hotline, script, clients, { time = seconds, warm = 4 } = {}) {
    const file = join(out, `pgbench-${++files}.sql`);

    writeFileSync(file, script);
    const said = await run(`${process.env.PGBIN}/pgbench`, ['-n', '-M', 'prepared', '-c', String(clients), '-j', '1', '-P', '1',
        '-T', String(time + warm), '-f', file, '-h', process.env.PGHOST, '-U', 'hotline_engine', hotline.database],
    // As the engine connects.
    { env: { ...process.env, PGOPTIONS: '-c jit=off -c enable_memoize=off' } });
    const persecond = [...said.matchAll(/progress: [\d.]+ s, ([\d.]+) tps/g)].map((m) => Number(m[1])).slice(warm);

    return persecond.reduce((sum, tps) => sum + tps, 0) / persecond.length;
}

// The best of a few client counts.
export async function best(hotline, script, counts, options) {
    const tried = {};

    for (const clients of counts) {
        tried[clients] = await pgbench(hotline, script, clients, options);
        say(`pgbench with ${clients} clients: ${round(tried[clients], 1)} a second`);
    }
    return Math.max(...Object.values(tried));
}

// ---- what it costs ----------------------------------------------------------------------------------------------------

export const stat = (pid) => {
    try {
        return readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
    } catch {
        return null; // it has ended
    }
};

// A process and all below it.
export function family(top) {
    const found = new Set([top]);
    const parents = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((pid) => [Number(pid), Number(stat(pid)?.[1])]);

    for (let grown = true; grown;) {
        grown = false;
        for (const [pid, parent] of parents)
            if (found.has(parent) && !found.has(pid))
                grown = Boolean(found.add(pid));
    }
    return [...found];
}

const ticks = Number(execFileSync('getconf', ['CLK_TCK']));
export const cpuSeconds = (tops) => tops.flatMap(family).map(stat).filter(Boolean)
    .reduce((sum, s) => sum + (Number(s[11]) + Number(s[12]) + Number(s[13]) + Number(s[14])) / ticks, 0);

export const wal = async (hotline) => Number((await hotline.sql("select pg_current_wal_lsn() - '0/0' as at"))[0].at);

export const rssMb = (pid) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) / 1024;

// The processes of the engine's workers.
export const workers = (hotline) => family(hotline.engine.pid).filter((pid) => stat(pid)?.[1] === String(hotline.engine.pid));

// PostgreSQL's first process.
export const postmaster = () => Number(readFileSync(join(process.env.CLUSTER_DIR, 'pg/postmaster.pid'), 'utf8').split('\n')[0]);
