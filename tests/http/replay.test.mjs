// A hundred complaints played from filing to archive by `hotlinectl replay`, and their figures counted three ways.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { start } from './harness.mjs';

const hotline = await start({ settings: { trusted_proxies: '127.0.0.1' } });
const ctl = join(dirname(process.env.HOTLINED), 'hotlinectl');
const log = join(hotline.dir, 'replay.jsonl');
const environment = { ...process.env, HOTLINE_ADMIN_DATABASE: `host=${process.env.PGHOST} user=postgres dbname=${hotline.database}` };
const run = (...words) => promisify(execFile)(ctl, words, { env: environment, maxBuffer: 1 << 24 });

// An engine learns at its start whether it runs in a simulation.
await hotline.engine.term();
await run('sim', 'on', '2018-01-02T08:00');
await hotline.startEngine();

let said;

test('a hundred lives are played to their end and nothing is refused', { timeout: 900_000 }, async () => {
    const texts = new URL('../../tools/demo/complaints.jsonl', import.meta.url).pathname;

    said = (await run('replay', '--texts', texts, '--url', hotline.url, '--count', '100', '--seed', '5', '--log', log)).stdout;
    assert.match(said, /100 complaints, \d+ calls, \d+ repeats, 0 failures/);
});

test('they pass every transition of the main line', () => {
    const seen = new Set(said.split('\n').map((line) => line.split(' ')[0]));
    const line = 'T01 T02 T03 T04 T05 T06 T10 T18 T30 T31 T43 T52 T53 T60 T61 T62 T63 T64 T65 T66 T67 T68 T79'.split(' ');

    assert.deepEqual(line.filter((transition) => !seen.has(transition)), []);
});

test('the deemed signature, the overdue audit, the unreachable and the archive come from the sweep alone', async () => {
    const rows = await hotline.sql(
        "select distinct transition, actor_role from hotline.event where transition in ('T31', 'T62', 'T67', 'T68', 'T79') order by 1");

    assert.deepEqual(rows.map((row) => row.actor_role), ['SYS', 'SYS', 'SYS', 'SYS', 'SYS']);
});

test('the figures equal a count over the answers that the replay was given', { timeout: 120_000 }, async () => {
    const counter = new URL('../../tools/replay-count.mjs', import.meta.url).pathname;
    const { stdout } = await promisify(execFile)(process.execPath, [counter, log, '--url', hotline.url]);

    assert.match(stdout, /\d{4,} figures compared, 0 differ/);
});

test('the count finds an answer that the figures do not hold', { timeout: 120_000 }, async () => {
    const counter = new URL('../../tools/replay-count.mjs', import.meta.url).pathname;
    const lines = readFileSync(log, 'utf8').split('\n');
    const { writeFile } = await import('node:fs/promises');

    lines.splice(lines.findIndex((line) => line.includes('"transition":"T64"')), 1);
    await writeFile(`${log}.cut`, lines.join('\n'));
    await assert.rejects(promisify(execFile)(process.execPath, [counter, `${log}.cut`, '--url', hotline.url]), { code: 1 });
});

test('metrics verify finds that figures and events agree', async () => {
    const { stdout } = await run('metrics', 'verify');

    assert.match(stdout, /0 differences/);
});

test('the clock of a simulation with tickets does not go back', async () => {
    await assert.rejects(run('sim', 'set', '2018-01-01T00:00'), /only goes forward/);
});
