// A citizen alone with the page: on a phone, on a train, in a hurry, in another language.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import jsQR_ from 'jsqr';
import { complaint, start, until } from '../http/harness.mjs';
import { open, PHONE } from './browser.mjs';

const hotline = await start();
const browser = await open(hotline, 'citizen');
const jsQR = jsQR_.default ?? jsQR_;
const tickets = async () => (await hotline.sql('select count(*)::int as n from hotline.ticket'))[0].n;

const phone = (name, options) => browser.person(name, { on: PHONE, ...options });

async function write(person, change = {}) {
    const said = complaint(change);

    await person.click(`type-${said.type}`);
    await person.type('title', said.title);
    await person.type('content', said.content);
    await person.at('place-district').selectOption(said.division);
    await person.type('phone', said.phone);
    return said;
}

test('a refusal stands at its field and says what to do; what was typed stays', async () => {
    const person = await phone('refused');

    await person.goto('/file');
    await person.sees('[data-testid="type-complaint"]');
    await person.click('file-send');
    await person.sees('[data-testid="file-problem"]');
    for (const name of ['type', 'title', 'content', 'phone'])
        await person.sees(`[data-testid="problem-${name}"]`);
    assert.equal(await person.page.evaluate(() => document.activeElement?.getAttribute('name')), 'type', 'the first of them has the focus');
    await person.fits();
    await person.shot('refused-empty', { whole: true });

    await write(person, { phone: '1380013' });
    await person.click('file-send');
    await person.sees(person.at('problem-phone').filter({ hasText: /号码|电话/ }));
    await person.seesNo('[data-testid="problem-title"]');
    assert.equal(await person.at('title').inputValue(), complaint().title);
    assert.equal(await tickets(), 0);
    await person.shot('refused-phone');

    await person.type('phone', '138 0013 8000');
    await person.click('file-send');
    await person.sees('[data-testid="receipt"]');
    assert.equal(await tickets(), 1);
    await person.close();
});

test('anonymously, without a phone, and without a place', async () => {
    const person = await phone('anonymous');
    const before = await tickets();

    await person.goto('/file');
    await person.click('type-suggestion');
    await person.type('title', '公园多放几张长椅');
    await person.type('content', '石炮台公园的长椅太少，老人走累了没有地方坐。');
    await person.click('anonymous');
    await person.seesNo('[data-testid="name"]');
    await person.click('file-send');
    await person.sees('[data-testid="receipt"]');
    assert.equal(await tickets(), before + 1);
    await person.close();
});

test('without a network the form waits, and comes through once when there is one', async () => {
    const person = await phone('offline');
    const before = await tickets();
    const keys = [];

    person.mayLoseConnection = true;
    person.page.on('request', (r) => r.method() === 'POST' && keys.push(r.headers()['idempotency-key']));
    await person.goto('/file');
    await write(person, { title: '断网时提交的诉求' });
    await person.context.setOffline(true);
    await person.click('file-send');
    await person.sees('[data-testid="waiting"]');
    await person.shot('offline');
    await person.click('file-send'); // impatient
    assert.equal(await person.at('title').inputValue(), '断网时提交的诉求');
    await person.context.setOffline(false);
    await person.sees('[data-testid="receipt"]');
    assert.ok(keys.length >= 2, 'it was tried more than once');
    assert.equal(new Set(keys).size, 1, 'under one key');
    assert.equal(await tickets(), before + 1);
    await person.close();
});

// The page is closed while nobody answers; another one, of the same browser, is opened when there is a network again.
async function reopen(person, path) {
    await person.page.close();
    await person.context.setOffline(false);
    const { context } = person;
    const again = browser.inside(person.name, context, await context.newPage());
    await again.goto(path);
    return again;
}

