// The clocks of the rules against a reference that knows no algebra: it walks, minute by minute or day by day, through a calendar that
// it draws for itself from the raw days.  Ten thousand random cases over 2018 to 2026, with pauses, overlays and offices of their own
// hours.  SEED=n plays another ten thousand.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start } from './harness.mjs';

const hotline = await start({ settings: { web_root: '' } });
const SEED = Number(process.env.SEED ?? 20180101);
const CASES = 10_000;
const MINUTE = 60_000;
const DAY = 1440; // minutes
const FIRST = Date.UTC(2017, 11, 1) - 8 * 60 * MINUTE; // midnight in the city, which has no summer time
const DAYS = 4500;

function random(seed) { // mulberry32
    return () => {
        seed = (seed + 0x6d2b79f5) | 0;
        let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
}
const next = random(SEED);
const below = (n) => Math.floor(next() * n);
const pick = (list) => list[below(list.length)];

const date = (day) => new Date(FIRST + day * DAY * MINUTE + 8 * 60 * MINUTE).toISOString().slice(0, 10);
const moment = (ms) => new Date(ms + 8 * 60 * MINUTE).toISOString().slice(0, 19) + '+08:00';
const ofDay = (at) => Math.floor((at - FIRST) / MINUTE / DAY);
const evening = (day) => FIRST + ((day + 1) * DAY) * MINUTE - 1000; // 23:59:59
const clockTime = (text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));

// ---- the reference ---------------------------------------------------------------------------------------------------

class Calendar {
    constructor({ id, am_open, am_close, pm_open, pm_close, always_open }, days, years) {
        const special = new Map(days.map(({ day, is_off }) => [day, is_off]));
        const published = new Set(years);

        this.id = id;
        this.always = always_open;
        this.close = clockTime(pm_close);
        this.hours = always_open ? DAY : clockTime(am_close) - clockTime(am_open) + clockTime(pm_close) - clockTime(pm_open);
        this.work = new Uint8Array(DAYS);
        this.open = new Uint8Array(DAYS * DAY);
        for (let day = 0; day < DAYS; day++) {
            const name = date(day);
            const weekday = new Date(`${name}T00:00:00Z`).getUTCDay();
            let work = weekday !== 0 && weekday !== 6;
            if (!published.has(Number(name.slice(0, 4))) && ['01-01', '05-01', '10-01'].includes(name.slice(5)))
                work = false;
            if (special.has(name))
                work = !special.get(name);
            if (always_open)
                work = true;
            this.work[day] = work;
            for (let m = 0; work && m < DAY; m++)
                this.open[day * DAY + m] = always_open || (m >= clockTime(am_open) && m < clockTime(am_close)) ||
                    (m >= clockTime(pm_open) && m < this.close);
        }
    }

    // Day 0: the day itself if it is worked and the office has not closed yet, else the next that is worked.
    zero(at) {
        const day = ofDay(at);
        const minute = (at - FIRST) / MINUTE - day * DAY;
        return this.work[day] && (this.always || minute < this.close) ? day : this.workdayFrom(day + 1);
    }

    workdayFrom(day) {
        while (!this.work[day])
            day++;
        return day;
    }

    // Minutes are used up one by one, those of a pause are not, and for office time only those in which the office is open.
    byMinutes(start, left, pauses, office) {
        let m = (start - FIRST) / MINUTE;
        for (; left > 0; m++) {
            const at = FIRST + m * MINUTE;
            if (pauses.some((p) => at >= p.from && at < p.to) || (office && !this.open[m]))
                continue;
            left--;
        }
        return FIRST + m * MINUTE;
    }

