// Citizens talk with the official account; this file is the platform between: it signs, encrypts, repeats and gets things wrong.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as wecom from '@wecom/crypto';
import { XMLParser } from 'fast-xml-parser';
import { start } from './harness.mjs';
import { Office } from './office.mjs';

const require = createRequire(import.meta.url);
const WechatCrypto = require('wechat-crypto');
const Wxcrypt = require('wxcrypt');

const appid = 'wx0123456789abcdef';
const token = randomBytes(12).toString('hex');
const aesKey = randomBytes(32).toString('base64').slice(0, 43);
const dir = mkdtempSync(join(tmpdir(), 'hotline-wechat-'));
const account = (name, mode) => {
    const path = join(dir, name);
    writeFileSync(path, `# the account\nappid ${appid}\ntoken ${token}\naes_key ${aesKey}\nmode ${mode}\n`, { mode: 0o600 });
    return path;
};
after(() => rmSync(dir, { recursive: true, force: true }));

const hotline = await start({ cluster: true, settings: { wechat_file: account('compatible', 'compatible'), workers: 2, spool_max: 200 } });
const safe = await start({ settings: { wechat_file: account('safe', 'safe'), wechat_phone: 1 } });
const { cluster } = hotline;

// ---- the platform -----------------------------------------------------------------------------------------------------------

const parser = new XMLParser({ parseTagValue: false });
const now = () => String(Math.floor(Date.now() / 1000));
const sha1 = (...texts) => createHash('sha1').update(texts.sort().join('')).digest('hex');
const query = (values) => `/wechat?${new URLSearchParams(values)}`;
const post = (to, values, body) => to.anybody.ask('POST', query(values), { body, headers: { 'Content-Type': 'text/xml' } });
let messages = 0;

