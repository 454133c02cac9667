// node tests/walk/walk.mjs: everybody does whatever the rules let them, by chance, for months; what must be true stays true.
//
// Citizens file, staff of every role act on thousands of tickets, timers fire, the calendar and policies change, all in simulated time
// and through the functions that the engine calls, in batches as it sends them.  At sampled states every action that a person is
// offered is tried with inputs as described, and undone, and every other action of the table must be refused and change nothing.  A
// second part goes through HTTP.  One SEED is one walk: the same one plays the same way again.  `make walk` prepares what the
// environment names; ACTIONS and TICKETS say how many at least.

import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { Chance } from './chance.mjs';
import { City } from './city.mjs';
import { by_http } from './http.mjs';
import { Inputs, moment } from './inputs.mjs';
import { People } from './people.mjs';

const run = promisify(execFile);
const seed = Number(process.env.SEED || Math.floor(Math.random() * 1e9));
const wanted = Number(process.env.ACTIONS || 200_000);
const tickets_wanted = Number(process.env.TICKETS || Math.max(Math.round(wanted / 25), 100));
const out = process.env.WALK_DIR;
const database = `walk_${process.pid}`;
const replay = `make walk SEED=${seed} ACTIONS=${wanted} TICKETS=${tickets_wanted}`;

const HOUR = 3600, DAY = 24 * HOUR;
const BEGIN = Date.UTC(2026, 0, 5) / 1000; // Monday, eight o'clock in the city
const SPAN = Math.max(150, Math.min(270, wanted / 800)) * DAY;
const BATCH = wanted < 50_000 ? 40 : 100; // actions that leave together, as many at most
const OPEN = Math.max(120, Math.min(500, Math.round(wanted / 400))); // tickets people work on at a time
const SAMPLES = Math.max(30, Math.min(400, Math.round(wanted / 400))); // states at which everything is tried
const MOST = 40; // findings that are told

const refusals = [403, 404, 409, 422];
const findings = [];
const kinds = new Map();
const digest = createHash('sha256');
const json = (x) => JSON.stringify(x);

// Something that must not be: each kind is told a few times.
function finding(kind, text) {
    const n = (kinds.get(kind) ?? 0) + 1;

    kinds.set(kind, n);
    if (n <= 3 && findings.length < MOST) {
        findings.push(`${kind}: ${text}`);
        console.log(`    ${kind}: ${text}`);
    }
}

class Walk {
    constructor() {
        const base = { host: process.env.PGHOST, port: 5432, database };
        this.chance = new Chance(seed);
        this.owner = new pg.Client({ ...base, user: 'postgres' });
        this.engine = new pg.Client({ ...base, user: 'hotline_engine' });
        this.at = BEGIN;
        this.key = 0;
        this.counts = { offered: 0, offered_tried: 0, others_tried: 0, refused: 0, repeated: 0, filed: 0, calendar: 0, policies: 0, samples: 0, checks: 0 };
        this.codes = new Map(); // code of a refusal → how often
        this.done = 0; // actions of people and citizens that succeeded
        this.by_staff = 0;
        this.ended = [];
        this.open = [];
        this.last = [];
        this.seen = new Map(); // state → how often it was sampled
        this.spent = {}; // seconds
        this.phones = Array.from({ length: Math.round(OPEN / 3) }, (_, i) => `hmac${i}`);
    }

    sql = async (text, values) => (await this.owner.query(text, values)).rows;

    async start() {
        const admin = new pg.Client({ host: process.env.PGHOST, port: 5432, user: 'postgres', database: 'postgres' });
        await admin.connect();
        await admin.query(`create database ${database} template ${process.env.HOTLINE_TEST_TEMPLATE}`);
        await admin.end();
        await this.ctl('sim', 'on', moment(BEGIN));
        await this.owner.connect();
        await this.engine.connect();
        await this.owner.query(readFileSync(new URL('city.sql', import.meta.url), 'utf8'));
        await this.owner.query('set plan_cache_mode = force_generic_plan'); // as the engine's role has it
        await this.owner.query('select setseed(0.5)');
        await this.engine.query('select setseed(0.5)'); // who is called back is drawn
        await this.owner.query(`update hotline.setting set value = '60' where name = 'callback.sample'`);
        this.city = new City(this.sql);
        await this.city.read();
        this.inputs = new Inputs(this.city, this.chance, this.city.described);
        this.people = new People(this.city, this.chance);
    }

