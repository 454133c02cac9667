// Lists, counts, search, and who sees what of a ticket.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { key, start } from './harness.mjs';
import { Office, plain } from './office.mjs';

const hotline = await start();
const { citizen } = hotline;
const office = new Office(hotline);
const dispatcher = await hotline.as('dispatcher1');
const acceptor = await hotline.as('acceptor1');
const leader = await hotline.as('leader1');
const places = ['440507', '440511', '440512'];
const all = []; // every ticket made here, open and ended
const sorted = (list) => [...list].sort();
const numbers = (rows) => rows.map((row) => row.number);

// Every page of a list, and no row twice.
async function whole(staff, query = '', limit = 7) {
    const rows = [];

    for (let cursor = ''; cursor !== null;) {
        const { status, body, text } = await staff.get(`/v1/desk/tickets?limit=${limit}&${query}${cursor && `&cursor=${cursor}`}`);
        assert.equal(status, 200, text);
        assert.ok(body.tickets.length <= limit);
        rows.push(...body.tickets);
        cursor = body.cursor;
        assert.ok(rows.length < 1000, 'paging does not end');
    }
    assert.equal(new Set(numbers(rows)).size, rows.length, 'a row came twice');
    return rows;
}

before(async () => {
    const states = ['pending_accept', 'pending_dispatch', 'pending_sign', 'handling', 'unit_approval', 'pending_audit', 'pending_callback', 'closed'];
    const make = async (i) => {
        const phone = `1380013${8000 + (i % 4)}`;
        all.push({ ...await office.at(states[i % states.length], { type: i % 3 ? 'complaint' : 'help', division: places[i % 3], phone }), phone });
    };

    for (let i = 0; i < 32; i += 8)
        await Promise.all(Array.from({ length: 8 }, (_, k) => make(i + k)));
    const { body: draft } = await (await hotline.as('operator1')).post('/v1/desk/tickets', { channel: 'walk_in', ...plain });
    all.push({ ...draft, draft: true });
});

test('paging loses no row and doubles none, whatever the size of a page', async () => {
    const once = (await dispatcher.get('/v1/desk/tickets?limit=200')).body;

    assert.equal(once.cursor, null);
    assert.equal(once.tickets.length, 28); // four of 32 are closed; the draft is its writer's
    for (const limit of [1, 3, 7, 27, 28, 29])
        assert.deepEqual(numbers(await whole(dispatcher, '', limit)), numbers(once.tickets));
    assert.deepEqual(sorted(numbers(await whole(dispatcher, 'closed=1', 3))), sorted(all.filter((t) => t.last?.state === 'closed').map((t) => t.number)));
    assert.equal((await whole(dispatcher, 'from=2000-01-01&to=2099-01-01', 5)).length, 32);
});

test('the most urgent comes first; of equals the older', async () => {
    const rows = await whole(dispatcher);
    const due = rows.map((row) => row.due_at ?? '9999');

    assert.deepEqual(due, sorted(due));
});

test('paging goes on where it stopped while others work', async () => {
    const first = (await dispatcher.get('/v1/desk/tickets?limit=10')).body;
    const mine = await office.filed(); // due after those of the first page, or before: it must not push any row out
    const seen = new Set(numbers(first.tickets));
    const next = (await dispatcher.get(`/v1/desk/tickets?limit=200&cursor=${first.cursor}`)).body.tickets;

    assert.equal(next.filter((row) => seen.has(row.number)).length, 0);
    assert.equal(new Set([...seen, ...numbers(next).filter((n) => n !== mine.number)]).size, 28);
    await office.done('acceptor1', mine, 'refuse', { refuse_code: 'N01', told_text: '请拨打 110。' });
});

