// A caller's number is searched for and stands nowhere that a proxy logs or a browser keeps.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start, until } from '../http/harness.mjs';
import { Office } from '../http/office.mjs';
import { open, SOON } from './browser.mjs';

const hotline = await start();
const office = new Office(hotline);
const browser = await open(hotline, 'search');
const NUMBER = '13612345678', LANDLINE = '0754-88776655', PAGE = 25, MANY = PAGE + 3;
const theirs = [];
for (let i = 0; i < MANY; i++)
    theirs.push(await office.filed({ title: `同一来电第 ${i + 1} 件`, phone: NUMBER }));
const other = await office.filed({ title: '别人的事', phone: '13912345678' });
const landline = await office.filed({ title: '座机来电的事', phone: LANDLINE });

const row = (person, t) => person.row(t.number);
const rows = (person, n) => until(`${n} rows`, async () => (await person.at('ticket-row').count()) === n);
const search = async (person, text) => {
    await person.type('search', text);
    await person.press('Enter');
};

// A dispatcher whose every request is on record.
async function watched() {
    const person = await browser.staff('dispatcher1');
    person.urls = [];
    person.context.on('request', (request) => person.urls.push(request.url(), request.headers().referer ?? ''));
    return person;
}

// No address asked for or shown, no title, nothing kept beyond this tab has these digits.
async function tellsNobody(person, ...numbers) {
    const seen = [...person.urls, person.page.url(), await person.page.title(), await person.page.evaluate(() => JSON.stringify([
        history.state, { ...localStorage }, document.cookie, ...performance.getEntries().map((entry) => entry.name)]))];
    for (const text of seen)
        for (const number of numbers)
            assert.ok(!decodeURIComponent(text).replace(/[^0-9a-z]+/gi, '').includes(number.replace(/\D/g, '')), text);
}

test('the number is in no address, and the list is the caller’s after a reload too', async () => {
    const person = await watched();

    await search(person, '136 1234-5678');
    await person.page.waitForURL(/search=/);
    await rows(person, PAGE);
    await person.seesNo(row(person, other));
    assert.equal(await person.text('list-title'), '来电 136****5678');
    assert.equal(await person.at('search').inputValue(), '136 1234-5678');
    await person.shot('caller');
    await person.page.reload();
    await rows(person, PAGE);
    assert.equal(await person.at('search').inputValue(), '136 1234-5678');
    await person.click('more');
    await rows(person, MANY);
    await person.choose('filter-state', 'closed');
    await person.sees('[data-testid="sentence"]');
    await person.page.goBack();
    await rows(person, MANY);
    await tellsNobody(person, NUMBER);
    await person.close();
});

test('what happens to a caller’s tickets is shown at once, and nobody else’s', async () => {
    const person = await watched();

    await search(person, LANDLINE);
    await rows(person, 1);
    await person.sees(row(person, landline));
    const next = await office.filed({ title: '座机又来电', phone: LANDLINE });
    await person.sees(row(person, next), SOON);
    await office.filed({ title: '此时别人来电', phone: '13912345678' });
    await office.done('acceptor1', landline, 'refuse', { refuse_code: 'N01', told_text: '请拨打 110。' });
    await until('the refusal is seen', async () => (await row(person, landline).getAttribute('data-state')) !== 'pending_accept');
    assert.equal(await person.at('ticket-row').count(), 2);
    await tellsNobody(person, LANDLINE);
    await person.close();
});

test('a number among words, abroad or of the city is as little in an address', async () => {
    const person = await watched();

    for (const typed of [`来电 ${NUMBER} 的事`, `+86 ${NUMBER}`, '０１３６１２３４５６７８', '88776655', `${NUMBER}0`]) {
        await search(person, typed);
        await until(`a search for ${typed}`, () => /search=/.test(person.page.url()));
        await person.rests();
        await person.page.locator('header .product').click();
        await person.page.waitForURL((url) => !url.search);
    }
    await tellsNobody(person, NUMBER, '88776655');
    await search(person, theirs[0].number);
    await person.page.waitForURL(new RegExp(`q=${theirs[0].number}`));
    await rows(person, 1);
    await person.close();
});

test('the address in another tab asks for the number again; signing out forgets it', async () => {
    const person = await watched();

    await search(person, NUMBER);
    await rows(person, PAGE);
    const link = person.page.url();
    const tab = await person.context.newPage();
    await tab.goto(link);
    await tab.getByTestId('problem').waitFor();
    assert.match(await tab.getByTestId('problem').innerText(), /重新输入/);
    assert.equal(await tab.getByTestId('ticket-row').count(), 0, 'no list of everything in its place');
    await tab.screenshot({ path: `${person.folder}/forgotten.png` });
    await tab.close();

    assert.ok((await person.page.evaluate(() => JSON.stringify({ ...sessionStorage }))).includes(NUMBER));
    await person.signOut();
    assert.ok(!(await person.page.evaluate(() => JSON.stringify({ ...sessionStorage }))).includes(NUMBER));
    await person.signIn('dispatcher2');
    await person.sees('[data-testid="ticket-table"]');
    await person.page.goto(link);
    await person.sees('[data-testid="problem"]');
    await tellsNobody(person, NUMBER);
    await person.close();
});