    async stop() {
        await this.owner.end().catch(() => {});
        await this.engine.end().catch(() => {});
        if (process.env.KEEP_WALK)
            return console.log(`# kept: ${database}`);
        const admin = new pg.Client({ host: process.env.PGHOST, port: 5432, user: 'postgres', database: 'postgres' });
        await admin.connect();
        await admin.query(`drop database if exists ${database} with (force)`);
        await admin.end();
    }

    async ctl(...words) {
        const environment = { ...process.env, HOTLINE_ADMIN_DATABASE: `host=${process.env.PGHOST} user=postgres dbname=${database}`,
            HOTLINE_AUDIT_KEY_FILE: join(out, 'audit.key') };
        return (await run(process.env.HOTLINECTL, words, { env: environment, maxBuffer: 1 << 26 })).stdout.trim();
    }

    // One call of an api function: {status, body}.
    async call(fn, x) {
        const { rows: [said] } = await this.engine.query({ name: fn, text: `select status, body from api.${fn}($1)`, values: [json({ ...x, at: moment(this.at) })] });
        return said;
    }

    // Calls that leave together, their tickets locked first; answers in their order.  One that fails takes all with it: then each goes alone.
    async together(fn, calls, ids) {
        const send = async (list, locks) => {
            await this.engine.query('begin');
            try {
                if (locks.length > 0)
                    await this.engine.query({ name: 'lock', text: 'select api.lock($1::bigint[])', values: [locks] });
                const { rows } = await this.engine.query({ name: fn, text: `select i, status, body from api.${fn}($1::jsonb[]) order by i`, values: [list.map(json)] });
                await this.engine.query('commit');
                return rows;
            } catch (error) {
                await this.engine.query('rollback');
                throw error;
            }
        };
        try {
            return await send(calls, ids ?? []);
        } catch (error) {
            const said = [];
            for (const [n, x] of calls.entries())
                said.push(...await send([x], ids ? [ids[n], x.inputs?.master ?? x.inputs?.lead].filter((id) => /^\d+$/.test(id)) : []).catch((why) => {
                    finding('exception', `${fn} ${json(x)}: ${why.code} ${why.message} ${why.where?.split('\n').slice(0, 4).join(' | ') ?? ''}`);
                    return [{ status: 500, body: { code: why.code } }];
                }));
            if (!said.some((s) => s.status === 500))
                finding('exception', `${fn} of ${calls.length} fails together, not alone: ${error.code} ${error.message} ${error.where?.split('\n').slice(0, 4).join(' | ') ?? ''}`);
            return said;
        }
    }

    async timed(what, work) {
        const began = performance.now();
        await work();
        this.spent[what] = (this.spent[what] ?? 0) + (performance.now() - began) / 1000;
    }

    next_key() {
        return `walk-${++this.key}`;
    }

    look(ids) {
        return this.sql(`select walk.look($1::bigint[]) as seen`, [ids]).then(([{ seen }]) => seen);
    }

    // ---- time -----------------------------------------------------------------------------------------------------------------

    async move(rounds_left) {
        const { chance } = this;
        const average = Math.max((BEGIN + SPAN - this.at) / Math.max(rounds_left, 1), 30);
        const step = chance.is(0.75) ? chance.next() * average * 0.8 : chance.is(0.8) ? chance.next() * average * 4 : chance.next() * average * 12;
        const day = Math.floor(this.at / DAY);

        this.at = Math.round((this.at + step) * 1000) / 1000;
        await this.owner.query('update hotline.simulation set at = $1', [moment(this.at)]);
        if (Math.floor(this.at / DAY) !== day) {
            while ((await this.call('upkeep', {})).body.made > 0); // one partition a transaction
            await this.call('fold', {});
            if (chance.is(0.1))
                await this.ctl('audit', 'sign');
        }
        if (!chance.is(0.1)) // now and then it comes late
            await this.timed('sweep', () => this.sweep());
    }

