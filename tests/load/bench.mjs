// node tests/load/bench.mjs: the speed of the engine beside that of the database alone, on one machine and in one run.
//
// Prints a table and writes build/bench/latest.json; the size of batches, the time of each SQL function and perf's profile
// lie beside it.  make bench prepares the cluster, which is durable, and what the environment names.  TICKETS and BENCH_SECONDS
// give a smaller or a larger run.  Everything, the load included, shares the machine: only ratios mean anything elsewhere.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { Hotline, complaint } from '../http/harness.mjs';

const out = process.env.BENCH_DIR;
const seconds = Number(process.env.BENCH_SECONDS ?? 10);
const size = Number(process.env.TICKETS ?? 10000);
const rows = [];

const row = (name, value, unit, bar = null, ok = null) => {
    rows.push({ name, value, unit, bar, ok });
    console.log(`${name.padEnd(32)} ${String(value).padStart(12)} ${unit.padEnd(8)} ${bar ? `bar ${bar}` : 'recorded'}${ok === false ? '   MISSED' : ''}`);
};
const atLeast = (name, value, unit, bar) => row(name, value, unit, `>= ${bar}`, value >= bar);
const atMost = (name, value, unit, bar) => row(name, value, unit, `<= ${bar}`, value <= bar);
const round = (value, digits = 2) => Number(value.toFixed(digits));
const say = (text) => console.error(`bench: ${text}`);

// ---- what is asked ----------------------------------------------------------------------------------------------------

// One life after acceptance by the web acceptor: who, which action, with what.
const life = [
    ['acceptor1', 'accept', { title: complaint().title, category: '010501', division: '440507' }],
    ['dispatcher1', 'dispatch', { main_unit: 101, instruction: '请依法办理并答复诉求人。' }],
    ['st-gaj.d', 'sign', {}],
    ['st-gaj.h', 'first_contact', { contacted: true, way: 'phone' }],
    ['st-gaj.h', 'submit_reply', {
        result: 'resolved', fact_finding: 'true', measures: '责令停止夜间施工',
        content: '经现场核查，工地确有夜间施工，我局已责令其停止并将持续巡查，感谢您的监督。',
    }],
    ['st-gaj.a', 'unit_approve', { opinion: '已阅，照此办理' }],
    ['auditor1', 'audit_pass', { quality_score: 90 }],
    ['callback1', 'callback_attempt', { outcome: 'connected' }],
    ['callback1', 'callback_ok', { contacted_by_unit: true, resolved: 'yes', sat_process: 'satisfied', sat_result: 'satisfied' }],
];

// ---- the load, in processes of their own --------------------------------------------------------------------------------

let files = 0;

function requests(lines) {
    const file = join(out, `requests-${++files}.tsv`);

    writeFileSync(file, lines.map(([what, token, body]) => `${what}\t${token ?? ''}\t${body ? JSON.stringify(body) : ''}\n`).join(''));
    return file;
}

function run(command, args, options = {}) {
    return new Promise((resolve, reject) => {
        const child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], { stdio: ['ignore', 'pipe', 'pipe'], ...options });
        let said = '', complained = '';

        child.stdout.on('data', (bytes) => (said += bytes));
        child.stderr.on('data', (bytes) => (complained += bytes));
        child.on('error', reject);
        child.on('exit', (code) => (code === 0 ? resolve(said + complained) : reject(new Error(`${command}: ${complained.slice(-2000)}`))));
    });
}

// → { per_second, p50_ms, p99_ms, … }; an answer that is not 2xx spoils the figure.
async function http(hotline, lines, { connections = 128, time = seconds, more = [] } = {}) {
    const got = JSON.parse(await run(process.env.HTTP_LOAD, [String(hotline.port), String(connections), String(time), requests(lines), ...more]));

    if (Object.keys(got.failed).length > 0)
        throw new Error(`answers that are not 2xx: ${JSON.stringify(got.failed)}`);
    return got;
}

