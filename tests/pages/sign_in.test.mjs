// Signing in while the engine is busy with the passwords of others.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { start } from '../http/harness.mjs';
import { open } from './browser.mjs';

const hotline = await start({ settings: { password_waiting_max: 1 } });
const browser = await open(hotline, 'desk');

test('the page says that it waits, comes again by itself, and is in', async () => {
    const person = await browser.person('waits');
    const { pid } = hotline.engine;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
    const [helper] = children.filter((child) => !hotline.workers().includes(child));

    await person.goto('/desk/');
    await person.sees('[data-testid="sign-in"]');
    process.kill(helper, 'SIGSTOP');
    try {
        const others = [1, 2].map(() => hotline.anybody.post('/v1/session', { login: 'dispatcher2', password: 'wrong' }));
        assert.equal((await Promise.race(others)).status, 503, 'one waits, which is as many as may');
        await person.signIn('dispatcher1');
        await person.sees('[data-testid="sign-in-waiting"]');
        assert.match(await person.text('sign-in-waiting'), /正在自动重试/);
        await person.shot('waiting');
        process.kill(helper, 'SIGCONT');
        await Promise.all(others);
    } finally {
        process.kill(helper, 'SIGCONT');
    }
    await person.sees('[data-testid="ticket-table"]', 20000);
    const refused = person.complaints.splice(0);
    assert.ok(refused.length > 0 && refused.every((text) => /^503 POST .*\/v1\/session$|status of 503/.test(text)), refused.join('\n'));
    await person.close();
});