test('closed without a network, it is sent when any page is opened again, once, with its photo', async () => {
    const person = await phone('closed');
    const before = await tickets();
    const keys = new Set();

    person.mayLoseConnection = true;
    person.context.on('request', (r) => r.method() === 'POST' && r.url().endsWith('/v1/tickets') && keys.add(r.headers()['idempotency-key']));
    await person.goto('/file');
    await write(person, { title: '关掉网页之后提交的诉求' });
    await person.context.setOffline(true);
    const picture = await person.page.screenshot({ type: 'jpeg' });
    await person.at('photos').setInputFiles({ name: 'a.jpg', mimeType: 'image/jpeg', buffer: picture });
    await person.sees('[data-testid="photos-0"] img');
    await person.click('file-send');
    await person.sees('[data-testid="held"]');
    await person.shot('closed-held');

    const again = await reopen(person, '/');
    await again.sees('[data-testid="news"][data-news="filed"]');
    await again.fits();
    await again.shot('closed-filed');
    await again.click('news-open');
    const number = await (await again.sees('[data-testid="filed-number"]')).getAttribute('data-number');
    const found = await hotline.sql(`select t.ticket_no as number, count(a)::int as files from hotline.ticket t
        left join hotline.attachment a on a.ticket_id = t.id where t.title = '关掉网页之后提交的诉求' group by 1`);
    assert.deepEqual(found, [{ number, files: 1 }]);
    assert.equal(await tickets(), before + 1);
    assert.equal(keys.size, 1);
    await again.page.reload();
    await again.sees('[data-testid="file-form"]');
    await again.page.goto(`${hotline.url}/`);
    await again.sees('[data-testid="go-file"]');
    assert.equal(await again.at('news').count(), 0, 'told once');
    await again.close();
});

test('closed after the answer was lost, it goes on under the same key: one complaint, its number', async () => {
    const person = await phone('closed unsure');
    const before = await tickets();
    const arrived = [];

    person.mayLoseConnection = true;
    await person.page.route('**/v1/tickets', async (route) => {
        arrived.push(await (await route.fetch()).json());
        return route.abort('connectionreset');
    });
    await person.goto('/file');
    await write(person, { title: '回答丢失又关掉网页的诉求' });
    await person.click('file-send');
    await person.sees('[data-testid="waiting"]');

    const again = await reopen(person, '/follow');
    await again.sees('[data-testid="news"][data-news="filed"]');
    await again.click('news-open');
    assert.equal(await (await again.sees('[data-testid="filed-number"]')).getAttribute('data-number'), arrived[0].number);
    assert.equal(await tickets(), before + 1);
    await again.close();
});

test('the code to scan opens the case, and no server is told the query code', async () => {
    const person = await phone('scans');

    await person.goto('/file');
    await write(person, { title: '扫码查询的诉求' });
    await person.click('file-send');
    await person.sees('[data-testid="filed-scan"]');
    await person.fits();
    await person.shot('receipt', { whole: true });
    const query = (await person.text('filed-code')).trim();
    const [width, height, pixels] = await person.page.evaluate(async () => {
        const svg = document.querySelector('[data-testid="filed-scan"]').cloneNode(true);
        svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
        svg.setAttribute('width', 400);
        svg.setAttribute('height', 400);
        const image = new Image();
        image.src = `data:image/svg+xml,${encodeURIComponent(svg.outerHTML)}`;
        await image.decode();
        const brush = Object.assign(document.createElement('canvas'), { width: 400, height: 400 }).getContext('2d');
        brush.drawImage(image, 0, 0);
        return [400, 400, [...brush.getImageData(0, 0, 400, 400).data]];
    });
    const { data: address } = jsQR(Uint8ClampedArray.from(pixels), width, height);
    assert.equal(new URL(address).hash, `#${query}`);

    const other = await phone('scanned');
    const asked = [];
    other.page.on('request', (r) => asked.push(r.url()));
    await other.page.goto(address);
    await other.sees('[data-testid="follow-timeline"]');
    assert.equal(await other.text('follow-title'), '扫码查询的诉求');
    assert.ok(!other.page.url().includes(query), 'the code is not left in the address');
    assert.ok(asked.every((url) => !url.split('#')[0].includes(query)));
    await other.close();
    await person.close();
});

