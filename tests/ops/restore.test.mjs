// The restore drill: a cluster of its own with the archive of deploy/backup, complaints before and after a moment, the machine
// lost, and everything as it was at that moment.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import pg from 'pg';
import { until } from '../http/harness.mjs';

const run = async (command, words, options = {}) => (await promisify(execFile)(command, words, { maxBuffer: 1 << 24, ...options })).stdout;
const root = new URL('../..', import.meta.url).pathname;
const dir = mkdtempSync(join(tmpdir(), 'hotline-drill-'));
const backups = join(dir, 'backups');
const scripts = join(dir, 'bin');
const ctl = join(dirname(process.env.HOTLINED), 'hotlinectl');
const cluster = (...words) => run(join(root, 'tools', 'cluster'), [join(dir, 'c'), ...words]);
const env = async () => Object.fromEntries((await cluster('env')).split('\n').filter(Boolean).map((line) => line.split(/=(.*)/s)));

await run('chmod', ['0711', dir]);
await cluster('start');
const { PGHOST, CLUSTER_USER, CLUSTER_DIR } = await env();
const bin = (await run(join(root, 'tools', 'pgbin'), [])).trim();
// The scripts as installed: where the database's user can read them.
await run('cp', ['-r', join(root, 'deploy', 'backup'), scripts]);
await run('chmod', ['-R', 'a+rX', scripts]);
mkdirSync(backups);

// As the user whose cluster it is.
const own = (command, words, environment = {}) => {
    const all = { PATH: process.env.PATH, PGHOST, PGPORT: '5432', PGUSER: 'postgres', HOTLINE_BACKUPS: backups, PGBIN: bin, ...environment };
    const as = process.getuid() === 0 ? ['setpriv', '--reuid', CLUSTER_USER, '--regid', CLUSTER_USER, '--init-groups'] : ['env'];

    return run(as[0], [...as.slice(1), command, ...words], { env: all, cwd: '/' });
};
await run('chown', ['-R', CLUSTER_USER, backups]);

async function sql(query, params, database = 'hotline') {
    const client = new pg.Client({ host: PGHOST, port: 5432, user: 'postgres', database });
    client.on('error', () => {});
    await client.connect();
    try {
        return (await client.query(query, params)).rows;
    } finally {
        await client.end();
    }
}

after(async () => {
    await cluster('destroy').catch(() => {});
    rmSync(dir, { recursive: true, force: true });
});

// Complaints by the engine's own function; every second one is accepted too.
let filed = 0;
async function file(n) {
    const [{ made }] = await sql(
        `select count(*)::int as made from generate_series($1::int + 1, $1::int + $2::int) i cross join lateral api.intake(jsonb_build_object(
             'principal', 'drill', 'route', 'POST /v1/tickets', 'key', 'drill-' || i, 'digest', 'd', 'seq', nextval('hotline.ticket_no_seq')::text,
             'type', 'complaint', 'title', '演练', 'content', '恢复演练', 'channel', 'web', 'grams', '[]'::jsonb)) a where a.status = 201`, [filed, n]);
    assert.equal(made, n);
    filed += n;
    await sql(`select hotline.step(t.id, 'accept', hotline.system_actor(), '{"title": "演练", "category": "010304", "division": "440507"}')
               from hotline.ticket t where t.state = 11 and t.id % 2 = 0`);
}
const state = async () => (await sql(`select (select count(*)::int from hotline.ticket) as tickets, (select count(*)::int from hotline.event) as events,
    (select md5(string_agg(ticket_no || encode(event_hash, 'hex'), ',' order by id)) from hotline.ticket) as heads,
    (select count(*)::int from hotline.idem) as keys, (select coalesce(sum(n), 0)::int from hotline.fact_delta) as figures`))[0];

let noted, before;

test('a base backup is taken and checked, and the log is archived', { timeout: 300_000 }, async () => {
    await sql('create database hotline', [], 'postgres');
    await run(ctl, ['migrate', '--sql', join(root, 'sql')], { env: { ...process.env, HOTLINE_ADMIN_DATABASE: `host=${PGHOST} user=postgres dbname=hotline` } });
    await sql('alter system set archive_mode = on');
    await sql(`alter system set archive_command = 'HOTLINE_BACKUPS=${backups} ${scripts}/wal-archive %p %f'`);
    await cluster('stop');
    mkdirSync(join(backups, 'wal'));
    await run('chown', [CLUSTER_USER, join(backups, 'wal')]);
    await cluster('start');
    await file(60);
    assert.match(await own(`${scripts}/backup`, ['2']), /log from [0-9A-F]{24}/);
});

test('what was filed after the backup is in the log', async () => {
    await file(70);
    before = await state();
    [{ noted }] = await sql('select clock_timestamp()::text as noted');
    await file(50);
    const [{ name }] = await sql('select pg_walfile_name(pg_current_wal_lsn()) as name');
    await sql('select pg_switch_wal()');
    await until('the log is archived', () => readdirSync(join(backups, 'wal')).includes(name), 60);
    assert.equal(before.tickets, 130);
});

test('the archive overwrites nothing, and takes the same file twice', async () => {
    const name = readdirSync(join(backups, 'wal')).find((file) => /^[0-9A-F]{24}$/.test(file));
    const there = join(backups, 'wal', name);
    const other = join(dir, 'other');

    await own(`${scripts}/wal-archive`, [there, name]);
    writeFileSync(other, 'another cluster', { mode: 0o644 });
    await assert.rejects(own(`${scripts}/wal-archive`, [other, name]), /other content/);
    assert.ok(readFileSync(there).length > 1e6);
});

test('the machine is lost, and the cluster comes back as it was at the moment noted', { timeout: 300_000 }, async () => {
    const data = join(CLUSTER_DIR, 'pg');

    process.kill(Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGKILL');
    renameSync(data, join(dir, 'lost'));
    await assert.rejects(own(`${scripts}/restore`, [join(CLUSTER_DIR, 'run'), 'latest']), /not empty/);
    await assert.rejects(own(`${scripts}/restore`, [data, '2001-01-01']), /no base backup/);
    assert.match(await own(`${scripts}/restore`, [data, noted]), /is made from \d{8}T/);
    await cluster('start');
    await until('the server is writable', async () => !(await sql('select pg_is_in_recovery() as in_recovery'))[0].in_recovery, 60);
    assert.deepEqual(await state(), before);
});

test('chains and figures are whole, and work goes on', async () => {
    assert.deepEqual(await sql('select * from hotline.metrics_verify()'), []);
    filed = 130;
    await file(10);
    assert.equal((await state()).tickets, 140);
    assert.deepEqual(await sql('select * from hotline.metrics_verify()'), []);
});
