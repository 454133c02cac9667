// Photos: added on a phone, cut off and gone on with, refused and removed, seen by who works on it, answered with another.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaint, start, until } from '../http/harness.mjs';
import { taken } from '../http/media.mjs';
import { Office } from '../http/office.mjs';
import { open, PHONE } from './browser.mjs';

const hotline = await start();
const browser = await open(hotline, 'photos');
const office = new Office(hotline);
const SECRET = '13866667777';
const PARTS = '**/v1/uploads/*';
let filed;

// A photo of a colourful street, in a camera's size: taken lying on its side.
async function photo(person, { width = 1600, height = 1200 } = {}) {
    const drawn = await person.page.evaluate(([w, h]) => {
        const canvas = Object.assign(document.createElement('canvas'), { width: w, height: h });
        const brush = canvas.getContext('2d');
        const pixels = brush.createImageData(w, h);
        for (let i = 0; i < pixels.data.length; i += 4) {
            const x = (i / 4) % w, y = Math.floor(i / 4 / w), noise = Math.random() * 90;
            pixels.data.set([(x / w) * 160 + noise, (y / h) * 160 + noise, 120 + noise, 255], i);
        }
        brush.putImageData(pixels, 0, 0);
        return canvas.toDataURL('image/jpeg', 0.98).split(',')[1];
    }, [width, height]);

    return { name: `张三${SECRET}.jpg`, mimeType: 'image/jpeg', buffer: taken(Buffer.from(drawn, 'base64'), { orientation: 6, secret: SECRET }) };
}

async function write(person) {
    const said = complaint({ title: '小区门口路面塌陷' });

    await person.click(`type-${said.type}`);
    await person.type('title', said.title);
    await person.type('content', said.content);
    await person.type('phone', said.phone);
}

test('a photo is added on a phone, goes on after a cut, and its position never leaves the phone', async () => {
    const person = await browser.person('citizen', { on: PHONE });
    const bodies = [];
    let cuts = 0;

    person.mayLoseConnection = true; // the cut
    await person.goto('/file');
    await person.sees('[data-testid="type-complaint"]');
    await person.page.route(PARTS, (route) => {
        const request = route.request();
        if (request.method() === 'PATCH')
            bodies.push(request.postDataBuffer());
        return request.method() === 'PATCH' && bodies.length === 2 && cuts++ === 0 ? route.abort('connectionreset') : route.continue();
    });
    const picture = await photo(person);
    await person.at('photos').setInputFiles(picture);
    await person.sees('[data-testid="photos-0"][data-state="sending"]');
    await person.shot('sending');
    await person.sees('[data-testid="photos-0"][data-state="done"]');
    assert.equal(cuts, 1);
    assert.ok(bodies.length > 3, `${bodies.length} parts`);
    assert.ok(bodies.every((bytes) => bytes.length <= 262144 && !bytes.includes(SECRET)));

    // What is no picture is said to be none, and can be taken away again.
    await person.at('photos').setInputFiles({ name: 'letter.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('这不是照片') });
    await person.sees('[data-testid="photos-1"][data-state="refused"]');
    await person.at('photos').setInputFiles({ name: 'film.mp4', mimeType: 'video/mp4', buffer: Buffer.from('not a film at all') });
    await person.sees('[data-testid="photos-2"][data-state="refused"]');
    await person.fits();
    await person.shot('refused', { whole: true });
    await person.click('photos-remove-2');
    await person.click('photos-remove-1');

    await write(person);
    // The page is opened again: what was sent is still there.
    await person.page.reload();
    await person.sees('[data-testid="photos-0"][data-state="done"]');
    await person.shot('kept', { whole: true });
    await person.click('file-send');
    await person.sees('[data-testid="receipt"]');
    const [row] = await hotline.sql('select t.id::text, t.ticket_no as number, a.type, a.size from hotline.ticket t join hotline.attachment a on a.ticket_id = t.id');
    filed = { ...row, code: (await person.text('filed-code')).trim() };
    assert.equal(filed.type, 'image/jpeg');
    person.complaints.splice(0); // the cut and the refusal
    await person.close();
});

test('a complaint sent while a photo is on its way waits for it', async () => {
    const person = await browser.person('hasty', { on: PHONE });
    let go;
    const gate = new Promise((resolve) => (go = resolve));

    await person.goto('/file');
    await write(person);
    await person.page.route(PARTS, async (route) => {
        await gate;
        return route.continue();
    });
    await person.at('photos').setInputFiles(await photo(person, { width: 400, height: 300 }));
    await person.sees('[data-testid="photos-0"]');
    await person.click('file-send');
    await person.sees('[data-testid="held"]');
    go();
    await person.sees('[data-testid="receipt"]');
    assert.equal((await hotline.sql('select count(*)::int as n from hotline.attachment'))[0].n, 2);
    await person.close();
});

test('the centre sees the photo upright, the unit adds one of its own, the citizen sees both', async () => {
    const acceptor = await browser.staff('acceptor1');

    await acceptor.goto(`/desk/ticket/${filed.id}`);
    const image = (await acceptor.sees('[data-testid="attachment-0"] img')).first();
    await until('the picture is there', () => image.evaluate((img) => img.complete && img.naturalWidth > 0));
    assert.deepEqual(await image.evaluate((img) => [img.naturalWidth, img.naturalHeight]), [1200, 1600], 'turned as it was taken');
    await acceptor.shot('desk');
    await acceptor.close();

    const t = { id: filed.id };
    await office.bring(t, 'pending_accept', 'handling');
    const handler = await browser.staff('st-gaj.h');
    await handler.goto(`/desk/ticket/${filed.id}`);
    await handler.sees('[data-testid="attachment-0"] img');
    await handler.click('action-progress_note');
    await handler.sees('[data-testid="input-attachments-add"]');
    await handler.type('input-text', '已到现场围挡，正在联系市政抢修。');
    await handler.choose('input-visible_to_citizen', 'true');
    await handler.at('input-attachments').setInputFiles(await photo(handler, { width: 800, height: 600 }));
    await handler.sees('[data-testid="input-attachments-0"][data-state="done"]');
    await handler.shot('unit-adds');
    await handler.click('send-progress_note');
    await handler.sees('[data-testid="attachment-1"] img');
    await handler.shot('unit-added');
    await handler.close();

    const citizen = await browser.person('follower', { on: PHONE });
    await citizen.goto(`/follow?number=${filed.number}`);
    await citizen.type('follow-code', filed.code);
    await citizen.click('follow-send');
    for (const n of [0, 1]) {
        const seen = (await citizen.sees(`[data-testid="attachment-${n}"] img`)).first();
        await until('the picture is there', () => seen.evaluate((img) => img.complete && img.naturalWidth > 0));
    }
    await citizen.fits();
    await citizen.shot('follow', { whole: true });
    await citizen.close();
});
