// Lists and the closure page of a large city while complaints come in; how much a list reads there and in one a tenth of the size.
//
// explain.txt has the plans of what was slower than half a bar.

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filing } from './calls.mjs';
import { city } from './city.mjs';
import { http, out, round, say, seconds, size } from './load.mjs';

const main = 101; // the unit that has 40 % of the work

// A unit that has little more than a page of it, in a city of either size.
async function small(hotline) {
    const [unit] = await hotline.sql(`
        select u.id from hotline.unit u cross join lateral (select count(*) as n from hotline.inbox where units @> array[u.id]) i
        where i.n > 0 order by i.n < 25, abs(i.n - 25), u.id limit 1`);

    return unit.id;
}

// Where a page so far down the list begins.
async function deep(hotline, share) {
    const [row] = await hotline.sql(`
        select (extract(epoch from due_at) * 1000000)::bigint || '_' || ticket_id as cursor from hotline.inbox where due_at is not null
        order by due_at, ticket_id offset (select floor(count(*) * $1::float) from hotline.inbox) limit 1`, [share]);

    return row.cursor;
}

// What the lists ask for; the words of the last are in one complaint of a hundred and eighty.
const questions = async (hotline) => ({
    state: 'state=pending_accept',
    light: 'light=yellow',
    late: 'light=red,deep_red',
    subtree: `unit=${await small(hotline)}`,
    words: `q=${encodeURIComponent('路灯不亮')}`,
    rare_words: `q=${encodeURIComponent('江边步道井盖破损')}`,
    cursor: `cursor=${await deep(hotline, 2 / 3)}`,
    large_unit: `unit=${main}`,
});

const year = new Date().getFullYear();
const month = `${new Date(Date.now() + 8 * 3600000).toISOString().slice(0, 8)}01`;
const pages = Object.fromEntries(['', '&by=unit', '&by=category', '&by=channel', '&by=district'].map((by) =>
    [by.slice(4) || 'total', `from=${year}-01-01&to=${year + 1}-01-01${by}`]));
pages.day = `from=${month}&to=${new Date(Date.now() + 32 * 3600000).toISOString().slice(0, 10)}&by=day`;
pages.unit_month = `from=${month}&to=${new Date(Date.now() + 32 * 3600000).toISOString().slice(0, 10)}&by=unit`;

// A minute of differences of a busy centre (two thousand tickets that move, four differences each) which nobody folds: another folder's
// lock is held.  → how to let go
async function unfolded(hotline) {
    const folder = await hotline.pool.connect();

    await folder.query("select pg_advisory_lock(hashtext('hotline.fold'))");
    await hotline.sql(`
        insert into hotline.fact_delta (ticket_id, day, fact, bucket, unit_id, category_id, channel, district, n)
        select t.id, hotline.day_of(now()), f.fact, 0, coalesce(t.unit_id, 0), coalesce(t.category_id, 0), t.channel, coalesce(left(t.division, 6), ''), s.sign
        from (select * from hotline.ticket order by id desc limit 2000) t
        cross join (values ('accepted'), ('of_open')) as f(fact) cross join (values (1), (-1)) as s(sign)`);
    return async () => {
        await folder.query("select pg_advisory_unlock(hashtext('hotline.fold'))");
        folder.release();
    };
}

// What the engine's role would read for this list: rows that plans took from tables and indexes, and pages touched, in all statements of
// the call.  The plans are those of auto_explain.
async function touched(hotline, session, query) {
    const x = Object.fromEntries(new URLSearchParams(query));
    const notices = [];
    const client = await hotline.pool.connect();
    const heard = (notice) => notices.push(notice.message);

    if (x.q) {
        const [{ grams }] = await hotline.sql(`
            select json_agg(g::text) as grams from (
                select unnest(grams) as g from hotline.ticket_gram w join hotline.ticket t on t.id = w.ticket_id where t.title like $1
                group by 1 having count(distinct t.title) = (select count(distinct title) from hotline.ticket where title like $1) limit 4) s`, [`%${x.q}%`]);
        x.grams = grams;
        delete x.q;
    }
    let shown;
    client.on('notice', heard);
    try {
        await client.query(`load 'auto_explain'; set auto_explain.log_nested_statements = on; set auto_explain.log_analyze = on;
            set auto_explain.log_buffers = on; set auto_explain.log_timing = off; set auto_explain.log_format = json;
            set jit = off; set enable_memoize = off; set plan_cache_mode = force_generic_plan`);
        ({ rows: [{ shown }] } = await client.query("select json_array_length(body->'tickets') as shown from api.tickets($1)", [{ session, ...x }]));
        await client.query('set client_min_messages = log; set auto_explain.log_min_duration = 0');
        await client.query('select status from api.tickets($1)', [{ session, ...x }]);
        await client.query('reset client_min_messages; set auto_explain.log_min_duration = -1');
    } finally {
        client.off('notice', heard);
        client.release(true);
    }
    let rows = 0, buffers = 0;
    const walk = (node, outermost) => {
        if (/Scan/.test(node['Node Type']) && (node['Relation Name'] || node['Index Name']))
            rows += ((node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0)) * (node['Actual Loops'] ?? 1);
        if (outermost)
            buffers += (node['Shared Hit Blocks'] ?? 0) + (node['Shared Read Blocks'] ?? 0);
        (node.Plans ?? []).forEach((child) => walk(child, false));
    };
    for (const notice of notices.filter((text) => text.includes('"Plan"'))) {
        const plan = JSON.parse(notice.slice(notice.indexOf('{')));
        // The call itself has the buffers of all that it calls.
        walk(plan.Plan, plan['Query Text'].includes('api.tickets('));
    }
    return { rows, buffers, shown, plans: notices.join('\n') };
}

