// The staff desk: signing in, filters and keys, refusals, a faster colleague, the dark, English, lost
// sessions and servers, and texts longer than anybody should write.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start, until } from '../http/harness.mjs';
import { Office } from '../http/office.mjs';
import { DESK, open, PHONE } from './browser.mjs';

const hotline = await start();
const office = new Office(hotline);
const browser = await open(hotline, 'desk');
const LONG = '小区门口的烧烤摊每天营业到凌晨两点油烟和噪声让整栋楼的居民都无法休息请有关部门尽快处理'.repeat(4).slice(0, 180);
const lamp = await office.filed({ title: '金砂路路灯不亮', content: '金砂路东段的路灯坏了三天，晚上很黑。' });
const noise = await office.filed({ title: '夜间施工噪声', content: '工地夜里打桩，无法入睡。' });
const long = await office.filed({ title: LONG, content: `${LONG}\n${'https://example.cn/'.padEnd(300, 'x')}\n${LONG.repeat(8)}`, address: 'x'.repeat(190) });
const taken = await office.at('pending_dispatch', { title: '等待派单的事' });
const replied = await office.at('handling', { title: '等待答复的事' });
await office.done('st-gaj.h', replied, 'first_contact', { contacted: true, way: 'phone' });
const audited = await office.at('pending_audit', { title: '等待审核的事' });
const called = await office.at('pending_callback', { title: '等待回访的事' });
await office.at('closed', { title: '已经办结的事' });

const row = (person, t) => person.row(t.number);
const openTicket = async (person, t) => {
    await person.goto(`/desk/ticket/${t.id}`);
    await person.sees('[data-testid="ticket"]');
};

test('a wrong password is told in a sentence, the right one opens the desk', async () => {
    const person = await browser.person('signs in');

    await person.goto('/desk/');
    await person.sees('[data-testid="sign-in"]');
    await person.shot('sign-in');
    await person.signIn('dispatcher1', 'wrong');
    await person.sees('[data-testid="sign-in-problem"]');
    assert.match(await person.text('sign-in-problem'), /密码不对/);
    assert.equal(await person.at('password').inputValue(), '');
    assert.equal(await person.at('login').inputValue(), 'dispatcher1');
    await person.shot('wrong-password');
    await person.signIn('dispatcher1');
    await person.sees('[data-testid="ticket-table"]');
    await person.signOut();
    await person.goto('/desk/');
    await person.sees('[data-testid="sign-in"]');
    await person.close();
});

test('filters narrow the list, stay in the address, and are taken back at once', async () => {
    const person = await browser.staff('dispatcher1');

    await person.sees(row(person, noise));
    await person.choose('filter-state', 'pending_audit');
    await person.page.waitForURL(/state=pending_audit/);
    await person.sees(row(person, audited));
    await person.seesNo(row(person, noise));
    await person.press('Escape');
    await person.page.reload();
    await person.sees(row(person, audited));
    assert.equal(await person.at('ticket-row').count(), 1);
    await person.shot('filtered');
    await person.click('filter-clear');
    await person.sees(row(person, noise));
    await person.choose('filter-scope', 'ended');
    await person.sees(person.page.locator('[data-testid="ticket-row"][data-state="closed"]'));
    await person.seesNo(row(person, noise));
    await person.goto('/desk/?light=deep_red');
    await person.sees('[data-testid="sentence"]');
    await person.shot('nothing');
    await person.close();
});

test('search finds words, a number and a caller', async () => {
    const person = await browser.staff('dispatcher1');
    const search = async (text) => {
        await person.type('search', text);
        await person.press('Enter');
    };

    await search('路灯');
    await person.sees(row(person, lamp));
    await person.seesNo(row(person, noise));
    await search(noise.number.replace(/(.{4})/g, '$1 ').trim());
    await person.sees(row(person, noise));
    await person.seesNo(row(person, lamp));
    await search('13800138000');
    await person.sees(row(person, lamp));
    await person.sees(row(person, noise));
    await search('没有人写过这句话');
    await person.sees('[data-testid="sentence"]');
    await person.close();
});

test('the keyboard goes everywhere: / j k Enter Esc ? g', async () => {
    const person = await browser.staff('dispatcher1');
    const { page } = person;
    const current = () => page.locator('tr.current').getAttribute('data-id');
    const first = await person.at('ticket-row').first().getAttribute('data-id');
    const second = await person.at('ticket-row').nth(1).getAttribute('data-id');

    await person.press('j');
    assert.equal(await current(), first);
    await person.press('j');
    assert.equal(await current(), second);
    await person.press('k');
    assert.equal(await current(), first);
    await person.shot('cursor');
    await person.press('Enter');
    await person.sees('[data-testid="ticket"]');
    assert.ok(page.url().endsWith(first));
    await person.press('j');
    await page.waitForURL(new RegExp(`${second}$`));
    await person.press('Escape');
    await person.sees('[data-testid="ticket-table"]');
    await person.press('/');
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('data-testid')), 'search');
    await page.keyboard.type('jk?'); // letters, not commands
    assert.equal(await person.at('search').inputValue(), 'jk?');
    await person.press('Escape');
    await person.press('?');
    await person.sees('[data-testid="shortcuts"]');
    await person.shot('shortcuts');
    await person.press('Escape');
    await person.seesNo('[data-testid="shortcuts"]');
    await person.press('g');
    await person.press('p');
    await page.waitForURL(/state=pending_dispatch/);
    await person.press('g');
    await person.press('c');
    await person.sees('[data-testid="closure"]');
    await person.close();
});

