// Files of complaints, from the first part to the last look: with the client that the pages use (tus-js-client), and with requests that no
// client would send.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import * as tus from 'tus-js-client';
import { PART, start, until } from './harness.mjs';
import { Office, reply } from './office.mjs';
import { jpeg, mp4, pdf, png, webp } from './media.mjs';

const hotline = await start({ settings: { web_root: '', workers: 2 } });
const { anybody, citizen } = hotline;
const office = new Office(hotline);
const files = join(hotline.dir, 'files');
const sha = (bytes) => createHash('sha256').update(bytes).digest('hex');
const kept = (digest) => join(files, 'kept', digest.slice(0, 2), digest);
const everything = () => readdirSync(join(files, 'kept')).flatMap((folder) => readdirSync(join(files, 'kept', folder)));

const T = { 'Tus-Resumable': '1.0.0' };
const PIECE = { ...T, 'Content-Type': 'application/offset+octet-stream' };
const ask = (method, path, headers = T, body) => anybody.ask(method, path, { headers, body });
const begin = (length, more = {}, body) => ask('POST', '/v1/uploads', { ...(body ? PIECE : T), 'Upload-Length': String(length), ...more }, body);
const part = (path, offset, body, more = {}) => ask('PATCH', path, { ...PIECE, 'Upload-Offset': String(offset), ...more }, body);
const state = async (path) => {
    const answer = await ask('HEAD', path);
    return answer.status === 200 ? Number(answer.headers.get('upload-offset')) : answer.status;
};

const sent = (bytes) => citizen.upload(bytes);

// By tus-js-client; options may interrupt it.  → the upload
const upload = (bytes, options = {}) => new Promise((resolve, reject) => {
    const client = new tus.Upload(bytes, {
        endpoint: `${hotline.url}/v1/uploads`, chunkSize: PART, retryDelays: [50, 100, 200, 400, 800], metadata: { filename: '张三13800138000.jpg' },
        onSuccess: () => resolve(client), onError: reject, ...options,
    });
    options.made?.(client);
    client.start();
});
const id_of = (client) => client.url.split('/').pop();

// What staff or citizen get, as bytes.
async function fetched(path, headers) {
    const response = await fetch(hotline.url + path, { headers });
    return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
}

test('tus-js-client sends a photo in parts, and a complaint names it', async () => {
    const photo = jpeg({ scan: 3_000_000, secret: '13911112222' });
    const client = await upload(photo);
    const filed = await office.filed({ attachments: [id_of(client)] });
    const seen = await citizen.follow(filed);

    assert.equal(seen.body.attachments.length, 1);
    const [a] = seen.body.attachments;
    assert.equal(a.type, 'image/jpeg');
    assert.equal(a.from_citizen, true);
    const staff = await hotline.as('acceptor1');
    const whole = (await staff.get(`/v1/desk/tickets/${filed.id}`)).body;
    assert.deepEqual(whole.attachments.map((x) => x.id), [a.id]);
    assert.equal(whole.attachments_hidden, 0);
    const got = await fetched(`/v1/desk/tickets/${filed.id}/attachments/${a.id}`, staff.headers);
    assert.equal(got.status, 200);
    assert.equal(got.bytes.length, a.size);
    assert.ok(existsSync(kept(sha(got.bytes))), 'kept under its digest');
    assert.ok(!got.bytes.includes('13911112222'), 'what the photo said of the person is gone');
    assert.ok(got.bytes.includes(Buffer.from([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6])), 'which way is up is still said');
    assert.ok(got.bytes.length > 3_000_000 && got.bytes.subarray(-2).equals(Buffer.from([0xff, 0xd9])));
    const own = await fetched(`/v1/tickets/${filed.number}/attachments/${a.id}`, { 'X-Query-Code': filed.query_code });
    assert.ok(own.bytes.equals(got.bytes));
    // The chain says which file it was.
    const [{ payload }] = await hotline.sql('select payload from hotline.event where ticket_id = $1 order by n limit 1', [filed.id]);
    assert.deepEqual(payload.files, [sha(got.bytes)]);
});

