// Every role over every function, and over tickets of every level of secrecy that are theirs and that are not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { description } from './described.mjs';
import { start } from './harness.mjs';
import { jpeg } from './media.mjs';
import { Office } from './office.mjs';

const hotline = await start({ settings: { web_root: '' } });
const office = new Office(hotline);
const number = '13912345678';
const levels = [0, 1, 2, 3];
const tickets = []; // one of each level, all with the police bureau
const centre = ['operator1', 'acceptor1', 'leader1', 'dispatcher1', 'auditor1', 'callback1', 'supervisor1', 'efficiency1', 'cityleader1'];
const outside = ['media1', 'social1', 'admin1'];
const own = ['st-gaj.d', 'st-gaj.h', 'st-gaj.a'];
const foreign = ['st-jjzd.d', 'st-jjzd.h', 'st-jjzd.a', 'st-lh.d', 'st-lh.h'];
const everybody = [...centre, ...outside, ...own, ...foreign];

// Read from the field's rules, by hand: who sees a ticket of which level.
const sees = (login, level) => (level === 3 ? ['leader1', 'supervisor1', 'efficiency1'] : [...centre, ...own]).includes(login);
// Who may look at contact data.
const reveals = (login, level) => sees(login, level) && (['leader1', 'acceptor1', 'callback1'].includes(login) || (['st-gaj.d', 'st-gaj.h'].includes(login) && level === 0));

test('one ticket of each level, handled by one unit', async () => {
    const photo = await hotline.citizen.upload(jpeg());
    for (const level of levels) {
        const t = await office.at('handling', { phone: number, name: '欧阳暮雪', secrecy: level === 3 ? 0 : level, attachments: [photo] });
        await office.done('st-gaj.h', t, 'first_contact', { contacted: true, way: 'phone' });
        // Sealed while it is with the unit: nobody of the unit is named for it.
        if (level === 3)
            for (const table of ['ticket', 'inbox'])
                await hotline.sql(`update hotline.${table} set secrecy = 3 where ${table === 'ticket' ? 'id' : 'ticket_id'} = $1`, [t.id]);
        tickets.push(t);
    }
});

test('a ticket is there for who may see it, and for nobody else', async () => {
    for (const login of everybody) {
        const staff = await hotline.as(login);
        const listed = (await staff.get('/v1/desk/tickets?limit=200')).body.tickets?.map((t) => t.id) ?? [];

        for (const level of levels) {
            const { id } = tickets[level];
            const want = sees(login, level) ? 200 : 404;
            const read = await staff.get(`/v1/desk/tickets/${id}`);

            assert.equal(read.status, want, `${login} reads level ${level}`);
            assert.equal((await staff.get(`/v1/desk/tickets/${id}/actions`)).status, want, `${login} asks for the actions of level ${level}`);
            assert.equal(listed.includes(id), want === 200, `${login} is listed level ${level}`);
            assert.ok(!read.text.includes(number) && !/v1\.\w+\./.test(read.text), `${login} reads no number at level ${level}`);
            if (want === 200 && own.includes(login)) {
                assert.equal(read.body.contact.phone_mask !== null, level < 1, `${login}: the mask of the number at level ${level}`);
                assert.equal(read.body.contact.name_mask !== null, level < 2, `${login}: the mask of the name at level ${level}`);
            }
        }
    }
});

test('contact data is for those whose work needs it, at the level that allows it', async () => {
    for (const login of everybody)
        for (const level of levels) {
            const answer = await (await hotline.as(login)).post(`/v1/desk/tickets/${tickets[level].id}/reveal`, { purpose: '电话核实' });
            assert.equal(answer.status, reveals(login, level) ? 200 : sees(login, level) ? 403 : 404, `${login} looks at level ${level}`);
            assert.equal(answer.text.includes(number), reveals(login, level), `${login} at level ${level}`);
        }
});

test('a picture from the citizen is for the centre, and for the unit where nothing is secret', async () => {
    for (const level of levels) {
        const [{ id }] = await hotline.sql('select id::text from hotline.attachment where ticket_id = $1', [tickets[level].id]);
        const path = `/v1/desk/tickets/${tickets[level].id}/attachments/${id}`;

        for (const login of everybody) {
            const may = sees(login, level) && (level === 0 || !own.includes(login));
            assert.equal((await (await hotline.as(login)).get(path)).status, may ? 200 : 404, `${login} at level ${level}`);
        }
        assert.equal((await hotline.anybody.get(path)).status, 401);
    }
});

test('a look needs a purpose, is on record, is counted for the citizen, and has its limit', async () => {
    const handler = await hotline.as('st-gaj.h');
    const [t] = tickets;
    const look = (purpose) => handler.post(`/v1/desk/tickets/${t.id}/reveal`, { purpose });

    assert.equal((await look('x')).status, 422);
    assert.equal((await handler.post(`/v1/desk/tickets/${t.id}/reveal`, {})).status, 422);
    const { looks } = (await hotline.citizen.follow(t)).body;
    const [police] = await hotline.sql("select name from hotline.unit where code = 'ST-GAJ'");
    assert.deepEqual(looks.map((l) => l.n), [3, 2], 'three of the centre, two of the unit');
    assert.equal(looks[1].unit, police.name);
    const [{ n, purpose }] = await hotline.sql("select count(*)::int as n, min(purpose) as purpose from hotline.access_log where ticket_id = $1", [t.id]);
    assert.deepEqual([n, purpose], [5, '电话核实']);
    await hotline.sql("update hotline.setting set value = '3' where name = 'reveal.per_hour'");
    const more = [await look('预约上门'), await look('预约上门'), await look('预约上门')].map((a) => a.status);
    assert.deepEqual(more, [200, 200, 429]);
    await hotline.sql("update hotline.setting set value = '60' where name = 'reveal.per_hour'");
});