    // What is due happens, in the order in which it fell due.
    async sweep() {
        for (let n = 0; ; n++) {
            const { body } = await this.call('sweep_due', { limit: 200 });
            if (body.due.length > 0)
                await this.together('sweep_all', body.due.map((d) => ({ ...d, at: moment(this.at) })), body.due.map((d) => d.ticket));
            if (body.upto) {
                await this.call('swept', { upto: body.upto });
                return;
            }
            if (n > 500)
                throw new Error(`the sweep does not end: ${json(body.due.slice(0, 3))}`);
        }
    }

    // ---- new tickets ------------------------------------------------------------------------------------------------------------

    words() {
        const { chance, inputs } = this;
        return { title: inputs.text(4, 30), content: inputs.text(10, 200), grams: chance.some([...Array(60).keys()], 12),
            hits: chance.is(0.25) ? [{ item: chance.pick(this.city.items), n: 1, len: chance.from(2, 8), words: ['噪声'] }] : [],
            ...(chance.is(0.9) ? { private: chance.is(0.8) ? {} : { content: { kinds: ['name'], masked: '（已脱敏）请依法办理' } } } : {}) };
    }

    contact() {
        const phone = this.chance.pick(this.phones);
        return { phone_enc: `v1.${phone}`, phone_hmac: phone, phone_mask: '138****0000', name_enc: 'v1.name', name_mask: '陈*' };
    }

    complaint() {
        const { chance } = this;
        const anonymous = chance.is(0.08);
        const seq = 1_000_000 + ++this.key; // far from the numbers that the rules themselves hand out
        return { route: 'POST /v1/tickets', key: `file-${seq}`, digest: 'd', seq: String(seq), query_code_enc: 'v1.code', query_code_hash: `code-${seq}`,
            type: chance.pick(['consult', 'help', 'complaint', 'complaint', 'complaint', 'report', 'suggestion', 'praise', 'other']),
            division: chance.is(0.9) ? chance.pick(this.city.divisions) : undefined, category: chance.is(0.5) ? chance.pick(this.city.categories) : undefined,
            anonymous, secrecy: chance.is(0.8) ? 0 : chance.from(0, 3), reply_wanted: chance.is(0.85), at: moment(this.at),
            contact: anonymous ? {} : this.contact(), ...this.words() };
    }

    async file(n) {
        const web = [], drafts = [];
        for (let i = 0; i < n; i++) {
            const x = this.complaint();
            const way = this.chance.weighed([['web', 70], ['draft', 20], ['110', 4], ['province', 6]]);
            if (way === 'web')
                web.push({ ...x, principal: 'public', channel: this.chance.pick(['web', 'wechat', 'app']) });
            else if (way === 'draft')
                drafts.push({ ...x, session: this.chance.pick(this.city.of_role('OPR')).login, channel: 'phone' });
            else
                this.expect(201, way, await this.call(way === '110' ? 'receive_from_110' : 'receive_province', { ...x, external_id: x.key,
                    urgency: this.chance.pick(['normal', 'urgent', 'priority']), outer_due_at: moment(this.at + this.chance.from(2, 20) * DAY) }));
        }
        for (const [fn, list] of [['intake_all', web], ['draft_all', drafts]])
            if (list.length > 0)
                (await this.together(fn, list)).forEach((said) => this.expect(201, fn, said));
        if (this.chance.is(0.2))
            await this.call('find_groups', {});
        this.counts.filed += n;
    }

    expect(status, what, said) {
        if (said.status !== status)
            finding('filing', `${what}: ${said.status} ${json(said.body)}`);
    }