test('an upload cut in the middle goes on where it was', async () => {
    const photo = jpeg({ scan: 2_000_000 });
    let cut;

    await new Promise((resolve) => {
        upload(photo, {
            made: (client) => (cut = client),
            onChunkComplete: (size, accepted) => accepted >= 3 * PART && cut.abort().then(resolve),
        });
    });
    const stood = await state(new URL(cut.url).pathname);
    assert.ok(stood >= 3 * PART && stood < photo.length, String(stood));
    const asked = [];
    const again = await upload(photo, { uploadUrl: cut.url, onBeforeRequest: (request) => asked.push(request.getMethod()) });
    assert.equal(asked[0], 'HEAD');
    assert.equal(asked.filter((m) => m === 'PATCH').length, Math.ceil((photo.length - stood) / PART));
    assert.equal((await citizen.submit({ attachments: [id_of(again)] })).status, 201);
});

test('the engine dies in the middle and the client does not notice', { timeout: 60_000 }, async () => {
    const film = mp4({ data: 4_000_000 });
    let killed = false;
    const client = await upload(film, {
        retryDelays: Array(40).fill(100),
        onChunkComplete: (size, accepted) => {
            if (accepted > 1_000_000 && !killed) {
                killed = true;
                hotline.workers().forEach((pid) => process.kill(pid, 'SIGKILL'));
            }
        },
    });

    assert.ok(killed);
    await until('the workers are back', async () => (await anybody.get('/readyz')).status === 200);
    const filed = await office.filed({ attachments: [id_of(client)] });
    const [a] = (await citizen.follow(filed)).body.attachments;
    assert.equal(a.type, 'video/mp4');
    assert.equal(a.size, film.length, 'the places of a film do not move');
});

test('a part cut off by a lost network is not there at all, and the client may send it again', async () => {
    const photo = jpeg({ scan: 400_000 });
    const path = (await begin(photo.length)).headers.get('location');

    assert.equal((await part(path, 0, photo.subarray(0, 1000))).status, 204);
    await new Promise((resolve) => {
        const line = connect(hotline.port, '127.0.0.1', () => {
            line.write(`PATCH ${path} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 1000\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: 100000\r\n\r\n`);
            line.write(photo.subarray(1000, 50_000), () => {
                line.destroy();
                resolve();
            });
        });
    });
    assert.equal(await state(path), 1000);
    assert.equal((await part(path, 1000, photo.subarray(1000, 1000 + PART))).status, 204);
    assert.equal((await part(path, 1000, photo.subarray(1000, 1000 + PART))).status, 409, 'the same part twice');
    assert.equal((await part(path, 5_000_000, photo.subarray(0, 10))).status, 409, 'a part too far');
    const late = await part(path, 1000 + PART, photo.subarray(1000 + PART));
    assert.equal(late.status, 204);
    assert.equal(await state(path), photo.length);
    assert.equal((await part(path, photo.length, Buffer.alloc(0))).status, 204, 'nothing more is fine');
    assert.equal((await part(path, photo.length, Buffer.from('x'))).status, 413, 'more than was promised');
});

test('of parts sent at once to several workers one is taken', async () => {
    const photo = jpeg({ scan: 300_000 });

    for (let round = 0; round < 5; round++) {
        const path = (await begin(photo.length)).headers.get('location');
        const answers = await Promise.all(Array.from({ length: 8 }, () => part(path, 0, photo.subarray(0, 200_000))));

        assert.equal(answers.filter((a) => a.status === 204).length, 1);
        assert.ok(answers.every((a) => [204, 409, 423].includes(a.status)));
        assert.equal(await state(path), 200_000);
        const last = await Promise.all(Array.from({ length: 8 }, () => part(path, 200_000, photo.subarray(200_000))));
        assert.equal(last.filter((a) => a.status === 204).length, 1);
        assert.equal(await state(path), photo.length);
    }
    // Two uploads of the same content are kept once.
    const [one, two] = await Promise.all([sent(photo), sent(photo)]);
    const [a, b] = await hotline.sql(`select 1`).then(() => Promise.all([one, two].map(async (id) => (await citizen.follow(await office.filed({ attachments: [id] }))).body.attachments[0])));
    assert.equal(a.size, b.size);
    assert.equal((await hotline.sql('select count(distinct sha256)::int n from hotline.attachment where size = $1', [a.size]))[0].n, 1);
});

