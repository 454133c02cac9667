// What cannot be taken is refused with a status, a stable code and the fields at fault, in the language asked for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaint, key, start } from './harness.mjs';
import { Office, reply } from './office.mjs';

const hotline = await start();
const { anybody, citizen } = hotline;
const operator = await hotline.as('operator1');
const dispatcher = await hotline.as('dispatcher1');

const json = (change) => JSON.stringify(complaint(change));
const bytes = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));
const fields = (answer) => (answer.body.fields ?? []).map((f) => `${f.name} ${f.code}`);
const nested = (depth) => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);

// The body of a complaint, the code of its refusal, the fields at fault.
const complaints = [
    ['no body at all', '', 'bad_json'],
    ['half a body', '{"type":"complaint"', 'bad_json'],
    ['a list', '[]', 'not_an_object'],
    ['a number', '7', 'not_an_object'],
    ['something after the end', `${json()}x`, 'bad_json'],
    ['broken UTF-8', bytes('{"title":"', [0xe5, 0xb0], '"}'), 'bad_utf8'],
    ['half a surrogate pair', '{"title":"\\ud83d"}', 'bad_utf8'],
    ['an overlong form', bytes('{"title":"', [0xc0, 0xaf], '"}'), 'bad_utf8'],
    ['UTF-16', Buffer.from(json(), 'utf16le'), 'bad_json'],
    ['a NUL as it is', bytes('{"title":"a', [0], 'b"}'), 'bad_character'],
    ['an escaped NUL', '{"title":"a\\u0000b"}', 'bad_character'],
    ['nesting without end', nested(5000), 'too_deep'],
    ['lists without end', '['.repeat(100_000), 'too_deep'],
    ['twenty thousand values', `{"a":[${'1,'.repeat(20_001)}1]}`, 'too_many_values'],
    ['nothing in it', '{}', 'bad_fields', 'type missing', 'title missing', 'content missing'],
    ['a field given twice', `{"address":"甲","address":"乙",${json().slice(1)}`, 'bad_fields', 'address duplicate_field'],
    ['a field nobody knows', json({ colour: 'red' }), 'bad_fields', 'colour unknown_field'],
    ['a field of the staff', json({ urgency: 'urgent' }), 'bad_fields', 'urgency unknown_field'],
    ['a field that is only ours', json({ __proto__: null, principal: 'p1' }), 'bad_fields', 'principal unknown_field'],
    ['a number as title', json({ title: 12345 }), 'bad_fields', 'title wrong_type'],
    ['a list as content', json({ content: ['一', '二'] }), 'bad_fields', 'content wrong_type'],
    ['a number as phone', json({ phone: 13800138000 }), 'bad_fields', 'phone wrong_type'],
    ['text where yes or no is asked', json({ anonymous: 'yes' }), 'bad_fields', 'anonymous wrong_type'],
    ['a title of one character', json({ title: '吵' }), 'bad_fields', 'title too_short'],
    ['a title of 201 characters', json({ title: '吵'.repeat(201) }), 'bad_fields', 'title too_long'],
    ['a title of 201 emoji', json({ title: '😀'.repeat(201) }), 'bad_fields', 'title too_long'],
    ['a content of 10,001 characters', json({ content: '闹'.repeat(10_001) }), 'bad_fields', 'content too_long'],
    ['a name of 51 characters', json({ name: '王'.repeat(51) }), 'bad_fields', 'name too_long'],
    ['two lines as name', json({ name: '王\n五' }), 'bad_fields', 'name bad_character'],
    ['a bell in the content', json({ content: '吵\u0007闹' }), 'bad_fields', 'content bad_character'],
    ['a type nobody knows', json({ type: 'rant' }), 'bad_fields', 'type bad_word'],
    ['a secrecy of 4', json({ secrecy: 4 }), 'bad_fields', 'secrecy out_of_range'],
    ['a secrecy of 1.5', json({ secrecy: 1.5 }), 'bad_fields', 'secrecy wrong_type'],
    ['a place on the moon', json({ lng: 300, lat: -80 }), 'bad_fields', 'lng out_of_range', 'lat out_of_range'],
    ['a number beyond all numbers', json().replace(/}$/, ',"lng":1e999}'), 'bad_fields', 'lng out_of_range'],
    ['a division that does not exist', json({ division: '440599' }), 'bad_inputs', 'division unknown_division'],
    ['a category that does not exist', json({ category: '999999' }), 'bad_inputs', 'category unknown_category'],
    ['both unknown at once', json({ division: '999999', category: '999999' }), 'bad_inputs', 'division unknown_division', 'category unknown_category'],
];