// A filter, and what a row must look like to pass it.
const filters = [
    ['state=pending_accept', (row) => row.state === 'pending_accept'],
    ['state=pending_accept,handling', (row) => ['pending_accept', 'handling'].includes(row.state)],
    ['light=green', (row) => row.light === 'green'],
    ['light=red,deep_red', (row) => /red/.test(row.light)],
    ['channel=web', (row) => row.channel === 'web'],
    ['channel=phone', () => false],
    ['type=help', (row) => row.type === 'help'],
    ['type=help,complaint&channel=web,phone', (row) => row.channel === 'web'],
    ['division=440507', (row) => row.division?.code.startsWith('440507')],
    ['division=4405', (row) => row.division !== null],
    ['category=0105', (row) => row.category?.code.startsWith('0105')],
    ['category=02', () => false],
    ['state=handling&type=complaint&division=440507', (row) => row.state === 'handling' && row.type === 'complaint' && row.division.code === '440507'],
];

for (const [query, fits] of filters)
    test(`${query} lists what fits and all that fits`, async () => {
        const rows = await whole(dispatcher);

        assert.deepEqual(numbers(await whole(dispatcher, query, 4)), numbers(rows.filter(fits)));
    });

test('the same filters hold for ended tickets and for a period', async () => {
    const rows = await whole(dispatcher, 'from=2000-01-01&to=2099-01-01');

    for (const [query, fits] of filters.filter(([q]) => !q.includes('light')))
        assert.deepEqual(numbers(await whole(dispatcher, `from=2000-01-01&to=2099-01-01&${query}`, 4)), numbers(rows.filter(fits)), query);
    assert.deepEqual(await whole(dispatcher, 'from=2000-01-01&to=2000-02-01'), []);
});

test('unit lists what a unit has, and ids say which of these belong to a list', async () => {
    const police = await office.unit('ST-GAJ');
    const rows = await whole(dispatcher);
    const given = rows.filter((row) => row.unit);
    const ids = rows.slice(0, 9).map((row) => row.id);

    assert.deepEqual(numbers(await whole(dispatcher, `unit=${police}`)), numbers(given));
    assert.deepEqual((await dispatcher.get(`/v1/desk/tickets?ids=${ids.join()}&state=handling`)).body.tickets.map((row) => row.id),
        rows.slice(0, 9).filter((row) => row.state === 'handling').map((row) => row.id));
});

test('counts equal lists', async () => {
    for (const login of ['dispatcher1', 'operator1', 'leader1', 'st-gaj.d', 'st-jyj.d', 'auditor1', 'efficiency1']) {
        const staff = await hotline.as(login);
        const { body: counts } = await staff.get('/v1/desk/counts');
        const rows = await whole(staff);
        const tally = (of) => rows.reduce((n, row) => ({ ...n, [row[of]]: (n[row[of]] ?? 0) + 1 }), {});

        assert.deepEqual(counts.by_state, tally('state'), login);
        assert.deepEqual(counts.by_light, tally('light'), login);
        assert.equal(counts.by_state_light.reduce((n, cell) => n + cell.n, 0), rows.length);
    }
});

test('what waits for a decision is counted and listed for those who decide', async () => {
    const t = await office.filed();
    await office.done('acceptor1', t, 'refuse', { refuse_code: 'N09', told_text: '超出政府职责范围。' });

    assert.equal((await leader.get('/v1/desk/counts')).body.waits_for_me, 1);
    assert.deepEqual(numbers(await whole(leader, 'waits=decision')), [t.number]);
    assert.deepEqual((await whole(leader, 'waits=decision'))[0].flags, ['approval_waiting']);
    assert.equal((await acceptor.get('/v1/desk/counts')).body.waits_for_me, 0);
    const approval = (await office.question('leader1', t)).id;
    await office.done('leader1', t, 'approve', { approval, opinion: '同意' });
    assert.equal((await leader.get('/v1/desk/counts')).body.waits_for_me, 0);
});

// ---- search ----------------------------------------------------------------------------------------------------------

