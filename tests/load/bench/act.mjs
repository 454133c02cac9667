// Staff's actions: through the engine, and the same function called without it.

import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { count, filing, life, lifeScript, prepare } from './calls.mjs';
import { best, http, out, round, say } from './load.mjs';

async function batchSizes(hotline) {
    const text = await (await fetch(`${hotline.url}/metrics`)).text();

    return text.split('\n').filter((line) => /^hotlined_db_(batch|retries|halved|poison)/.test(line)).join('\n') + '\n';
}

// The same lives, half of the waiting tickets by HTTP and half by pgbench.
export async function act({ rows, open }) {
    const hotline = await open({ workers: cpus().length });
    const call = await prepare(hotline);

    while (await count(hotline) < 10000)
        await http(hotline, [filing], { time: 2, more: ['--repeat'] });
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
    rows.atLeast('act_ratio', round(answered / took / bare), '', 2.5);
    rows.row('act_per_second', round(answered / took, 1), '/s');
    rows.row('act_bare_per_second', round(bare, 1), '/s');
    writeFileSync(join(out, 'batch_sizes.txt'), await batchSizes(hotline));
}
