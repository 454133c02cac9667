#!/usr/bin/env node
// A unit's side of /v1/unit and of its webhook, in one file without packages: a beginning for a unit's own system.
//
//     unit-client.mjs list                    the unit's open tickets
//     unit-client.mjs show ID                 one ticket whole
//     unit-client.mjs do ID STEP '{"…":"…"}'  sign, first-contact, progress, reply, return, extension, opinion, urge-answer
//     unit-client.mjs listen PORT             take webhooks, verify them, sign for what is dispatched, print a line for each
//
// HOTLINE_URL             https://12345.example.gov.cn
// HOTLINE_KEY_FILE        the key that `hotlinectl unit key` printed
// HOTLINE_SECRETS_FILE    lines "KEY SECRET", as `hotlinectl link add` printed them; an old one stays until the new one is in use

import { createHmac, createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const WINDOW = 300; // seconds a webhook's timestamp may be off
const BODY_MAX = 64 << 10;
const SEEN_MAX = 10000;

export class Hotline {
    constructor(url, key) {
        this.url = url.replace(/\/$/, '');
        this.key = key;
    }

    // One request, again while the hotline is busy or away.  once names what is done: a repeat under the same name gets the first answer.
    async ask(method, path, body, once) {
        for (let wait = 1; ; wait = Math.min(wait * 2, 60)) {
            const answer = await fetch(`${this.url}/v1/unit${path}`, {
                method,
                headers: {
                    Authorization: `Bearer ${this.key}`,
                    ...(body ? { 'Content-Type': 'application/json', 'Idempotency-Key': once } : {}),
                },
                body: body && JSON.stringify(body),
                signal: AbortSignal.timeout(20000),
            }).catch((error) => ({ status: 0, json: () => ({ detail: error.message }) }));

            if (answer.status !== 0 && answer.status !== 429 && answer.status < 500)
                return { status: answer.status, body: await answer.json() };
            const asked = Number(answer.headers?.get('retry-after') ?? 0);
            await new Promise((resolve) => setTimeout(resolve, Math.max(asked, wait) * 1000));
        }
    }

    list(query = '') {
        return this.ask('GET', `/tickets${query}`);
    }

    show(id) {
        return this.ask('GET', `/tickets/${id}`);
    }

    // The same step with the same words is the same command, however often it is sent.
    step(id, step, inputs = {}, why = '') {
        const once = createHash('sha256').update(JSON.stringify([id, step, inputs, why])).digest('base64url');

        return this.ask('POST', `/tickets/${id}/${step}`, inputs, once);
    }
}

// Why a webhook is not the hotline's; null when it is.  secrets: { "police.1": "…" }.
export function fault(headers, body, secrets, now = Date.now() / 1000) {
    const [key, stamp, id] = ['key', 'timestamp', 'message'].map((name) => headers[`x-hotline-${name}`] ?? '');
    const secret = Object.hasOwn(secrets, key) && secrets[key];

    if (!secret)
        return 'unknown key';
    const wanted = Buffer.from(`v1=${createHmac('sha256', secret).update(`${stamp}.${id}.${body}`).digest('hex')}`);
    const given = Buffer.from(headers['x-hotline-signature'] ?? '');
    if (wanted.length !== given.length || !timingSafeEqual(wanted, given))
        return 'wrong signature';
    if (!(Math.abs(now - Number(stamp)) <= WINDOW))
        return 'too old';
    return null;
}

// Take webhooks: take(message) is called once for each message that is the hotline's, and 200 is said when it has succeeded; else the
// hotline sends it again.
export function receiver(secrets, take) {
    const seen = new Map(); // message → what became of it

    return createServer((req, res) => {
        const parts = [];
        let size = 0;

        req.on('data', (part) => {
            size += part.length;
            if (size > BODY_MAX)
                req.destroy();
            else
                parts.push(part);
        });
        req.on('end', async () => {
            const body = Buffer.concat(parts).toString();
            const why = fault(req.headers, body, secrets);
            const id = req.headers['x-hotline-message'];

            if (why)
                return res.writeHead(401).end(why);
            if (!seen.has(id))
                seen.set(id, Promise.resolve().then(() => take(JSON.parse(body))));
            try {
                await seen.get(id);
                res.writeHead(200).end();
            } catch (error) {
                seen.delete(id);
                res.writeHead(500).end();
            }
            while (seen.size > SEEN_MAX)
                seen.delete(seen.keys().next().value);
        });
    });
}

// What this unit does by itself: it signs for what has come to it.
async function onStep(hotline, message) {
    if (message.assignment_state === 'pending_sign') {
        const said = await hotline.step(message.ticket, 'sign', {}, message.event);
        console.log(message.number, message.action, said.status === 200 ? 'signed' : said.body.code);
        return;
    }
    console.log(message.number, message.action, message.state);
}

const setting = (name) => process.env[name] ?? (() => { throw new Error(`set ${name}`); })();
const lines = (name) => readFileSync(setting(name), 'utf8').split('\n').filter(Boolean);

async function main([command, ...words]) {
    const hotline = new Hotline(setting('HOTLINE_URL'), lines('HOTLINE_KEY_FILE')[0]);
    const print = ({ status, body }) => {
        console.log(JSON.stringify(body, null, 2));
        process.exitCode = status < 300 ? 0 : 1;
    };

    if (command === 'list')
        return print(await hotline.list());
    if (command === 'show' && words.length === 1)
        return print(await hotline.show(words[0]));
    if (command === 'do' && words.length >= 2)
        return print(await hotline.step(words[0], words[1], JSON.parse(words[2] ?? '{}')));
    if (command === 'listen' && words.length === 1) {
        const secrets = Object.fromEntries(lines('HOTLINE_SECRETS_FILE').map((line) => line.split(/\s+/, 2)));
        const server = receiver(secrets, (message) => onStep(hotline, message));

        return server.listen(Number(words[0]), '127.0.0.1', () => console.log('listening', server.address().port));
    }
    console.error('usage: unit-client.mjs list | show ID | do ID STEP [JSON] | listen PORT');
    process.exitCode = 2;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
    await main(process.argv.slice(2));