for (const [what, body, code, ...faults] of complaints)
    test(`a complaint with ${what} is refused: ${code}`, async () => {
        const answer = await citizen.post('/v1/tickets', body, { headers: { 'Content-Type': 'application/json' } });

        assert.equal(answer.status, 422, answer.text);
        assert.equal(answer.body.code, code, answer.text);
        assert.deepEqual(fields(answer), faults);
    });

test('what is just within the limits is taken', async () => {
    assert.equal((await citizen.submit({ title: '😀'.repeat(200), content: `${'闹'.repeat(9_998)}\r\n` })).status, 201);
    assert.equal((await citizen.submit({ title: '两字', content: '两字', name: '王', division: '4405' })).status, 201);
    assert.equal((await citizen.submit({ name: null, address: null })).status, 201);
});

test('a body that says it is no JSON is not read', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', 'multipart/form-data; boundary=x']) {
        const answer = await citizen.post('/v1/tickets', json(), { headers: { 'Content-Type': type } });

        assert.equal(answer.status, 415, type);
        assert.equal(answer.body.code, 'not_json');
    }
    assert.equal((await citizen.post('/v1/tickets', json(), { headers: { 'Content-Type': 'application/json; charset=utf-8' } })).status, 201);
});

test('two megabytes of emoji are too much, however they come', async () => {
    const whole = await citizen.submit({ content: '😀'.repeat(100_000) });
    assert.equal(whole.status, 413);
    assert.equal(whole.body.code, 'body_too_large');

    const body = '😀'.repeat(500_000);
    const head = `POST /v1/tickets HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
    // The answer comes before the body: given time, it is read before the reset that the body earns.
    const { text } = await hotline.raw([`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`, body], { pause: 500 });
    assert.match(text, /^HTTP\/1\.1 413 /); // evhttp's own page
});

test('sentences come in Chinese, or in English for those who ask for it', async () => {
    const said = async (language) => {
        const headers = { 'Content-Type': 'application/json', ...(language ? { 'Accept-Language': language } : {}) };
        const here = await citizen.post('/v1/tickets', '{}', { headers });
        const there = await citizen.post('/v1/tickets', json({ division: '999999' }), { headers });
        return [here.body.detail, here.body.fields[0].detail, there.body.detail, there.body.fields[0].detail];
    };
    const chinese = await said('zh-CN,zh;q=0.9,en;q=0.8');

    for (const sentence of chinese)
        assert.match(sentence, /\p{Script=Han}/u);
    for (const sentence of await said('en'))
        assert.match(sentence, /^[\x20-\x7e]+$/);
    for (const language of ['fr', '*', ';;;q=x,,', 'en;q=0'])
        assert.deepEqual(await said(language), chinese, language);
});

test('a refused complaint leaves nothing behind, and its key may be used for the right one', async () => {
    const tickets = async () => (await hotline.sql('select count(*)::int as n from hotline.ticket'))[0].n;
    const before = await tickets();
    const same = { headers: { 'Idempotency-Key': key() } };

    assert.equal((await citizen.submit({ division: '999999' }, same)).status, 422);
    assert.equal(await tickets(), before);
    assert.equal((await citizen.submit({}, same)).status, 201);
});

// ---- the staff's routes ----------------------------------------------------------------------------------------------

const queries = [
    ['colour=red', 'colour unknown_parameter'],
    ['state=%C3%28', null], // not even UTF-8
    ['state=Draft', 'state bad_value'],
    ['state=no_such_state', 'state unknown_word'],
    ['light=purple', 'light unknown_word'],
    ['channel=carrier_pigeon', 'channel unknown_word'],
    ['type=rant', 'type unknown_word'],
    ['limit=0', 'limit bad_value'],
    ['limit=many', 'limit bad_value'],
    ['limit=99999999999', 'limit bad_value'],
    ['limit=1,2', 'limit bad_value'],
    ['unit=1,2', 'unit bad_value'],
    ['unit=99999999999999999999', 'unit bad_value'],
    ['ids=,', 'ids bad_value'],
    ['ids=1,,2', 'ids bad_value'],
    ['ids=99999999999999999999999', 'ids bad_value'],
    [`ids=${'1,'.repeat(300)}1`, 'ids bad_value'],
    ['mine=2', 'mine bad_value'],
    ['closed=no', 'closed bad_value'],
    ['from=2018-02-30', 'from bad_date'],
    ['from=2018-13-01&to=2018-14-01', 'from bad_date'],
    ['from=yesterday00', 'from bad_date'],
    ['from=2018-01-01&to=2018-01-32', 'to bad_date'],
    ['to=2018-01-01', 'from missing'],
    ['cursor=_', 'cursor bad_cursor'],
    ['cursor=1.2.3_4', 'cursor bad_value'],
    ['cursor=99999999999999999999_1', 'cursor bad_cursor'],
    ['cursor=1', 'cursor bad_cursor'], // that of another list
    ['closed=1&cursor=1_2', 'cursor bad_cursor'],
    ['q=%E5%90%B5', 'q too_short'],
    [`q=${'%E5%90%B5'.repeat(101)}`, 'q bad_value'],
    ['phone=13800138000', 'phone unknown_parameter'], // a number has no place in an address
    ['waits=everything', 'waits unknown_word'],
];

for (const [query, fault] of queries)
    test(`a list asked for by ${decodeURIComponent(query.replace('%C3%28', '?')).slice(0, 40)} is refused`, async () => {
        const answer = await dispatcher.get(`/v1/desk/tickets?${query}`);

        assert.equal(answer.status, fault ? 422 : 400, answer.text);
        assert.equal(answer.body.code, fault ? 'bad_inputs' : 'bad_query');
        if (fault)
            assert.equal(fields(answer)[0], fault);
    });

// The body of a search, the code of its refusal, the field at fault.
const searches = [
    [{ phone: 'thirteen' }, 'bad_fields', 'phone bad_phone'],
    [{ phone: 13800138000 }, 'bad_fields', 'phone wrong_type'],
    [{ phone: '1380013' + '8'.repeat(30) }, 'bad_inputs', 'phone bad_phone'],
    [{ phone: '' }, 'bad_fields', 'phone bad_phone'],
    [{ colour: 'red' }, 'bad_fields', 'colour unknown_field'],
    [{ state: ['handling'] }, 'bad_fields', 'state wrong_type'],
    [{ limit: 0 }, 'bad_fields', 'limit out_of_range'],
    [{ limit: 201 }, 'bad_fields', 'limit out_of_range'],
    [{ limit: '25' }, 'bad_fields', 'limit wrong_type'],
    [{ state: 'Draft' }, 'bad_inputs', 'state bad_value'],
    [{ state: 'no_such_state' }, 'bad_inputs', 'state unknown_word'],
    [{ ids: '1,,2' }, 'bad_inputs', 'ids bad_value'],
    [{ from: '2018-02-30' }, 'bad_inputs', 'from bad_date'],
    [{ to: '2018-01-01' }, 'bad_inputs', 'from missing'],
    [{ closed: '1', cursor: '1_2' }, 'bad_inputs', 'cursor bad_cursor'],
    [{ q: '吵' }, 'bad_inputs', 'q too_short'],
];

for (const [body, code, fault] of searches)
    test(`a search by ${JSON.stringify(body).slice(0, 40)} is refused`, async () => {
        const answer = await dispatcher.post('/v1/desk/tickets/search', body);

        assert.equal(answer.status, 422, answer.text);
        assert.equal(answer.body.code, code);
        assert.deepEqual(fields(answer), [fault]);
    });

test('impossible dates of figures are refused', async () => {
    for (const [query, fault] of [['from=2018-02-30&to=2018-03-01', 'from bad_date'], ['from=2018-03-01', 'to bad_date'],
        ['from=2018-03-01&to=2018-02-01', 'to not_after_from'], ['from=1018-03-01&to=2018-02-01', 'from bad_date'],
        ['from=2018-03-01&to=2018-04-01&by=moon', 'by unknown_by'], ['from=2018-03-01&to=2018-04-01&unit=99999', 'unit unknown_unit'],
        ['from=2018-03-01&to=2018-04-01&category=0', 'category unknown_category']]) {
        const answer = await dispatcher.get(`/v1/metrics/closure?${query}`);

        assert.equal(answer.status, 422, answer.text);
        assert.equal(fields(answer)[0], fault);
    }
    assert.equal((await dispatcher.get('/v1/metrics/happiness?from=2018-01-01&to=2018-02-01')).body.code, 'no_such_metrics');
});

test('a draft of an unknown channel is none', async () => {
    const answer = await operator.post('/v1/desk/tickets', { channel: 'web' });

    assert.equal(answer.status, 422);
    assert.deepEqual(fields(answer), ['channel bad_word']);
});

// What act is given for a draft, and what is wrong with it.
const acts = [
    [{}, 'action bad_value'],
    [{ action: 7 }, 'action bad_value'],
    [{ action: 'a'.repeat(41) }, 'action bad_value'],
    [{ action: 'save_draft', version: '1' }, 'version bad_value'],
    [{ action: 'save_draft', version: 1.5 }, 'version bad_value'],
    [{ action: 'save_draft', colour: 'red' }, 'colour unknown_field'],
    [{ action: 'save_draft', session: 'x' }, 'session unknown_field'],
    [{ action: 'save_draft', title: 7 }, 'title wrong_type'],
    [{ action: 'save_draft', title: 'x'.repeat(201) }, 'title too_long'],
    [{ action: 'save_draft', title: 'a\u0007b' }, 'title bad_character'],
    [{ action: 'save_draft', title: '\u3000\u3000 ' }, 'title too_short'],
    [{ action: 'save_draft', secrecy: 1.5 }, 'secrecy wrong_type'],
    [{ action: 'save_draft', secrecy: 99999999999 }, 'secrecy out_of_range'],
    [{ action: 'save_draft', division: '440599' }, 'division unknown_division'],
    [{ action: 'save_draft', category: '999999' }, 'category unknown_category'],
    [{ action: 'save_draft', phone: 13800138000 }, 'phone wrong_type'],
    [{ action: 'save_draft', phone: '12' }, 'phone bad_phone'],
    [{ action: 'save_draft', name: '王'.repeat(51) }, 'name too_long'],
    [{ action: 'save_draft', urgency: 'at once' }, 'urgency unknown_word'],
    [{ action: 'save_draft', anonymous: 1 }, 'anonymous wrong_type'],
    [{ action: 'submit' }, 'type required'],
    [{ action: 'submit', dup_check: 'abc' }, 'dup_check unknown_id'],
];

test('an action with wrong inputs is refused with the fields, and changes nothing', async () => {
    const { body: draft } = await operator.post('/v1/desk/tickets', { channel: 'phone' });

    for (const [body, fault] of acts) {
        const answer = await operator.post(`/v1/desk/tickets/${draft.id}/actions`, body);

        assert.equal(answer.status, 422, `${JSON.stringify(body)} ${answer.text}`);
        assert.equal(answer.body.code, 'bad_inputs', `${JSON.stringify(body)} ${answer.text}`);
        assert.ok(fields(answer).includes(fault), `${fault}: ${answer.text}`);
    }
    const unknown = await operator.post(`/v1/desk/tickets/${draft.id}/actions`, { action: 'explode' });
    assert.equal(unknown.body.code, 'unknown_action');
    assert.deepEqual(fields(unknown), ['action unknown_action']);
    assert.equal((await operator.get(`/v1/desk/tickets/${draft.id}`)).body.version, draft.version);
});

// What an operator, a dispatcher or a unit may get wrong on a ticket at some point of its way: where it is, who does what, the code of the
// refusal and what is wrong with which input.
const wrongs = [
    ['an action that nobody knows', 'handling', 'st-gaj.h', { action: 'explode' }, 'unknown_action', 'action unknown_action'],
    ['nothing that must be given', 'pending_dispatch', 'dispatcher1', { action: 'dispatch' }, 'bad_inputs', 'main_unit required', 'instruction required'],
    ['an instruction that is too long', 'pending_dispatch', 'dispatcher1', { action: 'dispatch', main_unit: 'ST-GAJ', instruction: '办'.repeat(1001) }, 'bad_inputs', 'instruction too_long'],
    ['a reply that is too short', 'contacted', 'st-gaj.h', { action: 'submit_reply', ...reply, content: '已办。' }, 'bad_inputs', 'content too_short'],
    ['eleven things that are missing', 'handling', 'st-gaj.h', { action: 'request_supplement', missing_items: Array(11).fill('位置') }, 'bad_inputs', 'missing_items too_many'],
    ['none that is missing', 'handling', 'st-gaj.h', { action: 'request_supplement', missing_items: [] }, 'bad_inputs', 'missing_items too_few'],
    ['a unit that has ended', 'pending_dispatch', 'dispatcher1', { action: 'dispatch', main_unit: 'ST-GAR', instruction: '请办理。' }, 'bad_inputs', 'main_unit unit_not_valid'],
    ['one that assists', 'pending_dispatch', 'dispatcher1', { action: 'dispatch', main_unit: 'ST-GAJ', co_units: ['ST-GAR'], instruction: '请办理。' }, 'bad_inputs', 'co_units unit_not_valid'],
    ['a unit that never was', 'pending_dispatch', 'dispatcher1', { action: 'dispatch', main_unit: 99999999, instruction: '请办理。' }, 'bad_inputs', 'main_unit unknown_unit'],
    ['a pause that is over', 'handling', 'st-gaj.d', { action: 'request_suspend', pause_code: 'pause_6', until: '2018-01-02T09:00:00+08:00', evidence: '见附件' }, 'bad_inputs', 'until in_past'],
    ['an order for the past', 'handling', 'supervisor1', { action: 'supervise', kind: 'routine', requirement: '请说明办理情况', due: '2018-01-02T09:00:00+08:00' }, 'bad_inputs', 'due in_past'],
    ['facts wanted by yesterday', 'handling', 'st-gaj.h', { action: 'request_supplement', missing_items: ['位置'], deadline: '2018-01-02T09:00:00+08:00' }, 'bad_inputs', 'deadline in_past'],
    ['30 February', 'handling', 'st-gaj.d', { action: 'request_suspend', pause_code: 'pause_6', until: '2031-02-30T09:00:00+08:00', evidence: '见附件' }, 'bad_inputs', 'until bad_time'],
    ['more time than the policy allows', 'handling', 'st-gaj.d', { action: 'request_extension', ext_code: 'complex', new_due: '2099-01-05T23:59:59+08:00', measures: '已立案调查', told_citizen: true }, 'bad_inputs', 'new_due extension_too_long'],
    ['an earlier time than it has', 'handling', 'st-gaj.d', { action: 'request_extension', ext_code: 'complex', new_due: '2018-01-05T23:59:59+08:00', measures: '已立案调查', told_citizen: true }, 'bad_inputs', 'new_due not_later'],
    ['the reply of another ticket', 'contacted', 'st-gaj.h', { action: 'submit_reply', ...reply }, 'copied_reply', 'content copied_reply'],
    ['the same in other commas', 'contacted', 'st-gaj.h', { action: 'submit_reply', ...reply, content: `${reply.content.replaceAll('，', ' , ')}!` }, 'copied_reply', 'content copied_reply'],
];

test('each wrong input has a code, the fields at fault and a sentence, in Chinese and in English, and changes nothing', async () => {
    const office = new Office(hotline);
    const given = { handling: await office.at('handling'), pending_dispatch: await office.at('pending_dispatch') };

    await hotline.sql("insert into hotline.unit (id, code, parent_id, level, kind, name, short_name, path, valid_to) values (990, 'ST-GAR', 1, 2, 'department', '汕头市撤销局', '撤销局', '{990}', current_date - 1)");
    await hotline.sql("update hotline.setting set value = '90' where name = 'reply.copy_days'");
    await office.bring(await office.at('contacted'), 'contacted', 'unit_approval');
    given.contacted = await office.at('contacted');
    for (const [what, stage, login, { main_unit: unit, co_units: others, ...body }, code, ...faults] of wrongs) {
        const staff = await hotline.as(login);
        const inputs = { ...body, ...unit && { main_unit: await office.unit(unit) }, ...others && { co_units: await Promise.all(others.map((u) => office.unit(u))) } };
        const before = await hotline.sql('select t.version, count(*)::int as events from hotline.ticket t join hotline.event e on e.ticket_id = t.id where t.id = $1 group by t.version', [given[stage].id]);
        const said = {};

        for (const language of ['zh-CN', 'en']) {
            said[language] = await staff.post(`/v1/desk/tickets/${given[stage].id}/actions`, inputs, { headers: { 'Accept-Language': language } });
            assert.equal(said[language].status, 422, `${what}: ${said[language].text}`);
            assert.deepEqual([said[language].body.code, ...fields(said[language])], [code, ...faults], what);
        }
        for (const sentence of [said['zh-CN'].body.detail, ...said['zh-CN'].body.fields.map((f) => f.detail)])
            assert.match(sentence, /\p{Script=Han}.*。$/u, what);
        for (const sentence of [said.en.body.detail, ...said.en.body.fields.map((f) => f.detail)])
            assert.match(sentence, /^[A-Z][\x20-\x7e]+\.$/, what);
        assert.deepEqual(await hotline.sql('select t.version, count(*)::int as events from hotline.ticket t join hotline.event e on e.ticket_id = t.id where t.id = $1 group by t.version', [given[stage].id]), before, what);
    }
});

test('what a ticket was answered may be said again of it, and by another unit', async () => {
    const office = new Office(hotline);
    const words = { ...reply, content: '经现场核查，该处路灯确有损坏，已更换灯具三盏并恢复照明，今后每月巡检一次。' };
    const mine = await office.at('contacted');
    const theirs = await office.at('pending_dispatch');

    await office.done('st-gaj.h', mine, 'submit_reply', words);
    await office.bring(mine, 'unit_approval', 'pending_audit');
    await office.done('auditor1', mine, 'audit_reject', { reject_code: 'A4', comment: '请补充证据' });
    await office.done('st-gaj.h', mine, 'submit_reply', words);
    await office.done('dispatcher1', theirs, 'dispatch', { main_unit: 'ST-JJZD', instruction: '请办理。' });
    await office.done('st-jjzd.d', theirs, 'sign');
    await office.done('st-jjzd.h', theirs, 'first_contact', { contacted: true, way: 'phone' });
    await office.done('st-jjzd.h', theirs, 'submit_reply', words);
});

test('an id that is none is an unknown ticket', async () => {
    for (const id of ['0', '-1', 'abc', '1.5', '9223372036854775808', '99999999999999999999', '%00'])
        assert.ok([400, 404].includes((await operator.get(`/v1/desk/tickets/${id}`)).status), id);
    assert.equal((await operator.post('/v1/desk/tickets/9223372036854775807/actions', { action: 'submit' })).body.code, 'no_such_ticket');
});

test('a list of actions must be one: some, not too many, each with its ticket', async () => {
    const one = { id: '1', action: 'sign' };

    for (const body of [[], {}, [1], [{ action: 'sign' }], [{ ...one, id: 1 }], [{ id: '1' }], Array(201).fill(one)])
        assert.equal((await operator.post('/v1/desk/actions', body)).status, 422, JSON.stringify(body).slice(0, 60));
});

test('a purpose must be given to see a phone number', async () => {
    await citizen.submit();
    const leader = await hotline.as('leader1');
    const { body: list } = await leader.get('/v1/desk/tickets?limit=1&state=pending_accept');

    for (const body of [{}, { purpose: '' }, { purpose: '看' }, { purpose: '看'.repeat(201) }, { purpose: 7 }])
        assert.equal((await leader.post(`/v1/desk/tickets/${list.tickets[0].id}/reveal`, body)).status, 422);
});

test('nothing of all this was a fault of ours', async () => {
    assert.doesNotMatch(hotline.engine.said(), /level=error/);
    assert.equal((await anybody.get('/healthz')).status, 200);
});
