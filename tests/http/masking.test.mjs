// What a unit reads of a ticket's words when its secrecy hides the citizen, and which texts do not leave the centre.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { start } from './harness.mjs';
import { Office, plain, reply } from './office.mjs';

const hotline = await start({ settings: { limit_submit: 1000, limit_staff: 10000 } });
const ctl = join(dirname(process.env.HOTLINED), 'hotlinectl');
const office = new Office(hotline);
const handler = await hotline.as('st-gaj.h');
const auditor = await hotline.as('auditor1');

const telling = {
    title: '张三丰家门口噪声，电话１３９-１１２２-３３４４',
    content: '我叫张三丰，住金砂路88号3栋402房，身份证11010519491231002X，請打壹叁玖零零零零壹壹壹壹。施工车是粤D12345。',
    address: '金砂路88号3栋402房',
    name: '张三丰',
    phone: '13911223344',
};
const hidden = {
    title: '【姓名】家门口噪声，电话【电话】',
    content: '我叫【姓名】，住金砂路【门牌】，身份证【证号】，請打【电话】。施工车是【车牌】。',
    address: '金砂路【门牌】',
};
const words = ({ title, content, address }) => ({ title, content, address });

async function read(person, t) {
    const { status, body } = await person.get(`/v1/desk/tickets/${t.id}`);

    assert.equal(status, 200);
    return body;
}

// The acceptor's own wording, taken over word for word.
async function dispatched(secrecy, more = {}) {
    const t = await office.filed({ ...telling, secrecy, ...more });

    await office.done('acceptor1', t, 'accept', { title: telling.title, category: '010501', division: '440507' });
    await office.done('dispatcher1', t, 'dispatch', { main_unit: 'ST-GAJ', instruction: '请依法处理。' });
    return t;
}

test('with secrecy 0 a unit reads the words as they are', async () => {
    const t = await dispatched(0);

    assert.deepEqual(words(await read(handler, t)), words(telling));
});

for (const secrecy of [1, 2])
    test(`with secrecy ${secrecy} a unit reads them masked, in lists too, and the centre as they are`, async () => {
        const t = await dispatched(secrecy);
        const { body: list } = await handler.get(`/v1/desk/tickets?ids=${t.id}`);

        assert.deepEqual(words(await read(handler, t)), hidden);
        assert.equal(list.tickets[0].title, hidden.title);
        assert.deepEqual(words(await read(auditor, t)), words(telling));
    });

test('a unit cannot find a masked ticket by its hidden words, the centre can', async () => {
    const t = await dispatched(1, { content: '密语丙丁戊己。' });
    const ids = (answer) => answer.body.tickets.map((row) => row.id);

    assert.ok(!ids(await handler.get(`/v1/desk/tickets?q=${encodeURIComponent('密语丙丁戊己')}`)).includes(t.id));
    assert.ok(ids(await auditor.get(`/v1/desk/tickets?q=${encodeURIComponent('密语丙丁戊己')}`)).includes(t.id));
});

test('amended words are masked anew and the earlier ones stay masked', async () => {
    const t = await office.filed({ ...telling, secrecy: 1 });

    await office.done('acceptor1', t, 'accept', { title: '李小红女士反映噪声', content: '联系人：李小红，13700001111。', category: '010501', division: '440507' });
    await office.done('dispatcher1', t, 'dispatch', { main_unit: 'ST-GAJ', instruction: '请依法处理。' });
    const seen = await read(handler, t);

    assert.deepEqual(words(seen), { title: '【姓名】女士反映噪声', content: '联系人：【姓名】，【电话】。', address: hidden.address });
    assert.deepEqual(seen.texts.map(({ title, content }) => ({ title, content })), [{ title: hidden.title, content: hidden.content }]);
    assert.doesNotMatch(JSON.stringify(seen), /张三丰|李小红|13700001111|402房/);
});

test('words that nobody scanned are not shown to a unit until hotlinectl mask has scanned them', async () => {
    const t = await dispatched(1);

    await hotline.sql('update hotline.ticket set masked = null where id = $1', [t.id]);
    const before = await read(handler, t);
    assert.doesNotMatch(JSON.stringify(before), /张三丰|402房|11010519491231002X/);
    const said = execFileSync(ctl, ['mask', '--database', `host=${process.env.PGHOST} user=postgres dbname=${hotline.database}`], { encoding: 'utf8' });
    assert.match(said, /^[1-9][0-9]* tickets scanned$/m);
    const after = await read(handler, t);
    assert.equal(after.content, hidden.content);
    assert.equal(after.address, hidden.address);
});

