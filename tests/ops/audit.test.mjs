// Signed roots over the tickets' chains: what hotlinectl audit sees when the database's owner lies.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { start } from '../http/harness.mjs';
import { Office } from '../http/office.mjs';

const hotline = await start({ settings: { web_root: '' } });
const office = new Office(hotline);
const ctl = join(dirname(process.env.HOTLINED), 'hotlinectl');
const keyFile = join(hotline.dir, 'audit.key');
const publicFile = join(hotline.dir, 'audit.pub');
const environment = { ...process.env, HOTLINE_ADMIN_DATABASE: `host=${process.env.PGHOST} user=postgres dbname=${hotline.database}`, HOTLINE_AUDIT_KEY_FILE: keyFile };
const run = async (...words) => (await promisify(execFile)(ctl, words, { env: environment })).stdout;

// Its lines but the last; the exit code must fit.
async function verify(...words) {
    const { stdout, code } = await promisify(execFile)(ctl, ['audit', 'verify', ...words], { env: environment }).catch((error) => error);
    const lines = stdout.trim().split('\n');
    const found = lines.slice(0, -1);

    assert.match(lines.at(-1), new RegExp(`: ${found.length} differences$`));
    assert.equal(code ?? 0, found.length ? 1 : 0);
    return found;
}

// Change the database as its owner, hear what is found, put it back.
async function lied(statement, ...words) {
    const tables = ['event', 'ticket', 'ticket_ref', 'audit_root', 'audit_head'];

    await hotline.sql(tables.map((t) => `create table kept_${t} as table hotline.${t}`).join(';'));
    await hotline.sql(statement);
    const found = await verify(...words);
    await hotline.sql(['begin', 'set constraints all deferred', ...tables.toReversed().map((t) => `delete from hotline.${t}`),
        ...tables.map((t) => `insert into hotline.${t} select * from kept_${t}`), 'commit', ...tables.map((t) => `drop table kept_${t}`)].join(';'));
    return found;
}

let closed, early, late, exported;

test('a key is made once, for its owner alone', async () => {
    const said = await run('audit', 'key', keyFile);

    assert.match(said, /^[0-9a-f]{64}\n$/);
    writeFileSync(publicFile, said);
    assert.equal(statSync(keyFile).mode & 0o777, 0o600);
    await assert.rejects(run('audit', 'key', keyFile), /is there already/);
    chmodSync(keyFile, 0o644);
    await assert.rejects(run('audit', 'sign'), /only its owner may read/);
    chmodSync(keyFile, 0o600);
});

test('the first root covers everything, the next what has grown', async () => {
    closed = await office.at('closed');
    early = await office.at('pending_sign');
    assert.deepEqual(await verify(), [], 'without any root the chains alone are checked');
    const [n, , heads] = (await run('audit', 'sign')).split(' ');
    assert.deepEqual([n, heads], ['1', '2']);

    await office.bring(early, 'pending_sign', 'handling');
    late = await office.at('pending_accept');
    assert.match(await run('audit', 'sign'), /^2 \d+ 2 /);
    assert.match(await run('audit', 'sign'), /^3 \d+ 0 /, 'a day on which nothing happens has its root too');
    assert.deepEqual(await verify(), []);
    assert.deepEqual(await verify('--public', publicFile), [], 'the public key is enough');
    exported = join(hotline.dir, 'roots');
    writeFileSync(exported, await run('audit', 'export'));
    assert.equal(readFileSync(exported, 'utf8').split('\n').length, 4);
    assert.deepEqual(await verify('--roots', exported), []);
});

test('work goes on above what is signed', async () => {
    await office.bring(late, 'pending_accept', 'pending_dispatch');
    assert.deepEqual(await verify(), []);
});

test('a changed, a missing, a forged event is named', async () => {
    const last = `(select max(n) from hotline.event where ticket_id = ${closed.id})`;

    assert.deepEqual(await lied(`update hotline.event set payload = payload || '{"x": 1}' where ticket_id = ${closed.id} and n = 3`),
        [`ticket ${closed.id}: event 3 was changed`]);
    assert.deepEqual(await lied(`delete from hotline.event where ticket_id = ${closed.id} and n = 3`), [
        `ticket ${closed.id}: event 4 comes after event 2`, `ticket ${closed.id}: event 4 does not follow from event 2`,
        `ticket ${closed.id}: event 4 starts from another state than event 2 ended in`]);
    // A new last event with hashes that fit, and a ticket row that agrees.
    assert.deepEqual(await lied(`
        update hotline.event e set actor_id = 1 where ticket_id = ${closed.id} and n = ${last};
        update hotline.event e set hash = hotline.event_hash(e.prev_hash, e) where ticket_id = ${closed.id} and n = ${last};
        update hotline.ticket t set event_hash = e.hash from hotline.event e where t.id = ${closed.id} and e.ticket_id = t.id and e.n = t.event_n`),
    [`ticket ${closed.id}: event 10 is not the one signed in root 1`]);
});

test('a cut tail and a ticket taken away whole are named', async () => {
    assert.deepEqual(await lied(`
        delete from hotline.event where ticket_id = ${early.id} and n > 3;
        update hotline.ticket t set event_n = 3, event_hash = e.hash, event_at = e.at, state = e.to_state
        from hotline.event e where t.id = ${early.id} and e.ticket_id = t.id and e.n = 3`),
    [`ticket ${early.id}: event 4, signed in root 2, is not there`]);
    const found = await lied(`delete from hotline.event where ticket_id = ${closed.id}; delete from hotline.ticket where id = ${closed.id}`);
    assert.deepEqual(found, [`ticket ${closed.id}: event 10, signed in root 1, is not there`, `ticket ${closed.id}: is not there`]);
});

test('lies about the roots themselves are named', async () => {
    const head = `delete from hotline.audit_head where ticket_id = ${closed.id}`;

    assert.match((await lied(head))[0], /^root 1: its heads were changed \(2 were signed, 1 are there\)$/);
    assert.match((await lied("update hotline.audit_root set at = at - interval '1 second' where n = 2")).join(), /root 2: was changed$/);
    assert.match((await lied('update hotline.audit_root set signature = decode(repeat(\'00\', 64), \'hex\') where n = 2')).join(), /^root 2: the signature is false$/);
    assert.match((await lied("update hotline.audit_root set key_id = 'ffffffffffffffff' where n = 2")).join(), /not among the public keys/);
    assert.match((await lied('delete from hotline.audit_head where root = 2; delete from hotline.audit_root where n = 2')).join(), /root 3: the root before it is 1/);
    // The last root taken away leaves no trace inside; whoever kept its line knows.
    const last = 'delete from hotline.audit_root where n = 3';
    assert.deepEqual(await lied(last), []);
    assert.deepEqual(await lied(last, '--roots', exported), ['root 3: was exported and is not there']);
});

test('an old event under no root is found, and covered when the whole is signed', async () => {
    await hotline.sql("update hotline.audit_root set at = at + interval '10 days' where n = 3"); // as if time had gone on
    const found = await verify();
    assert.ok(found.includes(`ticket ${late.id}: events 2 to 2 are under no root (after an import: hotlinectl audit sign --all)`), found.join('\n'));
    await hotline.sql("update hotline.audit_root set at = at - interval '10 days' where n = 3");
    assert.match(await run('audit', 'sign', '--all'), /^4 \d+ 1 /);
    assert.deepEqual(await verify('--roots', exported), []);
});