const xml = (from, fields) => {
    const all = { ToUserName: 'gh_12345', FromUserName: from, CreateTime: now(), ...fields };
    if (!('Event' in all) && !('MsgId' in all))
        all.MsgId = String(23456789012345678n + BigInt(++messages));
    return `<xml>${Object.entries(all).map(([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`).join('\n')}</xml>`;
};

const plainQuery = (change = {}) => {
    const timestamp = now();
    const nonce = randomBytes(5).toString('hex');
    return { signature: sha1(token, timestamp, nonce), timestamp, nonce, ...change };
};

// What each library makes of a message, and of our answer.
const libraries = {
    'wechat-crypto': {
        seal: (text) => new WechatCrypto(token, aesKey, appid).encrypt(text),
        sign: (timestamp, nonce, encrypted) => new WechatCrypto(token, aesKey, appid).getSignature(timestamp, nonce, encrypted),
        open: (encrypted) => new WechatCrypto(token, aesKey, appid).decrypt(encrypted),
    },
    '@wecom/crypto': {
        seal: (text) => wecom.encrypt(aesKey, text, appid),
        sign: (timestamp, nonce, encrypted) => wecom.getSignature(token, timestamp, nonce, encrypted),
        open: (encrypted) => wecom.decrypt(aesKey, encrypted),
    },
    wxcrypt: {
        seal: (text) => Wxcrypt.x2o(new Wxcrypt(token, aesKey, appid).encryptMsg(text, '1', 'n')).xml.Encrypt,
        sign: (...texts) => Wxcrypt.sign(token, ...texts),
        // It compares the signature and the appid itself.
        open: (encrypted) => ({ message: new Wxcrypt(token, aesKey, appid).decrypt(Wxcrypt.sign(token, '1', 'n', encrypted), '1', 'n', encrypted), appid }),
    },
};

const encryptedQuery = (library, encrypted, change = {}) => {
    const all = plainQuery();
    return { ...all, encrypt_type: 'aes', msg_signature: library.sign(all.timestamp, all.nonce, encrypted), ...change };
};
const envelope = (encrypted) => `<xml><ToUserName><![CDATA[gh_12345]]></ToUserName><Encrypt><![CDATA[${encrypted}]]></Encrypt></xml>`;

// One who talks with the account; say() gives the words of the answer, or "success".
const words = (answer) => {
    assert.equal(answer.status, 200, answer.text);
    if (answer.text === 'success')
        return answer.text;
    const told = parser.parse(answer.text).xml;
    assert.equal(told.MsgType, 'text');
    assert.equal(told.FromUserName, 'gh_12345');
    return told.Content;
};
const person = (to = hotline) => {
    const openid = `o${randomBytes(13).toString('hex')}`;
    const send = async (fields) => words(await post(to, plainQuery(), xml(openid, fields)));
    return {
        openid,
        send,
        say: (text) => send({ MsgType: 'text', Content: text }),
        secretly: async (text, library = libraries['wechat-crypto']) => {
            const encrypted = library.seal(xml(openid, { MsgType: 'text', Content: text }));
            const answer = await post(to, encryptedQuery(library, encrypted), envelope(encrypted));
            assert.equal(answer.status, 200, answer.text);
            const told = parser.parse(answer.text).xml;
            assert.equal(told.MsgSignature, library.sign(told.TimeStamp, told.Nonce, told.Encrypt));
            const opened = library.open(told.Encrypt);
            assert.equal(opened.appid ?? opened.id, appid);
            return parser.parse(opened.message).xml.Content;
        },
    };
};
const receipt = (text) => {
    const [, number, query_code] = text.match(/工单号：(\d{16})\n查询码：([0-9A-Z]{8})/) ?? assert.fail(text);
    return { number, query_code };
};
const complain = async (citizen, change = {}) => {
    await citizen.say('我要投诉');
    await citizen.say(change.text ?? `路灯坏了一个星期 ${randomBytes(4).toString('hex')}`);
    await citizen.say('金砂路 88 号');
    await citizen.say('13800138000');
    return receipt(await citizen.say('确认'));
};
const refusedCount = async (code) => Number((await hotline.anybody.get('/metrics')).text
    .match(new RegExp(`^hotlined_wechat_refused_total\\{code="${code}"\\} (\\d+)`, 'm'))[1]);

// ---- the conversation ---------------------------------------------------------------------------------------------------------

test('the platform verifies the address', async () => {
    const answer = await hotline.anybody.get(query(plainQuery({ echostr: '5838479218127813673' })));
    assert.equal(answer.status, 200);
    assert.equal(answer.text, '5838479218127813673');
    assert.equal((await hotline.anybody.get(query(plainQuery({ echostr: '1', signature: '0'.repeat(40) })))).status, 403);
    assert.equal((await hotline.anybody.get(query({}))).status, 403);
    assert.equal((await hotline.anybody.get(query(plainQuery({ echostr: '<script>' })))).status, 403);
});

test('a citizen complains: words, place, picture, phone, confirmation, number', async () => {
    const citizen = person();

    assert.match(await citizen.send({ MsgType: 'event', Event: 'subscribe' }), /我要投诉/);
    assert.match(await citizen.say('我要投诉'), /请用文字说明/);
    assert.match(await citizen.send({ MsgType: 'location', Location_X: '23.354', Location_Y: '116.682', Label: '' }), /请先用文字说明/);
    assert.match(await citizen.say('小区旁边的工地夜里还在打桩\n每天到凌晨一点'), /请发送位置/);
    assert.match(await citizen.send({ MsgType: 'image', PicUrl: 'https://mmbiz.qpic.cn/a.jpg', MediaId: 'm' }), /第 1 张/);
    assert.match(await citizen.send({ MsgType: 'video', MediaId: 'm', ThumbMediaId: 't' }), /只能收图片/);
    assert.match(await citizen.send({ MsgType: 'location', Location_X: '23.354', Location_Y: '116.682', Label: '金砂路 88 号' }), /联系电话/);
    assert.match(await citizen.say('没有电话'), /电话号码不对/);
    const shown = await citizen.say('138 0013 8000');
    assert.match(shown, /问题：小区旁边的工地夜里还在打桩\n每天到凌晨一点\n地点：金砂路 88 号\n图片：1 张\n联系电话：138\*\*\*\*8000/);
    assert.match(await citizen.say('好的'), /请回复“确认”/);
    const ticket = receipt(await citizen.say('确认'));

    const leader = await hotline.as('leader1');
    const row = await leader.find(ticket.number);
    assert.equal(row.channel, 'wechat');
    assert.equal(row.title, '小区旁边的工地夜里还在打桩');
    assert.match(row.content, /图片：https:\/\/mmbiz\.qpic\.cn\/a\.jpg$/);
    assert.equal(row.address, '金砂路 88 号');
    assert.equal(row.contact.phone_mask, '138****8000');
    assert.equal((await hotline.citizen.follow(ticket)).status, 200, 'the code is good on the web too');
    assert.match(await citizen.say('查进度'), new RegExp(`工单 ${ticket.number}：小区旁边的工地夜里还在打桩\n状态：`));
    const other = person();
    assert.match(await other.say('查进度'), /请回复工单号和查询码/);
    assert.match(await other.say(`${ticket.number} ${ticket.query_code}`), /小区旁边的工地/);
    assert.match(await other.say(`${ticket.number} ABCD2345`), /没有查到/);
});

test('anonymous, by voice, and given up', async () => {
    const citizen = person();

    await citizen.say('投诉');
    assert.match(await citizen.say('取消'), /没有提交任何内容/);
    assert.match(await citizen.say('确认'), /12345/, 'there is nothing to confirm');
    await citizen.send({ MsgType: 'event', Event: 'CLICK', EventKey: 'COMPLAIN' });
    await citizen.send({ MsgType: 'voice', MediaId: 'm', Format: 'amr', Recognition: '垃圾桶三天没有人清理' });
    await citizen.say('跳过');
    assert.match(await citizen.say('跳过'), /地点：未填写\n图片：0 张\n联系电话：匿名/);
    const { number } = receipt(await citizen.say('确认'));
    const row = await (await hotline.as('leader1')).find(number);
    assert.equal(row.content, '垃圾桶三天没有人清理');
});

test('where the city asks for a phone number, nobody skips it', async () => {
    const citizen = person(safe);

    for (const text of ['我要投诉', '路灯坏了很久了', '跳过'])
        await citizen.secretly(text);
    assert.match(await citizen.secretly('跳过'), /请回复您的联系电话/);
    assert.match(await citizen.secretly('13800138000'), /请核对/);
    receipt(await citizen.secretly('确认'));
});

test('what the platform repeats is answered with the first result', async () => {
    const citizen = person();
    const fields = (text) => ({ MsgType: 'text', Content: text, MsgId: String(randomBytes(6).readUIntBE(0, 6)) });
    const twice = async (message) => {
        const body = xml(citizen.openid, message);
        const [first, again] = await Promise.all([post(hotline, plainQuery(), body), post(hotline, plainQuery(), body)]);
        const later = await post(hotline, plainQuery(), body);
        assert.equal(words(first), words(again));
        assert.equal(words(first), words(later));
        return words(first);
    };

    for (const text of ['我要投诉', '路灯坏了一个星期没人修', '金砂路 88 号', '13800138000'])
        await twice(fields(text));
    const { number } = receipt(await twice(fields('确认')));
    const event = { MsgType: 'event', Event: 'subscribe', CreateTime: now() };
    assert.match(await twice(event), /我要投诉/);
    const [{ n }] = await hotline.sql(`select count(*)::int n from hotline.ticket where content = '路灯坏了一个星期没人修'`);
    assert.equal(n, 1, number);
});

test('pictures that come at once all count', async () => {
    const citizen = person();
    const pictures = [1, 2, 3, 4, 5];

    for (const text of ['我要投诉', '公园的长椅坏了好几张', '中山公园'])
        await citizen.say(text);
    const told = await Promise.all(pictures.map((n) => citizen.send({ MsgType: 'image', PicUrl: `https://mmbiz.qpic.cn/${n}.jpg`, MediaId: 'm' })));
    assert.deepEqual(told.sort(), pictures.map((n) => `已收到第 ${n} 张图片，请继续。`));
    assert.match(await citizen.say('跳过'), /图片：5 张/);
    const { number } = receipt(await citizen.say('确认'));
    const { content } = await (await hotline.as('leader1')).find(number);
    assert.equal(content.match(/图片：https:/g).length, 5);
});