async function readBy(hotline, who) {
    const lists = await questions(hotline);
    const found = {};

    for (const [name, query] of Object.entries(lists))
        found[name] = await touched(hotline, who, query);
    // What stands together deep in a list is often of one kind, so several places count.
    const places = [];
    for (let tenth = 1; tenth < 10; tenth++)
        places.push(await touched(hotline, who, `cursor=${await deep(hotline, tenth / 10)}`));
    for (const what of ['rows', 'buffers'])
        found.cursor[what] = Math.round(places.reduce((sum, place) => sum + place[what], 0) / places.length);
    return found;
}

async function visit(open, tickets) {
    const hotline = await city(open, { tickets, history: false });
    const leader = (await hotline.as('leader1')).token;

    return { hotline, leader, hash: createHash('sha256').update(leader).digest('hex') };
}

// One list or page after the other, each for a while of its own.
async function timed(hotline, token, base, queries, time) {
    const p99 = {};

    for (const [name, query] of Object.entries(queries)) {
        const got = await http(hotline, [[`GET ${base}?${query}`, token]], { connections: 1, time, more: ['--repeat', '--warm', '0.5'] });
        p99[name] = got.p99_ms;
        say(`${name}: p50 ${got.p50_ms} ms, p99 ${got.p99_ms} ms of ${got.answered}`);
    }
    return p99;
}

export async function lists({ rows, open }) {
    const small_ = await visit(open, Math.round(size / 10));
    const before = await readBy(small_.hotline, small_.hash);
    await small_.hotline.engine.term();
    const { hotline, leader, hash } = await visit(open, size);
    const after = await readBy(hotline, hash);
    // A page that is not full in the small city shows fewer tickets.
    const grown = Object.keys(after).filter((name) => before[name].shown === after[name].shown).map((name) => [name, 100 * Math.max(after[name].rows / before[name].rows, after[name].buffers / before[name].buffers) - 100]);

    writeFileSync(join(out, 'lists_touched.txt'), Object.keys(after).map((name) =>
        `${name.padEnd(12)} rows ${before[name].rows} → ${after[name].rows}, pages ${before[name].buffers} → ${after[name].buffers}, tickets shown ${before[name].shown} → ${after[name].shown}\n`).join(''));
    writeFileSync(join(out, 'lists_explain.txt'), Object.values(after).map((list) => list.plans).join('\n'));
    say(readFileSync(join(out, 'lists_touched.txt'), 'utf8'));

    const asked = await questions(hotline);
    const time = Math.max(2, seconds / 3);
    const writing = (rate, lists) => {
        const load = http(hotline, [filing], { connections: 16, time: time * lists + 5, more: ['--repeat', '--rate', String(rate)] });

        load.catch(() => {}); // awaited below
        return load;
    };
    // Ten times what a large city takes in, as for the clocks.
    const normal = writing(100, Object.keys(after).length + Object.keys(pages).length);
    const list = await timed(hotline, leader, '/v1/desk/tickets', asked, time);
    const release = await unfolded(hotline);
    const figures = await timed(hotline, leader, '/v1/metrics/closure', pages, time);
    const [waiting] = await hotline.sql('select count(*) as n from hotline.fact_delta');

    await release();
    say(`${waiting.n} differences were not folded`);
    await normal;
    // The lists once more while a quarter of what the machine can take in comes.
    const pace = (await http(hotline, [filing], { time: 5, more: ['--repeat'] })).per_second;
    say(`intake at ${round(pace / 4, 0)} a second`);
    const heavy = writing(Math.max(1, Math.round(pace / 4)), Object.keys(after).length);
    const pressed = await timed(hotline, leader, '/v1/desk/tickets', asked, time);

    await heavy;
    rows.row('list_pressed_p99_ms', Math.max(...Object.values(pressed)), 'ms');
    for (const [name, value] of Object.entries(list))
        rows.row(`list_${name}_p99_ms`, value, 'ms');
    for (const [name, value] of Object.entries(figures))
        rows.row(`metrics_${name}_p99_ms`, value, 'ms');
    rows.atMost('list_p99_ms', Math.max(...Object.values(list)), 'ms', 20);
    rows.atMost('metrics_p99_ms', Math.max(...Object.values(figures)), 'ms', 50);
    rows.atMost('list_rows_growth_pct', round(Math.max(...grown.map(([, pct]) => pct)), 1), '%', 20);
}