    // ---- what people do -----------------------------------------------------------------------------------------------------------

    // The call of a person's action with inputs as described.  Contact data and codes are what the engine would have made of them.
    act(v, action, by, { list, approval } = {}) {
        const unit = v.main && this.city.unit.get(v.main.unit)?.path.includes(by.unit) ? v.main.unit : by.unit;
        const mine = { ...v, orders: v.orders.map((o) => ({ ...o, mine: o.by === by.id || o.by === null })) };
        const made = this.inputs.make(action, mine, this.at, list, approval ?? this.default_of(list, 'approval'));
        const inputs = action === 'sub_dispatch' ? this.inputs.make(action, mine, this.at, list, { by: unit }) : made;

        return { session: by.login, route: `POST /v1/desk/tickets/{id}/actions`, key: this.next_key(), digest: 'd', at: moment(this.at), id: v.id, action, inputs,
            code_hash: v.code ?? undefined, contact: v.phone ? { phone_hmac: v.phone } : ['submit', 'save_draft'].includes(action) ? this.contact() : undefined,
            ...(this.chance.is(0.8) ? { private: {} } : {}) };
    }

    default_of(list, name) {
        return list?.find((i) => i.name === name)?.default ?? undefined;
    }

    // A ticket of the same citizen and one of the same district, for who merges and groups.
    relatives(seen) {
        const first = new Map();
        for (const v of seen) {
            if (v.phone && first.has(v.phone) && v.state !== 'draft')
                v.same_caller = first.get(v.phone);
            else if (v.phone)
                first.set(v.phone, v.id);
            v.similar = this.chance.is(0.5) ? v.id : this.chance.pick(seen).id;
        }
    }

    async search(by, v) {
        const said = await this.call('dup_check', { session: by.login, id: v.id, route: 'dup', key: this.next_key(), digest: 'd' });
        return said.body?.dup_check ?? '1';
    }

    // again: those of the round before, most of them.
    async batch(again) {
        const { chance } = this;
        const open = new Set(this.open);
        const same = again ? chance.some(this.last.filter((id) => open.has(id)), Math.round(BATCH * 0.6)) : [];
        const ids = [...new Set([...same, ...chance.some(this.open, BATCH - 6 - same.length), ...chance.some(this.ended.slice(-40), 4), ...chance.some(this.ended, 2)])];
        this.last = ids;
        let seen;
        await this.timed('look', async () => (seen = await this.look(ids)));
        const calls = [];
        let at = this.at;

        this.relatives(seen);
        for (const v of seen) {
            if (v.code && v.state !== 'draft' && chance.is(v.state === 'need_supplement' ? 0.35 : v.state === 'closed' ? 0.35 : 0.05)) {
                await this.timed('citizens', () => this.citizen(v));
                continue;
            }
            const choice = this.people.choose(v);
            if (!choice)
                continue;
            const x = this.act(v, choice.action, choice.by, choice);
            if (choice.action === 'submit')
                x.inputs.dup_check = await this.search(choice.by, v);
            if (chance.is(0.1))
                x.version = v.version;
            calls.push(x);
        }
        const spread = chance.is(0.3);
        for (const x of calls)
            x.at = moment(spread ? (at += chance.next() * 2) : at);
        this.at = Math.round(at * 1000) / 1000;
        await this.timed('send', () => this.send(calls));
        return calls.length;
    }

    async send(calls) {
        if (calls.length === 0)
            return;
        const ids = (list) => list.flatMap((x) => [x.id, x.inputs.master, x.inputs.lead].filter((id) => /^\d+$/.test(id ?? '')));
        const said = await this.together('act_all', calls, ids(calls));
        calls.forEach((x, i) => this.take_note(x, said[i]));
        if (this.chance.is(0.02)) { // all of it again: the same answers, and nothing happens twice
            const again = await this.together('act_all', calls, ids(calls));
            again.forEach((two, i) => {
                this.counts.repeated++;
                if (said[i].status === 200 && (two.status !== 200 || json(two.body) !== json(said[i].body)))
                    finding('repeat', `${json(calls[i])} was answered ${json(said[i])}, then ${json(two)}`);
                else if (said[i].status !== 200 && two.status === 200) // what others did meanwhile allows it
                    this.take_note(calls[i], two);
            });
        }
    }

