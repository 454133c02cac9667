#!/usr/bin/env node
// node tests/load/replay-2018/plan.mjs >tests/load/replay-2018/plan.txt
//
// Writes the plan of `make replay-2018`: for each day from January to August 2018, how many complaints of which channel, category,
// unit and path.  Seeded, so that the file can be made again byte for byte; tests/ops/replay-2018.test.mjs does.
//
// What is published: 223,090 accepted, 220,725 closed, 98.94 % (Shantou, January to August 2018).  Everything else is drawn with
// shares that hotlines of the kind publish, Shantou's own where there are any:
//   answered directly   5,534 of 7,147                Shantou, Spring Festival 2020
//   a holiday's volume  7,147 in six days is three times the year before: 397 a day beside 918      the same
//   by phone            90.7 %                        Beijing 2020, Yichun 2023
//   districts' part     85 % of what is dispatched    Yichun 2023; among them by inhabitants (census of 2020)
//   replies in time     96.27 %                       Lianyungang, September 2020
//   signed in time      99.64 %                       the same
// Rework 6 % and unreachable 3 % of what units answered are the order's; audits overdue, how many days a reply takes, departments and
// utilities among themselves are assumptions.

const SEED = 20180101;
const ACCEPTED = 223090, CLOSED = 220725, DIRECT = Math.round((ACCEPTED * 5534) / 7147);
const FROM = '2018-01-01', DAYS = 243;

// ---- the calendar: what differs from Monday to Friday --------------------------------------------------------------------

const dateOf = (day) => new Date(Date.parse(FROM) + day * 86400e3).toISOString().slice(0, 10);
const off = new Set(['2018-01-01', '2018-02-15', '2018-02-16', '2018-02-17', '2018-02-18', '2018-02-19', '2018-02-20', '2018-02-21',
    '2018-04-05', '2018-04-06', '2018-04-07', '2018-04-29', '2018-04-30', '2018-05-01', '2018-06-18']);
const madeUp = new Set(['2018-02-11', '2018-02-24', '2018-04-08', '2018-04-28']);
const isRest = (day) => {
    const weekday = new Date(Date.parse(FROM) + day * 86400e3).getUTCDay();
    return off.has(dateOf(day)) || ((weekday === 0 || weekday === 6) && !madeUp.has(dateOf(day)));
};
const isFestival = (day) => dateOf(day) >= '2018-02-15' && dateOf(day) <= '2018-02-21';

// The n-th workday after a day, the day itself for 0.
function workday(day, n, always) {
    while (n > 0) {
        day++;
        n -= always || !isRest(day) ? 1 : 0;
    }
    return day;
}

// ---- paths -----------------------------------------------------------------------------------------------------------------
//
// A step is when:what,what…  When: so many workdays after the day of filing, then the part of the day: a 9:30, p 15:30, e its last
// second; +n adds days of the calendar.  What: a transition, `file` and `take` for those of the channel; `=` marks what the sweep does
// by itself (T75: a unit a workday late is under supervision, and its ticket is not archived before that ends).  Where a word has a small letter behind its number, that is how it goes: T63n nobody was reached.

const dispatched = '0a:file,take,T18', signed = `${dispatched} 1a:T30,T43`;
const audited = (n) => `${signed} ${n}p:T52,T53 ${n + 1}a:T60`;
const closed = (n, what) => `${n}a:${what} ${n}a+100:=T79`;
const paths = {
    direct: '0a:file,T03 0a+100:=T79',
    directp: '0p:file,T03 0p+100:=T79',
    o1: `${audited(1)} ${closed(3, 'T63,T64')}`,
    o2: `${audited(2)} ${closed(4, 'T63,T64')}`,
    o3: `${audited(3)} ${closed(5, 'T63,T64')}`,
    o4: `${audited(4)} ${closed(6, 'T63,T64')}`,
    o5: `${audited(5)} ${closed(7, 'T63,T64')}`,
    late6: `${audited(6)} ${closed(8, 'T63,T64')}`,
    late9: `${signed} 6e:=T75 9p:T52,T53 10a:T60 11a:T63,T64`,
    rework: `${audited(2)} 4a:T63,ASK,T65,T30,T43 5p:T52,T53,T60 ${closed(6, 'T63,T64')}`,
    unreached: `${audited(2)} 4a:T63n 4p:T63n 5a:T63n 5a+3:=T67 5a+103:=T79`,
    deemed: `${dispatched} 1e:=T31 4a:T43 5p:T52,T53 6a:T60 ${closed(7, 'T63,T64')}`,
    auditlate: `${signed} 2p:T52,T53 3e:=T62 6a:T60 ${closed(7, 'T63,T64')}`,
    returned: `${signed} 1p:RETURN,T32,T33 2a:T18 3a:T30,T43 4p:T52,T53 5a:T60 ${closed(6, 'T63,T64')}`,
    opendispatch: '0a:file,take',
    opensign: dispatched,
    openhandling: `${signed} 6e:=T75`,
    openapproval: `${signed} 2p:T52 6e:=T75`,
    openaudit1: `${signed} 1p:T52,T53`,
    openaudit2: `${signed} 2p:T52,T53`,
    openaudit3: `${signed} 3p:T52,T53`,
    opencallback: audited(2),
};