// One call a transaction, through plain libpq.  The first seconds fill each connection's caches and are not counted.
// → transactions of the script a second
async function pgbench(hotline, script, clients, { time = seconds, warm = 4 } = {}) {
    const file = join(out, `pgbench-${++files}.sql`);

    writeFileSync(file, script);
    const said = await run(`${process.env.PGBIN}/pgbench`, ['-n', '-M', 'prepared', '-c', String(clients), '-j', '1', '-P', '1',
        '-T', String(time + warm), '-f', file, '-h', process.env.PGHOST, '-U', 'hotline_engine', hotline.database],
    // As the engine connects.
    { env: { ...process.env, PGOPTIONS: '-c jit=off -c enable_memoize=off' } });
    const persecond = [...said.matchAll(/progress: [\d.]+ s, ([\d.]+) tps/g)].map((m) => Number(m[1])).slice(warm);

    return persecond.reduce((sum, tps) => sum + tps, 0) / persecond.length;
}

// ---- the calls as the engine makes them -----------------------------------------------------------------------------------

// pgbench takes a colon before a letter or digit for a variable, in quotes too.
const quoted = (value) => `'${JSON.stringify(value, null, 1).replace(/\n\s*/g, ' ').replace(/:(?=\w)/g, '\\u003a').replaceAll("'", "''")}'::jsonb`;

// What the engine sends for this complaint, read back from what it stored.
async function storedCall(hotline, id) {
    const [call] = await hotline.sql(`
        select jsonb_build_object('principal', 'bench', 'route', 'POST /v1/tickets', 'digest', repeat('d', 64), 'channel', 'web',
            'type', 'complaint', 'title', title, 'content', content, 'division', division,
            'contact', jsonb_build_object('phone_enc', phone_enc, 'phone_hmac', phone_hmac, 'phone_mask', phone_mask),
            'query_code_enc', query_code_enc, 'query_code_hash', query_code_hash, 'grams', to_jsonb(grams),
            'hits', route->'hits', 'found', route->'found') as x
        from hotline.ticket t join hotline.ticket_contact c on c.ticket_id = t.id join hotline.ticket_gram g on g.ticket_id = t.id
        where t.id = $1`, [id]);

    return call.x;
}

// pgbench gives each client its number; the random part keeps the keys of several runs apart.
const freshKey = "'bench-' || :client_id || '-' || clock_timestamp()::text || random()::text";

const intakeScript = (call) => `
    select a.status from bench.seq() s, api.intake(${quoted(call)} || jsonb_build_object('seq', s, 'key', ${freshKey})) a;\n`;

function lifeScript(call, sessions) {
    const words = { grams: call.grams, hits: call.hits, found: call.found };

    return `select bench.next_ticket() as id \\gset\n${life.map(([login, action, inputs]) => `
        select a.status from api.act(${quoted({ principal: 'p', route: 'POST /v1/desk/tickets/{id}/actions', digest: 'd'.repeat(64),
        session: sessions[login], action, inputs, ...(inputs.title ? words : {}) })}
            || jsonb_build_object('id', :id::text, 'key', ${freshKey})) a;`.replace(/\n +/g, ' ').trim()).join('\n')}\n`;
}

// What pgbench needs beside the api: numbers, and the next ticket that waits for acceptance.
const helpers = `
    create schema bench;
    create table bench.ticket (n bigint primary key generated always as identity, id bigint);
    create sequence bench.turn;
    create function bench.seq() returns text language sql volatile security definer as
        $$ select nextval('hotline.ticket_no_seq')::text $$;
    create function bench.next_ticket() returns bigint language sql volatile security definer as
        $$ select id from bench.ticket where n = (select nextval('bench.turn')) $$;
    grant usage on schema bench to hotline_engine;
    grant execute on all functions in schema bench to hotline_engine;`;

// ---- what it costs ------------------------------------------------------------------------------------------------------

const stat = (pid) => {
    try {
        return readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
    } catch {
        return null; // it has ended
    }
};

// A process and all below it.
function family(top) {
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
const cpuSeconds = (tops) => tops.flatMap(family).map(stat).filter(Boolean)
    .reduce((sum, s) => sum + (Number(s[11]) + Number(s[12]) + Number(s[13]) + Number(s[14])) / ticks, 0);

const wal = async (hotline) => Number((await hotline.sql("select pg_current_wal_lsn() - '0/0' as at"))[0].at);

const rssMb = (pid) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) / 1024;

async function batchSizes(hotline) {
    const text = await (await fetch(`${hotline.url}/metrics`)).text();

    return text.split('\n').filter((line) => /^hotlined_db_(batch|retries|halved|poison)/.test(line)).join('\n') + '\n';
}

// ---- the rows ----------------------------------------------------------------------------------------------------------

const filing = ['POST /v1/tickets', null, complaint()];

