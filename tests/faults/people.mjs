// Those who use the hotline meanwhile: citizens who file, staff who move tickets on.  Everybody repeats a request with its key until it
// is answered, waiting as long as they are told; what they were answered is written down.

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { complaint } from '../http/harness.mjs';
import { happy, plain, reply } from '../http/office.mjs';
import { dice, hand } from './schedule.mjs';

const PATIENCE = 6000; // who has heard nothing for so long asks again
const PAUSE_MOST = 3; // seconds; who is told to come later than that comes at once all the same

// A life after acceptance: who, which action, with what.
const life = (unit) => [
    ['acceptor1', 'accept', { title: plain.title, category: '010501', division: '440507' }],
    ['dispatcher1', 'dispatch', { main_unit: unit, instruction: '请依法处理并答复诉求人。' }],
    ['st-gaj.d', 'sign', {}],
    ['st-gaj.h', 'first_contact', { contacted: true, way: 'phone' }],
    ['st-gaj.h', 'submit_reply', reply],
    ['st-gaj.a', 'unit_approve', { opinion: '同意' }],
    ['auditor1', 'audit_pass', { quality_score: 90 }],
    ['callback1', 'callback_attempt', { outcome: 'connected' }],
    ['callback1', 'callback_ok', happy],
];

export class People {
    constructor(place, seed, finding) {
        this.place = place;
        this.seed = seed;
        this.finding = finding; // told of everything that must not be
        this.complaints = []; // { n, key, body, title, numbers, codes, stored, actions: [] }
        this.waiting = []; // answered, and nobody works on it yet
        this.errands = new Set(); // what goes on beside
        this.counts = {};
        this.ahead = 0; // of the city's clock: milliseconds
        this.over = false;
    }

    async start({ citizens = 5, movers = 4 } = {}) {
        const [{ id: unit }] = await this.place.sql("select id from hotline.unit where code = 'ST-GAJ'");

        this.life = life(unit);
        for (const login of new Set(this.life.map(([who]) => who)))
            await this.place.as(login);
        this.work = [
            ...Array.from({ length: citizens }, (_, i) => this.citizen(hand(dice(this.seed, `citizen ${i}`)))),
            ...Array.from({ length: movers }, (_, i) => this.mover(hand(dice(this.seed, `mover ${i}`)))),
        ];
    }

    // Everybody ends what they began; what is still unanswered then stays so.
    async finish(seconds) {
        this.over = true;
        const done = (async () => {
            await Promise.all(this.work);
            while (this.errands.size > 0)
                await Promise.all(this.errands);
        })();
        await Promise.race([done, sleep(seconds * 1000, null, { ref: false })]);
        this.given_up = true;
    }

    // ---- asking -----------------------------------------------------------------------------------------------------------

    when() {
        return this.ahead > 0 ? { 'X-Hotline-Time': new Date(Date.now() + this.ahead).toISOString() } : {};
    }

    count(what) {
        this.counts[what] = (this.counts[what] ?? 0) + 1;
    }

    take_counts() {
        const counts = this.counts;

        this.counts = {};
        return counts;
    }

    // Ask until there is an answer that is one; null when everybody went home before.  Who is hasty goes away the first time before the
    // answer is there.
    async insist(what, send, hasty = 0) {
        for (let patience = hasty || PATIENCE; !this.given_up; patience = PATIENCE) {
            let answer;

            try {
                answer = await send(AbortSignal.timeout(patience));
            } catch (error) {
                if (error.code === 'ERR_ASSERTION')
                    this.finding('undescribed', `${what}: ${error.message}`);
                if (patience === PATIENCE)
                    this.count(`${what} none`);
                await sleep(patience === PATIENCE ? 50 + 200 * Math.random() : 5);
                continue;
            }
            this.count(`${what} ${answer.status}${answer.status === 503 ? ` ${[answer.body].flat()[0].code}` : ''}`);
            if (answer.status !== 503 && answer.status !== 429 && answer.status < 500)
                return answer;
            const later = Number(answer.headers.get('retry-after'));
            if (answer.status !== 503)
                this.finding('refused', `${what}: ${answer.status} ${answer.text}`);
            else if (!(later > 0))
                this.finding('refused', `${what}: 503 that does not say when to come again: ${answer.text}`);
            await sleep(1000 * Math.min(later || 1, PAUSE_MOST) * (0.5 + Math.random() / 2));
        }
        return null;
    }

    // ---- citizens ---------------------------------------------------------------------------------------------------------

    complaint() {
        const n = this.complaints.length;
        const title = `${plain.title} ${n}`;
        const one = { n, title, body: complaint({ ...plain, title }), numbers: new Set(), codes: new Set(), answers: [], actions: [],
            key: createHash('sha256').update(`${this.seed} ${n} ${this.place.port} ${process.pid}`).digest('base64url').slice(0, 30) };

        this.complaints.push(one);
        return one;
    }

    headers(one) {
        return { 'Idempotency-Key': one.key, ...this.when() };
    }

