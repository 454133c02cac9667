// Complaints by WeChat, each with all messages of its conversation, beside the same by the plain JSON interface: what each costs engine,
// database and Redis together.

import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { complaint } from '../../http/harness.mjs';
import { count, filing } from './calls.mjs';
import { cpuSeconds, http, out, postmaster, round, say } from './load.mjs';

const WechatCrypto = createRequire(import.meta.url)('wechat-crypto');

const people = 3000; // of one turn: so many that a person's next message comes long after the last
const appid = 'wx0123456789abcdef';
const token = 'benchbenchbench';
const aesKey = randomBytes(32).toString('base64').slice(0, 43);
const platform = new WechatCrypto(token, aesKey, appid);
const same = complaint();
const words = ['我要投诉', same.content, '龙湖区', same.phone, '确认'];
let messages = 0;

const message = (openid, text) => `<xml><ToUserName>gh_1</ToUserName><FromUserName>${openid}</FromUserName><CreateTime>1</CreateTime>` +
    `<MsgType>text</MsgType><Content>${text}</Content><MsgId>${++messages}</MsgId></xml>`;

const post = (body, safe) => {
    const timestamp = String(Math.floor(Date.now() / 1000));
    const nonce = String(messages);
    const sign = (...texts) => createHash('sha1').update([token, timestamp, nonce, ...texts].sort().join('')).digest('hex');
    const encrypted = safe ? platform.encrypt(body) : undefined;
    const values = { timestamp, nonce, signature: sign(), ...(safe ? { encrypt_type: 'aes', msg_signature: sign(encrypted) } : {}) };

    return [`POST /wechat?${new URLSearchParams(values)}`, null, safe ? `<xml><Encrypt>${encrypted}</Encrypt></xml>` : body];
};

// Everybody's first message, then everybody's second, and so on.
function conversations(safe, many = people) {
    const openids = Array.from({ length: many }, () => `o${randomBytes(13).toString('hex')}`);

    return words.flatMap((text) => openids.map((openid) => post(message(openid, text), safe)));
}

// → { complaints, messages } a CPU second
async function measured(hotline, lines, options) {
    const tops = [postmaster(), hotline.engine.pid, hotline.redis.pid]; // Redis holds the conversations
    const [before, cpu] = [await count(hotline), cpuSeconds(tops)];

    await http(hotline, lines, options);
    const spent = cpuSeconds(tops) - cpu;
    const complaints = await count(hotline) - before;

    return { complaints: complaints / spent, messages: lines.length / spent, missing: lines.length / words.length - complaints };
}

const whole = { time: 120 }; // the file ends it

export async function wechat({ rows, open }) {
    const file = join(out, 'wechat_account');
    writeFileSync(file, `appid ${appid}\ntoken ${token}\naes_key ${aesKey}\nmode compatible\n`, { mode: 0o600 });
    const hotline = await open({ workers: cpus().length, wechat_file: file });
    const got = { json: [], wechat: [], wechat_safe: [] };
    const middle = (name, what) => got[name].map((one) => one[what]).sort((a, b) => a - b)[1];

    await http(hotline, [filing], { time: 2, more: ['--repeat'] });
    await http(hotline, conversations(true, 300), whole);
    for (let turn = 0; turn < 3; turn++) { // in turn, so that all meet the same machine
        got.json.push(await measured(hotline, [filing], { more: ['--repeat'] }));
        got.wechat.push(await measured(hotline, conversations(false), whole));
        got.wechat_safe.push(await measured(hotline, conversations(true), whole));
    }
    for (const name of ['wechat', 'wechat_safe'])
        if (got[name].some((one) => one.missing !== 0))
            throw new Error(`${name}: conversations without a complaint: ${got[name].map((one) => one.missing)}`);
    say(`complaints a CPU second: ${Object.keys(got).map((name) => `${name} ${round(middle(name, 'complaints'), 0)}`).join(', ')}`);
    rows.atLeast('wechat_per_json', round(middle('wechat', 'complaints') / middle('json', 'complaints')), '', 0.6);
    rows.atLeast('wechat_safe_per_json', round(middle('wechat_safe', 'complaints') / middle('json', 'complaints')), '', 0.6);
    rows.row('wechat_messages_per_cpu_second', round(middle('wechat', 'messages'), 0), '/s');
    rows.row('wechat_safe_messages_per_cpu_second', round(middle('wechat_safe', 'messages'), 0), '/s');
}
