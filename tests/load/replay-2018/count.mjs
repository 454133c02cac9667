#!/usr/bin/env node
// node tests/load/replay-2018/count.mjs PLAN [--until DAY] [--url URL] [--database CONNINFO]
//
// Counts what the plan of a replay asks for and compares it with what happened: each transition by unit and day, the tickets
// by day of acceptance, channel, category and unit, those left open by state, straight from the database's rows; and the closure rate
// that GET /v1/metrics/closure answers, in all, by unit and by day.  Shares no code with the engine, its SQL or the replay.  Prints
// one line a comparison; exit 1 when anything differs.

import { readFileSync } from 'node:fs';
import pg from 'pg';

// ---- what the plan asks for ------------------------------------------------------------------------------------------------

const DAY = 86400e3;
const dayOf = (date) => Date.parse(date) / DAY;
const dateOf = (day) => new Date(day * DAY).toISOString().slice(0, 10);
// Where a ticket is after the last thing that happened to it.
const stateAfter = {
    file: null, take: 'pending_dispatch', T03: 'closed done', T18: 'pending_sign', T30: 'handling', T31: 'handling', T43: 'handling', T52: 'unit_approval',
    T53: 'pending_audit', T60: 'pending_callback', T62: 'pending_audit', T63: 'pending_callback', T64: 'closed', T65: 'pending_sign', T67: 'closed', T79: 'closed',
    ASK: 'pending_callback',
};

export function readPlan(text, untilDate) {
    const plan = { rest: new Set(), always: new Set(), paths: {}, channels: {}, lines: [] };
    let day;

    for (const [word, ...rest] of text.trim().split('\n').map((line) => line.split(' '))) {
        if (word === 'period') [plan.from, plan.to] = rest.map(dayOf);
        else if (word === 'rest') plan.rest.add(dayOf(rest[0]));
        else if (word === 'unit') rest[1] === 'always' && plan.always.add(rest[0]);
        else if (word === 'channel') plan.channels[rest[0]] = { file: rest[1], take: rest[2] };
        else if (word === 'path') plan.paths[rest[0]] = rest.slice(1).flatMap(readStep);
        else if (word === 'day') day = dayOf(rest[0]);
        else plan.lines.push({ day, channel: word, category: rest[0], unit: rest[1], path: rest[2], n: Number(rest[3]) });
    }
    plan.until = untilDate ? dayOf(untilDate) : plan.to;
    return plan;
}

function readStep(step) {
    const [, workdays, part, more, what] = step.match(/^(\d+)([ape])(?:\+(\d+))?:(.*)$/);
    return what.split(',').map((name) => ({ workdays: Number(workdays), part, more: Number(more ?? 0), name: name.replace('=', '') }));
}

function when(plan, line, step) {
    let day = line.day;
    for (let left = step.workdays; left > 0;) {
        day++;
        if (plan.always.has(line.unit) || !plan.rest.has(day)) left--;
    }
    return day + step.more;
}

const add = (map, key, n) => map.set(key, (map.get(key) ?? 0) + n);

export function expected(plan) {
    const events = new Map(), tickets = new Map(), open = new Map();
    const closure = { accepted: 0, closed: 0, byUnit: new Map(), byDay: new Map() };

    for (const line of plan.lines.filter((l) => l.day < plan.until)) {
        let unit = '-', state, accepted = false;
        for (const step of plan.paths[line.path]) {
            const day = when(plan, line, step);
            if (day >= plan.until) break;
            const transition = (plan.channels[line.channel][step.name] ?? step.name).slice(0, 3);
            if (transition === 'T18') unit = line.unit;
            if (step.name === 'take' || step.name === 'T03') accepted = true;
            state = stateAfter[step.name.slice(0, 4)] ?? stateAfter[transition] ?? state;
            add(events, `${transition} unit ${unit} on ${dateOf(day)}`, line.n);
        }
        if (!accepted) throw new Error(`path ${line.path} leaves a ticket that is not accepted`);
        add(tickets, `${dateOf(line.day)} ${line.channel} ${line.category} unit ${unit}`, line.n);
        const isClosed = state.startsWith('closed');
        if (!isClosed) add(open, state, line.n);
        closure.accepted += line.n;
        closure.closed += isClosed ? line.n : 0;
        for (const [map, key] of [[closure.byUnit, unit === '-' ? '1' : unit], [closure.byDay, dateOf(line.day)]]) {
            const row = map.get(key) ?? map.set(key, { num: 0, den: 0 }).get(key);
            row.den += line.n;
            row.num += isClosed ? line.n : 0;
        }
    }
    return { events, tickets, open, closure };
}

// ---- what happened ------------------------------------------------------------------------------------------------------------

