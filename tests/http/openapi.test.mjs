// The description and the engine say the same.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { description, resolve } from './described.mjs';
import { start } from './harness.mjs';

// The pages' own routes are no interface; those of other applications and of WeChat have to be switched on.
const account = join(mkdtempSync(join(tmpdir(), 'hotline-openapi-')), 'wechat');
writeFileSync(account, 'appid wx0123456789abcdef\ntoken described\nmode plain\n', { mode: 0o600 });
after(() => rmSync(dirname(account), { recursive: true, force: true }));
const hotline = await start({ settings: { web_root: '', app_jurisdiction: 'shantou.gov.cn', wechat_file: account } });
const { anybody } = hotline;
const root = new URL('../../', import.meta.url);
const source = (folder, ending) => readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith(ending)).map((name) => readFileSync(new URL(folder + name, root), 'utf8')).join('\n');
const all = (text, pattern) => [...new Set([...text.matchAll(pattern)].map((m) => m[1]))].sort();

test('what is served is the file of the repository', async () => {
    const answer = await anybody.get('/openapi.json');

    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body, description);
    const again = await anybody.get('/openapi.json', { headers: { 'If-None-Match': answer.headers.get('etag') } });
    assert.equal(again.status, 304);
});

test('the engine has exactly the routes that are described', async () => {
    const { text } = await anybody.get('/metrics'); // a series for each route as it is registered
    const there = all(text, /^hotlined_http_seconds_count\{route="([^"]+)"/gm);
    const said = Object.entries(description.paths)
        .flatMap(([path, item]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`)).sort();

    assert.deepEqual(there, said);
});

test('every code that a rule of the database can refuse with is described, under its status', () => {
    const rules = ['sql/rules/', 'sql/api/'].map((folder) => source(folder, '.sql')).join('\n');
    const problems = [...rules.matchAll(/hotline\.problem\((\d{3}),\s*'(\w+)'/g)];

    assert.ok(problems.length > 20);
    for (const [, status, code] of problems)
        assert.match(description.components.responses[status].description, new RegExp(`\\b${code}\\b`), `${status} ${code}`);
});

test('every code that is described is somewhere in the engine or in the database', () => {
    const text = ['sql/rules/', 'sql/api/'].map((folder) => source(folder, '.sql')).join('\n') +
        ['engine/', 'channels/app/', 'channels/web/', 'channels/exchange/'].map((folder) => source(folder, '.c')).join('\n');

    for (const code of description.components.schemas.Problem.properties.code.enum)
        assert.match(text, new RegExp(`['"]${code}['"]`), code);
});

// What the engine's tables of fields and parameters name, and what is described in their place.
const tables = {
    'engine/intake.c intake_fields': description.components.schemas.NewTicket.properties,
    'engine/desk.c draft_fields': description.components.schemas.NewDraft.properties,
    'engine/desk.c text_fields': description.components.schemas.Words.properties,
    'engine/session.c login_fields': description.components.schemas.Login.properties,
    'engine/desk.c list_filters': '/v1/desk/tickets',
    'engine/desk.c search_fields': description.components.schemas.Search.properties,
    'engine/desk.c metric_filters': '/v1/metrics/{name}/tickets',
};

for (const [place, said] of Object.entries(tables))
    test(`${place} and the description name the same`, () => {
        const [file, table] = place.split(' ');
        const text = readFileSync(new URL(file, root), 'utf8').match(new RegExp(`${table}\\[\\] = \\{(.*?)\\n\\};`, 's'))[1];
        const names = typeof said === 'string'
            ? description.paths[said].get.parameters.map(resolve).filter((p) => p.in === 'query').map((p) => p.name) : Object.keys(said);

        assert.deepEqual(all(text, /\{ "(\w+)", (?:JSON|FILTER)_/g), names.sort());
    });

test('every reference within the description leads somewhere, every operation has a name of its own', () => {
    const names = [];
    const walk = (node) => {
        if (node === null || typeof node !== 'object')
            return;
        if (typeof node.$ref === 'string')
            assert.ok(resolve(node), node.$ref);
        if (node.operationId)
            names.push(node.operationId);
        Object.values(node).forEach(walk);
    };

    walk(description);
    assert.equal(new Set(names).size, names.length);
    for (const [path, item] of Object.entries(description.paths))
        for (const operation of Object.values(item))
            for (const [, name] of path.matchAll(/\{(\w+)\}/g))
                assert.ok(operation.parameters.map(resolve).some((p) => p.in === 'path' && p.name === name), `${path}: ${name}`);
});