test('a refusal stands at its field: empty, then too short, then a first contact by Ctrl+Enter', async () => {
    const person = await browser.staff('st-gaj.h');

    await openTicket(person, replied);
    await person.click('action-submit_reply');
    assert.equal(await person.at('input-content').inputValue(), '', 'the complaint is not its own answer');
    await person.click('send-submit_reply');
    for (const name of ['result', 'fact_finding', 'content', 'measures'])
        await person.sees(`[data-testid="problem-${name}"]`);
    await person.shot('empty-reply');
    await person.choose('input-result', 'explained');
    await person.choose('input-fact_finding', 'partly').catch(() => person.choose('input-fact_finding', 'true'));
    await person.type('input-content', '已处理。');
    await person.type('input-measures', '巡查');
    await person.click('send-submit_reply');
    await person.sees('[data-testid="problem-content"]');
    await person.seesNo('[data-testid="problem-measures"]');
    assert.equal(await person.at('input-content').inputValue(), '已处理。');
    await person.shot('short-reply');
    await person.type('input-content', '经现场核查，反映情况属实，已要求责任单位当场整改，并安排人员每日巡查，防止再次发生。'.repeat(5));
    assert.equal(await person.at('input-content').evaluate((e) => e.scrollHeight - e.clientHeight), 0, 'the reply is seen whole');
    await person.at('input-content').press('Control+Enter');
    await person.sees('[data-testid="timeline-event"][data-action="submit_reply"]');
    await person.close();
});

// Somebody else acts in the moment in which this page sends for the first time.
async function overtake(person, t, act) {
    let isDone = false;

    await person.page.route(`**/v1/desk/tickets/${t.id}/actions`, async (route) => {
        if (route.request().method() === 'POST' && !isDone) {
            isDone = true;
            await act();
        }
        await route.continue();
    });
}

test('a faster colleague: what was typed stays, the page shows what happened, and it is sent again', async () => {
    const slow = await browser.staff('st-gaj.h');
    const t = await office.at('contacted', { title: '两个人同时办理的事' });
    const words = '经现场核查，反映情况属实，已要求责任单位当场整改，并安排人员每日巡查，防止再次发生。';

    await openTicket(slow, t);
    await slow.click('action-submit_reply');
    await slow.choose('input-result', 'resolved');
    await slow.choose('input-fact_finding', 'true');
    await slow.type('input-content', words);
    await slow.type('input-measures', '每日巡查');
    await overtake(slow, t, () => office.done('st-gaj.h', t, 'first_contact', { contacted: true, way: 'visit' }));
    await slow.click('send-submit_reply');
    await slow.sees(slow.at('form-problem').filter({ hasText: '他人更新' }));
    assert.equal(await slow.at('input-content').inputValue(), words);
    await until('both contacts are shown', async () =>
        (await slow.page.locator('[data-testid="timeline-event"][data-action="first_contact"]').count()) === 2);
    await slow.shot('stale');
    await slow.click('send-submit_reply');
    await slow.sees('[data-testid="timeline-event"][data-action="submit_reply"]');
    await slow.close();
});

test('a colleague who settled it: what was typed stays until it is put away', async () => {
    const slow = await browser.staff('acceptor1');
    const words = '这条告知的话已经写了很久。';

    await openTicket(slow, noise);
    await slow.click('action-refuse');
    await slow.choose('input-refuse_code', 'N01');
    await slow.type('input-told_text', words);
    await overtake(slow, noise, () => office.done('acceptor1', noise, 'accept', { title: '夜间施工噪声', category: '010501', division: '440507' }));
    await slow.click('send-refuse');
    await slow.sees('[data-testid="form-gone"]');
    await slow.sees('[data-testid="ticket"][data-state="pending_dispatch"]');
    assert.equal(await slow.at('input-told_text').inputValue(), words);
    await slow.shot('settled');
    await slow.click('put-away');
    await slow.seesNo('[data-testid="form-refuse"]');
    await slow.close();
});

test('the dark, by the system and by hand', async () => {
    const person = await browser.staff('dispatcher1', { colorScheme: 'dark' });

    assert.ok(await person.page.evaluate(() => document.documentElement.classList.contains('dark')));
    await person.shot('dark-list');
    await openTicket(person, taken);
    await person.sees('[data-testid="actions"]');
    await person.shot('dark-ticket');
    await person.goto('/desk/closure');
    await person.sees('[data-testid="closure"]');
    await person.shot('dark-closure');
    await person.page.locator('header').getByTestId('theme').click();
    await until('it is light', () => person.page.evaluate(() => !document.documentElement.classList.contains('dark')));
    await person.close();
});

