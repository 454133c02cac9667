// The home of every role: the page complains about nothing, and whatever can be pressed in its frame does something.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start, until } from '../http/harness.mjs';
import { Office } from '../http/office.mjs';
import { open } from './browser.mjs';

const hotline = await start();
const office = new Office(hotline);
const browser = await open(hotline, 'homes');
const ROLES = ['operator1', 'acceptor1', 'leader1', 'dispatcher1', 'auditor1', 'callback1', 'supervisor1', 'efficiency1', 'media1', 'social1',
    'cityleader1', 'admin1', 'st-gaj.d', 'st-gaj.h', 'st-gaj.a'];
// What is the same in every frame is pressed by one who sees all and by one who sees their unit's.
const SAME = /^(light-|state-|theme|lang|filter)/;
const FIRST = ['operator1', 'st-gaj.d'];

for (const state of ['pending_accept', 'pending_dispatch', 'pending_sign', 'handling', 'pending_audit', 'pending_callback', 'closed'])
    await office.at(state);

// What a press can change: the address, the words, the colours, a list that opens.
const state = (page) =>
    page.evaluate(() => JSON.stringify([
        location.href, document.documentElement.lang, document.querySelector('[data-testid="theme"]')?.textContent,
        [...document.querySelectorAll('.el-popper')].filter((e) => e.getClientRects().length > 0).length,
    ]));

// Whatever can be pressed in the frame is pressed, one after the other, from the home page; sign-out last.
for (const login of ROLES)
    test(`the home of ${login}: no complaint, no dead button`, async () => {
        const person = await browser.staff(login);
        const { page } = person;
        const pressable = page.locator(':is(.desk > header, [data-testid="sidebar"], main header) :is(a, button):visible');

        await person.rests();
        await person.shot(`home-${login}`);
        const n = await pressable.count();
        if (!(await person.at('ticket-row').count()))
            await person.sees('[data-testid="sentence"]');
        assert.ok(n >= 4, `${n} things to press`);
        for (let i = 0; i < n; i++) {
            const one = pressable.nth(i);
            const name = (await one.getAttribute('data-testid')) ?? (await one.innerText());
            if (name === 'sign-out' || (SAME.test(name) && !FIRST.includes(login)))
                continue;
            const isHere = (await one.getAttribute('href')) === '/desk/';
            const before = await state(page);
            await one.click();
            if (!isHere)
                await until(`pressing ${name} does something`, async () => (await state(page)) !== before, 5);
            await person.rests();
            assert.equal(await person.at('problem').count(), 0, `${name} leads to a refusal`);
            person.isCalm();
            await page.locator('header .product').click();
            await page.waitForURL((url) => url.pathname === '/desk/' && !url.search);
            await person.sees('[data-testid="ticket-table"]');
            await until('the home page is as it was', async () => (await pressable.count()) === n);
        }
        await person.signOut();
        await person.close();
    });
