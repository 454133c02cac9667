// A citizen at a guarded door: under attack the page does the work that is asked for, and who cannot do it is told to call.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaint, start } from '../http/harness.mjs';
import { open, PHONE } from './browser.mjs';

const hotline = await start({ settings: { challenge_numbers: 60_000 } });
const browser = await open(hotline, 'doors');
const tickets = async () => (await hotline.sql('select count(*)::int as n from hotline.ticket'))[0].n;

await hotline.sql("update hotline.setting set value = '\"on\"' where name = 'door.challenge'");
await hotline.engine.term();
await hotline.startEngine();

async function write(person) {
    const said = complaint();

    await person.goto('/file');
    await person.click(`type-${said.type}`);
    await person.type('title', said.title);
    await person.type('content', said.content);
    await person.type('phone', said.phone);
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
        await person.page.evaluate(() => scrollTo(0, 0));
        await person.shot(`cannot-${lang}`);
        assert.equal(await person.at('title').inputValue(), complaint().title);
        assert.equal(await tickets(), before);
        await person.close();
    }
});