    take_note(x, { status, body }) {
        digest.update(`${x.session} ${x.action} ${status} ${body?.code ?? body?.event} `);
        if (status === 200) {
            this.done++;
            this.by_staff++;
            return;
        }
        this.counts.refused++;
        const what = `${x.action} ${status} ${body?.code}${body?.fields ? ` ${body.fields.map((f) => `${f.name}:${f.code}`).join()}` : ''}`;
        this.codes.set(what, (this.codes.get(what) ?? 0) + 1);
        if (!refusals.includes(status) && status !== 500)
            finding('answer', `${json(x)}: ${status} ${json(body)}`);
    }

    async citizen(v) {
        const { chance } = this;
        const action = v.state === 'need_supplement' ? 'supplement' : v.state === 'closed' ? chance.pick(['object', 'rate'])
            : v.state === 'pending_callback' && chance.is(0.6) ? 'rate' : chance.is(0.03) ? 'withdraw' : 'followup';
        const said = await this.call('citizen', this.citizens_call(v, action));
        digest.update(`${action} ${said.status} `);
        if (said.status === 200)
            this.done++;
        else if (!refusals.includes(said.status))
            finding('answer', `citizen ${action}: ${said.status} ${json(said.body)}`);
    }

    citizens_call(v, action) {
        const inputs = this.inputs.make({ rate: 'late_rating' }[action] ?? action, v, this.at);
        for (const name of ['phone', 'recording_id', 'query_code'])
            delete inputs[name];
        return { number: v.number, code_hash: v.code, id: v.id, action, inputs, route: `POST /v1/tickets/{number}/${action}`, key: this.next_key(),
            digest: 'd', private: {}, at: moment(this.at) };
    }

    // ---- what administrators do -------------------------------------------------------------------------------------------------

    async administer(kind, code, inputs) {
        const said = await this.call('admin_put', { session: 'walk.adm5', kind, code, inputs, route: 'admin', key: this.next_key(), digest: 'd' });
        if (said.status !== 200)
            finding('administration', `${kind} ${code} ${json(inputs)}: ${said.status} ${json(said.body)}`);
        await this.city.read_changing();
    }

    async change_calendar() {
        const { chance } = this;
        const today = this.at + 8 * HOUR;
        const days = chance.some([...Array(25).keys()], chance.from(1, 4)).map((n) =>
            `${new Date((today + (n - 2) * DAY) * 1000).toISOString().slice(0, 10)} ${chance.pick(['off', 'off', 'work', 'published'])}`);
        const inputs = { days, ...(chance.is(0.3) ? { bring_forward: true } : {}) };
        if (chance.is(0.1))
            inputs.hours = chance.pick([['08:30-12:00', '14:30-17:30'], ['09:00-12:00', '13:30-17:00']]);
        await this.administer('calendar', '1', inputs);
        this.counts.calendar++;
    }

    async change_policy() {
        const code = this.chance.pick(['H1', 'R1', 'C1', 'S1']);
        await this.administer('policy', code, { clocks: [`unit ${this.chance.from(3, 8)} workday`], promise: `${this.chance.from(6, 14)} workday`,
            valid_from: new Date((this.at + 8 * HOUR + DAY) * 1000).toISOString().slice(0, 10) });
        this.counts.policies++;
    }

    // ---- every action at some states ----------------------------------------------------------------------------------------------

    kind_of(v) {
        return [v.state, v.main?.state ?? '-', v.round, v.waits.map((w) => w.action).join(), v.parts.length > 0, v.phone === null].join(' ');
    }

