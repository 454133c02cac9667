#!/usr/bin/env node
// tools/replay-count.mjs LOG... [--url http://127.0.0.1:12345]
//
// Counts the closure figures once more, from nothing but the answers that `hotlinectl replay` logged, and compares them
// with GET /v1/metrics/closure: in total, by unit and by day, for the whole time and for weeks within it.  It shares no
// code with the engine, the database or the replay.  The logs must tell of every complaint of the database.  Exit 1 when
// any figure differs.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

const args = process.argv.slice(2);
const option = args.indexOf('--url');
const url = option < 0 ? 'http://127.0.0.1:12345' : args.splice(option, 2)[1];
if (!args.length) {
    console.error('usage: tools/replay-count.mjs LOG... [--url URL]');
    process.exit(2);
}

// ---- from answers to complaints ----

const satisfaction = { not_rated: 0, unsatisfied: 1, understood: 2, basic: 3, satisfied: 4, very_satisfied: 5 };
const complaints = new Map();
const day = (moment) => new Date(moment + 8 * 3600e3).toISOString().slice(0, 10);

function close(c, at, verdict) {
    c.ended = c.closed = at;
    c.rated = verdict?.rated;
    c.resolved = verdict?.resolved;
}

function dispatch(c, at) {
    c.dispatched ??= at;
}

const round = (c) => c.rounds[c.round];
const verdict = (line) => ({ rated: satisfaction[line.sat_result], resolved: line.resolved });

// What each transition means for the figures; those not named mean nothing.
const meaning = {
    T03(c, at) {
        c.accepted = at;
        c.direct = true;
        close(c, at);
    },
    T04(c, at, line) {
        c.accepted = at;
        if (line.state === 'pending_sign') dispatch(c, at);
    },
    T06(c, at, line) {
        meaning.T04(c, at, line);
    },
    T10(c, at) {
        c.refused = at;
    },
    T18: dispatch,
    T30(c, at) {
        round(c).signed = at;
    },
    T31(c) {
        round(c).deemed = true;
    },
    T53(c, at) {
        round(c).replied = c.replied = at;
    },
    T60(c, at, line) {
        round(c).accepted = at;
        if (line.state === 'closed') close(c, at);
    },
    ask(c, at, line) {
        if (line.sat_result) c.verdict = verdict(line);
    },
    T64(c, at, line) {
        close(c, at, verdict(line));
    },
    T65(c) {
        c.round++;
    },
    T66(c, at) {
        close(c, at, c.verdict);
    },
    T67(c, at) {
        close(c, at, { rated: 0 });
    },
    look(c, at, line) {
        for (const a of line.assignments.filter((a) => a.role === 'main')) {
            c.unit = a.unit;
            c.rounds[a.round] = Object.assign(c.rounds[a.round] ?? {}, {
                unit: a.unit,
                dispatched: Date.parse(a.dispatched_at),
                signDue: Date.parse(a.sign_due_at),
                due: Date.parse(a.unit_due_at),
            });
        }
    },
};

async function readLog(path) {
    for await (const text of createInterface({ input: createReadStream(path) })) {
        const line = JSON.parse(text);
        if (!complaints.has(line.number)) complaints.set(line.number, { round: 0, rounds: [], unit: '' });
        meaning[line.transition]?.(complaints.get(line.number), Date.parse(line.at), line);
    }
}

// ---- figures of a period [from, to) ----

// In tenths, so that sums stay whole.
const graded = [0, 0, 6, 8, 10, 10];
const solved = { yes: 10, partly: 5, no: 0 };
const tenths = { graded: 10, resolved: 10 };

function count(from, to, ofUnit) {
    const n = {};
    const add = (name, by = 1) => (n[name] = (n[name] ?? 0) + by);
    const inside = (at) => at !== undefined && day(at) >= from && day(at) < to;
    const before = (at) => at !== undefined && day(at) < from;
    const beforeEnd = (at) => at !== undefined && day(at) < to;

    for (const c of complaints.values()) {
        if (ofUnit(c.unit)) {
            if (inside(c.refused)) add('refused');
            if (inside(c.accepted)) {
                add('accepted');
                if (c.direct) add('direct');
                if (c.closed !== undefined) add('closed_of_accepted');
            }
            if (before(c.accepted) && !before(c.ended)) add('carried_in');
            if (beforeEnd(c.accepted) && !beforeEnd(c.ended)) add('open_at_end');
            if (inside(c.dispatched)) add('dispatched');
            if (inside(c.closed)) countClosed(c, add);
        }
        for (const r of c.rounds.filter((r) => ofUnit(r.unit))) countRound(r, c.rounds.indexOf(r), inside, add);
    }
    n.on_hand = (n.carried_in ?? 0) + (n.accepted ?? 0);
    return n;
}

function countClosed(c, add) {
    add('closed');
    if (c.rated !== undefined) add('called');
    if (c.rated > 0) {
        add('rated');
        add('graded', graded[c.rated]);
        if (c.rated >= satisfaction.satisfied) add('satisfied');
    }
    if (c.resolved !== undefined) {
        add('asked_resolved');
        add('resolved', solved[c.resolved]);
    }
    if (c.replied !== undefined) {
        add('handled');
        add('minutes', Math.floor((c.replied - c.dispatched) / 60e3));
    }
}

