// Complaints by Open311 beside the same complaints by the plain JSON interface: what each costs engine and database together.

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { complaint } from '../../http/harness.mjs';
import { count, filing } from './calls.mjs';
import { cpuSeconds, http, out, postmaster, round, say } from './load.mjs';

const key = 'bench-bench-bench-bench-bench';
const same = complaint();
const form = new URLSearchParams({
    api_key: key, jurisdiction_id: 'bench', service_code: '130106', 'attribute[type]': same.type, description: same.content, phone: same.phone,
    address_id: same.division,
}).toString();
const ways = {
    json: filing,
    open311: ['POST /open311/v2/requests.json', null, form],
    open311_xml: ['POST /open311/v2/requests.xml', null, form],
};

// → complaints a CPU second
async function filed(hotline, line) {
    const tops = [postmaster(), hotline.engine.pid];
    const [before, cpu] = [await count(hotline), cpuSeconds(tops)];

    await http(hotline, [line], { more: ['--repeat'] });
    return (await count(hotline) - before) / (cpuSeconds(tops) - cpu);
}

export async function app({ rows, open }) {
    const file = join(out, 'app_keys');
    writeFileSync(file, `bench:${createHash('sha256').update(key).digest('hex')}\n`, { mode: 0o600 });
    const hotline = await open({ workers: cpus().length, app_jurisdiction: 'bench', app_key_file: file, limit_app: 0 });
    const got = { json: [], open311: [], open311_xml: [] };

    for (const line of Object.values(ways))
        await http(hotline, [line], { time: 2, more: ['--repeat'] });
    for (let turn = 0; turn < 3; turn++) // in turn, so that all meet the same machine
        for (const [name, line] of Object.entries(ways))
            got[name].push(await filed(hotline, line));
    const middle = Object.fromEntries(Object.entries(got).map(([name, values]) => [name, values.sort((a, b) => a - b)[1]]));
    say(`complaints a CPU second: ${Object.entries(middle).map(([name, value]) => `${name} ${round(value, 0)}`).join(', ')}`);
    rows.atLeast('open311_per_json', round(middle.open311 / middle.json), '', 0.6);
    rows.atLeast('open311_xml_per_json', round(middle.open311_xml / middle.json), '', 0.6);
    rows.row('open311_per_cpu_second', round(middle.open311, 0), '/s');
}