    // Of some tickets those whose like was tried least.
    async sample() {
        const { chance } = this;
        const seen = await this.look(chance.some(this.open, 30).concat(chance.some(this.ended, 8)));
        const rarest = seen.map((v) => [this.seen.get(this.kind_of(v)) ?? 0, v]).sort((a, b) => a[0] - b[0])[0]?.[1];

        if (!rarest)
            return;
        this.seen.set(this.kind_of(rarest), (this.seen.get(this.kind_of(rarest)) ?? 0) + 1);
        this.counts.samples++;
        const people = new Set([this.people.choose(rarest)?.by, this.people.choose(rarest)?.by,
            chance.pick(this.city.people.filter((p) => p.roles.some((r) => ['LDR', 'SUP', 'DSP', 'AUD', 'OPR', 'EFF', 'CBK', 'LEA', 'MED'].includes(r)))),
            chance.pick(this.city.people)].filter(Boolean));
        for (const by of people)
            await this.try_everything(rarest, by);
        await this.try_citizen(rarest);
    }

    async try_everything(v, by) {
        const said = await this.call('actions', { session: by.login, id: v.id });
        const offered = said.status === 200 ? said.body.actions : [];
        if (![200, 404].includes(said.status))
            finding('answer', `actions of ${v.id} for ${by.login}: ${said.status} ${json(said.body)}`);
        const names = new Set(offered.map((o) => o.action));
        const approvals = new Set(offered.map((o) => `${o.action} ${o.approval ?? ''}`));
        const yes = offered.map((o) => ({ ...this.act(v, o.action, by, { list: o.inputs, approval: o.approval }),
            ...(o.action === 'submit' ? { searched: { session: by.login, id: v.id, route: 'dup', key: this.next_key(), digest: 'd', at: moment(this.at) } } : {}) }));
        const no = this.city.actions.filter((action) => !names.has(action)).map((action) => this.act(v, action, by));
        for (const w of v.waits)
            for (const action of ['approve', 'reject'])
                if (names.has(action) && !approvals.has(`${action} ${w.id}`))
                    no.push(this.act(v, action, by, { approval: w.id }));
        await this.must(yes, no, (x) => `${x.action} by ${by.login} (${by.roles}) on ${v.id} ${this.kind_of(v)}`, v, said.status === 404);
        this.counts.offered += offered.length;
    }

    async try_citizen(v) {
        if (!v.code || v.state === 'draft')
            return;
        const [{ may }] = await this.sql(`select hotline.citizen_may(t) as may from hotline.ticket t where id = $1`, [v.id]);
        const all = ['followup', 'withdraw', 'supplement', 'rate', 'object'];
        await this.must(all.filter((a) => may.includes(a)).map((a) => this.citizens_call(v, a)), all.filter((a) => !may.includes(a)).map((a) => this.citizens_call(v, a)),
            (x) => `${x.action} by the citizen on ${v.id} ${this.kind_of(v)}`, v);
    }

    async must(yes, no, words, v, unseen = false) {
        for (const [list, good] of [[no, false], [yes, true]]) {
            if (list.length === 0)
                continue;
            this.counts[good ? 'offered_tried' : 'others_tried'] += list.length;
            for (const { n, status, body, wrote, failed } of await this.sql('select * from walk.try_all($1::jsonb[])', [list.map(json)])) {
                const x = list[n - 1];
                const what = () => `${words(x)}: ${status} ${json(body)} inputs ${json(x.inputs)}`;

                digest.update(`${x.action} ${status} `);
                if (failed && !failed.startsWith('PL000'))
                    finding(`exception ${x.action}`, `${what()} ${failed}`);
                else if (good && status !== 200)
                    finding(`offered ${x.action}`, what());
                else if (!good && (unseen ? status !== 404 && status !== 422 : !refusals.includes(status)))
                    finding(`not offered ${x.action}`, what());
                if (wrote)
                    finding(`refused ${x.action}`, `${what()} and changed something`);
            }
        }
    }

