// The walk through the engine: tickets filed and moved by HTTP alone, each step chosen from what GET …/actions offers, which must then
// succeed; what is not offered must be refused and leave the ticket at its version.

import { Hotline } from '../http/harness.mjs';
import { Chance } from './chance.mjs';
import { moment } from './inputs.mjs';

const cast = { OPR: 2, ACC: 2, LDR: 2, DSP: 2, AUD: 2, CBK: 2, SUP: 2, EFF: 1, LEA: 1, ADM: 1 };
const UNITS = [101, 114, 201]; // whose people sign in
const refusals = [403, 404, 409, 422];

export async function by_http({ walk, database, seed, finding, actions }) {
    const chance = new Chance(seed + 1);
    const { city, inputs } = walk;
    const hotline = new Hotline({ settings: { web_root: '' } });
    const counts = { tickets: 0, actions: 0, refused_as_it_must: 0, seconds: 0 };
    const staff = [];
    const tickets = [];
    const began = performance.now();

    // The inputs' choices: units of the cast alone, so that somebody is there to go on.
    const members = [city.members, city.busy, city.streets];
    city.members = city.busy = city.streets = city.units.filter((u) => UNITS.includes(u.id));
    inputs.chance = chance;
    hotline.database = database;
    hotline.pool = { end() {} };
    hotline.sql = walk.sql;
    // Its sessions are of the simulated time, and the time stands still.
    const time = { 'X-Hotline-Time': moment(walk.at) };

    const file = async () => {
        const said = await hotline.citizen.post('/v1/tickets', { type: chance.pick(['help', 'complaint', 'consult']), title: inputs.text(4, 20),
            content: inputs.text(10, 100), phone: `1380013${chance.from(1000, 1009)}`, division: chance.pick(city.divisions) }, { headers: time });
        if (said.status !== 201)
            return finding('http', `filing: ${said.status} ${said.text}`);
        const [{ id }] = await walk.sql('select ticket_id::text as id from hotline.ticket_ref where ticket_no = $1', [said.body.number]);
        tickets.push(id);
        counts.tickets++;
    };
    const offered = async (by, id) => (await by.client.get(`/v1/desk/tickets/${id}/actions`, { headers: time })).body?.actions ?? [];
    const call = (by, v, o) => {
        const { id: _, ...x } = inputs.make(o.action, v, walk.at, o.inputs, o.inputs?.find((i) => i.name === 'approval')?.default ?? undefined);
        if (o.action === 'withdraw')
            x.phone = v.real_phone;
        return by.client.post(`/v1/desk/tickets/${v.id}/actions`, { action: o.action, ...x }, { headers: time });
    };

    try {
        await hotline.startRedis();
        hotline.secrets();
        await hotline.startEngine();
        for (const [role, n] of Object.entries(cast))
            for (const p of city.of_role(role).filter((one) => one.login.startsWith('walk.')).slice(0, n))
                staff.push(p);
        for (const unit of UNITS)
            for (const role of ['UDP', 'UHD', 'UAP'])
                staff.push(...city.in_unit(unit, role).slice(0, 2));
        const people = [...new Set(staff)].map((p) => ({ ...p, client: null }));
        for (const p of people)
            p.client = await hotline.signIn(p.login);

        for (let stale = 0; counts.actions < actions && stale < 2000; stale++) {
            if (tickets.length < 10 || chance.is(0.02))
                await file();
            const id = chance.pick(tickets);
            const [v] = await walk.look([id]);
            const by = chance.pick(people.filter((p) => p.roles.some((r) => r.startsWith('U')) === (v.main !== null && chance.is(0.6))) ?? people) ?? chance.pick(people);
            const list = (await offered(by, id)).filter((o) => !['withdraw', 'submit', 'save_draft'].includes(o.action));
            const ends = ['void', 'refer_out', 'urgent_transfer', 'merge', 'request_terminate'];
            const choice = chance.weighed(list.map((o) => [o, ends.includes(o.action) ? 0.05 : walk.people.weight(o.action, v)]));

            if (chance.is(0.2)) {
                const names = new Set(list.map((o) => o.action));
                const action = chance.pick(city.actions.filter((a) => !names.has(a) && !['withdraw', 'submit', 'save_draft'].includes(a)));
                const said = await call(by, v, { action, inputs: city.described.get(action) });
                const [after] = await walk.look([id]);
                if (!refusals.includes(said.status) || after.version !== v.version)
                    finding(`http not offered ${action}`, `by ${by.login} on ${id} ${walk.kind_of(v)}: ${said.status} ${said.text}`);
                counts.refused_as_it_must++;
            }
            if (!choice)
                continue;
            const mine = { ...v, orders: v.orders.map((o) => ({ ...o, mine: o.by === by.id || o.by === null })) };
            const said = await call(by, choice.action === 'sub_dispatch' ? { ...mine } : mine, choice);
            if (said.status !== 200)
                finding(`http offered ${choice.action}`, `by ${by.login} on ${id} ${walk.kind_of(v)}: ${said.status} ${said.text}`);
            else
                counts.actions++;
            if (['closed', 'archived', 'terminated', 'voided', 'referred_out', 'merged', 'refused'].includes(said.body?.state) && chance.is(0.7))
                tickets.splice(tickets.indexOf(id), 1);
        }
        const end = await hotline.engine.term();
        if (end.code !== 0 || /level=error|ERROR: |runtime error:/.test(hotline.engine.said()))
            finding('http', `the engine ended with ${JSON.stringify(end)}; log: ${hotline.engine.log}`);
        await walk.check('after the part through HTTP');
        if (counts.actions < actions)
            finding('http', `only ${counts.actions} of ${actions} actions`);
    } finally {
        [city.members, city.busy, city.streets] = members;
        await hotline.engine?.kill?.();
        await hotline.redis?.kill();
    }
    counts.seconds = Math.round((performance.now() - began) / 100) / 10;
    return counts;
}