test('a reply with personal data is refused, however it is written, with the field and what it holds', async () => {
    const t = await office.at('contacted');
    const bad = [
        ['content', '已电话联系１３８－００１３－８０００并当场整改，安排人员每日巡查，防止再次发生此类情况。', '手机号码'],
        ['content', '已联系一三八零零一三八零零零并当场整改，安排人员每日巡查，防止再次发生此类情况。', '手机号码'],
        ['measures', '已核对身份证110105 19491231 002X', '身份证号'],
        ['public_text', '市民王小明先生反映的粤D12345已处理。', '车牌、姓名'],
        ['public_text', '已到金砂路88号3栋402房核查。', '门牌'],
    ];

    for (const [field, text, what] of bad) {
        const { status, body } = await office.do('st-gaj.h', t, 'submit_reply', { ...reply, [field]: text });

        assert.equal(status, 422, text);
        assert.deepEqual(body.fields.map((f) => [f.name, f.code]), [[field, 'personal_data']]);
        assert.ok(body.fields[0].detail.includes(what), body.fields[0].detail);
    }
    // A unit's own number, and a name between the unit and the citizen, are no reason to refuse.
    await office.done('st-gaj.h', t, 'submit_reply', { ...reply, content: `${reply.content}王先生可致电0754-88123456。`, public_text: '如有疑问请致电0754-88123456。' });
});

test('what the centre tells, and why nobody was reached, hold no number either', async () => {
    const t = await office.filed(plain);
    const told = await office.do('acceptor1', t, 'refuse', { refuse_code: 'N04', told_text: '请联系经办人手机13800138000。', alternative_channel: '12345' });
    assert.equal(told.status, 422);
    assert.deepEqual(told.body.fields.map((f) => [f.name, f.code]), [['told_text', 'personal_data']]);

    const h = await office.at('handling');
    const missed = await office.do('st-gaj.h', h, 'first_contact', { contacted: false, way: 'phone', attempts: 2, fail_reason: '拨打138 0013 8000两次无人接听' });
    assert.deepEqual(missed.body.fields.map((f) => [f.name, f.code]), [['fail_reason', 'personal_data']]);

    const s = await office.filed({ ...plain, secrecy: 1 });
    await office.done('acceptor1', s, 'accept', { title: plain.title, category: '010501', division: '440507' });
    const sent = await office.do('dispatcher1', s, 'dispatch', { main_unit: 'ST-GAJ', instruction: '请联系诉求人张先生。' });
    assert.deepEqual(sent.body.fields.map((f) => [f.name, f.code]), [['instruction', 'personal_data']]);
});

test('words that are amended are scanned for the name that was given when it was filed', async () => {
    const t = await dispatched(1);
    const dispatcher = await hotline.as('dispatcher1');

    await office.done('leader1', t, 'amend', { content: '张三丰来电补充：门口又有噪声。', reason: '补充情况' });
    assert.equal((await read(handler, t)).content, '【姓名】来电补充：门口又有噪声。');
    assert.equal((await read(auditor, t)).content, '张三丰来电补充：门口又有噪声。');
    const { body: bulk } = await dispatcher.post('/v1/desk/actions', [{ id: t.id, action: 'amend', title: '张三丰再次来电', reason: '更正标题' }]);
    assert.equal(bulk.results[0].status, 200, JSON.stringify(bulk));
    assert.ok(!JSON.stringify(await read(handler, t)).includes('张三丰'), 'what nobody could scan for the name is not shown');
});

test('what other platforms are handed is masked too', async () => {
    const t = await office.filed({ ...telling, secrecy: 0 });

    await office.done('operator1', t, 'urgent_transfer', { agency: 'police_110', mode: 'data' });
    const [{ body }] = await hotline.sql(`select body from api.exchange('{"system": "police_110"}')`);
    const handed = body.records.find((one) => one.source_no === t.number);
    assert.deepEqual([handed.title, handed.content, handed.address], [hidden.title, hidden.content, telling.address]);
    const answered = await dispatched(0);
    await office.done('st-gaj.d', answered, 'sign');
    await office.done('st-gaj.h', answered, 'first_contact', { contacted: true, way: 'phone' });
    await office.done('st-gaj.h', answered, 'submit_reply', { ...reply, content: '我局已到金砂路88号3栋402房现场核查，确有噪声，已责令施工单位停工整改。' });
    const [{ masked }] = await hotline.sql('select masked from hotline.reply where ticket_id = $1', [answered.id]);
    assert.equal(masked, '我局已到金砂路【门牌】现场核查，确有噪声，已责令施工单位停工整改。');
});
