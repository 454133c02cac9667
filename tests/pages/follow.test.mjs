// What a citizen reads and still says after filing: a notice comes with a link, the matter is rated, objected to, withdrawn; facts are asked
// for and given; the network goes and comes back.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { start, until } from '../http/harness.mjs';
import { Office, rework } from '../http/office.mjs';
import { say, Site } from '../http/world.mjs';
import { DESK, open, PHONE } from './browser.mjs';

const dir = mkdtempSync(join(tmpdir(), 'hotline-follow-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const gateway = await new Site(say(200, { code: '0' })).open();
const smsFile = join(dir, 'sms.json');
writeFileSync(smsFile, JSON.stringify([{ name: 'sms', url: gateway.url, ok: { member: 'code', value: '0' },
    body: { mobile: '{to}', content: '{text}', msgid: '{id}' } }]), { mode: 0o600 });
const settings = { notice_ways: 'sms', sms_file: smsFile, fetch_plain: 1, public_origin: 'https://12345.example' };

const hotline = await start({ settings });
const office = new Office(hotline);
const browser = await open(hotline, 'follow');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let phones = 13800300000;
const complaint = (title) => ({ title, phone: String(++phones) });
const at = async (state, title) => {
    const change = complaint(title);
    return Object.assign(await office.at(state, change), { phone: change.phone });
};

// The short message that says so, whatever the hour of the night.
async function link(ticket, from = hotline) {
    const content = await until('the link has come', async () => {
        await from.sql("update hotline.delivery set due_at = now() where state = 'waiting'");
        return gateway.got.filter((got) => got.json.mobile === ticket.phone).map((got) => got.json.content).findLast((text) => text.includes('rating='));
    });
    return content.match(/https:\/\/12345\.example(\/follow\S+)/)[1];
}

async function follow(person, ticket) {
    await person.goto(`/follow?number=${ticket.number}`);
    await person.type('follow-code', ticket.query_code);
    await person.click('follow-send');
    await person.sees('[data-testid="follow-timeline"]');
}

async function rate(person, { resolved = 'yes', result = 'satisfied' } = {}) {
    await person.click('rating-contacted_by_unit-true');
    await person.click(`rating-resolved-${resolved}`);
    await person.click('rating-sat_process-basic');
    await person.click(`rating-sat_result-${result}`);
}

async function isWellMade(person) {
    await person.page.evaluate(axe);
    const { violations } = await person.page.evaluate(() => window.axe.run());
    assert.deepEqual(violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => [v.id, ...v.nodes.map((n) => n.html)]), []);
}

const english = async (person) => {
    const text = (await person.page.locator('main').innerText()).replace(/汕头市公安局|一件小事/g, ''); // a name and the citizen's own words
    assert.deepEqual(text.match(/[\u4e00-\u9fff]+/g), null, 'Chinese is left');
};
const verdicts = (ticket) => hotline.sql('select resolved, sat_process, sat_result, contacted_by_unit from hotline.callback where ticket_id = $1', [ticket.id]);
const keysOf = (person, word) => {
    const keys = [];
    person.context.on('request', (r) => r.method() === 'POST' && r.url().endsWith(`/${word}`) && keys.push(r.headers()['idempotency-key']));
    return keys;
};
// The next answers to what is sent there are lost on their way.
const lose = (person, word, times = 1) => person.page.route(`**/v1/tickets/*/${word}`, async (route) => {
    if (route.request().method() === 'POST' && times-- > 0) {
        await route.fetch();
        return route.abort('connectionreset');
    }
    return route.continue();
});

test('a notice comes with a link; four questions, the answer is lost on its way, the rating counts once', async () => {
    const t = await at('pending_callback', '夜间施工噪声');
    const person = await browser.person('link', { on: PHONE, bypassCSP: true });
    const keys = keysOf(person, 'rating');
    const asked = [];

    await office.done('callback1', t, 'callback_attempt', { outcome: 'link_sent' });
    const address = await link(t);
    const token = address.split('rating=')[1];
    person.mayLoseConnection = true;
    person.page.on('request', (r) => asked.push(`${r.url().split('#')[0]} ${r.headers().referer ?? ''}`));
    await person.goto(address);
    await person.sees('[data-testid="say-rating"]');
    assert.match(await person.text('rate-lead'), /汕头市公安局/);
    assert.ok(!person.page.url().includes(token), 'it is not left in the address');
    for (const id of ['contacted_by_unit', 'resolved', 'sat_process', 'sat_result'])
        assert.ok(await person.at(`field-rating-${id}`).isVisible(), id);
    await isWellMade(person);
    await person.fits();
    await person.shot('link', { whole: true });

    await person.click('say-rating-send');
    await person.sees('[data-testid="problem-rating-resolved"]');
    await person.sees('[data-testid="problem-rating-sat_result"]');
    assert.equal(await person.at('problem-rating-contacted_by_unit').count(), 0, 'that one may be left open');
    assert.equal(await person.page.evaluate(() => document.activeElement?.name), 'rating-resolved', 'the first of them has the focus');
    await person.shot('link-missing', { whole: true });
    assert.deepEqual(keys, []);

    await person.page.reload();
    await person.sees('[data-testid="say-rating"]');
    await rate(person);
    await lose(person, 'rating');
    await person.click('say-rating-send');
    await person.sees('[data-testid="say-rating-waiting"]');
    await person.shot('link-lost', { whole: true });
    await person.sees('[data-testid="rated"]');
    assert.match(await person.text('rated'), /已收到.*已经办结/);
    await isWellMade(person);
    await person.shot('link-rated');
    assert.equal(keys.length, 2);
    assert.equal(new Set(keys).size, 1, 'under one key');
    assert.deepEqual(await verdicts(t), [{ resolved: 1, sat_process: 3, sat_result: 4, contacted_by_unit: true }]);
    assert.equal((await office.read('leader1', t)).state, 'closed');
    assert.ok(asked.every((line) => !line.includes(token)), 'no address that is asked for has it');
    assert.doesNotMatch(hotline.engine.said(), new RegExp(token));

    await person.goto('/'); // and by the same link once more
    await person.goto(address);
    await person.sees('[data-testid="rate-problem"]');
    assert.match(await person.text('rate-problem'), /已经评价过/);
    await person.shot('link-used');
    await person.page.reload();
    await person.sees('[data-testid="follow-form"]'); // it is gone with its use
    await person.close();
});

test('a wrong link and that of a round that was done again get a sentence; by keyboard alone and in English', async () => {
    const t = await at('pending_callback', '路灯不亮');
    const person = await browser.person('keyboard', { on: DESK, bypassCSP: true });

    await office.done('callback1', t, 'callback_attempt', { outcome: 'link_sent' });
    const old = await link(t);
    await person.goto(`${old.slice(0, -1)}${old.endsWith('0') ? 1 : 0}`);
    await person.sees('[data-testid="rate-problem"]');
    assert.match(await person.text('rate-problem'), /无效/);
    await person.shot('wrong-link');
    await person.click('rate-leave');
    await person.sees('[data-testid="follow-form"]');

    await office.done('callback1', t, 'callback_attempt', { outcome: 'connected' });
    await office.done('callback1', t, 'rework', rework);
    await office.done('leader1', t, 'approve', { approval: (await office.question('leader1', t)).id, opinion: '同意' });
    await person.goto('/');
    await person.click('lang');
    await person.goto(old);
    await person.sees('[data-testid="rate-problem"]');
    assert.match(await person.text('rate-problem'), /not valid, or no longer/);
    await english(person);

    await office.bring(t, 'pending_sign', 'pending_callback');
    await office.done('callback1', t, 'callback_attempt', { outcome: 'link_sent' });
    const fresh = await until('another link has come', async () => { const found = await link(t); return found !== old && found; });
    await person.goto('/');
    await person.goto(fresh);
    await person.sees('[data-testid="say-rating"]');
    await english(person);
    await isWellMade(person);
    await person.fits();
    await person.shot('english-link', { whole: true });
    await person.at('rating-contacted_by_unit-true').focus();
    for (const key of ['ArrowRight', 'Tab', 'Space', 'ArrowRight', 'ArrowRight', 'Tab', 'Space', 'Tab', 'Space', 'ArrowLeft', 'Tab', 'x', 'Tab', 'Enter'])
        await person.press(key);
    await person.sees('[data-testid="rated"]');
    assert.match(await person.text('rated'), /will read what you say/);
    assert.equal(await person.page.evaluate(() => document.activeElement?.tagName), 'H1');
    assert.deepEqual(await hotline.sql('select resolved, sat_process, sat_result, contacted_by_unit from hotline.callback where ticket_id = $1 order by round desc limit 1', [t.id]),
        [{ resolved: 3, sat_process: 5, sat_result: 1, contacted_by_unit: false }]);
    await person.close();
});

test('number and code: how it stands, who looked, and an urge that waits for the network', async () => {
    const t = await at('handling', '占道经营');
    const person = await browser.person('follows', { on: PHONE, bypassCSP: true });
    const handler = await hotline.as('st-gaj.h');
    const keys = keysOf(person, 'followups');

    person.mayLoseConnection = true;
    await follow(person, t);
    assert.match(await person.text('follow-looks'), /还没有人查看过/);
    for (const purpose of ['联系诉求人', '再次联系'])
        assert.equal((await handler.post(`/v1/desk/tickets/${t.id}/reveal`, { purpose })).status, 200);
    await person.click('follow-refresh');
    await person.sees(person.at('follow-looks').filter({ hasText: '2 次' }));
    assert.equal(await person.text('follow-unit'), '汕头市公安局');
    const [promised, plain] = await person.page.evaluate(() => ['[data-testid="follow-promise"]', '[data-testid="follow-unit"]']
        .map((at) => parseFloat(getComputedStyle(document.querySelector(at)).fontSize)));
    assert.ok(promised > plain * 1.5, 'the promised day is large');
    assert.match(await person.at('follow-timeline').locator('li').first().innerText(), /签收/, 'the latest comes first');
    for (const word of ['rating', 'objection', 'supplement'])
        assert.equal(await person.at(`act-${word}`).count(), 0, `${word} is not possible now`);
    await isWellMade(person);
    await person.fits();
    await person.shot('followed', { whole: true });

    await person.click('act-followups');
    await person.click('say-followups-send');
    await person.sees('[data-testid="problem-followups-kind"]');
    await person.sees('[data-testid="problem-followups-text"]');
    await person.click('followups-kind-urge');
    await person.type('followups-text', '已经三天没有人联系我。');
    await person.context.setOffline(true);
    await person.click('say-followups-send');
    await person.sees('[data-testid="say-followups-waiting"]');
    await isWellMade(person);
    await person.fits();
    await person.shot('followups-waiting', { whole: true });
    await person.context.setOffline(false);
    await person.sees(person.at('said').filter({ hasText: '已记录' }));
    assert.equal(new Set(keys).size, 1);
    const words = await hotline.sql('select kind from hotline.followup where ticket_id = $1', [t.id]);
    assert.deepEqual(words, [{ kind: 2 }]);
    await person.sees(person.at('follow-timeline').filter({ hasText: '已记录在这张工单上' }));
    await person.fits();
    await person.close();
});

test('facts are asked for, and given with a photo; the unit replies, the citizen objects, the lead decides', async () => {
    const t = await at('handling', '工地扬尘');
    const person = await browser.person('supplements', { on: DESK, bypassCSP: true });

    await office.done('st-gaj.h', t, 'request_supplement', { missing_items: ['工地的门牌号', '施工的时间'] });
    await follow(person, t);
    assert.match(await person.text('wanted'), /工地的门牌号\s+施工的时间/);
    await person.type('supplement-text', '金砂路 100 号，夜里十二点以后。');
    const photo = await person.page.screenshot({ type: 'jpeg' });
    await person.at('supplement-attachments').setInputFiles({ name: 'a.jpg', mimeType: 'image/jpeg', buffer: photo });
    await isWellMade(person);
    await person.shot('wanted', { whole: true });
    await person.click('say-supplement-send'); // the photo may still be on its way
    await person.sees(person.at('said').filter({ hasText: '继续办理' }));
    await person.seesNo('[data-testid="wanted"]');
    await person.seesNo('[data-testid="act-supplement"]');
    assert.deepEqual(await hotline.sql('select count(*)::int as n from hotline.attachment where ticket_id = $1', [t.id]), [{ n: 1 }]);
    assert.equal(await office.story(t), 'T05 T06 T18 T30 T07h T08');

    await office.bring(t, 'handling', 'closed');
    await person.click('follow-refresh');
    await person.sees('[data-testid="follow-reply"]');
    assert.equal(await person.at('act-withdrawal').count(), 0, 'what is closed is not withdrawn');
    await person.click('act-objection');
    await person.type('objection-text', '没有');
    await person.click('say-objection-send');
    await person.sees(person.at('problem-objection-text').filter({ hasText: '5' }));
    await person.type('objection-text', '夜里还在施工，没有解决。');
    await person.shot('objects', { whole: true });
    await person.click('say-objection-send');
    await person.sees(person.at('follow-objection').filter({ hasText: '正在复核' }));
    await person.seesNo('[data-testid="act-objection"]');
    await office.done('leader1', t, 'reject', { approval: (await office.question('leader1', t)).id, opinion: '经复核，已依法办理。' });
    await person.click('follow-refresh');
    await person.sees(person.at('follow-objection').filter({ hasText: '经复核，已依法办理。' }));
    assert.match(await person.text('acts'), /目前没有/);
    await isWellMade(person);
    await person.shot('objected', { whole: true });
    await person.close();
});

test('a withdrawal asks who wished it; the page is closed without a network, and it is done once when it is opened again', async () => {
    const t = await at('handling', 'A noisy night');
    const person = await browser.person('withdraws', { on: PHONE, colorScheme: 'dark', bypassCSP: true });
    const keys = keysOf(person, 'withdrawal');

    person.mayLoseConnection = true;
    await person.goto('/');
    await person.click('lang');
    await follow(person, t);
    await person.click('act-withdrawal');
    await person.type('withdrawal-reason', 'We have agreed with the builder.');
    await person.click('say-withdrawal-send');
    await person.sees('[data-testid="problem-withdrawal-pressed"]');
    await isWellMade(person);
    await person.fits();
    await person.shot('english-withdraws', { whole: true });
    await person.click('withdrawal-pressed-false');
    await lose(person, 'withdrawal', 9);
    await person.click('say-withdrawal-send');
    await person.sees('[data-testid="say-withdrawal-waiting"]');
    await english(person);
    await person.page.close();

    const again = browser.inside('withdraws', person.context, await person.context.newPage());
    await follow(again, t);
    await again.sees(again.at('said').filter({ hasText: 'withdrawn as you wish' }));
    await again.sees('[data-testid="follow-state"][data-state="withdrawn"]');
    assert.match(await again.text('acts'), /nothing for you to do/);
    await again.fits();
    await again.shot('english-withdrawn', { whole: true });
    assert.equal(new Set(keys).size, 1);
    assert.equal((await office.story(t)).split(' ').filter((step) => step === 'T77').length, 1);
    await again.page.reload();
    await again.sees('[data-testid="follow-timeline"]');
    assert.equal(await again.text('said'), '', 'and is not said again');
    await again.close();
});

test('rated on two screens at once: the second is told so, and what may still be done is shown', async () => {
    const t = await at('pending_callback', '积水');
    const [one, two] = await Promise.all([browser.person('one', { on: PHONE }), browser.person('two', { on: DESK })]);

    for (const person of [one, two])
        await follow(person, t);
    await rate(one, { resolved: 'no', result: 'unsatisfied' });
    await one.click('say-rating-send');
    await one.sees(one.at('said').filter({ hasText: '已收到' }));
    await one.seesNo('[data-testid="act-rating"]');
    await rate(two);
    await two.click('say-rating-send');
    await two.sees(two.at('say-rating-problem').filter({ hasText: '已评价过' }));
    await two.shot('rated-elsewhere', { whole: true });
    assert.deepEqual((await verdicts(t)).map((v) => v.resolved), [3]);
    await one.close();
    await two.close();
});

test('a link is too old a week after the matter was closed', async () => {
    const then = await start({ settings });
    const people = new Office(then);
    const sim = (...args) => execFileSync(process.env.HOTLINECTL, ['sim', ...args], { encoding: 'utf8', env: { ...process.env,
        HOTLINE_ADMIN_DATABASE: `host=${process.env.PGHOST} user=postgres dbname=${then.database}` } });

    sim('on', '2018-03-05T09:00:00+08:00');
    await then.sql("update hotline.setting set value = '90000' where name = 'session.hours'");
    await then.engine.term();
    await then.startEngine();
    const change = complaint('联系不上的人');
    const t = Object.assign(await people.at('pending_callback', change), { phone: change.phone });
    for (const moment of ['2018-03-06T10:00:00+08:00', '2018-03-06T15:00:00+08:00', '2018-03-07T10:00:00+08:00']) {
        sim('set', moment);
        await people.done('callback1', t, 'callback_attempt', { outcome: 'no_answer' });
    }
    const address = await link(t, then);
    sim('set', '2018-03-20T09:00:00+08:00');
    await until('it is closed unrated', async () => (await people.read('leader1', t)).state === 'closed', 30);
    const person = await (await open(then, 'follow')).person('late', { on: PHONE });
    await person.goto(address);
    await person.sees('[data-testid="rate-problem"]');
    assert.match(await person.text('rate-problem'), /超过 7 天/);
    await person.shot('late-link');
    await person.close();
});
