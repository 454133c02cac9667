// Complaints: through the engine, and the same function called without it.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { count, filing, intakeScript, prepare } from './calls.mjs';
import { best, cpuSeconds, http, out, postmaster, round, run, say, wal } from './load.mjs';

async function busy(rows, hotline, call) {
    const bare = await best(hotline, intakeScript(call), [4, 8, 16, 32]);
    await http(hotline, [filing], { time: 3, more: ['--repeat'] });
    const [before, cpuBefore, walBefore] = [await count(hotline), cpuSeconds([postmaster(), hotline.engine.pid]), await wal(hotline)];
    const got = await http(hotline, [filing], { more: ['--repeat'] });
    const tickets = await count(hotline) - before;

    say(`HTTP: ${got.per_second} a second, p99 ${got.p99_ms} ms`);
    rows.atLeast('intake_ratio', round(got.per_second / bare), '', 2.5);
    rows.row('intake_per_second', got.per_second, '/s');
    rows.row('intake_bare_per_second', round(bare, 1), '/s');
    rows.row('intake_cpu_us', Math.round((cpuSeconds([postmaster(), hotline.engine.pid]) - cpuBefore) / tickets * 1e6), 'us');
    rows.row('wal_bytes_per_ticket', Math.round((await wal(hotline) - walBefore) / tickets), 'bytes');
}

// One client: HTTP in turn with the bare call, so that both meet the same machine.
async function idle(rows, hotline, call) {
    const medians = { bare: [], http: [] };
    const prefix = join(out, 'latency');

    for (let turn = 0; turn < 3; turn++) {
        const file = join(out, 'one.sql');
        writeFileSync(file, intakeScript(call));
        await run(`${process.env.PGBIN}/pgbench`, ['-n', '-M', 'prepared', '-c', '1', '-T', '3', '-f', file, '-l', `--log-prefix=${prefix}-${turn}`,
            '-h', process.env.PGHOST, '-U', 'hotline_engine', hotline.database], { env: { ...process.env, PGOPTIONS: '-c jit=off -c enable_memoize=off' } });
        const log = readdirSync(out).find((name) => name.startsWith(`latency-${turn}.`));
        const times = readFileSync(join(out, log), 'utf8').trim().split('\n').map((line) => Number(line.split(' ')[2]) / 1000).sort((a, b) => a - b);
        medians.bare.push(times[times.length >> 1]);
        medians.http.push((await http(hotline, [filing], { connections: 1, time: 3, more: ['--repeat', '--warm', '0.5'] })).p50_ms);
    }
    const middle = (values) => values.sort((a, b) => a - b)[1];
    say(`one client: bare ${medians.bare.map((v) => round(v))} ms, HTTP ${medians.http} ms`);
    rows.atMost('idle_overhead_ms', round(middle(medians.http) - middle(medians.bare)), 'ms', 0.3);
}

export async function intake({ rows, open }) {
    const hotline = await open({ workers: cpus().length });
    const call = await prepare(hotline);

    await busy(rows, hotline, call);
    await idle(rows, hotline, call);
}