test('the citizen rates with four answers', async () => {
    const citizen = person();
    await complain(citizen);

    assert.match(await citizen.say('评价'), /第 1 题.*是否与您联系过.*\n1 是\n2 否/s);
    assert.match(await citizen.say('也许'), /第 1 题/);
    assert.match(await citizen.say('是'), /第 2 题.*解决/s);
    assert.match(await citizen.say('1'), /第 3 题.*过程/s);
    assert.match(await citizen.say('满意'), /第 4 题.*结果/s);
    const early = await citizen.say('5');
    assert.doesNotMatch(early, /谢谢|系统繁忙/, 'nothing was done yet, so the rules do not take a rating');
    assert.ok(early.length > 4);

    const ticket = await new Office(hotline).at('pending_callback');
    await citizen.say('取消');
    await citizen.say('评价');
    assert.match(await citizen.say(`${ticket.number} ${ticket.query_code}`), new RegExp(`工单 ${ticket.number}，第 1 题`));
    for (const text of ['是', '已解决', '基本满意'])
        await citizen.say(text);
    assert.match(await citizen.say('非常满意'), /谢谢您的评价/);
    const [row] = await hotline.sql('select resolved, sat_process, sat_result, contacted_by_unit from hotline.callback where ticket_id = $1', [ticket.id]);
    assert.ok(row.contacted_by_unit && row.resolved === 1 && row.sat_process === 3 && row.sat_result === 5, JSON.stringify(row));
});