test('a ticket is found by its number, wherever it is', async () => {
    for (const t of [all[0], all.find((x) => x.last?.state === 'closed')])
        assert.equal((await dispatcher.find(t.number)).number, t.number);
    assert.equal(await dispatcher.find('1801020000001098'), undefined);
});

test('a ticket is found by words of its title or content, in any width and case', async () => {
    const t = await office.filed({ title: '梅溪河边的ＡＢＣ广告牌', content: '梅溪河畔竖起了一块巨大的牌子，晚上非常刺眼。' });
    const found = async (words) => numbers((await dispatcher.get(`/v1/desk/tickets?q=${encodeURIComponent(words)}`)).body.tickets);

    for (const words of ['梅溪河', 'abc广告', '巨大的牌子', 'ABC'])
        assert.deepEqual(await found(words), [t.number], words);
    assert.deepEqual(await found('不存在的词语'), []);
    await office.done('acceptor1', t, 'accept', { title: '梅溪河畔灯箱', content: '一个灯箱太亮。', category: '010501', division: '440507' });
    assert.deepEqual(await found('灯箱太亮'), [t.number]);
    assert.deepEqual((await office.read('dispatcher1', t)).texts.map((x) => x.title), ['梅溪河边的ＡＢＣ广告牌'], 'the citizen\'s words are kept');
});

const search = (staff, body) => staff.post('/v1/desk/tickets/search', body);

test('a ticket is found by its phone number, by those who may', async () => {
    const t = await office.filed({ phone: '13612345678' });

    for (const typed of ['13612345678', '136 1234 5678', '+8613612345678', '１３６－１２３４－５６７８'])
        assert.deepEqual(numbers((await search(dispatcher, { phone: typed })).body.tickets), [t.number], typed);
    assert.deepEqual((await search(dispatcher, { phone: '13612345679' })).body.tickets, []);
    for (const login of ['auditor1', 'st-gaj.d', 'efficiency1'])
        assert.equal((await search(await hotline.as(login), { phone: '13612345678' })).status, 403, login);
    assert.equal((await search(hotline.anybody, { phone: '13612345678' })).status, 401);
});

test('a search by phone takes the filters of a list, its pages and its ids', async () => {
    const phone = '13800138003'; // of tickets in hand and closed ones
    const period = { from: '2000-01-01', to: '2099-01-01' };
    const found = async (body) => {
        const answer = await search(dispatcher, { phone, ...body });
        assert.equal(answer.status, 200, answer.text);
        return answer.body;
    };
    const { tickets: open } = await found({});
    const { tickets: ever } = await found(period);

    assert.deepEqual(sorted(numbers(ever)), sorted(numbers(all.filter((t) => t.phone === phone))));
    assert.deepEqual(sorted(numbers(open)), sorted(numbers(ever.filter((row) => row.state !== 'closed'))));
    assert.ok(open.length > 3 && ever.length > open.length);
    for (const [filter, rows] of [[{}, open], [period, ever]]) {
        const paged = [];
        for (let cursor; cursor !== null;) {
            const page = await found({ ...filter, limit: 3, ...(cursor && { cursor }) });
            paged.push(...page.tickets);
            cursor = page.cursor;
        }
        assert.deepEqual(numbers(paged), numbers(rows));
        const ids = (await whole(dispatcher, new URLSearchParams(filter))).map((row) => row.id).join();
        assert.deepEqual(sorted(numbers((await found({ ...filter, ids, limit: 200 })).tickets)), sorted(numbers(rows)));
        const { state } = rows[0];
        assert.deepEqual(numbers((await found({ ...filter, state })).tickets), numbers(rows.filter((row) => row.state === state)));
    }
});

test('without a phone number a search is the list', async () => {
    for (const query of [{}, { state: 'handling' }, { closed: '1' }, { q: '不存在的词语' }, { q: all[0].number }, { state: '', light: '' }])
        assert.deepEqual((await search(dispatcher, query)).body, (await dispatcher.get(`/v1/desk/tickets?${new URLSearchParams(query)}`)).body);
});