    // Days are used up one by one from day 0 on; a pause keeps what is left, and goes on with it from the day 0 of its end.
    byDays(start, budget, pauses, isDay, zero) {
        let day = zero(start);
        let left = budget;
        const use = () => {
            while (left > 0)
                left -= isDay(++day) ? 1 : 0;
        };

        for (const { from, to } of pauses) {
            const stop = zero(from);
            const before = { day, left };
            use();
            if (stop > day) { // the evening of the last day
                const end = ofDay(to);
                if (end > day)
                    day = this.workdayFrom(end);
                left = 0;
                continue;
            }
            ({ day, left } = before);
            while (day < stop)
                left -= isDay(++day) ? 1 : 0;
            day = zero(to);
        }
        use();
        return evening(day);
    }

    due({ start, budget, unit }, pauses) {
        switch (unit) {
            case 'workday': return this.byDays(start, budget, pauses, (d) => this.work[d], (at) => this.zero(at));
            case 'day': return this.byDays(start, budget, pauses, () => true, ofDay);
            case 'workhour': return this.byMinutes(start, budget, pauses, true);
            case 'hour': return this.byMinutes(start, budget * 60, pauses, false);
            default: return this.byMinutes(start, budget, pauses, false);
        }
    }

    // The first moment at which so many minutes of office time, or of any time, are left.
    before(due, minutes, office) {
        const lag = due % MINUTE; // 23:59:59 counts as the end of the day, but where there is no closing time
        let m = Math.ceil((due - FIRST) / MINUTE);
        for (;; m--) {
            const counts = !office || this.open[m - 1];
            if (counts && minutes <= 0)
                break;
            minutes -= counts ? 1 : 0;
        }
        return FIRST + m * MINUTE - (this.always && lag ? 1000 : 0);
    }

    warn({ start, budget, unit }, due) {
        if (unit === 'hour' || unit === 'minute')
            return this.before(due, budget * 0.3 * (unit === 'hour' ? 60 : 1), false);
        if (unit === 'workhour')
            return this.before(due, budget * 0.3, true);
        if (budget >= 5) { // one workday
            let day = ofDay(due) - 1;
            while (!this.work[day])
                day--;
            return evening(day);
        }
        return Math.max(start, this.before(due, Math.max(120, budget * this.hours * 0.2), true));
    }

    deep(due) {
        return evening(this.workdayFrom(ofDay(due) + 1));
    }
}

// ---- cases ---------------------------------------------------------------------------------------------------------------

// Offices of other hours with strikes and storms of their own, years published and not: overlays on what the weekends say.
const offices = [
    [91, '09:00', '12:00', '13:00', '17:30', 9], [92, '08:00', '11:30', '14:00', '18:30', 40], [93, '08:30', '12:00', '12:00', '17:00', 150],
];

async function overlays() {
    for (const [id, amOpen, amClose, pmOpen, pmClose, odd] of offices) {
        await hotline.sql("insert into hotline.calendar (id, name, am_open, am_close, pm_open, pm_close) values ($1, 'test', $2, $3, $4, $5)",
            [id, amOpen, amClose, pmOpen, pmClose]);
        const days = new Map(Array.from({ length: odd * 9 }, () => [date(below(DAYS - 400) + 31), next() < 0.6]));
        await hotline.sql(`insert into hotline.calendar_day (calendar_id, day, is_off, name) select $1, day, off, 'test'
            from unnest($2::date[], $3::boolean[]) as d(day, off)`, [id, [...days.keys()], [...days.values()]]);
        await hotline.sql('insert into hotline.calendar_year select $1, year from unnest($2::int[]) year', [id, [2018, 2020, 2021, 2023, 2025]]);
        await hotline.sql('select hotline.calendar_build($1)', [id]);
    }
    const rows = await hotline.sql(`select c.*,
            (select coalesce(json_agg(json_build_object('day', d.day, 'is_off', d.is_off)), '[]') from hotline.calendar_day d where calendar_id = c.id) as days,
            (select coalesce(json_agg(year), '[]') from hotline.calendar_year y where calendar_id = c.id) as years
        from hotline.calendar c order by id`);
    return rows.map((row) => new Calendar(row, row.days, row.years));
}

