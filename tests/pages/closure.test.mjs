// The closure page in front of a supervisor: sixty complaints of one week in every state, then each figure on the page against
// the interface, and the list behind each figure against the figure.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { start, until } from '../http/harness.mjs';
import { Office } from '../http/office.mjs';
import { open, PHONE } from './browser.mjs';

const hotline = await start();
const office = new Office(hotline);
const sim = (...args) => execFileSync(process.env.HOTLINECTL, ['sim', ...args], { encoding: 'utf8', env: { ...process.env,
    HOTLINE_ADMIN_DATABASE: `host=${process.env.PGHOST} user=postgres dbname=${hotline.database}` } });

sim('on', '2018-03-05T09:00:00+08:00');
await hotline.sql("update hotline.setting set value = '90000' where name = 'session.hours'");
await hotline.engine.term();
await hotline.startEngine();

const answered = { category: '010501', answer_text: '办理时间是周一至周五上午九点到十二点。', no_kb_reason: '知识库中没有', appellant_ack: true };
const refused = { refuse_code: 'N01', told_text: '这件事不属于热线受理范围，请按告知的途径办理。' };

async function day(n) {
    const places = ['440507', '440511', '440515'];
    const change = (i) => ({ title: `第 ${n} 天的第 ${i} 件事`, phone: `138001${n}${String(i).padStart(4, '0')}`, division: places[i % 3] });
    const ends = ['closed', 'closed', 'closed', 'pending_accept', 'pending_dispatch', 'pending_sign', 'handling', 'pending_audit', 'pending_callback'];

    for (const [i, end] of ends.entries())
        await office.at(end, change(i));
    for (let i = 9; i < 11; i++)
        await office.done('acceptor1', await office.filed({ ...change(i), type: 'consult' }), 'answer_on_spot', answered);
    const unwanted = await office.filed(change(11));
    await office.do('acceptor1', unwanted, 'refuse', refused);
    const question = await office.question('leader1', unwanted);
    if (question)
        await office.done('leader1', unwanted, 'approve', { approval: question.id, opinion: '同意' });
}

for (let n = 5; n < 10; n++) {
    sim('set', `2018-03-0${n}T09:30:00+08:00`);
    await day(n);
}
sim('set', '2018-03-21T10:00:00+08:00');
await until('what was due has happened', async () =>
    (await hotline.sql("select swept_to >= '2018-03-21T10:00:00+08:00' as done from hotline.sweep"))[0]?.done, 30);

const PERIOD = 'from=2018-03-01&to=2018-04-01';
const THREE = ['closure_rate_cohort', 'closure_rate_flow', 'closure_rate_due'];
const browser = await open(hotline, 'closure');
const supervisor = await browser.staff('supervisor1');
const staff = await hotline.as('supervisor1');
const figures = async (by) => (await staff.get(`/v1/metrics/closure?${PERIOD}&by=${by}`)).body;

// As the page writes them.
const count = (n) => (n === null || n === undefined ? '—' : n.toLocaleString('en-US'));
const rate = (v) => (v.num === null || !v.den ? '—' : `${((v.num / v.den) * 100).toFixed(2)} %`) +
    (v.num === null || v.den === null ? '' : ` (${count(v.num)} / ${count(v.den)})`);
const plain = (text) => text.replace(/\s+/g, ' ').trim();

const see = async (by) => {
    await supervisor.goto(`/desk/closure?${PERIOD}&by=${by}`);
    await supervisor.sees('[data-testid="metric-row"]');
};
const shown = async (place) => plain(await place.innerText());

test('the three rates stand side by side, each with its numbers and its formula', async () => {
    const { total, formulas } = await figures('unit');

    await see('unit');
    for (const name of THREE) {
        const large = supervisor.page.locator(`.large[data-testid="rate-${name}"]`);
        assert.ok((await shown(large)).startsWith(rate(total.rates[name])), `${name}: ${await shown(large)}`);
        const formula = await shown(supervisor.at(`formula-${name}`));
        assert.equal(formula, `${formulas[name].numerator_zh} ÷ ${formulas[name].denominator_zh}`);
    }
    assert.equal(total.rates.closure_rate_cohort.den, 50); // ten a day; two wait or were refused
    assert.ok(total.rates.closure_rate_due.den > 0);
    await supervisor.shot('by-unit');
    await supervisor.shot('by-unit-whole', { whole: true });
});

test('the other rates and all counts equal what the interface says', async () => {
    const { total } = await figures('unit');

    for (const [name, value] of Object.entries(total.rates)) {
        if (THREE.includes(name))
            continue;
        assert.equal(await shown(supervisor.page.locator(`.figures [data-testid="rate-${name}"]`)), rate(value), name);
    }
    assert.equal(total.rates.return_rate.num, 0, 'nothing was asked to be returned');
    for (const [name, n] of Object.entries(total.counts))
        if (n && (await supervisor.at(`count-${name}`).count()))
            assert.equal(await shown(supervisor.at(`count-${name}`)), count(n), name);
});