// The best of a few client counts.
async function best(hotline, script, counts, options) {
    const tried = {};

    for (const clients of counts) {
        tried[clients] = await pgbench(hotline, script, clients, options);
        say(`pgbench with ${clients} clients: ${round(tried[clients], 1)} a second`);
    }
    return Math.max(...Object.values(tried));
}

async function intake(hotline, call) {
    const bare = await best(hotline, intakeScript(call), [4, 8, 16, 32]);
    await http(hotline, [filing], { time: 3, more: ['--repeat'] });
    const [postmaster] = readFileSync(join(process.env.CLUSTER_DIR, 'pg/postmaster.pid'), 'utf8').split('\n').map(Number);
    const [before, cpuBefore, walBefore] = [await count(hotline), cpuSeconds([postmaster, hotline.engine.pid]), await wal(hotline)];
    const got = await http(hotline, [filing], { more: ['--repeat'] });
    const tickets = await count(hotline) - before;

    say(`HTTP: ${got.per_second} a second, p99 ${got.p99_ms} ms`);
    atLeast('intake_ratio', round(got.per_second / bare), '', 2.5);
    row('intake_per_second', got.per_second, '/s');
    row('intake_bare_per_second', round(bare, 1), '/s');
    row('intake_cpu_us', Math.round((cpuSeconds([postmaster, hotline.engine.pid]) - cpuBefore) / tickets * 1e6), 'us');
    row('wal_bytes_per_ticket', Math.round((await wal(hotline) - walBefore) / tickets), 'bytes');
}

const count = async (hotline) => Number((await hotline.sql('select count(*) as n from hotline.ticket_ref'))[0].n);

// The same lives, half of the waiting tickets by HTTP and half by pgbench.
async function act(hotline, call) {
    const waiting = (await hotline.sql('select ticket_id as id from hotline.inbox where state = 11 order by ticket_id')).map((t) => t.id);
    const mine = waiting.splice(0, Math.min(1000, waiting.length / 2));
    const sessions = {};
    let answered = 0, took = 0;

    for (const [login] of life)
        sessions[login] = (await hotline.as(login)).token;
    for (const [login, action, inputs] of life) {
        const got = await http(hotline, mine.map((id) => [`POST /v1/desk/tickets/${id}/actions`, sessions[login], { action, ...inputs }]), { time: 120 });
        answered += got.answered;
        took += got.seconds;
    }
    const hashes = Object.fromEntries((await hotline.sql(`
        select p.login, max(s.hash) as hash from hotline.session s join hotline.person p on p.id = s.person_id group by 1`)).map((s) => [s.login, s.hash]));
    await hotline.sql('insert into bench.ticket (id) select unnest($1::bigint[])', [waiting]);
    const bare = await best(hotline, lifeScript(call, hashes), [4, 8, 16]) * life.length;
    const left = (await hotline.sql('select (select count(*) from bench.ticket) - (select last_value from bench.turn) as n'))[0].n;
    if (left < 0)
        throw new Error('pgbench ran out of tickets: its figure counts refusals');
    say(`HTTP: ${round(answered / took, 1)} a second`);
    atLeast('act_ratio', round(answered / took / bare), '', 2.5);
    row('act_per_second', round(answered / took, 1), '/s');
    row('act_bare_per_second', round(bare, 1), '/s');
}

// One client: HTTP in turn with the bare call, so that both meet the same machine.
async function idle(hotline, call) {
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
    atMost('idle_overhead_ms', round(middle(medians.http) - middle(medians.bare)), 'ms', 0.3);
}

// Lists and figures while intake runs at half of what the machine can do.
async function readings(hotline, pace) {
    const leader = (await hotline.as('leader1')).token;
    const year = new Date().getFullYear();
    const [unit] = await hotline.sql("select id from hotline.unit where code = 'ST-GAJ'");
    const [page] = await hotline.sql('select count(*) as n from hotline.inbox');
    const lists = ['state=pending_accept', 'light=yellow,red', `unit=${unit.id}`, `q=${encodeURIComponent('夜间施工')}`, 'state=pending_accept,pending_sign', 'state=pending_sign'];
    const writing = http(hotline, [filing], { connections: 16, time: 2 * seconds + 2, more: ['--repeat', '--rate', String(Math.max(1, Math.round(pace / 2)))] });
    writing.catch(() => {}); // awaited below
    const list = await http(hotline, lists.map((filter) => [`GET /v1/desk/tickets?${filter}`, leader]), { connections: 1, more: ['--repeat'] });
    const figures = await http(hotline, [[`GET /v1/metrics/closure?from=${year}-01-01&to=${year + 1}-01-01&by=unit`, leader]], { connections: 1, more: ['--repeat'] });

    await writing;
    row(`list_p99_ms_at_${page.n}_open`, list.p99_ms, 'ms');
    row(`metrics_p99_ms_at_${page.n}_open`, figures.p99_ms, 'ms');
}