test('an answer that is lost on its way is asked for again: one complaint, the same number', async () => {
    const person = await phone('lost answer');
    const before = await tickets();
    let lost;

    person.mayLoseConnection = true;
    await person.page.route('**/v1/tickets', async (route) => {
        const answer = await route.fetch();
        if (lost)
            return route.fulfill({ response: answer });
        lost = await answer.json();
        return route.abort('connectionreset');
    });
    await person.goto('/file');
    await write(person, { title: '回答丢失的诉求' });
    await person.click('file-send');
    await person.sees('[data-testid="receipt"]');
    assert.equal(await person.at('filed-number').getAttribute('data-number'), lost.number);
    assert.equal((await person.text('filed-code')).trim(), lost.query_code);
    assert.equal(await tickets(), before + 1);
    await person.close();
});

test('a reload in the middle of the form keeps it; it is gone once it was sent', async () => {
    const person = await phone('reload');

    await person.goto('/file');
    const said = await write(person, { title: '写到一半的诉求' });
    await person.click('hide');
    await person.page.reload();
    await person.sees('[data-testid="kept"]');
    assert.equal(await person.at('title').inputValue(), said.title);
    assert.equal(await person.at('content').inputValue(), said.content);
    assert.equal(await person.at('phone').inputValue(), said.phone);
    assert.equal(await person.at('place-district').inputValue(), said.division);
    assert.ok(await person.at('type-complaint').isChecked());
    assert.ok(await person.at('hide').isChecked());
    await person.shot('kept');
    await person.click('file-send');
    await person.sees('[data-testid="receipt"]');
    await person.goto('/file');
    await person.sees('[data-testid="file-form"]');
    assert.equal(await person.at('title').inputValue(), '');
    assert.equal(await person.at('kept').count(), 0);
    await person.close();
});

test('following needs the right code, typed as people type', async () => {
    const { body: filed } = await hotline.citizen.submit({ title: '查询用的诉求' });
    const person = await phone('follows');

    await person.goto('/');
    await person.click('go-follow');
    await person.type('follow-number', filed.number.replace(/(.{4})/g, '$1 '));
    await person.type('follow-code', filed.query_code === '22222222' ? '33333333' : '22222222');
    await person.click('follow-send');
    await person.sees('[data-testid="follow-problem"]');
    assert.match(await person.text('follow-problem'), /没有|核对/);
    await person.shot('wrong-code');
    await person.type('follow-code', `${filed.query_code.slice(0, 4).toLowerCase()} ${filed.query_code.slice(4)}`);
    await person.click('follow-send');
    await person.sees('[data-testid="follow-timeline"]');
    assert.equal(await person.text('follow-title'), '查询用的诉求');
    assert.ok(!person.page.url().includes(filed.query_code), 'the code is not in the address');
    await person.page.reload();
    await person.sees('[data-testid="follow-timeline"]');
    await person.fits();
    await person.close();
});

test('in English every word is, and the choice stays', async () => {
    const { body: filed } = await hotline.citizen.submit({ title: 'No street light' });
    const person = await phone('english');

    await person.goto('/');
    await person.click('lang');
    assert.equal(await person.page.evaluate(() => document.documentElement.lang), 'en');
    for (const path of ['/', '/file', '/follow']) {
        await person.goto(path);
        await person.sees('h1');
        if (path === '/file')
            await person.sees('[data-testid="place-district"]');
        const chinese = (await person.page.locator('body').innerText()).replace('中文', '').match(/[\u4e00-\u9fff]+/g);
        assert.deepEqual(chinese, null, `Chinese left on ${path}`);
        await person.fits();
        await person.shot(`english${path.replace('/', '-')}`, { whole: true });
    }
    await person.type('follow-number', filed.number);
    await person.type('follow-code', filed.query_code);
    await person.click('follow-send');
    await person.sees('[data-testid="follow-timeline"]');
    assert.match(await person.text('follow-timeline'), /has arrived/);
    assert.match(await person.text('follow-state'), /Waiting for acceptance/);
    await person.shot('english-followed');
    await person.close();
});