// An input that no action has: what may be done is refused for it and does not happen.
test('every action by everybody: 404 where the ticket is not theirs, 403 where the right is not, and nothing changes', { timeout: 300_000 }, async () => {
    const { actions } = (await (await hotline.as('leader1')).get('/v1/desk/reference')).body;
    const names = [...new Set(actions.map((a) => a.action))].filter((name) => !['create_draft', 'submit_online', 'ask', 'lapse'].includes(name));
    const rights = new Map();
    const before = await hotline.sql('select id, version, event_n from hotline.ticket order by id');

    for (const { login, action } of await hotline.sql(`select p.login, g.action from hotline.person p join hotline.person_role r on r.person_id = p.id
            join hotline.role_right g on g.role = r.role where p.login = any ($1)`, [everybody]))
        rights.set(`${login} ${action}`, true);
    assert.ok(names.length > 40, `${names.length} actions`);
    for (const login of everybody) {
        const staff = await hotline.as(login);
        for (const level of levels) {
            const { results } = (await staff.post('/v1/desk/actions', names.map((action) => ({ id: tickets[level].id, action, no_such_input: 1 })))).body;
            results.forEach(({ status, body }, i) => {
                const what = `${login} ${names[i]} at level ${level}: ${status} ${body.code}`;
                if (!sees(login, level))
                    assert.equal(status, 404, what);
                else if (!rights.has(`${login} ${names[i]}`) && !['approve', 'reject'].includes(names[i]))
                    assert.ok(status === 403 || (status === 409 && body.code === 'not_allowed_now'), what);
                else
                    assert.ok([403, 409, 422].includes(status), what);
            });
        }
    }
    assert.deepEqual(await hotline.sql('select id, version, event_n from hotline.ticket order by id'), before);
});

// What a route is for, by hand: which roles it answers at all.
const all = [...everybody];
const lists = [...centre, ...own, ...foreign];
const finders = ['operator1', 'acceptor1', 'leader1', 'dispatcher1', 'callback1', 'supervisor1'];
const routes = {
    'GET /v1/desk/tickets': [...lists, 'admin1'], // what waits for an administrator's decision
    'GET /v1/desk/counts': [...lists, 'admin1'],
    'GET /v1/desk/reference': all,
    'GET /v1/session': all,
    'POST /v1/desk/tickets': ['operator1'],
    'POST /v1/desk/route': [...centre, ...outside],
    'GET /v1/metrics/closure?from=2026-01-01&to=2026-02-01': ['leader1', 'dispatcher1', 'supervisor1', 'efficiency1', 'cityleader1', 'admin1', 'st-gaj.d', 'st-gaj.a', 'st-jjzd.d', 'st-jjzd.a', 'st-lh.d'],
    'GET /v1/admin/unit': ['admin1'],
    'GET /v1/admin/unit/ST-GAJ': ['admin1'],
    'GET /v1/admin/history': ['admin1'],
    'POST /v1/admin/unit/ST-GAJ': ['admin1'],
};
const bodies = { 'POST /v1/desk/tickets': { channel: 'phone' }, 'POST /v1/desk/route': {}, 'POST /v1/admin/unit/ST-GAJ': { dry_run: true } };

for (const [route, who] of Object.entries(routes))
    test(`${route} answers those it is for`, async () => {
        const [method, path] = route.split(' ');
        for (const login of everybody) {
            const staff = await hotline.as(login);
            const { status } = method === 'GET' ? await staff.get(path) : await staff.post(path, bodies[route]);
            assert.equal(status < 300, who.includes(login), `${login}: ${status}`);
            if (status >= 300)
                assert.equal(status, 403, login);
        }
        const { status } = method === 'GET' ? await hotline.anybody.get(path) : await hotline.anybody.post(path, bodies[route]);
        assert.equal(status, 401, 'nobody without a session');
    });

test('a look for earlier complaints is for who may find them and see the ticket', async () => {
    for (const login of everybody)
        for (const level of levels) {
            const { status } = await (await hotline.as(login)).post(`/v1/desk/tickets/${tickets[level].id}/dup-check`, {});
            assert.equal(status, !sees(login, level) ? 404 : finders.includes(login) ? 200 : 403, `${login} at level ${level}`);
        }
});

test('every route of the description for staff is walked above, or needs its own test', () => {
    const mine = new Set(Object.keys(routes).map((r) => r.split('?')[0].replace('/metrics/closure', '/metrics/{name}').replace(/\/admin\/(unit|history)/, '/admin/{kind}').replace('/ST-GAJ', '/{code}')));
    const walked = ['GET /v1/desk/tickets/{id}', 'GET /v1/desk/tickets/{id}/actions', 'GET /v1/desk/tickets/{id}/attachments/{attachment}', 'POST /v1/desk/tickets/{id}/reveal', 'POST /v1/desk/tickets/{id}/dup-check',
        'POST /v1/desk/actions'];
    // The same step as in bulk; searches and lists in lists.test, streams in events.test, sessions in session.test.
    const elsewhere = ['POST /v1/desk/tickets/{id}/actions', 'POST /v1/desk/tickets/{id}/transfer-check', 'POST /v1/desk/tickets/search', 'GET /v1/desk/divisions/{code}',
        'GET /v1/metrics/{name}/tickets', 'GET /v1/events', 'POST /v1/session', 'DELETE /v1/session'];
    const staff = Object.entries(description.paths).flatMap(([path, item]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`))
        .filter((route) => /\/v1\/(desk|metrics|admin|events|session)/.test(route));

    assert.deepEqual(staff.filter((route) => !mine.has(route) && !walked.includes(route) && !elsewhere.includes(route)), []);
});