const budgets = { workday: () => below(26), workhour: () => (next() < 0.5 ? below(61) * 10 : below(3000)), hour: () => below(97), minute: () => below(60) * 10, day: () => below(31) };
const pauseOf = [30, 300, DAY, 3 * DAY, 14 * DAY, 60 * DAY];

function make(calendars) {
    const calendar = pick(calendars);
    const unit = pick(['workday', 'workday', 'workday', 'workhour', 'workhour', 'hour', 'minute', 'day']);
    const one = { calendar, unit, budget: budgets[unit](), start: FIRST + (31 * DAY + below(9 * 365 * DAY)) * MINUTE, pauses: [] };
    let from = one.start;
    let due = calendar.due(one, []);

    for (let n = pick([0, 0, 1, 1, 2, 3]); n > 0 && one.budget > 0; n--) {
        const room = Math.floor((due - from) / MINUTE) - 1;
        if (room < 1)
            break;
        // Often just before the end, where mistakes of one live.
        const at = from + (next() < 0.2 ? Math.max(1, room - below(400)) : 1 + below(room)) * MINUTE;
        from = at + (1 + below(pick(pauseOf))) * MINUTE;
        one.pauses.push({ from: at, to: from });
        due = calendar.due(one, one.pauses);
    }
    // Three tenths of a budget are whole minutes, or there is nothing to walk by.
    const walked = unit === 'workday' || unit === 'hour' || (unit !== 'day' && one.budget % 10 === 0);
    return { ...one, due, warn: walked && one.budget > 0 ? calendar.warn(one, due) : null, deep: calendar.deep(due) };
}

test(`${CASES} random clocks fall due where walking leads (SEED=${SEED})`, { timeout: 300_000 }, async () => {
    const calendars = await overlays();
    const cases = Array.from({ length: CASES }, () => make(calendars));
    const wrong = [];

    await hotline.sql(`create function public.walked(cal int, start timestamptz, budget int, unit text, pauses jsonb) returns timestamptz[]
        language plpgsql as $$
        declare
            due timestamptz := (hotline.clock_due(cal, start, budget, unit)).due_at;
            p jsonb;
        begin
            for p in select jsonb_array_elements(pauses) loop
                due := hotline.clock_after_pause(cal, due, unit, (p->>0)::timestamptz, (p->>1)::timestamptz);
            end loop;
            return array[due, hotline.clock_warn(cal, start, due, budget, unit), hotline.clock_deep(cal, due)];
        end $$`);
    for (let i = 0; i < CASES; i += 1000) {
        const some = cases.slice(i, i + 1000);
        const [{ got }] = await hotline.sql(`select json_agg(public.walked((c->>0)::int, (c->>1)::timestamptz, (c->>2)::int, c->>3, c->4) order by n) as got
            from jsonb_array_elements($1) with ordinality as e(c, n)`,
        [JSON.stringify(some.map((c) => [c.calendar.id, moment(c.start), c.budget, c.unit, c.pauses.map((p) => [moment(p.from), moment(p.to)])]))]);
        some.forEach((c, n) => {
            for (const [what, at] of ['due', 'warn', 'deep'].entries())
                if (c[at] !== null && Date.parse(got[n][what]) !== c[at])
                    wrong.push(`calendar ${c.calendar.id} ${c.budget} ${c.unit} from ${moment(c.start)}` +
                        c.pauses.map((p) => ` paused ${moment(p.from)} to ${moment(p.to)}`).join('') +
                        `: ${at} ${got[n][what]}, walking leads to ${moment(c[at])}`);
        });
    }
    assert.ok(cases.filter((c) => c.pauses.length > 1).length > 1000 && cases.filter((c) => c.warn !== null).length > 5000, 'there is something to compare');
    assert.deepEqual(wrong.slice(0, 10), [], `${wrong.length} differ`);
});