// ---- who sees what -----------------------------------------------------------------------------------------------------

test('a unit lists its own tickets alone', async () => {
    const police = await hotline.as('st-gaj.d');

    assert.deepEqual(numbers(await whole(police)), numbers((await whole(dispatcher)).filter((row) => row.unit)));
    assert.deepEqual(await whole(await hotline.as('st-jyj.d')), []);
    assert.ok((await whole(police, 'closed=1')).length > 0);
    assert.deepEqual(await whole(await hotline.as('st-jyj.d'), 'closed=1'), []);
    assert.deepEqual(await whole(await hotline.as('st-jyj.d'), 'from=2000-01-01&to=2099-01-01'), []);
});

test('a phone number is shown masked; to see it a purpose is given, and the look is on record', async () => {
    const t = await office.at('handling', { phone: '13987654321', name: '王小明' });
    const handler = await hotline.as('st-gaj.h');
    const { contact } = await office.read('st-gaj.h', t);
    const looks = () => hotline.sql('select p.login, a.purpose from hotline.access_log a join hotline.person p on p.id = a.person_id where ticket_id = $1 order by a.id', [t.id]);

    assert.deepEqual(contact, { phone_mask: '139****4321', name_mask: '王**', has_phone: true, may_reveal: true });
    assert.deepEqual(await looks(), []);
    const name = { headers: { 'Idempotency-Key': key() } };
    const seen = await handler.post(`/v1/desk/tickets/${t.id}/reveal`, { purpose: '预约上门时间' }, name);
    assert.deepEqual(seen.body, { phone: '13987654321', name: '王小明' });
    assert.equal(seen.headers.get('cache-control'), 'no-store');
    assert.deepEqual((await handler.post(`/v1/desk/tickets/${t.id}/reveal`, { purpose: '预约上门时间' }, name)).body, seen.body);
    assert.deepEqual(await looks(), [{ login: 'st-gaj.h', purpose: '预约上门时间' }]);
    assert.equal((await dispatcher.post(`/v1/desk/tickets/${t.id}/reveal`, { purpose: '看看' })).status, 403);
    assert.equal((await office.read('dispatcher1', t)).contact.may_reveal, false);
});

test('secrecy 1 hides the contact from the unit, 2 the name too; the centre goes on seeing them', async () => {
    for (const [secrecy, mask] of [[1, '王**'], [2, null]]) {
        const t = await office.at('handling', { phone: '13987654321', name: '王小明', secrecy });

        for (const login of ['st-gaj.d', 'st-gaj.h']) {
            assert.deepEqual((await office.read(login, t)).contact, { phone_mask: null, name_mask: mask, has_phone: true, may_reveal: false });
            assert.equal((await (await hotline.as(login)).post(`/v1/desk/tickets/${t.id}/reveal`, { purpose: '预约上门' })).status, 403);
        }
        assert.deepEqual((await office.read('callback1', t)).contact, { phone_mask: '139****4321', name_mask: '王**', has_phone: true, may_reveal: true });
    }
});

test('a sealed ticket is there for those alone who may see sealed ones', async () => {
    const t = await office.filed({ type: 'report', secrecy: 3, title: '密封的举报', content: '举报的内容十分敏感，请保密。' });
    const sees = async (login) => {
        const staff = await hotline.as(login);
        const { body: counts } = await staff.get('/v1/desk/counts');
        return {
            read: (await staff.get(`/v1/desk/tickets/${t.id}`)).status,
            listed: numbers(await whole(staff)).includes(t.number),
            found: (await staff.get(`/v1/desk/tickets?q=${t.number}`)).body.tickets.length,
            in_words: (await staff.get(`/v1/desk/tickets?q=${encodeURIComponent('密封的举报')}`)).body.tickets.length,
            in_period: numbers(await whole(staff, 'from=2000-01-01&to=2099-01-01')).includes(t.number),
            acts: (await staff.get(`/v1/desk/tickets/${t.id}/actions`)).status,
            counted: counts.by_state.pending_accept ?? 0,
        };
    };
    const open = (await whole(leader, 'state=pending_accept')).length;

    for (const login of ['leader1', 'supervisor1', 'efficiency1'])
        assert.deepEqual(await sees(login), { read: 200, listed: true, found: 1, in_words: 1, in_period: true, acts: 200, counted: open }, login);
    for (const login of ['acceptor1', 'dispatcher1', 'auditor1', 'callback1', 'operator1', 'cityleader1'])
        assert.deepEqual(await sees(login), { read: 404, listed: false, found: 0, in_words: 0, in_period: false, acts: 404, counted: open - 1 }, login);
    assert.equal((await citizen.follow(t)).status, 200, 'who filed it follows it');
});