for (const [name, library] of Object.entries(libraries))
    test(`${name} encrypts what we read and reads what we encrypt`, async () => {
        const citizen = person(safe);

        assert.match(await citizen.secretly('帮助', library), /我要投诉/);
        assert.match(await citizen.secretly('我要投诉', library), /请用文字说明/);
        assert.match(await citizen.secretly('𠀀 路灯坏了 & <b>]]', library), /请发送位置/);
    });

test('wrong signatures, old ones, altered ciphertext, DTDs: refused and counted', async () => {
    const body = xml('o1', { MsgType: 'text', Content: '帮助' });
    const { seal, sign } = libraries['wechat-crypto'];
    const encrypted = seal(body);
    const foreign = new WechatCrypto(token, aesKey, 'wxffffffffffffffff').encrypt(body);
    const lib = { sign };
    const old = String(Number(now()) - 600);
    const cut = encrypted.slice(0, -24);
    const cases = [
        [403, '-40001 bad_signature', plainQuery({ signature: '0'.repeat(40) }), body],
        [403, '-40001 bad_signature', {}, body],
        [403, 'stale_timestamp', { timestamp: old, nonce: 'n', signature: sha1(token, old, 'n') }, body],
        [400, '-40002 bad_xml', plainQuery(), 'no xml'],
        [400, '-40002 bad_xml', plainQuery(), ''],
        [400, '-40002 bad_xml', plainQuery(), `<!DOCTYPE xml [<!ENTITY a "aaaa">]>${body}`],
        [400, '-40002 bad_xml', plainQuery(), body.replace('帮助', 'x'.repeat(70000))],
        [400, '-40002 bad_xml', encryptedQuery(lib, encrypted), body],
        [403, '-40001 bad_signature', encryptedQuery(lib, encrypted, { msg_signature: 'x' }), envelope(encrypted)],
        [403, '-40001 bad_signature', encryptedQuery(lib, encrypted), envelope(cut)],
        [400, '-40007 bad_ciphertext', encryptedQuery(lib, '!!!!'), envelope('!!!!')],
        [403, '-40005 bad_appid', encryptedQuery(lib, foreign), envelope(foreign)],
    ];

    for (const [status, text, values, sent] of cases) {
        const answer = await post(hotline, values, sent);
        assert.equal(`${answer.status} ${answer.text}`, `${status} ${text}\n`);
    }
    const truncated = await post(hotline, encryptedQuery(lib, cut), envelope(cut));
    assert.match(`${truncated.status} ${truncated.text}`, /^400 -4000[78] /);
    assert.equal((await post(safe, plainQuery(), body)).status, 403, 'safe mode takes nothing in clear');
    assert.equal(await refusedCount('bad_xml'), 5);
    assert.equal(await refusedCount('stale_timestamp'), 1);
    assert.equal((await post(hotline, plainQuery(), 'x'.repeat(300000))).status, 413);
});

test('what nobody waits for an answer to is taken note of', async () => {
    const citizen = person();

    assert.equal(await citizen.send({ MsgType: 'notsure' }), 'success');
    assert.equal(await citizen.send({ MsgType: 'event', Event: 'TEMPLATESENDJOBFINISH', MsgID: '1', Status: 'success' }), 'success');
    assert.equal(await citizen.send({ MsgType: 'event', Event: 'unsubscribe' }), 'success');
});

test('with PostgreSQL away the spool gives the number; with Redis away the citizen is told', async () => {
    const citizen = person();

    for (const text of ['我要投诉', '停水两天了，没有人管', '金砂路 99 号', '13800138000'])
        await citizen.say(text);
    await cluster.stop('pg');
    const told = await citizen.say('确认');
    const ticket = receipt(told);
    assert.match(told, /已收到，即将转交受理/);
    assert.match(await citizen.say('查进度'), new RegExp(`${ticket.number}.*\n状态：已收到`));
    await cluster.start('pg');

    const kept = await cluster.redis('redis', 'KEYS', 'wechat:*');
    for (const name of kept.split('\n')) {
        const value = await cluster.redis('redis', 'GET', name);
        assert.match(value, /^v1\./, 'only ciphertext');
        assert.ok(Number(await cluster.redis('redis', 'TTL', name)) > 0);
    }
    assert.doesNotMatch(hotline.engine.said(), /13800138000|停水两天/);
    await cluster.stop('redis');
    assert.match(await person().say('我要投诉'), /系统繁忙/);
    await cluster.start('redis');
});
