// Does an answer look as engine/openapi.json says?  Every answer that a test of this folder gets is compared.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

export const description = JSON.parse(readFileSync(new URL('../../engine/openapi.json', import.meta.url), 'utf8'));

const of = (value) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);
const is = (type, value) => of(value) === type || (type === 'integer' && Number.isInteger(value));
export const resolve = (node) => (node.$ref ? resolve(node.$ref.slice(2).split('/').reduce((at, name) => at[name], description)) : node);

// Every way in which a value does not fit a schema, as "path: why".
export function misfits(schema, value, at = '$') {
    const s = resolve(schema);
    const wrong = [];
    const say = (why) => wrong.push(`${at}: ${why}`);

    if (s.anyOf && !s.anyOf.some((one) => misfits(one, value).length === 0))
        say(`fits none: ${s.anyOf.map((one) => misfits(one, value, at)[0]).join(' | ')}`);
    if (s.type && ![s.type].flat().some((type) => is(type, value)))
        return [`${at}: ${of(value)}, not ${s.type} (${JSON.stringify(value)?.slice(0, 80)})`];
    if (s.enum && !s.enum.includes(value))
        say(`"${value}" is not one of ${s.enum}`);
    if (typeof value === 'string') {
        if (s.pattern && !new RegExp(s.pattern, 'u').test(value))
            say(`"${value}" does not match ${s.pattern}`);
        if ([...value].length < (s.minLength ?? 0) || [...value].length > (s.maxLength ?? Infinity))
            say(`${[...value].length} characters`);
    }
    if (typeof value === 'number' && (value < (s.minimum ?? -Infinity) || value > (s.maximum ?? Infinity)))
        say(`${value} is out of range`);
    if (Array.isArray(value) && s.items)
        value.forEach((one, i) => wrong.push(...misfits(s.items, one, `${at}[${i}]`)));
    if (of(value) === 'object') {
        for (const name of s.required ?? [])
            if (!(name in value))
                say(`without ${name}`);
        for (const [name, one] of Object.entries(value)) {
            const rule = s.properties?.[name] ?? s.additionalProperties;
            if (rule === false)
                say(`${name} is not described`);
            else if (rule && rule !== true)
                wrong.push(...misfits(rule, one, `${at}.${name}`));
        }
    }
    return wrong;
}

const shape = (template) => new RegExp(`^${template.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);
const shapes = Object.keys(description.paths)
    .sort((a, b) => a.includes('{') - b.includes('{'))
    .map((path) => [shape(path), path]);

export const path_of = (path) => shapes.find(([fits]) => fits.test(path.split('?')[0]))?.[1];

// Refuse an answer that the description does not allow.
export function check(method, path, answer) {
    const template = path_of(path);
    const said_of = description.paths[template];
    const operation = said_of?.[method.toLowerCase()] ?? (method === 'HEAD' ? said_of?.get : undefined);
    const whole = `${method} ${path} → ${answer.status} ${answer.text.slice(0, 300)}`;

    if (!template && !answer.body)
        return; // a page
    if (!operation) {
        assert.ok([404, 405].includes(answer.status), `not described: ${whole}`);
        assert.deepEqual(misfits({ $ref: '#/components/schemas/Problem' }, answer.body), [], whole);
        return;
    }
    assert.ok(operation.responses[answer.status], `status not described: ${whole}`);
    const said = resolve(operation.responses[answer.status]);
    const type = (answer.headers.get('content-type') ?? '').split(';')[0];
    if (!said.content || method === 'HEAD')
        return;
    assert.ok(said.content[type], `content type ${type} not described: ${whole}`);
    if (!answer.body)
        return;
    assert.deepEqual(misfits(said.content[type].schema, answer.body), [], whole);
    if (answer.status >= 400 && answer.body.code)
        assert.match(said.description, new RegExp(`\\b${answer.body.code}\\b`), `code not described for ${answer.status}: ${whole}`);
}
