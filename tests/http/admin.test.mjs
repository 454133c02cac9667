// Administration over HTTP: a city changes while its hotline runs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { key, start, until } from './harness.mjs';
import { Office } from './office.mjs';

const hotline = await start({ settings: { web_root: '' } });
const office = new Office(hotline);
const admin = await hotline.as('admin1');
const put = (kind, code, body, options) => admin.post(`/v1/admin/${kind}/${encodeURIComponent(code)}`, body, options);
const get = (kind, code) => admin.get(`/v1/admin/${kind}/${encodeURIComponent(code)}`);
const kinds = ['unit', 'user', 'role', 'directory', 'category', 'policy', 'calendar', 'template', 'refusal'];

test('every kind is listed, page by page, and each of it is read with its inputs and its history', async () => {
    for (const kind of kinds) {
        const { status, body } = await admin.get(`/v1/admin/${kind}?limit=2`);
        assert.equal(status, 200, kind);
        if (kind === 'template') {
            assert.deepEqual(body.items, []);
            continue;
        }
        assert.ok(body.items.length > 0, kind);
        if (body.next) {
            const more = (await admin.get(`/v1/admin/${kind}?limit=2&cursor=${encodeURIComponent(body.next)}`)).body;
            assert.ok(more.items.every((item) => item.code > body.next), kind);
        }
        if (kind === 'refusal')
            continue;
        const one = (await get(kind, body.items[0].code)).body;
        assert.deepEqual(one.item, body.items[0].item, kind);
        assert.ok(one.inputs.length > 0, kind);
        assert.deepEqual(one.history, []);
    }
});

test('who is no administrator reads and changes nothing', async () => {
    for (const login of ['leader1', 'supervisor1', 'st-gaj.a', 'cityleader1']) {
        const staff = await hotline.as(login);
        for (const kind of kinds) {
            assert.equal((await staff.get(`/v1/admin/${kind}`)).status, 403);
            // A shift lead confirms what a calendar brings forward, and reads that.
            assert.equal((await staff.get(`/v1/admin/${kind}/X`)).status, kind === 'calendar' && login === 'leader1' ? 404 : 403);
            assert.equal((await staff.post(`/v1/admin/${kind}/X`, {})).status, 403);
        }
    }
    assert.equal((await hotline.anybody.get('/v1/admin/unit')).status, 401);
});

test('bad requests are refused with what is at fault', async () => {
    const refused = async (answer, status, code, field) => {
        const { status: is, body } = await answer;
        assert.deepEqual([is, body.code, body.fields?.[0].name], [status, code, field], JSON.stringify(body));
    };

    await refused(admin.get('/v1/admin/weather'), 404, 'no_such_kind');
    await refused(get('unit', 'NONE'), 404, 'no_such_item');
    await refused(put('unit', 'ST-GAJ', { colour: 'red' }), 422, 'bad_inputs', 'colour');
    await refused(put('unit', 'ST-GAJ', { version: 'one' }), 422, 'bad_inputs', 'version');
    await refused(put('unit', 'ST-GAJ', { dry_run: 1 }), 422, 'bad_inputs', 'dry_run');
    await refused(put('unit', 'X'.repeat(61), {}), 422, 'bad_inputs', 'code');
    await refused(put('unit', 'ST-GAJ', { password: 'long enough for one' }), 422, 'bad_inputs', 'password');
    await refused(put('user', 'x.y', { password: 'short' }), 422, 'bad_inputs', 'password');
    await refused(admin.get('/v1/admin/unit?limit=0'), 422, 'bad_inputs', 'limit');
    await refused(admin.get('/v1/admin/unit?colour=red'), 422, 'bad_inputs', 'colour');
    await refused(put('unit', 'ST-GAJ', '[1]'), 422, 'not_an_object', undefined);
    const english = await put('unit', 'ST-12345', { valid_to: '2030-01-01' }, { headers: { 'Accept-Language': 'en' } });
    assert.deepEqual([english.body.code, english.body.detail], ['not_changeable', 'The centre itself stays where it is.']);
});

test('an account is made with its password, works, and ends with its sessions', async () => {
    const unit = String(await office.unit('ST-GAJ'));
    const password = 'a good long secret';

    assert.equal((await put('user', 'li.h', { name: '李华', unit, roles: ['UDP'], password })).status, 200);
    const li = await hotline.signIn('li.h', password);
    assert.equal((await li.get('/v1/desk/counts')).status, 200);
    assert.equal((await put('user', 'li.h', { disabled: true })).body.effect.ended_sessions, 1);
    assert.equal((await li.get('/v1/desk/counts')).status, 401);
    assert.equal((await hotline.anybody.post('/v1/session', { login: 'li.h', password })).status, 401);
    const { history } = (await get('user', 'li.h')).body;
    assert.deepEqual(history.map((h) => [h.version, h.by.name === admin.user.name, h.after.disabled]), [[2, true, true], [1, true, false]]);
    for (const text of [JSON.stringify(history), hotline.engine.said()])
        assert.ok(!text.includes(password) && !text.includes('argon2'));
});