// Of the tickets that units answered.  The rest are o1 to o5.
const shares = { late6: 0.0250, late9: 0.0123, rework: 0.06, unreached: 0.03, deemed: 0.0036, auditlate: 0.005, returned: 0 };
const ordinary = { o1: 18, o2: 27, o3: 27, o4: 18, o5: 10 };
const workdaysOnly = new Set(['deemed', 'auditlate', 'late6', 'late9']);

// Open at the end: on the last day a ticket waits for its dispatch or its unit, on the last but one it is with the unit …
const openOn = (day) => ({
    [DAYS - 1]: { opendispatch: 4, opensign: 6 },
    [DAYS - 2]: { opendispatch: 1, openhandling: 6, openaudit1: 3 },
    [DAYS - 3]: { openhandling: 6, openapproval: 1, openaudit2: 3 },
    [DAYS - 4]: { openhandling: 6, openapproval: 1, openaudit3: 2, opencallback: 2 },
})[day] ?? { openhandling: 60, openapproval: 10, opencallback: 30 };

// ---- units and their matters -------------------------------------------------------------------------------------------------

const matters = {
    district: ['010101', '010201', '010301', '010501', '010503', '020201', '020203'],
    101: ['020204'], 102: ['010303'], 104: ['010502'], 108: ['020103'], 112: ['010503', '010502'], 113: ['020202', '020104'],
    114: ['010104', '010203'], 115: ['010305'], 117: ['010302'], 121: ['010206'], 125: ['010102', '020102'], 129: ['020104'],
    301: ['010303'], 302: ['020107'], 303: ['020202'], 305: ['010304'], 306: ['010402'], 308: ['010105'],
};
const units = {
    // inhabitants, ten thousands
    201: 63, 202: 78, 203: 27, 204: 165, 205: 123, 206: 87, 207: 6,
};
const inhabitants = Object.values(units).reduce((a, b) => a + b);
for (const id of Object.keys(units)) units[id] *= 0.85 / inhabitants;
for (const [id, weight] of Object.entries({ 101: 10, 102: 9, 104: 6, 108: 12, 112: 8, 113: 10, 114: 10, 115: 7, 117: 4, 121: 6, 125: 12, 129: 6 }))
    units[id] = (0.10 * weight) / 100;
for (const [id, weight] of Object.entries({ 301: 25, 302: 25, 303: 10, 305: 10, 306: 15, 308: 15 })) units[id] = (0.05 * weight) / 100;
const always = new Set(['301', '302', '303', '305', '308']);
const questions = { '010201': 1, '010501': 1, '020102': 2, '020103': 2, '020104': 3, '020205': 2, '020107': 1, '020201': 1 };

// Online complaints are mostly such as need a unit: phone is 90.7 % of all.
const phoneDispatched = 0.65, phoneDirect = (0.907 - (1 - DIRECT / ACCEPTED) * phoneDispatched) / (DIRECT / ACCEPTED);

// ---- drawing ---------------------------------------------------------------------------------------------------------------