test('a sealed ticket is no neighbour of another in a duplicate check', async () => {
    const t = await office.filed({ type: 'report', secrecy: 3, phone: '13711112222', title: '另一件密封的举报', content: '内容请保密，谢谢你们。' });
    const operator = await hotline.as('operator1');
    const { body: draft } = await operator.post('/v1/desk/tickets', { channel: 'phone', phone: '13711112222', title: '另一件密封的举报', content: '内容请保密，谢谢你们。', division: '440507' });

    const { body } = await operator.post(`/v1/desk/tickets/${draft.id}/dup-check`, {});
    assert.ok(body.hits.every((hit) => hit.number !== t.number));
});

test('the reference names everything a page shows, and is the same for all but the rights', async () => {
    const [a, b] = [(await dispatcher.get('/v1/desk/reference')).body, (await (await hotline.as('st-gaj.h')).get('/v1/desk/reference')).body];

    assert.ok(a.rights.includes('dispatch') && !b.rights.includes('dispatch'));
    assert.deepEqual({ ...a, rights: 0 }, { ...b, rights: 0 });
    assert.ok(a.units.length > 60 && a.categories.length > 200 && a.divisions.length > 60);
});

test('who has the reference already is told so', async () => {
    const { anybody } = hotline;

    for (const [staff, path] of [[dispatcher, '/v1/desk/reference'], [anybody, '/v1/public/reference']]) {
        const first = await staff.get(path);
        const again = await staff.get(path, { headers: { 'If-None-Match': first.headers.get('etag') } });

        assert.deepEqual([again.status, again.text], [304, '']);
        assert.equal((await staff.get(path, { headers: { 'If-None-Match': '"another"' } })).status, 200);
    }
});

test('proposals come while one types, to the centre alone', async () => {
    const asked = { title: '夜间施工噪声', content: '龙湖区某工地半夜施工，打桩声很大。', category: '030402' };
    const { body, status } = await dispatcher.post('/v1/desk/route', asked);

    assert.equal(status, 200);
    assert.match(body.candidates[0].item.name, /施工噪声/);
    assert.match(body.candidates[0].reason, /打桩/);
    assert.equal(body.division.code, '440507');
    assert.equal((await (await hotline.as('st-gaj.h')).post('/v1/desk/route', asked)).status, 403);
});

test('a village of a name that several have is the one where the citizen is', async () => {
    const place = async (division, content = '新厝村的路灯坏了，晚上很黑。') => (await dispatcher.post('/v1/desk/route', { title: '路灯不亮', content, division })).body.division?.code;

    assert.equal(await place('440513107'), '440513107216');
    assert.equal(await place('440513106'), '440513106221');
    assert.equal(await place('440514'), '440514106008');
    assert.equal(await place('440513'), '440513'); // two of that name
    assert.equal(await place('440507', '潮阳區谷饒鎮新厝村的路燈壞了'), '440507'); // what was given stays, even beside a clear text
    assert.equal(await place(undefined, '潮陽區谷饒鎮新厝村的路燈壞了'), '440513106221'); // in traditional forms too
});