function countRound(r, number, inside, add) {
    if (inside(r.dispatched)) {
        add('received');
        add('sign_due');
        if (!r.deemed && r.signed <= r.signDue) add('sign_ontime');
        if (number > 0) add('reworked');
    }
    if (inside(r.due)) {
        add('due');
        if (r.accepted !== undefined) add('due_replied');
        if (r.accepted !== undefined && r.replied <= r.due) add('due_ontime');
    }
    if (inside(r.accepted)) add('reply_accepted');
}

const rates = {
    closure_rate_cohort: ['closed_of_accepted', 'accepted'],
    closure_rate_flow: ['closed', 'on_hand'],
    closure_rate_due: ['due_replied', 'due'],
    ontime_sign_rate: ['sign_ontime', 'sign_due'],
    ontime_close_rate: ['due_ontime', 'due'],
    direct_answer_rate: ['direct', 'accepted'],
    return_rate: ['return_asked', 'received'],
    rework_rate: ['reworked', 'reply_accepted'],
    satisfaction_rate: ['satisfied', 'rated'],
    satisfaction_coverage: ['rated', 'called'],
    graded_satisfaction: ['graded', 'rated'],
    resolve_rate: ['resolved', 'asked_resolved'],
};

// ---- comparing ----

const differences = [];
let compared = 0;

function same(where, ours, theirs) {
    compared++;
    if (ours !== theirs) differences.push(`${where}: counted ${ours}, the engine says ${theirs}`);
}

function compareRow(where, n, row) {
    for (const [name, value] of Object.entries(row.counts)) same(`${where} ${name}`, n[name] ?? 0, value);
    for (const [name, [num, den]] of Object.entries(rates)) {
        const theirs = row.rates[name];
        same(`${where} ${name} numerator`, (n[num] ?? 0) / (tenths[num] ?? 1), Number(theirs.num));
        same(`${where} ${name} denominator`, n[den] ?? 0, Number(theirs.den));
        same(`${where} ${name} is null without a denominator`, !n[den], theirs.rate === null);
    }
    // Hundredths of an hour, a half rounded up.
    const hours = n.handled ? Math.floor((10 * n.minutes + 3 * n.handled) / (6 * n.handled)) / 100 : null;
    same(`${where} average hours`, hours, row.handling.avg_hours);
}

let token;
async function get(path) {
    const answer = await fetch(url + path, { headers: { Authorization: `Bearer ${token}` } });
    if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
}

async function signIn() {
    const answer = await fetch(`${url}/v1/session`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ login: 'leader1', password: '12345-demo' }),
    });
    if (!answer.ok) throw new Error(`leader1 cannot sign in: ${answer.status} ${await answer.text()}`);
    token = (await answer.json()).token;
}

// The member unit (a child of the centre) that answers for a unit; what has none is the centre's.
async function members() {
    const units = (await get('/v1/desk/reference')).units.map((u) => ({ id: String(u.id), parent: u.parent && String(u.parent) }));
    const parent = new Map(units.map((u) => [u.id, u.parent]));
    const centre = units.find((u) => !u.parent).id;
    const top = (id) => {
        while (parent.get(id) && parent.get(id) !== centre) id = parent.get(id);
        return id || centre;
    };
    return top;
}

async function comparePeriod(from, to, top) {
    const period = `from=${from}&to=${to}`;
    const total = count(from, to, () => true);
    const answers = {};
    for (const by of ['', 'unit', 'day']) answers[by] = await get(`/v1/metrics/closure?${period}${by && `&by=${by}`}`);
    for (const [by, answer] of Object.entries(answers)) compareRow(`${from}…${to}${by && ` by ${by}`} total`, total, answer.total);

    const shown = new Set(answers.unit.rows.map((row) => row.key));
    for (const row of answers.unit.rows) compareRow(`${from}…${to} unit ${row.key}`, count(from, to, (u) => top(u) === row.key), row);
    for (const c of complaints.values()) {
        const missing = c.dispatched !== undefined && !shown.has(top(c.unit));
        if (missing) same(`${from}…${to} unit ${top(c.unit)} is shown`, true, false);
    }
    for (const row of answers.day.rows) compareRow(`${row.key}`, count(row.key, nextDay(row.key, 1), () => true), row);
    return total;
}

const nextDay = (from, days) => new Date(Date.parse(from) + days * 86400e3).toISOString().slice(0, 10);
const percent = (num, den) => (den ? `${((100 * num) / den).toFixed(2)} % (${num} of ${den})` : '—');
const facts = (c) => [c.accepted, c.closed, c.refused, ...c.rounds.map((r) => r.due)].filter((at) => at !== undefined);

for (const log of args) await readLog(log);
await signIn();
const top = await members();
const days = [...complaints.values()].flatMap(facts).map(day).sort();
if (!days.length) throw new Error('the log holds no complaint that was accepted or refused');
const first = days[0], end = nextDay(days.at(-1), 1);

const total = await comparePeriod(first, end, top);
for (let from = first; from < end; from = nextDay(from, 7)) await comparePeriod(from, nextDay(from, 7), top);

console.log(`${complaints.size} complaints, ${first} to ${days.at(-1)}`);
for (const [name, [num, den]] of Object.entries(rates)) console.log(`  ${name.padEnd(22)} ${percent((total[num] ?? 0) / (tenths[num] ?? 1), total[den] ?? 0)}`);
console.log(`${compared} figures compared, ${differences.length} differ`);
for (const line of differences.slice(0, 30)) console.log(`  ${line}`);
process.exit(differences.length ? 1 : 0);