const zone = "at time zone 'Asia/Shanghai'";
const queries = {
    events: `select transition || ' unit ' || coalesce(unit_id::text, '-') || ' on ' || (at ${zone})::date as key, count(*)::int as n
        from hotline.event group by 1`,
    tickets: `select (accepted_at ${zone})::date || ' ' || w.name || ' ' || g.code || ' unit ' || coalesce(unit_id::text, '-') as key, count(*)::int as n
        from hotline.ticket t join hotline.word w on w.kind = 'channel' and w.code = t.channel join hotline.category g on g.id = t.category_id
        where accepted_at is not null group by 1`,
    open: `select case when a.state = 4 then 'unit_approval' else w.name end as key, count(*)::int as n
        from hotline.ticket t join hotline.word w on w.kind = 'state' and w.code = t.state
        left join hotline.assignment a on a.ticket_id = t.id and a.round = t.round and a.role = 1
        where t.state not in (70, 71) group by 1`,
};

function compare(name, wanted, found) {
    const keys = new Set([...wanted.keys(), ...found.keys()]);
    const wrong = [...keys].filter((key) => wanted.get(key) !== found.get(key));
    const sum = [...wanted.values()].reduce((a, b) => a + b, 0);

    console.log(`${name}: ${keys.size} counts of ${sum} in all, ${wrong.length} differ`);
    for (const key of wrong.slice(0, 20)) console.log(`  ${key}: planned ${wanted.get(key) ?? 0}, found ${found.get(key) ?? 0}`);
    return wrong.length;
}

async function closureBy(url, token, plan, by) {
    const path = `/v1/metrics/closure?from=${dateOf(plan.from)}&to=${dateOf(plan.until)}${by && `&by=${by}`}`;
    const answer = await fetch(url + path, { headers: { Authorization: `Bearer ${token}` } });

    if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
}

async function signIn(url) {
    const answer = await fetch(`${url}/v1/session`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ login: 'leader1', password: '12345-demo' }),
    });
    if (!answer.ok) throw new Error(`leader1 cannot sign in: ${answer.status} ${await answer.text()}`);
    return (await answer.json()).token;
}

const text = ({ num, den }) => `${num} / ${den}`;
const rowsOf = (rows) => new Map(rows.map((row) => [row.key, row.rates.closure_rate_cohort]).filter(([, rate]) => Number(rate.den) > 0)
    .map(([key, rate]) => [key, text(rate)]));
const textsOf = (map) => new Map([...map].map(([key, row]) => [key, text(row)]));

function compareClosure(name, wanted, found) {
    const keys = new Set([...wanted.keys(), ...found.keys()]);
    const wrong = [...keys].filter((key) => wanted.get(key) !== found.get(key));

    console.log(`closure ${name}: ${keys.size} rates, ${wrong.length} differ`);
    for (const key of wrong.slice(0, 20)) console.log(`  ${key}: planned ${wanted.get(key) ?? '-'}, answered ${found.get(key) ?? '-'}`);
    return wrong.length;
}

// → how many counts differ
export async function count(planText, { until, url, database }) {
    const plan = readPlan(planText, until), wanted = expected(plan);
    const client = new pg.Client({ ...database });
    let wrong = 0;

    await client.connect();
    for (const [name, query] of Object.entries(queries))
        wrong += compare(name, wanted[name], new Map((await client.query(query)).rows.map((row) => [row.key, row.n])));
    await client.end();

    const token = await signIn(url), { closure } = wanted;
    const [all, byUnit, byDay] = [await closureBy(url, token, plan, ''), await closureBy(url, token, plan, 'unit'), await closureBy(url, token, plan, 'day')];
    const rate = all.total.rates.closure_rate_cohort;
    const planned = { num: closure.closed, den: closure.accepted };
    console.log(`closed ${text(rate)} accepted = ${((100 * rate.num) / rate.den).toFixed(2)} %, planned ${text(planned)}`);
    wrong += text(rate) !== text(planned);
    wrong += compareClosure('by unit', textsOf(closure.byUnit), rowsOf(byUnit.rows));
    wrong += compareClosure('by day', textsOf(closure.byDay), rowsOf(byDay.rows));
    return { wrong, accepted: Number(rate.den), closed: Number(rate.num) };
}

if (import.meta.filename === process.argv[1] || process.argv[1]?.endsWith('replay-2018/count.mjs')) {
    const option = (name) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);
    const { wrong } = await count(readFileSync(process.argv[2], 'utf8'), {
        until: option('--until'), url: option('--url') ?? 'http://127.0.0.1:12345',
        database: { host: process.env.PGHOST, user: 'postgres', database: option('--database') ?? 'hotline_2018' },
    });
    process.exit(wrong ? 1 : 0);
}