test('two administrators: the second who read the same is told', async () => {
    const { version } = (await get('unit', 'ST-JTJ')).body;

    assert.equal((await put('unit', 'ST-JTJ', { short_name: '交通', version })).status, 200);
    const late = await put('unit', 'ST-JTJ', { short_name: '交通局', version });
    assert.deepEqual([late.status, late.body.code, late.body.version], [409, 'stale_version', version + 1]);
});

test('the same key changes once', async () => {
    const same = { headers: { 'Idempotency-Key': key() } };
    const body = { clocks: ['sign 2 workday'] };
    const first = await put('policy', 'S1', body, same);

    assert.deepEqual((await put('policy', 'S1', body, same)).body, first.body);
    assert.equal((await get('policy', 'S1')).body.item.version, 2);
});

test('a directory item is tried on the last tickets, then made; the workers find its words in the next complaint', async () => {
    const words = { title: '无人机黑飞扰民', content: '小区上空每天有无人机黑飞。', division: '440507001' };
    const ticket = await office.filed(words);
    const item = { name: '无人机黑飞', category: '010101', keywords: ['无人机黑飞'], rule: 'unit', unit: String(await office.unit('ST-GAJ')) };

    await office.done('acceptor1', ticket, 'accept', { title: words.title, category: '010101', division: '440507001' });
    const tried = await put('directory', '01010177', { ...item, dry_run: true });
    assert.equal(tried.status, 200);
    assert.deepEqual(tried.body.effect.tickets.map((t) => [t.id, t.to.id]), [[ticket.id, item.unit]]);
    assert.equal((await get('directory', '01010177')).status, 404);
    assert.equal((await put('directory', '01010177', item)).status, 200);
    const later = await until('a worker knows the new words', async () => {
        const filed = await office.filed(words);
        const [{ found }] = await hotline.sql("select route->'hits' @> '[{\"item\": 1010177}]' or route->'hits' @> '[{\"item\": \"1010177\"}]' as found from hotline.ticket where id = $1", [filed.id]);
        return found && filed;
    });
    await office.done('acceptor1', later, 'accept', { title: words.title, category: '010101', division: '440507001' });
    const { unit } = await office.read('dispatcher1', later);
    assert.equal(unit?.id, item.unit, 'and it went there by itself');
});

test('a day off: open tickets are put off within seconds, their citizens and lists know', async () => {
    const ticket = await office.at('pending_sign');
    const before = await office.read('leader1', ticket);
    const start = new Date(Date.now() + 86_400_000);
    // The next three workdays from tomorrow on are taken away.
    const days = (await hotline.sql(`select to_char(day, 'YYYY-MM-DD') as day from hotline.workday
        where calendar_id = 1 and is_work and day >= $1::date order by day limit 3`, [start.toISOString().slice(0, 10)])).map((r) => `${r.day} off 台风`);

    assert.equal((await put('calendar', '1', { days })).status, 200);
    const after = await until('the promise moved', async () => {
        const now = await office.read('leader1', ticket);
        return now.promise_due_at > before.promise_due_at && now;
    });
    assert.ok(after.due_at > before.due_at, 'the list row too');
    assert.match(await office.story(ticket), / CAL$/);
    const followed = (await hotline.citizen.follow(ticket)).body;
    assert.equal(followed.promise_due_at, after.promise_due_at);
    assert.equal((await put('calendar', '1', { days: days.map((day) => `${day.slice(0, 10)} published`), bring_forward: true })).status, 200);
    const leader = await hotline.as('leader1');
    const { item: calendar } = (await leader.get('/v1/admin/calendar/1')).body;
    assert.equal((await put('calendar', '1', { confirm: calendar.waits_for })).body.code, 'same_person');
    assert.equal((await leader.post('/v1/admin/calendar/1', { confirm: calendar.waits_for })).status, 200);
    await until('and back, since two have said so', async () => (await office.read('leader1', ticket)).promise_due_at === before.promise_due_at);
});

test('every change is in the history, the newest first, and goes on at its cursor', async () => {
    const all = (await admin.get('/v1/admin/history?limit=500')).body;
    const first = (await admin.get('/v1/admin/history?limit=1')).body;
    const second = (await admin.get(`/v1/admin/history?limit=1&cursor=${first.next}`)).body;

    assert.deepEqual([...first.changes, ...second.changes], all.changes.slice(0, 2));
    assert.deepEqual(new Set(all.changes.map((c) => c.kind)), new Set(['user', 'unit', 'policy', 'directory', 'calendar']));
    assert.equal(all.next, null);
});