test('in English a refusal is, too', async () => {
    const person = await phone('english refused');

    await person.goto('/file');
    await person.click('lang');
    await write(person, { phone: '1380013' });
    await person.click('file-send');
    await person.sees('[data-testid="problem-phone"]');
    assert.match(await person.text('problem-phone'), /^[\x20-\x7e’–]+$/);
    assert.match(await person.text('file-problem'), /^[\x20-\x7e’–]+$/);
    await person.close();
});

test('the printed receipt holds number, code and day, and no buttons', async () => {
    const person = await phone('prints');

    await person.goto('/file');
    await write(person);
    await person.click('file-send');
    await person.sees('[data-testid="receipt"]');
    await person.page.evaluate(() => (window.print = () => (window.printed = true)));
    await person.click('print');
    assert.ok(await person.page.evaluate(() => window.printed));
    await person.page.emulateMedia({ media: 'print' });
    await person.sees('[data-testid="filed-scan"]');
    for (const id of ['filed-number', 'filed-code', 'filed-promise', 'filed-scan'])
        assert.ok(await person.at(id).isVisible(), id);
    for (const id of ['print', 'follow-now', 'theme', 'lang'])
        assert.ok(!(await person.at(id).isVisible()), id);
    await person.shot('print');
    await person.close();
});

test('who hears the page or uses the keyboard alone finds nothing in the way', async () => {
    const person = await phone('hears', { bypassCSP: true }); // the examiner is put into the page
    const examined = async () => {
        await person.page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
        const { violations } = await person.page.evaluate(() => window.axe.run());
        return violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => [person.page.url(), v.id, ...v.nodes.map((n) => n.html)]);
    };

    for (const scheme of ['light', 'dark']) {
        await person.page.emulateMedia({ colorScheme: scheme });
        for (const path of ['/', '/file', '/follow']) {
            await person.goto(path);
            await person.sees(path === '/file' ? '[data-testid="type-complaint"]' : 'h1');
            assert.deepEqual(await examined(), [], scheme);
        }
        await person.goto('/file');
        await write(person);
        await person.click('file-send');
        await person.sees('[data-testid="filed-scan"]');
        assert.deepEqual(await examined(), [], scheme);
        await person.click('follow-now');
        await person.sees('[data-testid="follow-timeline"]');
        assert.deepEqual(await examined(), [], scheme);
    }
    await person.close();
});

test('long words and a long story stay on a phone’s screen', async () => {
    const long = '很长的标题没有空格也没有标点'.repeat(14).slice(0, 199);
    const { body: filed } = await hotline.citizen.submit({ title: long, content: `${'x'.repeat(900)}\n${'长'.repeat(3000)}` });
    const person = await phone('long');

    await person.goto(`/follow?number=${filed.number}`);
    await person.type('follow-code', filed.query_code);
    await person.click('follow-send');
    await person.sees('[data-testid="follow-timeline"]');
    await person.fits();
    await person.shot('long');
    await person.goto('/file');
    await person.type('title', 'x'.repeat(200));
    await person.type('content', 'y'.repeat(2000));
    await person.fits();
    await person.close();
});

test('dark when the phone is, and by hand', async () => {
    const person = await phone('dark', { colorScheme: 'dark' });
    const ground = () => person.page.evaluate(() => getComputedStyle(document.body).backgroundColor);

    await person.goto('/file');
    await person.sees('[data-testid="type-complaint"]');
    assert.ok(await person.page.evaluate(() => document.documentElement.classList.contains('dark')));
    const dark = await ground();
    await person.shot('dark', { whole: true });
    await person.click('theme'); // by the system → light
    await until('light by hand', async () => (await ground()) !== dark);
    await person.page.reload();
    await person.sees('[data-testid="type-complaint"]');
    assert.notEqual(await ground(), dark, 'the choice stays');
    await person.click('theme');
    await until('dark by hand', async () => (await ground()) === dark);
    await person.close();
});