let state = SEED;
function random() { // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

function pick(weights) {
    const entries = Object.entries(weights);
    let at = random() * entries.reduce((sum, [, w]) => sum + w, 0);
    for (const [name, weight] of entries) if ((at -= weight) < 0) return name;
    return entries.at(-1)[0];
}

function shuffle(list) {
    for (let i = list.length - 1; i > 0; i--) {
        const other = Math.floor(random() * (i + 1));
        [list[i], list[other]] = [list[other], list[i]];
    }
    return list;
}

// So many in all, by these weights, each a whole number.
function share(total, weights) {
    const sum = weights.reduce((a, b) => a + b), exact = weights.map((w) => (total * w) / sum), whole = exact.map(Math.floor);
    const rest = exact.map((x, i) => [x - whole[i], i]).sort((a, b) => b[0] - a[0] || a[1] - b[1]);
    for (let left = total - whole.reduce((a, b) => a + b), i = 0; left > 0; left--, i++) whole[rest[i][1]]++;
    return whole;
}

const weight = Array.from({ length: DAYS }, (_, day) => (isFestival(day) ? 397 : isRest(day) ? 700 : 1000) * (0.9 + 0.2 * random()));
const direct = share(DIRECT, weight), units_ = share(ACCEPTED - DIRECT, weight);

// The day of the last thing that happens, the archive aside.
const steps = Object.fromEntries(Object.entries(paths).map(([name, text]) => [name, text.split(' ').filter((step) => !step.endsWith('=T79'))
    .map((step) => step.match(/^(\d+)[ape](?:\+(\d+))?:/)).map(([, n, more]) => ({ n: Number(n), more: Number(more ?? 0) }))]));
const lastDays = new Map();
function lastDay(path, day, alwaysOpen) {
    const key = `${path} ${day} ${alwaysOpen}`;
    if (!lastDays.has(key)) lastDays.set(key, Math.max(...steps[path].map(({ n, more }) => workday(day, n, alwaysOpen) + more)));
    return lastDays.get(key);
}
const fits = (path, t) => lastDay(path, t.day, t.always) < DAYS && !(workdaysOnly.has(path) && (t.always || isRest(t.day)));

const tickets = [];
for (let day = 0; day < DAYS; day++)
    for (let i = 0; i < units_[day]; i++) {
        const unit = pick(units), list = matters[unit] ?? matters.district;
        tickets.push({ day, unit, always: always.has(unit), channel: random() < phoneDispatched ? 'phone' : 'web', category: list[Math.floor(random() * list.length)] });
    }

// Those that cannot be closed in time stay open; the others that do are of the last four weeks.
const OPEN = ACCEPTED - CLOSED;
let left = OPEN;
const stayOpen = (t) => {
    t.path = pick(openOn(t.day));
    left--;
};
for (const t of tickets) if (!Object.keys(ordinary).some((path) => fits(path, t))) stayOpen(t);
const candidates = shuffle(tickets.filter((t) => !t.path && t.day >= DAYS - 26 && !isRest(t.day) && !t.always));
for (const t of candidates) if (left > 0 && t.day <= DAYS - 5) stayOpen(t);
for (const t of candidates) if (left > 0 && !t.path) stayOpen(t);
if (left !== 0) throw new Error(`${OPEN - left} stay open instead of ${OPEN}`);

const answered = shuffle(tickets.filter((t) => !t.path)), answeredCount = answered.length;
for (const [path, part] of Object.entries(shares)) {
    let wanted = Math.round(part * answeredCount);
    for (const t of answered)
        if (wanted > 0 && !t.path && fits(path, t)) {
            t.path = path;
            wanted--;
        }
    if (wanted > 0) throw new Error(`${wanted} more ${path} do not fit`);
}
for (const t of answered) {
    const possible = Object.fromEntries(Object.entries(ordinary).filter(([path]) => fits(path, t)));
    t.path ??= pick(possible);
}
for (let day = 0; day < DAYS; day++)
    for (let i = 0; i < direct[day]; i++)
        tickets.push({ day, unit: '-', channel: random() < phoneDirect ? 'phone' : 'web', category: pick(questions), path: random() < 0.6 ? 'direct' : 'directp' });

// ---- writing ---------------------------------------------------------------------------------------------------------------

const lines = new Map();
for (const t of tickets) {
    const line = `${t.channel} ${t.category} ${t.unit} ${t.path}`;
    const ofDay = lines.get(t.day) ?? lines.set(t.day, new Map()).get(t.day);
    ofDay.set(line, (ofDay.get(line) ?? 0) + 1);
}

const out = [`period ${FROM} ${dateOf(DAYS)}`];
for (let day = 0; day <= DAYS + 20; day++) if (isRest(day)) out.push(`rest ${dateOf(day)}`);
out.push('channel phone T01 T04', 'channel web T05 T06');
for (const id of Object.keys(units)) out.push(`unit ${id}${always.has(id) ? ' always' : ''}`);
for (const [name, steps] of Object.entries(paths)) out.push(`path ${name} ${steps}`);
for (const [day, ofDay] of [...lines].sort((a, b) => a[0] - b[0])) {
    out.push(`day ${dateOf(day)}`);
    for (const [line, n] of [...ofDay].sort((a, b) => (a[0] < b[0] ? -1 : 1))) out.push(`${line} ${n}`);
}
process.stdout.write(out.join('\n') + '\n');
