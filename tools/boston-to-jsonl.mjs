// boston-to-jsonl.mjs CSV OUT.jsonl: requests of Boston's 311 as lines for `hotlinectl import --source boston`.
// Its times are local times without an offset; they are taken as the city's own, so that days and months stay what they were.
// Departments become units with the code BOS-<department>, upper case; OUT.units.json lists them with their names.

import { createReadStream, createWriteStream, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [csv, out] = process.argv.slice(2);
if (!out) {
    console.error('usage: node tools/boston-to-jsonl.mjs CSV OUT.jsonl');
    process.exit(2);
}

const channels = {
    'Constituent Call': 'phone',
    'Employee Generated': 'patrol',
    'Self Service': 'web',
    'Citizens Connect App': 'app',
    'Maximo Integration': 'department',
    Twitter: 'weibo',
};

// The city's own words for what Boston calls a reason; a reason that is not here has no category.
const categories = {
    Sanitation: '010201',
    Recycling: '010205',
    'Street Cleaning': '010202',
    'Street Lights': '010304',
    'Highway Maintenance': '010301',
    'Signs & Signals': '060202',
    Trees: '010401',
    'Park Maintenance & Safety': '010402',
    Graffiti: '010103',
    'Enforcement & Abandoned Vehicles': '060101',
    Building: '020202',
};

// A line of RFC 4180; no field of this file holds a line end.
function cells(line) {
    const row = [];
    let at = 0;

    while (at <= line.length) {
        if (line[at] === '"') {
            let text = '';
            for (at++; at < line.length; at++) {
                if (line[at] !== '"')
                    text += line[at];
                else if (line[at + 1] === '"')
                    text += line[at++];
                else
                    break;
            }
            row.push(text);
            at += 2;
        } else {
            const end = line.indexOf(',', at) < 0 ? line.length : line.indexOf(',', at);
            row.push(line.slice(at, end));
            at = end + 1;
        }
    }
    return row;
}

const time = (text) => (text ? `${text.replace(' ', 'T')}+08:00` : undefined);
const number = (text) => (text === '' ? undefined : Number(text));
export const unitCode = (department) => `BOS-${(department.match(/[A-Za-z0-9]+/g) ?? ['NONE']).join('').toUpperCase()}`;

function request(r) {
    const closed = r.case_status === 'Closed';

    return {
        id: r.case_enquiry_id,
        title: r.case_title || r.type,
        content: [r.subject, r.reason, r.type].join(' / '),
        type: 'help',
        channel: channels[r.source],
        category: categories[r.reason],
        unit: unitCode(r.department),
        address: [r.neighborhood, r.ward, r.location_zipcode].filter(Boolean).join(', '),
        lng: number(r.longitude),
        lat: number(r.latitude),
        anonymous: true,
        state: closed ? 'archived' : 'handling',
        submitted_at: time(r.open_dt),
        accepted_at: time(r.open_dt),
        dispatched_at: time(r.open_dt),
        due_at: time(r.target_dt),
        replied_at: closed ? time(r.closed_dt) : undefined,
        ended_at: closed ? time(r.closed_dt) : undefined,
        reply: closed ? r.closure_reason || undefined : undefined,
    };
}

const units = new Map();
const to = createWriteStream(out);
let names;
for await (const line of createInterface({ input: createReadStream(csv) })) {
    const row = cells(line);
    if (!names) {
        names = row;
        continue;
    }
    const r = Object.fromEntries(names.map((name, i) => [name, row[i] ?? '']));
    units.set(unitCode(r.department), r.department);
    if (!to.write(JSON.stringify(request(r)) + '\n'))
        await new Promise((resolve) => to.once('drain', resolve));
}
await new Promise((resolve) => to.end(resolve));
writeFileSync(`${out.replace(/\.jsonl$/, '')}.units.json`, JSON.stringify(Object.fromEntries(units)) + '\n');