test('both decompositions are shown, term by term, and balance', async () => {
    const { identity, decompositions } = await figures('unit');
    const blocks = supervisor.at('identity');
    const all = [identity, ...Object.values(decompositions)];

    assert.equal(all.length, 2);
    assert.equal(await blocks.count(), 2);
    for (const [i, one] of all.entries()) {
        assert.equal(await blocks.nth(i).getAttribute('data-balanced'), 'true');
        for (const term of one.terms)
            assert.equal(await shown(blocks.nth(i).locator(`[data-term="${term.name}"] .n`).first()), count(term.n), term.name);
        const sums = await blocks.nth(i).locator('tfoot .n').allInnerTexts();
        assert.deepEqual(sums.map(plain), [count(one.left), count(one.right)]);
    }
});

for (const by of ['unit', 'day', 'category', 'channel', 'district'])
    test(`by ${by}: each row equals the interface's`, async () => {
        const { rows } = await figures(by);
        const full = by === 'day' ? rows : rows.filter((row) => Object.values(row.counts).some((n) => n > 0));

        await see('unit');
        if (by !== 'unit') {
            await supervisor.page.locator(`[data-testid="by-${by}"]`).click();
            await supervisor.page.waitForURL(new RegExp(`by=${by}`));
        }
        for (const row of full) {
            const line = supervisor.page.locator(`[data-testid="metric-row"][data-key="${row.key}"]`);
            await line.waitFor();
            const cells = (await line.locator('td').allInnerTexts()).map(plain);
            assert.deepEqual(cells, [
                ...['accepted', 'dispatched', 'closed'].map((name) => count(row.counts[name] ?? 0)),
                ...[...THREE, 'ontime_close_rate', 'satisfaction_rate'].map((name) => rate(row.rates[name])),
            ], `${by} ${row.key}`);
        }
        assert.equal(await supervisor.at('metric-row').count(), full.length);
        await supervisor.shot(`by-${by}`, { whole: true });
    });

// Every link of the page that leads to tickets, with the figure it stands on.
const links = () => supervisor.page.evaluate(() =>
    [...document.querySelectorAll('a[href*="/closure/tickets"]')].map((a) => ({ href: a.getAttribute('href'), n: Number(a.textContent.match(/[\d,]+/)[0].replace(/,/g, '')) })));

// Rows behind a link, page by page.
async function length(page, href) {
    await page.goto(hotline.url + href);
    await page.locator('[data-testid="ticket-row"], [data-testid="sentence"]').first().waitFor();
    for (;;) {
        const more = page.getByTestId('more');
        if ((await more.count()) === 0)
            return page.getByTestId('ticket-row').count();
        const before = await page.getByTestId('ticket-row').count();
        await more.click();
        await until(`more rows of ${href}`, async () => (await page.getByTestId('ticket-row').count()) > before, 5);
    }
}

test('each figure opens a list as long as the figure', { timeout: 120_000 }, async () => {
    await see('unit');
    const all = await links();
    const wrong = [];
    const tabs = await Promise.all(Array.from({ length: 3 }, () => supervisor.context.newPage()));

    assert.ok(all.length > 40, `${all.length} figures`);
    await Promise.all(tabs.map(async (page) => {
        for (let next = all.pop(); next; next = all.pop()) {
            const n = await length(page, next.href);
            if (n !== next.n)
                wrong.push(`${next.href}: ${n} tickets behind ${next.n}`);
        }
        await page.close();
    }));
    assert.deepEqual(wrong, []);
});

test('a day opens that day, a unit opens its days, and back', async () => {
    await see('day');
    await supervisor.page.locator('[data-testid="metric-row"][data-key="2018-03-06"] th a').click();
    await supervisor.page.waitForURL(/from=2018-03-06&to=2018-03-07/);
    const one = (await staff.get('/v1/metrics/closure?from=2018-03-06&to=2018-03-07&by=unit')).body.total;
    await until('the figures of that day', async () =>
        (await shown(supervisor.page.locator('.large[data-testid="rate-closure_rate_cohort"]'))).startsWith(rate(one.rates.closure_rate_cohort)));
    await supervisor.page.goBack();
    await supervisor.page.waitForURL(/by=day/);
    supervisor.isCalm();
});

test('an empty period says so, with a dash for every rate', async () => {
    await supervisor.goto('/desk/closure?from=2017-01-01&to=2017-02-01&by=unit');
    await supervisor.sees('.large[data-testid="rate-closure_rate_cohort"]');
    for (const name of THREE)
        assert.match(await shown(supervisor.page.locator(`.large[data-testid="rate-${name}"]`)), /^— \(0 \/ 0\)$/);
    await supervisor.shot('empty');
});

test('on a phone nothing is cut', async () => {
    const chief = await browser.staff('cityleader1', { on: PHONE });

    await chief.goto(`/desk/closure?${PERIOD}&by=unit`);
    await chief.sees('[data-testid="metric-row"]');
    await chief.fits();
    await chief.shot('phone');
    await chief.shot('phone-whole', { whole: true });
    chief.isCalm();
});