    // ---- what must be true ---------------------------------------------------------------------------------------------------------

    async check(when) {
        this.counts.checks++;
        for (const row of await this.sql('select * from hotline.check_invariants() limit 20'))
            finding(`invariant ${row.invariant}`, `${when}: ticket ${row.ticket}: ${row.what}; ${await this.story(row.ticket)}`);
    }

    async story(id) {
        const [{ said }] = await this.sql(`select string_agg(concat_ws(' ', transition, actor_role || coalesce(actor_id::text, ''), unit_id), ', ' order by n) as said
            from hotline.event where ticket_id = $1`, [id]);
        return said;
    }

    async verify() {
        const [{ strays }] = await this.sql('select hotline.partition_strays()::int as strays');
        if (strays > 0)
            finding('partitions', `${strays} default partitions are used`);
        const [{ n }] = await this.sql(`select count(*)::int as n from hotline.event where actor_id is not null and action not in ('create_draft')`);
        if (n !== this.by_staff)
            finding('events', `people were answered ${this.by_staff} times that it was done; ${n} events tell of them`);
        for (const words of [['metrics', 'verify'], ['audit', 'sign'], ['audit', 'verify']]) {
            const said = await this.ctl(...words).catch((error) => finding(words.join(' '), `${error.stdout?.slice(-2000)}${error.stderr?.slice(-500)}`) ?? '');
            console.log(`# ${words.join(' ')}: ${said.split('\n').at(-1)}`);
        }
    }

    async coverage() {
        // What two people decide has happened when it was asked, too.
        const rows = await this.sql(`select t.id, t.action, t.guard, t.effect, (coalesce(e.n, 0) + case when t.effect is null then coalesce(a.n, 0) else 0 end)::int as n
            from hotline.transition t
            left join (select transition, count(*) as n from hotline.event group by 1) e on e.transition = t.id
            left join (select payload->>'action' as action, count(*) as n from hotline.event where transition = 'ASK' group by 1) a on a.action = t.action
            order by t.id`);
        const effects = new Map();
        for (const r of rows.filter((r) => r.effect))
            effects.set(r.effect, (effects.get(r.effect) ?? 0) + r.n);
        return { transitions: Object.fromEntries(rows.map((r) => [r.id, r.n])), never: rows.filter((r) => r.n === 0).map((r) => `${r.id} ${r.action}`),
            effects: Object.fromEntries([...effects].sort()), effects_never: [...effects].filter(([, n]) => n === 0).map(([name]) => name) };
    }

    // ---- all of it ---------------------------------------------------------------------------------------------------------------------

    async read_open() {
        const now = (await this.sql('select ticket_id::text as id from hotline.inbox order by ticket_id')).map((r) => r.id);
        const still = new Set(now);
        this.ended = this.ended.concat(this.open.filter((id) => !still.has(id))).filter((id) => !still.has(id)).slice(-400);
        this.open = now;
    }

    async go() {
        let sampled = 0, checked = 0, changed = 0, round = 0, told = 0;
        const began = performance.now();

        while (this.done < wanted || this.counts.filed < tickets_wanted) {
            const progress = this.done / wanted;
            const left = Math.max(wanted - this.done, 1) / Math.max(this.done / Math.max(round, 1), BATCH / 3);

            const again = this.chance.is(0.5); // things happen in bursts
            if (!again)
                await this.timed('time', () => this.move(left / 2));
            const more = Math.ceil(tickets_wanted * Math.min(progress + 0.01, 1)) - this.counts.filed;
            await this.timed('file', () => this.file(Math.max(Math.min(more, 60), this.open.length < OPEN ? Math.min(OPEN - this.open.length, 12) : 0, 0)));
            await this.read_open();
            await this.timed('act', () => this.batch(again));
            if (progress * SAMPLES > sampled) {
                await this.timed('sample', () => this.sample());
                sampled++;
            }
            if (progress * 30 > changed) {
                await this.change_calendar();
                if (changed % 7 === 3)
                    await this.change_policy();
                changed++;
            }
            if (progress * 12 > checked + 1) {
                await this.timed('check', () => this.check(`after ${this.done} actions, ${moment(this.at)}`));
                checked++;
            }
            round++;
            if (progress * 10 >= told + 1) {
                told = Math.floor(progress * 10);
                console.log(`# ${String(this.done).padStart(7)} actions, ${this.counts.filed} tickets, ${this.open.length} open, ${moment(this.at).slice(0, 10)}, ${Math.round((performance.now() - began) / 1000)} s`);
            }
            if (findings.length >= MOST || round > wanted)
                break;
        }
        await this.owner.query('update hotline.simulation set at = $1', [moment(this.at)]);
        await this.sweep();
        await this.check('at the end');
        return { rounds: round, seconds: (performance.now() - began) / 1000 };
    }
}

