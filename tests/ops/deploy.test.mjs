// What deploy/ ships fits what is built and what runs it.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const deploy = new URL('../../deploy', import.meta.url).pathname;
const text = (...names) => readFileSync(join(deploy, ...names), 'utf8');
const dir = mkdtempSync(join(tmpdir(), 'hotline-deploy-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const has = (path) => process.env.PATH.split(':').concat('/usr/sbin').map((folder) => join(folder, path)).find((file) => existsSync(file));

test('the sample configuration is the table of settings (make sample writes it again)', async () => {
    assert.equal(text('hotlined.conf.sample'), (await run(process.env.HOTLINED, ['--print-config'])).stdout);
});

test('every setting that the units, the proxy and the guide name exists', () => {
    const known = new Set([...text('hotlined.conf.sample').matchAll(/^#(\w+) = /gm)].map((m) => m[1]));
    const named = [
        ...[...text('systemd', 'hotlined.service').matchAll(/^Environment=HOTLINE_(\w+)=/gm)].map((m) => m[1].toLowerCase()),
        ...[...text('nginx', 'hotline.conf').matchAll(/^# +(\w+) = /gm), ...text('README.md').matchAll(/^ {4}(\w+) = /gm)].map((m) => m[1]),
    ].filter((name) => !/^(archive|wal|max_wal)_/.test(name));

    assert.ok(named.length > 8, named.join());
    assert.deepEqual(named.filter((name) => !known.has(name)), []);
});

test('systemd accepts the units', { skip: !has('systemd-analyze') && 'NOT CHECKED: systemd-analyze is not here' }, async () => {
    const units = readdirSync(join(deploy, 'systemd'));

    // The programs are not installed here; everything else is as shipped.
    for (const unit of units)
        writeFileSync(join(dir, unit), text('systemd', unit).replace(/^ExecStart=\S+/gm, 'ExecStart=/bin/true'));
    const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', ...units.map((unit) => join(dir, unit))]);
    assert.deepEqual((stdout + stderr).split('\n').filter((line) => units.some((unit) => line.includes(unit))), []);
});

test('the engine is confined', { skip: !has('systemd-analyze') && 'NOT CHECKED: systemd-analyze is not here' }, async () => {
    const { stdout } = await run('systemd-analyze', ['security', '--offline=yes', '--no-pager', join(deploy, 'systemd', 'hotlined.service')]);
    const [, exposure] = stdout.match(/Overall exposure level[^:]*: ([0-9.]+)/);

    assert.ok(Number(exposure) <= 2.5, `exposure ${exposure}\n${stdout}`);
});

test('nginx accepts the proxy, and keeps /metrics and /readyz inside', { skip: !has('nginx') && 'NOT CHECKED: nginx is not here' }, async () => {
    await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=test',
        '-keyout', join(dir, 'key.pem'), '-out', join(dir, 'fullchain.pem')]);
    const site = text('nginx', 'hotline.conf').replaceAll('/etc/hotline/tls', dir).replaceAll('/var/log/nginx', dir);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${dir}/${name};\n`).join('');
    writeFileSync(join(dir, 'nginx.conf'), `pid ${dir}/pid;\nerror_log ${dir}/error.log;\nevents {}\nhttp {\naccess_log off;\n${temporary}${site}\n}\n`);
    await run(has('nginx'), ['-t', '-p', dir, '-c', join(dir, 'nginx.conf'), '-e', join(dir, 'error.log')]);
    assert.match(site, /location ~ \^\/\(metrics\|readyz\)\$ \{[^}]*deny all;/);
});
