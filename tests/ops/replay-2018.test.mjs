// The replay of 2018 in small: each path of its plan for both channels, killed once on the way, and counted without the engine.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { count, expected, readPlan } from '../load/replay-2018/count.mjs';
import { start } from '../http/harness.mjs';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../load/replay-2018/', import.meta.url));
const texts = fileURLToPath(new URL('../../tools/demo/complaints.jsonl', import.meta.url));
const whole = readFileSync(join(folder, 'plan.txt'), 'utf8');
const build = dirname(process.env.HOTLINED);

// The hundred days until the archive lie within it, and its last day is a Friday as the plan's is.
const until = '2018-06-02';
const early = 'direct directp o1 o2 o3 o4 o5 late6 late9 rework unreached deemed auditlate'.split(' ');
const late = { '2018-05-25': 'openhandling opencallback', '2018-05-29': 'openapproval openaudit3', '2018-05-30': 'openaudit2', '2018-05-31': 'openaudit1', '2018-06-01': 'opendispatch opensign' };

function smallPlan() {
    const head = whole.slice(0, whole.indexOf('\nday '));
    const lines = (paths, n) => paths.flatMap((path) => ['phone', 'web'].map((channel) =>
        `${channel} ${path.startsWith('direct') ? '020104 -' : channel === 'web' ? '010501 201' : '020204 101'} ${path} ${n}`));

    return [head, 'day 2018-01-10', ...lines(early, 2), 'day 2018-02-10', ...lines(early.filter((path) => !/deemed|late/.test(path)), 1),
        'day 2018-02-14', 'phone 010303 301 o2 2', 'web 020107 302 rework 1',
        ...Object.entries(late).flatMap(([day, paths]) => [`day ${day}`, ...lines(paths.split(' '), 1)])].join('\n') + '\n';
}

const hotline = await start({ settings: { trusted_proxies: '127.0.0.1' } });
const environment = { ...process.env, HOTLINE_ADMIN_DATABASE: `host=${process.env.PGHOST} user=postgres dbname=${hotline.database}` };
const plan = join(hotline.dir, 'plan.txt'), journal = join(hotline.dir, 'journal');
const replay = () => [join(build, 'load/replay-2018'), [plan, texts, journal, String(hotline.port), '--until', until], { env: environment }];
const database = { host: process.env.PGHOST, port: 5432, user: 'postgres', database: hotline.database };

await hotline.engine.term();
await run(process.env.HOTLINECTL, ['sim', 'on', '2018-01-01T00:00'], { env: environment });
await hotline.sql("select hotline.partition_make('2018-01-01', '2018-06-30')");
await hotline.sql("update hotline.setting set value = case name when 'session.hours' then '8760' else '2' end::jsonb where name in ('session.hours', 'route.auto_score')");
// What the system does by itself is what the plan knows: supervision of what is late by a workday.
await hotline.sql("update hotline.setting set value = '0' where name in ('group.alert', 'urge.yellow')");
await hotline.sql("update hotline.supervision_rule set active = false where cause <> 'overdue'");
await hotline.startEngine();
writeFileSync(plan, smallPlan());

test('the plan is what its generator writes', async () => {
    const { stdout } = await run(process.execPath, [join(folder, 'plan.mjs')], { maxBuffer: 1 << 24 });
    const digest = (text) => createHash('sha256').update(text).digest('hex');

    assert.equal(digest(stdout), digest(whole));
});

test('the plan asks for 223,090 accepted, 220,725 closed and 2,365 open in six states', () => {
    const { closure, open } = expected(readPlan(whole));

    assert.deepEqual([closure.accepted, closure.closed], [223090, 220725]);
    assert.deepEqual([...open.keys()].sort(), ['handling', 'pending_audit', 'pending_callback', 'pending_dispatch', 'pending_sign', 'unit_approval']);
    assert.equal([...open.values()].reduce((a, b) => a + b), 2365);
});

test('the plan\'s rest days are the calendar\'s', async () => {
    const rows = await hotline.sql("select day::text from hotline.workday where calendar_id = 1 and not is_work and day between '2018-01-01' and '2018-09-20' order by 1");

    assert.deepEqual(whole.split('\n').filter((line) => line.startsWith('rest ')).map((line) => line.slice(5)), rows.map((row) => row.day));
});

test('a replay that is killed goes on where it was', { timeout: 300_000 }, async () => {
    const [command, args, options] = replay();
    const child = spawn(command, args, { ...options, stdio: 'ignore' });
    const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve(signal)));
    const moved = () => existsSync(journal) && readFileSync(journal, 'utf8').split('\n').length;

    while (moved() < 60 && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill('SIGKILL');
    assert.equal(await ended, 'SIGKILL');
    const { stdout } = await run(command, args, { ...options, maxBuffer: 1 << 24 });
    assert.equal(JSON.parse(stdout).runs, 2);
});

test('every count of transition, unit and day is the plan\'s, and so is the closure rate', async () => {
    const { wrong, accepted, closed } = await count(smallPlan(), { until, url: hotline.url, database });
    const seen = new Set((await hotline.sql('select distinct transition from hotline.event')).map((row) => row.transition));

    assert.equal(wrong, 0);
    assert.ok(accepted > 60 && closed < accepted, `${closed} of ${accepted}`);
    for (const transition of 'T01 T03 T04 T05 T06 T18 T30 T31 T43 T52 T53 T60 T62 T63 T64 T65 T67 T75 T79 ASK'.split(' ')) assert.ok(seen.has(transition), transition);
});

test('the late replies are late, all others in time', async () => {
    const { body } = await (await hotline.as('leader1')).get(`/v1/metrics/closure?from=2018-01-01&to=${until}`);
    const late_ = smallPlan().split('\n').filter((line) => /^(phone|web) .* late\d+ \d$/.test(line)).reduce((sum, line) => sum + Number(line.slice(-1)), 0);

    assert.equal(body.total.counts.due_replied - body.total.counts.due_ontime, late_);
});

test('a count that differs is found', async () => {
    const { wrong } = await count(smallPlan().replace('010501 201 o1 2', '010501 201 o1 3'), { until, url: hotline.url, database });

    assert.ok(wrong > 5, String(wrong));
});

test('metrics verify finds that figures and events agree', async () => {
    const { stdout } = await run(process.env.HOTLINECTL, ['metrics', 'verify'], { env: environment });

    assert.match(stdout, /\b0 differences/);
});
