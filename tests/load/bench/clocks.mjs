// A million clocks that run: two hundred fall due a second, then fifty thousand in one second.
//
// The lag of a clock is the time from its due moment until its timer is gone for everybody, looked at twenty times a second.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { filing } from './calls.mjs';
import { city } from './city.mjs';
import { http, out, round, say, seconds, size } from './load.mjs';

// That many clocks fall due from that moment on, so many a second, or all at once (0): clocks of hours and minutes are anybody's, those of
// workdays that end in the same second are of tickets that came on the same day.  None would have fallen due within the hour.  Clock,
// timer and what shows the due time move together.
const hurry = (hotline, count, at, rate) => hotline.sql(`
    with picked as materialized (
        select m.id, m.ticket_id, m.clock_id, $2::timestamptz + make_interval(secs =>
                   case when $3::float > 0 then row_number() over () / $3::float else 0 end) as due
        from (select * from hotline.timer where kind = 'clock' and at > now() + interval '1 hour' order by case when $3::float > 0 then hashint8(id) else ticket_id end limit $1) m
    ), clocks as (
        update hotline.clock k set due_at = p.due, deep_at = p.due + interval '1 day' from picked p
        where k.ticket_id = p.ticket_id and k.id = p.clock_id
        returning k.ticket_id, k.assignment_id, k.kind, k.due_at
    ), sign as (
        update hotline.assignment a set sign_due_at = k.due_at from clocks k where k.kind = 'sign' and a.ticket_id = k.ticket_id and a.id = k.assignment_id
    ), promise as (
        update hotline.ticket t set promise_due_at = k.due_at from clocks k where k.kind = 'promise' and t.id = k.ticket_id
    ), unit as (
        update hotline.assignment a set unit_due_at = k.due_at from clocks k where k.kind = 'unit' and a.ticket_id = k.ticket_id and a.id = k.assignment_id
    )
    update hotline.timer m set at = p.due from picked p where m.id = p.id`, [count, new Date(at), rate]);

// What was prepared is on the disk, so that only what is measured is written meanwhile.
async function settled(hotline) {
    await hotline.sql('vacuum analyze hotline.timer');
    await hotline.sql('checkpoint');
}

// Until nothing is due any more: how long each timer that was seen was due, in milliseconds.
async function lags(hotline, until) {
    const seen = new Map();
    const took = [];
    let left;

    do {
        const now = await hotline.sql("select id, extract(epoch from at) * 1000 as at from hotline.timer where at <= now() and retry_at is null");
        const here = new Set(now.map((m) => m.id));
        const at = Date.now();
        for (const [id, due] of seen)
            if (!here.has(id)) {
                took.push(at - due);
                seen.delete(id);
            }
        now.forEach((m) => seen.set(m.id, Number(m.at)));
        left = now.length;
        await sleep(50);
    } while (left > 0 || Date.now() < until);
    return took.sort((a, b) => a - b);
}

const quantile = (sorted, q) => sorted[Math.floor(q * (sorted.length - 1))] ?? 0;

export async function clocks({ rows, open }) {
    // Two and a half clocks run a ticket.
    const hotline = await city(open, { tickets: Math.round(size * 0.45), open: Math.round(size * 0.45), months: 1, live: true });
    const [live] = await hotline.sql('select count(*) as n from hotline.timer');
    const kinds = await hotline.sql("select k.kind, count(*) as n from hotline.timer m join hotline.clock k on k.ticket_id = m.ticket_id and k.id = m.clock_id group by 1 order by 2 desc");
    say(`${live.n} clocks: ${kinds.map((k) => `${k.kind} ${k.n}`).join(', ')}`);

    const steady = 3 * seconds;
    let due = Date.now() + 20000;
    await hurry(hotline, 200 * steady, due, 200);
    await settled(hotline);
    const seen = await lags(hotline, due + (steady + 1) * 1000);
    // What was done between two looks took less than their distance.
    const took = [...Array(Math.max(0, 200 * steady - seen.length)).fill(50), ...seen];
    say(`${seen.length} of ${200 * steady} seen late: p50 ${round(quantile(took, 0.5), 0)} ms, p99 ${round(quantile(took, 0.99), 0)} ms`);

    // Ten times what a large city takes in.  The first answers, for which every connection plans its statements, are not counted.
    const intake = (time, warm) => http(hotline, [filing], { connections: 16, time: time + warm, more: ['--repeat', '--rate', '100', '--warm', String(warm)] });
    await hotline.sql('checkpoint');
    const quiet = await intake(seconds, 3);
    const n = Math.round(size / 20);
    due = Date.now() + 60000;
    await hurry(hotline, n, due, 0);
    await settled(hotline);
    if (Date.now() > due - 2000)
        throw new Error('the clocks were not ready in time');
    await sleep(due - Date.now() - 1000);
    const loaded = intake(seconds + 1, 1);
    loaded.catch(() => {}); // awaited below
    let wall;
    for (let left = true; left || Date.now() < due + 1000; await sleep(50)) {
        [{ left }] = await hotline.sql("select exists (select from hotline.timer where at <= now() and kind = 'clock') as left");
        if (left)
            wall = (Date.now() - due) / 1000;
    }
    const busy = await loaded;
    const wrong = await hotline.sql("select count(*)::int as n from hotline.clock where met_at is null and stopped_at is null and breached_at is null and due_at < now() - interval '5 seconds'");

    if (wrong[0].n > 0)
        throw new Error(`${wrong[0].n} clocks are late and not marked so`);
    say(`${n} at once in ${round(wall, 1)} s; p99 of intake ${quiet.p99_ms} ms alone, ${busy.p99_ms} ms meanwhile`);
    rows.row('clocks_live', Number(live.n), '');
    rows.atMost('clock_lag_ms', round(quantile(took, 0.99), 0), 'ms', 1000);
    rows.atMost('clock_wall_s', round(wall, 1), 's', 10);
    rows.atMost('clock_intake_p99_ratio', round(busy.p99_ms / quiet.p99_ms), '', 2);
    writeFileSync(join(out, 'clocks_metrics.txt'), await (await fetch(`${hotline.url}/metrics`)).text());
}
