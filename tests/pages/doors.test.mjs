// A citizen at a guarded door: under attack the page does the work that is asked for, and who cannot do it is told to call.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { complaint, start, until } from '../http/harness.mjs';
import { say, Site } from '../http/world.mjs';
import { DESK, open, PHONE } from './browser.mjs';

const dir = mkdtempSync(join(tmpdir(), 'hotline-doors-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const gateway = await new Site(say(200)).open();
const smsFile = join(dir, 'sms.json');
writeFileSync(smsFile, JSON.stringify([{ name: 'one', url: gateway.url, body: { to: '{to}', text: '{text}' } }]), { mode: 0o600 });

const hotline = await start({ settings: { challenge_numbers: 60_000, notice_ways: 'sms', sms_file: smsFile, fetch_plain: 1 } });
const browser = await open(hotline, 'doors');
const tickets = async () => (await hotline.sql('select count(*)::int as n from hotline.ticket'))[0].n;

async function doors(challenge, code) {
    for (const [name, value] of [['door.challenge', challenge], ['door.phone_code', code]])
        await hotline.sql('update hotline.setting set value = to_jsonb($2::text) where name = $1', [name, value]);
    await hotline.engine.term();
    await hotline.startEngine();
}
await doors('on', 'off');

let people = 13600200000;
async function write(person, phone = String(++people)) {
    const said = complaint({ phone });

    await person.goto('/file');
    await person.click(`type-${said.type}`);
    await person.type('title', said.title);
    await person.type('content', said.content);
    await person.type('phone', said.phone);
}

async function noneSerious(person) {
    await person.page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
    const { violations } = await person.page.evaluate(() => window.axe.run());
    assert.deepEqual(violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => `${v.id} ${v.nodes[0].html}`), []);
}

test('under attack the page solves what is asked, shows how far it is, and files once under one key', async () => {
    const person = await browser.person('under attack', { on: PHONE });
    const before = await tickets();
    const posts = [];

    person.page.on('request', (r) => r.url().endsWith('/v1/tickets') && posts.push(r.headers()));
    await write(person);
    await person.click('file-send');
    await person.sees('[data-testid="proving"]');
    await person.fits();
    assert.equal(await person.at('proving').locator('a').getAttribute('href'), 'tel:12345');
    await person.page.waitForFunction(() => document.querySelector('progress')?.value > 0 || document.querySelector('.receipt'));
    await person.shot('proving');
    await person.sees('[data-testid="receipt"]');
    assert.equal(await tickets(), before + 1);
    assert.deepEqual(posts.map((headers) => Boolean(headers['x-challenge'])), [false, true]);
    assert.equal(new Set(posts.map((headers) => headers['idempotency-key'])).size, 1);
    await person.close();
});

test('a browser that cannot do the work says so, names the number, and keeps what was written', async () => {
    for (const [lang, words] of [['zh-CN', /12345/], ['en', /call 12345/]]) {
        const person = await browser.person(`cannot ${lang}`, { on: PHONE });

        await person.context.addInitScript((chosen) => {
            delete globalThis.Worker;
            localStorage.setItem('hotline.lang', chosen);
        }, lang);
        const before = await tickets();
        await write(person);
        await person.click('file-send');
        assert.match(await (await person.sees('[data-testid="file-problem"]')).innerText(), words);
        await person.seesNo('[data-testid="proving"]');
        await person.fits();
        assert.ok(await person.at('file-problem').evaluate((e) => e.getBoundingClientRect().top >= 0), 'it is in sight');
        await person.shot(`cannot-${lang}`);
        assert.equal(await person.at('title').inputValue(), complaint().title);
        assert.equal(await tickets(), before);
        await person.close();
    }
});

test('where the city asks, a code by short message confirms the phone, and the complaint goes', async () => {
    await doors('auto', 'on');
    for (const [on, lang, scheme] of [[PHONE, 'zh-CN', 'light'], [PHONE, 'en', 'dark'], [DESK, 'zh-CN', 'light']]) {
        const name = `code ${on === PHONE ? 'phone' : 'desk'} ${lang}`;
        const person = await browser.person(name, { on, colorScheme: scheme });
        const shot = (what) => person.shot(`${name}-${what}`.replaceAll(' ', '-'));
        const number = String(++people);
        const before = await tickets();

        await person.context.addInitScript((chosen) => localStorage.setItem('hotline.lang', chosen), lang);
        await write(person, number);
        await person.at('phone-code').scrollIntoViewIfNeeded();
        await person.click('file-send'); // in a hurry
        await person.sees('[data-testid="file-problem"]');
        assert.equal(await tickets(), before);
        await person.page.waitForFunction(() => document.activeElement?.dataset.testid === 'phone-code-send');
        await person.press('Enter');
        await person.sees('[data-testid="phone-code-digits"]');
        await person.type('phone-code-digits', '000000');
        await person.click('phone-code-check');
        await person.sees(person.at('phone-code-trouble').filter({ hasText: /验证码不对|not the code/ }));
        await person.fits();
        await noneSerious(person);
        await shot('wrong');
        const code = await until('the code has come', () => gateway.got.filter((got) => got.json.to === number).map((got) => /^验证码(\d{6})/.exec(got.json.text)?.[1])[0]);
        await person.type('phone-code-digits', code);
        await person.press('Enter');
        await person.sees('[data-testid="phone-shown"]');
        await shot('shown');
        await noneSerious(person);
        await person.click('file-send');
        await person.sees('[data-testid="receipt"]');
        assert.equal(await tickets(), before + 1);
        assert.equal(await person.page.evaluate(() => localStorage.getItem('hotline.phone_proof')), null, 'nothing of it stays');
        await person.close();
    }
});

test('a message that does not come: it may be sent again after a minute, and the other ways are named', async () => {
    const person = await browser.person('no message', { on: PHONE });
    const number = String(++people);

    await person.page.clock.install();
    await write(person, number);
    await person.click('phone-code-send');
    await person.sees('[data-testid="phone-code-digits"]');
    assert.ok(await person.at('phone-code-send').isDisabled());
    await person.page.clock.runFor(61_000);
    assert.ok(await person.at('phone-code-send').isEnabled());
    await person.sees('[data-testid="phone-code-late"]');
    assert.equal(await person.at('phone-code-late').locator('a').getAttribute('href'), 'tel:12345');
    await person.fits();
    await person.shot('no-message');
    await person.click('phone-code-send'); // for the engine the minute is not over
    await person.sees(person.at('phone-code-trouble').filter({ hasText: /频繁/ }));
    await person.click('anonymous');
    await person.type('phone', '');
    await person.seesNo('[data-testid="phone-code"]');
    await person.click('file-send');
    await person.sees('[data-testid="receipt"]');
    await person.close();
});