    wrote(one, status, body) {
        if (status !== 201 && status !== 202) {
            this.finding('refused', `a good complaint: ${status} ${JSON.stringify(body)}`);
            return;
        }
        if (one.numbers.size === 0)
            this.waiting.push(one);
        if (status === 201 && one.stored && one.stored !== body.number)
            this.finding('doubled', `key ${one.key} was stored as ${one.stored} and as ${body.number}`);
        if (status === 201)
            one.stored = body.number;
        one.answers.push(status);
        one.numbers.add(body.number);
        one.codes.add(body.query_code);
    }

    async file(one, hasty) {
        if (one.by_app) {
            await this.file_by_app(one, hasty);
            return;
        }
        const answer = await this.insist('file', (signal) =>
            this.place.citizen.post('/v1/tickets', one.body, { headers: this.headers(one), signal }), hasty);

        if (answer)
            this.wrote(one, answer.status, answer.body);
    }

    // The same by Open311.  A token begins with the number that it will lead to; the notice tells the query code.
    async file_by_app(one, hasty) {
        const form = new URLSearchParams({ api_key: this.place.app_key, service_code: '010501', description: one.title, phone: one.body.phone,
            address_id: one.body.division }).toString();
        const answer = await this.insist('file by app', (signal) => this.place.citizen.post('/open311/v2/requests.json', form,
            { headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...this.headers(one) }, signal }), hasty);
        const [filed] = answer?.body ?? [];

        if (answer)
            this.wrote(one, answer.status, { number: filed.service_request_id ?? filed.token?.slice(0, 16),
                query_code: filed.service_notice?.match(/查询码 (\w{8})/)[1], ...(filed.service_notice ? {} : filed) });
    }

    errand(work) {
        const going = work.finally(() => this.errands.delete(going));

        this.errands.add(going);
    }

    async citizen({ between, chance }) {
        while (!this.over) {
            const one = this.complaint();

            one.by_app = chance(0.25);
            await this.file(one, chance(0.1) && between(1, 15));
            // Some never saw the answer and send it again: at once, or when everything has changed.
            if (chance(0.3))
                this.errand(sleep(between(0, 4000)).then(() => this.file(one)));
            await sleep(between(50, 150));
        }
    }

    // ---- staff ------------------------------------------------------------------------------------------------------------

    async find(one) {
        const acceptor = await this.place.as('acceptor1');
        const [number] = one.numbers;
        const answer = await this.insist('find', (signal) => acceptor.get(`/v1/desk/tickets?q=${number}`, { signal, headers: this.when() }));

        return answer?.body.tickets?.[0]?.id;
    }

    async act(one, login, action, inputs, hasty) {
        const staff = await this.place.as(login);
        const key = createHash('sha256').update(`${one.key} ${one.actions.length}`).digest('base64url').slice(0, 30);
        const answer = await this.insist('act', (signal) =>
            staff.post(`/v1/desk/tickets/${one.id}/actions`, { action, ...inputs }, { headers: { 'Idempotency-Key': key, ...this.when() }, signal }), hasty);

        if (!answer)
            return false;
        if (answer.status !== 200) {
            // Nobody else works on this ticket: it was done by a request whose answer is lost for good, or not at all before it should.
            this.finding('action', `${action} on ${[...one.numbers]}: ${answer.status} ${answer.text}`);
            return false;
        }
        one.actions.push(action);
        return true;
    }

    async mover({ between, chance, one: pick }) {
        while (!this.over) {
            const one = this.waiting.length > 0 && this.waiting.splice(Math.floor(this.waiting.length * Math.random()), 1)[0];

            if (!one) {
                await sleep(50);
                continue;
            }
            one.id = await this.find(one);
            if (!one.id) { // it waits in the spool
                this.waiting.push(one);
                await sleep(200);
                continue;
            }
            for (const [login, action, inputs] of this.life.slice(0, pick([1, 3, 9, 9]))) {
                if (!await this.act(one, login, action, inputs, chance(0.2) && between(1, 15)) || this.over)
                    break;
                await sleep(between(10, 60));
            }
        }
    }

    // ---- is it serving? ---------------------------------------------------------------------------------------------------

    // One look from outside: both workers are ready and have their database, a complaint is stored, a list can be read.
    async served() {
        const one = this.complaint();
        const token = { Authorization: `Bearer ${(await this.place.as('acceptor1')).token}`, ...this.when() };
        const [workers, filed, read] = await Promise.all([
            this.place.readiness(),
            this.place.fresh('POST', '/v1/tickets', { body: JSON.stringify(one.body), headers: this.headers(one) }).catch(() => ({})),
            this.place.fresh('GET', '/v1/desk/tickets?limit=1', { headers: token }).catch(() => ({})),
        ]);

        if (filed.status === 201 || filed.status === 202)
            this.wrote(one, filed.status, filed.body);
        else
            this.errand(this.file(one)); // it may have arrived
        this.looked = { workers: [...workers.values()].map((w) => JSON.stringify(w)), filed: filed.status, read: read.status };
        return workers.size === 2 && filed.status === 201 && read.status === 200 &&
            [...workers.values()].every((w) => w.ready && !w.notes.some((n) => n.part === 'database' || n.problem === 'spooling'));
    }

    // Seconds from the moment `since` until it serves; null when it does not within `most` seconds.
    async recovery(since, most = 20) {
        for (;;) {
            if (await this.served())
                return (performance.now() - since) / 1000;
            if (performance.now() - since > most * 1000)
                return null;
            await sleep(50);
        }
    }
}