async function memory(hotline) {
    await http(hotline, [['GET /healthz', null]], { connections: 1000, time: 3, more: ['--repeat'] });
    const workers = family(hotline.engine.pid).filter((pid) => stat(pid)?.[1] === String(hotline.engine.pid));
    atMost('worker_rss_mb_1000_connections', round(Math.max(...workers.map(rssMb)), 1), 'MB', 64);
}

// Where the time goes: a short run of both kinds with each function timed, and perf over the whole machine.
async function profile(hotline) {
    await hotline.sql(`alter database ${hotline.database} set track_functions = 'all'`);
    await hotline.sql('select pg_stat_reset()');
    await hotline.engine.term();
    await hotline.startEngine();
    const load = http(hotline, [filing], { time: 5, more: ['--repeat'] });
    spawnSync('perf', ['record', '-q', '-e', 'cpu-clock', '-F', '499', '-a', '-g', '-o', join(out, 'perf.data'), '--', 'sleep', '4']);
    await load;
    const report = spawnSync('perf', ['report', '-i', join(out, 'perf.data'), '--no-children', '--stdio', '-g', 'none'], { maxBuffer: 1 << 26 });
    if (report.status === 0)
        writeFileSync(join(out, 'perf.txt'), report.stdout);
    await hotline.engine.term(); // the sessions hand in their statistics
    const functions = await hotline.sql(`
        select schemaname || '.' || funcname as name, calls, round((total_time * 1000 / calls)::numeric, 1) as us_total,
               round((self_time * 1000 / calls)::numeric, 1) as us_self, round(self_time::numeric) as self_ms
        from pg_stat_user_functions order by self_time desc limit 60`);
    writeFileSync(join(out, 'functions.txt'), functions.map((f) =>
        `${f.name.padEnd(36)} ${f.calls.padStart(9)} calls ${f.us_total.padStart(9)} us ${f.us_self.padStart(9)} us self ${f.self_ms.padStart(8)} ms\n`).join(''));
    await hotline.startEngine();
}

async function settings(hotline) {
    const names = ['fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method', 'wal_compression', 'shared_buffers', 'max_wal_size', 'server_version'];
    const found = await hotline.sql('select name, current_setting(name) as value from pg_settings where name = any ($1)', [names]);

    return Object.fromEntries(found.map((s) => [s.name, s.value]));
}

// ---- all of it ------------------------------------------------------------------------------------------------------------

mkdirSync(out, { recursive: true });
const hotline = new Hotline({ settings: { workers: cpus().length } });
let failed;
try {
    await hotline.open({});
    const engineSettings = await settings(hotline);
    if (engineSettings.fsync !== 'on' || engineSettings.synchronous_commit !== 'on')
        throw new Error('this cluster is not durable');
    await hotline.sql(helpers);
    const first = await hotline.citizen.submit();
    const [{ id }] = await hotline.sql('select ticket_id as id from hotline.ticket_ref where ticket_no = $1', [first.body.number]);
    const call = await storedCall(hotline, id);

    await intake(hotline, call);
    for (let waiting = await count(hotline); waiting < size; waiting = await count(hotline))
        await http(hotline, [filing], { time: 2, more: ['--repeat'] });
    await idle(hotline, call);
    await act(hotline, call);
    writeFileSync(join(out, 'batch_sizes.txt'), await batchSizes(hotline));
    await readings(hotline, rows.find((r) => r.name === 'intake_per_second').value);
    await memory(hotline);
    await profile(hotline);
    writeFileSync(join(out, 'latest.json'), JSON.stringify({
        commit: execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim(),
        date: new Date().toISOString(),
        machine: `${cpus().length} x ${cpus()[0].model}, ${Math.round(totalmem() / 2 ** 30)} GB`,
        settings: engineSettings,
        rows,
    }, null, 4));
} catch (error) {
    failed = error;
}
await hotline.stop();
if (failed) {
    console.error(failed);
    process.exitCode = 1;
}