test('English: the frame, a list, a ticket and the closure page', async () => {
    const person = await browser.staff('dispatcher1');
    // What people wrote, their names and those of the directory's items stay as they are.
    const left = async (where) => (await person.page.locator(where).allInnerTexts()).join('\n').match(/[\u4e00-\u9fff]+/g) ?? [];

    await person.page.locator('header').getByTestId('lang').click();
    await until('it is English', () => person.page.evaluate(() => document.documentElement.lang === 'en'));
    assert.deepEqual(await left('[data-testid="sidebar"]'), []);
    assert.deepEqual(await left('thead'), []);
    await person.shot('english-list');
    await openTicket(person, taken);
    await person.sees('[data-testid="actions"]');
    assert.deepEqual(await left('[data-testid="actions"] :is(.buttons, .label, .foot)'), []);
    assert.equal(await person.text('ticket-state'), 'Waiting for dispatch');
    await person.shot('english-ticket');
    await person.click('nav-closure');
    await person.sees('[data-testid="metric-table"]');
    assert.deepEqual(await left('[data-testid="closure"] .three'), []);
    assert.deepEqual(await left('thead'), []);
    await person.shot('english-closure');
    await person.close();
});

test('a session that ended asks for the password over the page, and the page is still there', async () => {
    const person = await browser.staff('st-gaj.d');
    const t = await office.at('pending_sign', { title: '登录过期时打开的事' });

    await openTicket(person, t);
    await person.sees('[data-testid="action-sign"]');
    const url = person.page.url();
    await person.context.request.delete(`${hotline.url}/v1/session`, { headers: { Origin: hotline.url } });
    await person.click('send-sign');
    await person.sees('[data-testid="sign-in"]');
    await person.shot('expired');
    await person.type('password', '12345-demo');
    await person.click('sign-in-send');
    await person.seesNo('[data-testid="sign-in"]');
    assert.equal(person.page.url(), url);
    await person.click('send-sign');
    await person.sees('[data-testid="ticket"][data-state="handling"]');
    await person.close();
});

test('an address of the desk opened without a session leads there after signing in', async () => {
    const person = await browser.person('by a link');

    await person.goto(`/desk/ticket/${lamp.id}`);
    await person.sees('[data-testid="sign-in"]');
    await person.signIn('dispatcher1');
    await person.sees('[data-testid="ticket"]');
    assert.equal(await person.text('ticket-title'), '金砂路路灯不亮');
    await person.close();
});

test('what is not there, and what is not theirs, says so', async () => {
    const person = await browser.staff('dispatcher1');

    await person.goto('/desk/ticket/1');
    await person.sees('[data-testid="problem"]');
    await person.shot('missing-ticket');
    await person.goto('/desk/no/such/page');
    await person.sees('main');
    assert.match(await person.page.locator('main').innerText(), /没有这个页面/);
    await person.close();
});

for (const [size, on] of [['desk', DESK], ['phone', PHONE]])
    test(`long titles and long texts stay on the screen of a ${size}`, async () => {
        const person = await browser.staff('acceptor1', { on });

        await person.sees(row(person, long));
        await person.fits();
        await person.shot(`long-list-${size}`);
        await openTicket(person, long);
        await person.sees('[data-testid="actions"]');
        await person.fits();
        await person.shot(`long-ticket-${size}`);
        if (on === PHONE) {
            await person.click('menu');
            await person.sees('[data-testid="sidebar"]');
            await person.fits();
            await person.shot('phone-menu');
            await person.click('overview-all');
            await person.sees(row(person, long));
            await person.click('filters');
            await person.fits();
            await person.shot('phone-filters');
        }
        await person.close();
    });

for (const [login, t, action] of [['dispatcher1', taken, 'dispatch'], ['auditor1', audited, 'audit_pass'], ['callback1', called, 'callback_attempt']])
    test(`the form of ${action} on a phone`, async () => {
        const person = await browser.staff(login, { on: PHONE });

        await openTicket(person, t);
        await person.click(`action-${action}`);
        await person.sees(`[data-testid="form-${action}"]`);
        await person.fits();
        await person.shot(`phone-${action}`);
        await person.close();
    });

// Last: the others need the server.
test('a server that goes away and comes back: said, and caught up', async () => {
    const person = await browser.staff('dispatcher1');

    await person.sees(row(person, lamp));
    person.mayLoseConnection = true;
    const port = hotline.port;
    await hotline.engine.term();
    await person.sees('[data-testid="connection-lost"]');
    assert.match(await person.text('connection-lost'), /\d\d:\d\d:\d\d/);
    await person.shot('lost');
    await hotline.startEngine({ port });
    await person.seesNo('[data-testid="connection-lost"]');
    const after = await office.filed({ title: '恢复之后的事' });
    await person.sees(row(person, after));
    await person.close();
});