test('a whole upload that nobody has stored yet is stored by the next who asks', async () => {
    const photo = jpeg({});
    const path = (await begin(photo.length)).headers.get('location');

    writeFileSync(join(files, 'new', path.split('/').pop()), photo); // as if the engine had died before the answer
    assert.equal(await state(path), photo.length);
    assert.equal((await citizen.submit({ attachments: [path.split('/').pop()] })).status, 201);
});

test('creation with the first part, checksums, termination, method override, expiration', async () => {
    const bytes = png();
    const digest = (algorithm, data) => `${algorithm} ${createHash(algorithm).update(data).digest('base64')}`;
    const made = await begin(bytes.length, {}, bytes.subarray(0, 50));
    const path = made.headers.get('location');

    assert.equal(made.status, 201);
    assert.equal(made.headers.get('upload-offset'), '50');
    assert.ok(Date.parse(made.headers.get('upload-expires')) > Date.now() + 23 * 3600_000);
    const rest = bytes.subarray(50);
    assert.equal((await part(path, 50, rest, { 'Upload-Checksum': digest('sha1', bytes) })).status, 460);
    assert.equal((await part(path, 50, rest, { 'Upload-Checksum': 'md5 AAAA' })).status, 400);
    assert.equal((await part(path, 50, rest, { 'Upload-Checksum': 'sha1 !!!' })).status, 400);
    assert.equal((await part(path, 50, rest.subarray(0, 10), { 'Upload-Checksum': digest('sha256', rest.subarray(0, 10)) })).status, 204);
    const over = await ask('POST', path, { ...PIECE, 'Upload-Offset': '60', 'X-HTTP-Method-Override': 'PATCH' }, rest.subarray(10));
    assert.equal(over.status, 204);
    assert.equal((await ask('DELETE', path)).status, 204);
    assert.equal(await state(path), 410);
    const half = (await begin(100)).headers.get('location');
    assert.equal((await ask('DELETE', half)).status, 204);
    assert.equal(await state(half), 404);
    assert.equal((await citizen.submit({ attachments: [path.split('/').pop()] })).status, 422);
    const able = await ask('OPTIONS', '/v1/uploads', {});
    assert.equal(able.status, 204);
    assert.equal(able.headers.get('tus-version'), '1.0.0');
    assert.equal(able.headers.get('tus-max-size'), String(20 << 20));
    assert.deepEqual(able.headers.get('tus-extension').split(',').sort(), ['checksum', 'creation', 'creation-with-upload', 'expiration', 'termination']);
});

