// 46,600 requests of Boston's 311 in a database of its own: figures by department and month equal a recount straight from the file.
// Needs data/311 of the shared data folder: $HOTLINE_SHARED, else ../shared beside the repository.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const shared = process.env.HOTLINE_SHARED ?? new URL('../../../shared', import.meta.url).pathname;
const csv = join(shared, 'data', '311', 'boston311_2011h2.csv');
const tool = (name) => new URL(`../../tools/${name}`, import.meta.url).pathname;
const run = async (command, words, options) => (await promisify(execFile)(command, words, { maxBuffer: 1 << 26, ...options })).stdout;

if (!existsSync(csv)) {
    test('Boston', { skip: `NOT CHECKED: ${csv} is not there (HOTLINE_SHARED names the shared data folder)` }, () => {});
} else {
    const { start } = await import('../http/harness.mjs');
    const hotline = await start();
    const ctl = join(dirname(process.env.HOTLINED), 'hotlinectl');
    const env = { ...process.env, HOTLINE_ADMIN_DATABASE: `host=${process.env.PGHOST} user=postgres dbname=${hotline.database}` };
    const lines = join(hotline.dir, 'boston.jsonl');
    let recount, ids;

    const figures = async (from, to) => {
        const answer = await (await hotline.as('leader1')).get(`/v1/metrics/closure?from=${from}-01&to=${to}-01&by=unit`);
        assert.equal(answer.status, 200, answer.text);
        return answer.body;
    };
    const month = (text, plus) => new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5)) - 1 + plus)).toISOString().slice(0, 7);

    test('every request is taken over', { timeout: 900_000 }, async () => {
        await run(process.execPath, [tool('boston-to-jsonl.mjs'), csv, lines]);
        const units = JSON.parse(readFileSync(join(hotline.dir, 'boston.units.json'), 'utf8'));
        for (const [code, name] of Object.entries(units))
            await run(ctl, ['unit', 'add', code, '--name', `Boston ${name}`, '--parent', 'ST-12345', '--kind', 'department', '--from', '2011-01-01'], { env });
        await hotline.sql('select hotline.settle()');
        ids = Object.fromEntries((await hotline.sql("select code, id from hotline.unit where code like 'BOS-%'")).map((u) => [units[u.code], String(u.id)]));

        const said = await run(ctl, ['import', lines, '--source', 'boston'], { env });
        console.log(said.trim().split('\n').at(-1));
        assert.match(said, /46600 imported, 0 there already, 0 refused/);
    });

    test('accepted, closed and in time, by department and month, are those of the file', { timeout: 300_000 }, async () => {
        recount = JSON.parse(await run(process.execPath, [tool('boston-recount.mjs'), csv]));
        const months = [...new Set(Object.values(recount).flatMap(Object.keys))].sort();
        let compared = 0;

        for (const at of months) {
            const { rows } = await figures(at, month(at, 1));
            for (const [department, counted] of Object.entries(recount)) {
                const mine = counted[at] ?? { accepted: 0, closed_of_accepted: 0, closed: 0, due: 0, due_ontime: 0 };
                const { counts: c } = rows.find((row) => row.key === ids[department]);
                const theirs = { accepted: c.accepted, closed_of_accepted: c.closed_of_accepted, closed: c.closed, due: c.due, due_ontime: c.due_ontime };
                assert.deepEqual(theirs, mine, `${department} in ${at}`);
                compared++;
            }
        }
        assert.ok(compared > 800, `${compared} compared`);
    });

    test('the closure rate is the quotient of both', async () => {
        const { rows } = await figures('2011-07', '2011-12');
        for (const [department, counted] of Object.entries(recount)) {
            const sum = (name) => Object.values(counted).reduce((n, m) => n + m[name], 0);
            const rate = rows.find((row) => row.key === ids[department]).rates.closure_rate_cohort;
            assert.deepEqual([rate.num, rate.den], [sum('closed_of_accepted'), sum('accepted')], department);
            assert.ok(Math.abs(rate.rate - rate.num / rate.den) < 1e-4);
        }
    });

    test('a second run writes nothing, and all of it agrees with the events', { timeout: 300_000 }, async () => {
        assert.match(await run(ctl, ['import', lines, '--source', 'boston'], { env }), /\n?0 imported, 46600 there already, 0 refused/);
        assert.match(await run(ctl, ['metrics', 'verify'], { env }), /0 differences/);
    });
}