mkdirSync(out, { recursive: true });
rmSync(join(out, 'audit.key'), { force: true });
console.log(`# ${replay}`);
const walk = new Walk();
let went = { rounds: 0, seconds: 0 }, covered = { never: [], effects_never: [], transitions: {} }, http = {};
try {
    await walk.start();
    await walk.ctl('audit', 'key', join(out, 'audit.key'));
    went = await walk.go();
    await walk.verify();
    const [{ heads }] = await walk.sql(`select md5(string_agg(encode(event_hash, 'hex'), '' order by id)) as heads from hotline.ticket`);
    digest.update(heads);
    covered = await walk.coverage();
    http = await by_http({ walk, database, seed, finding, actions: Math.max(60, Math.min(2000, Math.round(wanted / 100))) });
} catch (error) {
    finding('failed', error.stack ?? String(error));
}
await walk.stop().catch((error) => finding('failed', error.stack));

const said = [...walk.codes].sort((a, b) => b[1] - a[1]);
const result = {
    seed, replay, actions: walk.done, seconds: Math.round(went.seconds * 10) / 10, actions_per_second: Math.round(walk.done / went.seconds),
    spent: Object.fromEntries(Object.entries(walk.spent).map(([what, s]) => [what, Math.round(s)])), days: Math.round((walk.at - BEGIN) / DAY), rounds: went.rounds, ...walk.counts, states_sampled: walk.seen.size, http,
    digest: digest.digest('hex').slice(0, 16), findings: findings.length, transitions_never: covered.never, effects_never: covered.effects_never,
    transitions: covered.transitions, effects: covered.effects, refusals: Object.fromEntries(said),
};
writeFileSync(join(out, 'latest.json'), `${JSON.stringify(result, null, 1)}\n`);
console.log(`# ${Object.entries(covered.transitions).filter(([, n]) => n > 0).map(([id, n]) => `${id} ${n}`).join(', ')}`);
console.log(`# never: ${covered.never.join(', ') || 'none'}; effects never: ${covered.effects_never.join(', ') || 'none'}`);
console.log(`# most refused: ${said.slice(0, 12).map(([what, n]) => `${what} ${n}`).join('; ')}`);
const { transitions, effects, refusals: codes, ...short } = result;
console.log(json(short));
const ok = [
    [went.seconds > 0 && walk.done >= wanted, `${walk.done} actions on ${walk.counts.filed} tickets in ${result.days} days`],
    [kinds.size === 0, 'what must be true is true; what is offered succeeds, and nothing else does'],
];
ok.forEach(([good, text], i) => console.log(`${good ? 'ok' : 'not ok'} ${i + 1} - ${text}`));
const failed = ok.filter(([good]) => !good).length;
writeFileSync(join(out, 'counts'), `${ok.length - failed} ${failed} 0\n`);
if (failed > 0) {
    console.log(`\nWhat was found:\n${findings.map((f) => `  ${f}`).join('\n')}\n${[...kinds].map(([kind, n]) => `  ${n} × ${kind}`).join('\n')}\n\nAgain: ${replay}`);
    process.exitCode = 1;
}