test('hostile headers are refused and change nothing', async () => {
    const path = (await begin(1000)).headers.get('location');
    const refusals = [
        [412, () => ask('POST', '/v1/uploads', { 'Upload-Length': '10' })],
        [412, () => ask('HEAD', path, { 'Tus-Resumable': '0.2.2' })],
        [412, () => part(path, 0, 'x', { 'Tus-Resumable': '1.0.0 ' + 'x'.repeat(500) })],
        ...['', '0', '-1', '1e3', '0x10', '99999999999999999999', ' 5 5', '5;', 'NaN', '1.5'].map((n) => [400, () => begin(n)]),
        [413, () => begin((20 << 20) + 1)],
        [413, () => begin('9007199254740991')],
        [400, () => ask('POST', '/v1/uploads', { ...T, 'Upload-Defer-Length': '1' })],
        ...['name !!!!', ',', 'a b c', 'name AAA', 'k AA', 'k QQ==,,k QQ==', Array(40).fill('k QQ==').join(',')]
            .map((m) => [400, () => begin(10, { 'Upload-Metadata': m })]),
        [415, () => ask('PATCH', path, { ...T, 'Upload-Offset': '0', 'Content-Type': 'application/json' }, '{}')],
        [415, () => ask('PATCH', path, { ...T, 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream; charset=x' }, 'x')],
        ...['-1', 'x', '1e1', '18446744073709551616'].map((n) => [400, () => part(path, n, 'x')]),
        [400, () => ask('PATCH', path, PIECE, 'x')],
        [413, () => part(path, 0, Buffer.alloc(PART + 1))],
        [413, () => part(path, 0, Buffer.alloc(1001))],
        [404, () => ask('HEAD', '/v1/uploads/' + '0'.repeat(32))],
        [404, () => ask('HEAD', '/v1/uploads/..%2f..%2fetc%2fpasswd')],
        [404, () => ask('HEAD', '/v1/uploads/' + 'A'.repeat(32))],
        [404, () => part('/v1/uploads/.guard', 0, 'x')],
        [404, () => ask('DELETE', `${path}.info`)],
        [405, () => ask('GET', path)],
        [405, () => ask('POST', path, { ...T, 'X-HTTP-Method-Override': 'GET' })],
        [405, () => ask('PUT', path, T, 'x')],
    ];

    for (const [status, send] of refusals) {
        const answer = await send();
        assert.equal(answer.status, status, `${send}: ${answer.text}`);
    }
    assert.equal(await state(path), 0);
    assert.equal(hotline.engine.said().includes('level=error ev=child_died') && hotline.engine.said().split('ev=child_died').length > 3, false);
});

test('what a file is its content says; what is none of the kinds, or broken, is refused and forgotten', async () => {
    const refused = async (bytes, status, code) => {
        const path = (await begin(bytes.length, { 'Upload-Metadata': `filetype ${Buffer.from('image/jpeg').toString('base64')}` })).headers.get('location');
        const answer = await part(path, 0, bytes);

        assert.equal(answer.status, status, `${code} ${answer.text}`);
        assert.equal(answer.body.code, code);
        assert.equal(await state(path), 404);
    };
    const html = Buffer.from('<!DOCTYPE html><html><script>alert(1)</script></html>');

    await refused(html, 415, 'bad_file_type');
    await refused(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'), 415, 'bad_file_type');
    await refused(Buffer.from('MZ\x90\0\x03\0\0\0'), 415, 'bad_file_type');
    await refused(Buffer.from('PK\x03\x04\x14\0\0\0'), 415, 'bad_file_type');
    await refused(Buffer.from('GIF89a\x01\0\x01\0\x80\0\0;'), 415, 'bad_file_type');
    await refused(randomBytes(500), 415, 'bad_file_type');
    await refused(Buffer.concat([jpeg({}).subarray(0, 40), html]), 422, 'bad_file');
    await refused(png().subarray(0, 60), 422, 'bad_file');
    const film = mp4();
    film.writeUInt32BE(0xfffffff0, 28); // the size of moov
    await refused(film, 422, 'bad_file');

    const secret = '13922223333';
    for (const [name, bytes, type] of [['jpeg', jpeg({ secret }), 'image/jpeg'], ['png', png({ secret }), 'image/png'], ['webp', webp({ secret }), 'image/webp'],
        ['mp4', mp4({ secret }), 'video/mp4'], ['page after a picture', Buffer.concat([jpeg({ secret }), html]), 'image/jpeg'], ['pdf', pdf(), 'application/pdf']]) {
        const filed = await office.filed({ attachments: [await sent(bytes)] });
        const [a] = (await citizen.follow(filed)).body.attachments;
        assert.equal(a.type, type, name);
        const got = await fetched(`/v1/tickets/${filed.number}/attachments/${a.id}`, { 'X-Query-Code': filed.query_code });
        assert.ok(!got.bytes.includes(secret) && !got.bytes.includes('<script>'), name);
    }
    const disk = everything().map((digest) => readFileSync(kept(digest)));
    assert.ok(disk.every((bytes) => !bytes.includes(secret)), 'nor on disk');
    for (const digest of everything())
        assert.equal(sha(readFileSync(kept(digest))), digest);
});

test('a file is sent so that it can never act as a page, in parts too', async () => {
    const filed = await office.filed({ attachments: [await sent(jpeg({ scan: 100_000 })), await sent(pdf())] });
    const [photo, paper] = (await citizen.follow(filed)).body.attachments;
    const code = { 'X-Query-Code': filed.query_code };
    const at = (a) => `/v1/tickets/${filed.number}/attachments/${a.id}`;
    const got = await fetched(at(photo), code);

    assert.equal(got.headers.get('content-type'), 'image/jpeg');
    assert.equal(got.headers.get('x-content-type-options'), 'nosniff');
    assert.match(got.headers.get('content-security-policy'), /^sandbox; default-src 'none'/);
    assert.equal(got.headers.get('cross-origin-resource-policy'), 'same-origin');
    assert.equal(got.headers.get('cache-control'), 'no-store');
    assert.equal(got.headers.get('content-disposition'), `inline; filename="${filed.number}-1.jpg"`);
    assert.equal((await fetched(at(paper), code)).headers.get('content-disposition'), `attachment; filename="${filed.number}-2.pdf"`);

    const range = async (text) => fetched(at(photo), { ...code, Range: text });
    const some = await range('bytes=10-19');
    assert.equal(some.status, 206);
    assert.equal(some.headers.get('content-range'), `bytes 10-19/${photo.size}`);
    assert.ok(some.bytes.equals(got.bytes.subarray(10, 20)));
    assert.ok((await range('bytes=-7')).bytes.equals(got.bytes.subarray(-7)));
    assert.ok((await range('bytes=5-')).bytes.equals(got.bytes.subarray(5)));
    assert.equal((await range(`bytes=${photo.size}-`)).status, 416);
    assert.equal((await range('bytes=9-3')).status, 416);
    for (const odd of ['bytes=', 'bytes=a-b', 'bytes=0-1,5-6', 'lines=1-2', 'bytes=1', '-'])
        assert.equal((await range(odd)).bytes.length, photo.size, odd);
});

test('only who may see the ticket sees its files; what came from a hidden citizen stays in the centre', async () => {
    const photo = await sent(jpeg({ scan: 1000 }));
    const open = await office.at('handling', { attachments: [photo] });
    const secret = await office.at('handling', { attachments: [photo], secrecy: 1 });
    const look = async (login, t) => {
        const staff = await hotline.as(login);
        const [{ id }] = await hotline.sql('select id::text from hotline.attachment where ticket_id = $1 order by id limit 1', [t.id]);
        const whole = await staff.get(`/v1/desk/tickets/${t.id}`);
        const got = await fetched(`/v1/desk/tickets/${t.id}/attachments/${id}`, staff.headers);

        return [whole.body.attachments?.length, whole.body.attachments_hidden, got.status];
    };

    assert.deepEqual(await look('leader1', open), [1, 0, 200]);
    assert.deepEqual(await look('st-gaj.h', open), [1, 0, 200]);
    assert.deepEqual(await look('st-lh.d', open), [undefined, undefined, 404]);
    assert.deepEqual(await look('leader1', secret), [1, 0, 200]);
    assert.deepEqual(await look('st-gaj.h', secret), [0, 1, 404]);
    const [{ id }] = await hotline.sql('select id::text from hotline.attachment where ticket_id = $1', [open.id]);
    assert.equal((await fetched(`/v1/desk/tickets/${open.id}/attachments/${id}`, {})).status, 401);
    assert.equal((await fetched(`/v1/desk/tickets/${secret.id}/attachments/${id}`, (await hotline.as('leader1')).headers)).status, 404, 'of another ticket');
    assert.equal((await anybody.get(`/v1/tickets/${open.number}/attachments/${id}`)).status, 404);
    assert.equal((await anybody.get(`/v1/tickets/${open.number}/attachments/${id}`, { headers: { 'X-Query-Code': secret.query_code } })).status, 404);
    assert.equal((await anybody.get(`/v1/tickets/${open.number}/attachments/x`, { headers: { 'X-Query-Code': open.query_code } })).status, 404);
});

test('follow-up, progress note and reply bring files; the citizen sees each when it is time', async () => {
    const t = await office.at('handling');
    const code = { headers: { 'X-Query-Code': t.query_code } };
    const shown = async () => (await citizen.follow(t)).body.attachments.map((a) => a.type);

    assert.equal((await citizen.post(`/v1/tickets/${t.number}/followups`, { kind: 'supplement', text: '补一张照片', attachments: [await sent(jpeg({}))] }, code)).status, 200);
    assert.deepEqual(await shown(), ['image/jpeg']);
    await office.done('st-gaj.h', t, 'progress_note', { text: '正在核实，内部资料', visible_to_citizen: false, attachments: [await sent(pdf('inner'))] });
    assert.deepEqual(await shown(), ['image/jpeg']);
    await office.done('st-gaj.h', t, 'progress_note', { text: '已到现场查看', visible_to_citizen: true, attachments: [await sent(png())] });
    assert.deepEqual(await shown(), ['image/jpeg', 'image/png']);
    await office.done('st-gaj.h', t, 'first_contact', { contacted: true, way: 'phone' });
    const answer = await office.do('st-gaj.h', t, 'submit_reply', { ...reply, attachments: [await sent(webp())] });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(await shown(), ['image/jpeg', 'image/png']);
    await office.bring(t, 'unit_approval', 'closed');
    assert.deepEqual(await shown(), ['image/jpeg', 'image/png', 'image/webp']);
    const unit = (await (await hotline.as('st-gaj.h')).get(`/v1/desk/tickets/${t.id}`)).body;
    assert.deepEqual(unit.attachments.map((a) => [a.type, a.from_citizen]),
        [['image/jpeg', true], ['application/pdf', false], ['image/png', false], ['image/webp', false]]);
});

test('a supplement brings files, and so does what staff records of a follow-up', async () => {
    const t = await office.filed();

    await office.done('acceptor1', t, 'request_supplement', { missing_items: ['照片'] });
    assert.equal((await citizen.post(`/v1/tickets/${t.number}/supplement`, { text: '照片来了', attachments: [await sent(jpeg({}))] }, { headers: { 'X-Query-Code': t.query_code } })).status, 200);
    await office.done('operator1', t, 'followup', { kind: 'query', text: '市民发来邮件', attachments: [await sent(pdf('mail'))] });
    assert.equal((await citizen.follow(t)).body.attachments.length, 2);
});

test('nine files a complaint; unknown, unfinished and expired ones are named in the refusal; the same key gets the same answer', async () => {
    const photo = await sent(jpeg({}));
    const half = (await begin(1000)).headers.get('location').split('/').pop();
    const old = await sent(png());
    const long_ago = new Date(Date.now() - 25 * 3600_000);

    utimesSync(join(files, 'new', `${old}.info`), long_ago, long_ago);
    assert.equal((await citizen.submit({ attachments: Array(10).fill(photo) })).status, 422);
    assert.equal((await citizen.submit({ attachments: ['x'] })).status, 422);
    assert.equal((await citizen.submit({ attachments: [5] })).status, 422);
    assert.equal((await citizen.submit({ attachments: photo })).status, 422);
    const bad = await citizen.submit({ attachments: [photo, half, old, 'f'.repeat(32)] });
    assert.equal(bad.status, 422);
    assert.deepEqual(bad.body.fields.map((f) => [f.name, f.code]), [1, 2, 3].map((n) => [`attachments[${n}]`, 'no_such_upload']));
    const t = await office.at('handling');
    for (const attachments of [['x'], [], Array(10).fill(photo), ['f'.repeat(32)], photo, [photo, 7]])
        assert.equal((await office.do('st-gaj.h', t, 'progress_note', { text: '进展说明', visible_to_citizen: true, attachments })).status, 422, JSON.stringify(attachments).slice(0, 60));
    assert.equal((await office.do('st-gaj.h', t, 'press', { attachments: [photo] })).status >= 400, true);

    const key = randomBytes(16).toString('hex');
    const first = await citizen.submit({ attachments: [photo] }, { headers: { 'Idempotency-Key': key } });
    assert.equal(first.status, 201, first.text);
    utimesSync(join(files, 'new', `${photo}.info`), long_ago, long_ago);
    const again = await citizen.submit({ attachments: [photo] }, { headers: { 'Idempotency-Key': key } });
    assert.deepEqual([again.status, again.body], [201, first.body], 'though the upload has expired meanwhile');
});

test('a full disk refuses what is new, and a part that does not fit leaves what was there', { timeout: 60_000 }, async () => {
    const photo = jpeg({ scan: 600_000 });
    const path = (await begin(photo.length)).headers.get('location');

    assert.equal((await part(path, 0, photo.subarray(0, 1000))).status, 204);
    await hotline.engine.term();
    await hotline.startEngine({ files_reserve_mb: 100_000_000 });
    const full = await begin(1000);
    assert.equal(full.status, 507);
    assert.ok(full.headers.get('retry-after'));
    assert.equal((await citizen.submit()).status, 201, 'a complaint without files is taken');
    // Ours may go on: its room was there when it began.  A limit of file size stands for the disk that has no more.
    await hotline.engine.term();
    await hotline.startEngine({ workers: 1 });
    const { execFileSync } = await import('node:child_process');
    for (const pid of hotline.workers())
        execFileSync('prlimit', ['--pid', String(pid), '--fsize=100000:unlimited']);
    const cut = await part(path, 1000, photo.subarray(1000, 1000 + PART));
    assert.equal(cut.status, 507);
    assert.equal(cut.body.code, 'disk_full');
    assert.equal(await state(path), 1000);
    for (const pid of hotline.workers())
        execFileSync('prlimit', ['--pid', String(pid), '--fsize=unlimited:unlimited']);
    for (let at = 1000; at < photo.length; at += PART)
        assert.equal((await part(path, at, photo.subarray(at, at + PART))).status, 204);
    assert.equal((await citizen.submit({ attachments: [path.split('/').pop()] })).status, 201);
});

test('a file that is gone from disk, or is not what it was, is said to be gone', async () => {
    const filed = await office.filed({ attachments: [await sent(jpeg({ scan: 5000 }))] });
    const [a] = (await citizen.follow(filed)).body.attachments;
    const [{ sha256 }] = await hotline.sql('select sha256 from hotline.attachment where id = $1', [a.id]);
    const look = () => anybody.get(`/v1/tickets/${filed.number}/attachments/${a.id}`, { headers: { 'X-Query-Code': filed.query_code } });

    truncateSync(kept(sha256), 100);
    assert.equal((await look()).status, 410);
    rmSync(kept(sha256));
    const gone = await look();
    assert.equal(gone.status, 410);
    assert.equal(gone.body.code, 'file_gone');
    assert.match(hotline.engine.said(), /ev=file_gone/);
});

test('what no ticket names goes after its time, what one names stays', { timeout: 60_000 }, async () => {
    const named = await sent(jpeg({ scan: 7000 }));
    const unnamed = await sent(jpeg({ scan: 8000 }));
    const shared = jpeg({ scan: 9000 });
    const [one, two] = [await sent(shared), await sent(shared)];
    const half = (await begin(1000)).headers.get('location').split('/').pop();
    const digest = (id) => readFileSync(join(files, 'new', `${id}.info`), 'utf8').split(' ')[1];
    const digests = Object.fromEntries([named, unnamed, one].map((id) => [id, digest(id)]));
    const filed = await office.filed({ attachments: [named] });
    const long_ago = new Date(Date.now() - 25 * 3600_000);

    for (const id of [named, unnamed, one, half])
        utimesSync(join(files, 'new', `${id}.info`), long_ago, long_ago);
    await hotline.engine.term();
    await hotline.startEngine();
    await until('the cleaner has been', () => /ev=uploads_expired/.test(hotline.engine.said().split('ev=listening').pop()));
    for (const id of [named, unnamed, one, half])
        assert.equal(await state(`/v1/uploads/${id}`), 404, 'forgotten');
    assert.ok(existsSync(kept(digests[named])));
    assert.ok(!existsSync(kept(digests[unnamed])));
    assert.ok(existsSync(kept(digests[one])), 'another upload still has it');
    assert.equal((await citizen.submit({ attachments: [two] })).status, 201);
    const [a] = (await citizen.follow(filed)).body.attachments;
    assert.equal((await fetched(`/v1/tickets/${filed.number}/attachments/${a.id}`, { 'X-Query-Code': filed.query_code })).status, 200);
    assert.equal(readdirSync(join(files, 'new')).filter((name) => /\.(clean|draft)$/.test(name)).length, 0);
});

test('uploads begun from one address are limited', async () => {
    const other = await start({ settings: { web_root: '', limit_upload: 5 } });

    for (let n = 0; n < 5; n++)
        assert.equal((await other.anybody.ask('POST', '/v1/uploads', { headers: { ...T, 'Upload-Length': '10' } })).status, 201);
    const refused = await other.anybody.ask('POST', '/v1/uploads', { headers: { ...T, 'Upload-Length': '10' } });
    assert.equal(refused.status, 429);
    assert.ok(refused.headers.get('retry-after'));
});

test('without a folder files are refused, complaints are not', async () => {
    const other = await start({ settings: { web_root: '', files_root: '' } });

    const answer = await other.anybody.ask('POST', '/v1/uploads', { headers: { ...T, 'Upload-Length': '10' } });
    assert.equal(answer.status, 503);
    assert.equal(answer.body.code, 'files_away');
    assert.equal((await other.citizen.submit()).status, 201);
    assert.equal((await other.citizen.submit({ attachments: ['0'.repeat(32)] })).status, 422);
});
