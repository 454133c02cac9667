// 8,008 events of Shenzhen's Pingshan district: a directory learned from every second one names the unit of the others.
// Needs data/311 of the shared data folder: $HOTLINE_SHARED, else ../shared beside the repository.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const shared = process.env.HOTLINE_SHARED ?? new URL('../../../shared', import.meta.url).pathname;
const csv = join(shared, 'data', '311', 'pingshan_events.csv');
const run = async (command, words, options) => (await promisify(execFile)(command, words, { maxBuffer: 1 << 26, ...options })).stdout;

// Fields hold commas within quotes, but no line ends.
const fields = (line) => [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map((m) => m[1].replace(/^"|"$/g, '').replaceAll('""', '"'));

// Names drift: 六联社区（坪山街道办事处） is 六联社区.  What stays ambiguous without its bracket keeps it.
const unit_name = (name) => name.replace(/^(.*(?:社区|街道|办事处|自来水|坪山|马峦|龙田|坑梓|碧岭|石井).*)（.*）$/, '$1');

function read() {
    const [head, ...lines] = readFileSync(csv, 'utf8').replace(/^\ufeff/, '').split(/\r?\n/).filter(Boolean).map(fields);
    return lines.map((line) => Object.fromEntries(head.map((name, i) => [name, line[i]])));
}

// The n-th distinct value of a name within its parent, as two or three digits.
function coder() {
    const known = new Map();
    return (parent, name, width) => {
        const names = known.get(parent) ?? known.set(parent, new Map()).get(parent);
        if (!names.has(name))
            names.set(name, parent + String(names.size + 1).padStart(width, '0'));
        return names.get(name);
    };
}

if (!existsSync(csv)) {
    test('Pingshan', { skip: `NOT CHECKED: ${csv} is not there (HOTLINE_SHARED names the shared data folder)` }, () => {});
} else {
    const { start } = await import('../http/harness.mjs');
    const hotline = await start();
    const ctl = join(dirname(process.env.HOTLINED), 'hotlinectl');
    const env = { ...process.env, HOTLINE_ADMIN_DATABASE: `host=${process.env.PGHOST} user=postgres dbname=${hotline.database}` };
    const lines = join(hotline.dir, 'pingshan.jsonl');
    const code = coder();
    const rows = read().map((row, i) => {
        const type = code('', row.type, 2), main = code(type, row.main_type, 2);
        const street = row.street === '-' ? '440310' : code('440310', row.street, 3);
        return {
            n: i, row, type, main, category: code(main, row.sub_type, 2), street,
            division: row.street === '-' || ['', '-'].includes(row.community) ? street : code(street, row.community, 3),
            unit: code('unit', unit_name(row.dispose_unit), 3),
        };
    });
    // The learner sees every second row; nothing of the order tells it about the others.
    const known = rows.filter((r) => r.n % 2 === 0), asked = rows.filter((r) => r.n % 2 === 1);

    test('the first half is taken over and learned', { timeout: 300_000 }, async () => {
        const unique = (list) => [...new Map(list).entries()];
        const categories = unique(rows.flatMap((r) => [[r.type, r.row.type], [r.main, r.row.main_type], [r.category, r.row.sub_type]]));
        const divisions = [['4403', '深圳市'], ['440310', '坪山区'], ...unique(rows.filter((r) => r.street.length > 6).flatMap((r) => [[r.street, r.row.street], [r.division, r.division === r.street ? r.row.street : r.row.community]]))];

        // Pingshan instead of Shantou: none of its items, categories, places or units is asked.
        await hotline.sql("delete from hotline.directory_item");
        await hotline.sql("delete from hotline.category_attribute");
        await hotline.sql("delete from hotline.category where scheme = 'local'");
        await hotline.sql(`insert into hotline.category (id, scheme, code, level, name)
            select rpad(c->>0, 6, '0')::int, 'local', c->>0, length(c->>0) / 2, c->>1 from jsonb_array_elements($1::jsonb) c`, [JSON.stringify(categories)]);
        await hotline.sql(`insert into hotline.division (code, parent, level, name)
            select d->>0, case length(d->>0) when 6 then '4403' when 9 then '440310' when 12 then left(d->>0, 9) end, (length(d->>0) + 2) / 3 - (length(d->>0) > 4)::int, d->>1
            from jsonb_array_elements($1::jsonb) d order by length(d->>0)`, [JSON.stringify(divisions)]);
        await hotline.sql(`insert into hotline.unit (id, code, parent_id, level, kind, name, short_name)
            select 5000 + right(u->>0, 3)::int, u->>0, 1, 2, 'department', u->>1, u->>1 from jsonb_array_elements($1::jsonb) u`,
        [JSON.stringify(unique(rows.map((r) => [r.unit, unit_name(r.row.dispose_unit)])))]);
        await hotline.sql('select hotline.settle()');

        const at = (r, hour) => `${r.row.create_date}T${hour}:00:00+08:00`;
        writeFileSync(lines, known.map((r) => JSON.stringify({ id: r.row.rec_id, title: r.row.sub_type, channel: 'phone', type: 'complaint', state: 'closed',
            category: r.category, division: r.division, unit: r.unit, submitted_at: at(r, '08'), accepted_at: at(r, '09'), dispatched_at: at(r, '10'),
            replied_at: at(r, '11'), ended_at: at(r, '12'), due_at: at(r, '18') }) + '\n').join(''));
        assert.match(await run(ctl, ['import', lines, '--source', 'pingshan'], { env }), /4004 imported, 0 there already, 0 refused/);
        const said = await run(ctl, ['learn', '--from', '2018-01-01', '--to', '2019-12-31'], { env });
        console.log(said.trim());
        assert.match(said, /^4004 cases: [1-9][0-9]* directory items/m);
    });

    test('the other half: first unit, one of three, dispatched alone and how rightly', { timeout: 300_000 }, async () => {
        const answers = await hotline.sql(`
            select (r->>'n')::int as n, c.candidates, hotline.auto_dispatch(jsonb_populate_record(null::hotline.ticket, jsonb_build_object('secrecy', 0,
                'appeal_type', 3, 'route', jsonb_build_object('candidates', c.candidates))))->>'main_unit' as alone
            from jsonb_array_elements($1::jsonb) r
            cross join lateral (select hotline.candidates(rpad(r->>'category', 6, '0')::int, r->>'division', 'complaint', '[]') as candidates) c`,
        [JSON.stringify(asked.map(({ n, category, division }) => ({ n, category, division })))]);
        const items = new Map((await hotline.sql(`select d.id::text, g.code as category, d.division, d.main_unit_id::text as unit
            from hotline.directory_item d join hotline.category g on g.id = d.category_id where d.valid_to is null`)).map((i) => [i.id, i]));
        let first = 0, three = 0, alone = 0, rightly = 0;

        for (const { n, candidates, alone: sent } of answers) {
            const { unit, category, division } = rows[n], id = String(5000 + Number(unit.slice(-3)));
            const named = candidates.map((c) => c.unit.id);

            for (const c of candidates) {
                const item = items.get(c.item.id);
                assert.ok(item && item.unit === c.unit.id && category.startsWith(item.category) && (item.division === null || division.startsWith(item.division)), `${c.unit.name} without an item`);
                assert.match(c.reason, /此前|更大范围/);
            }
            first += named[0] === id;
            three += named.slice(0, 3).includes(id);
            alone += sent !== null;
            rightly += sent === id;
        }
        const share = (k, of) => k / of;
        console.log(`Pingshan, ${asked.length} rows: first unit ${share(first, asked.length).toFixed(3)}, one of three ${share(three, asked.length).toFixed(3)}, ` +
            `dispatched alone ${share(alone, asked.length).toFixed(3)} with precision ${share(rightly, alone).toFixed(3)}`);
        assert.equal(answers.length, asked.length);
        assert.ok(share(first, asked.length) >= 0.55);
        assert.ok(share(three, asked.length) >= 0.7);
        assert.ok(share(alone, asked.length) >= 0.2);
        assert.ok(share(rightly, alone) >= 0.93);
    });

    test('learning again changes nothing, and forgets what is no longer so', { timeout: 300_000 }, async () => {
        const valid = () => hotline.sql('select code, share, its_cases, of_cases from hotline.directory_item where valid_to is null order by code');
        const before = await valid();

        await run(ctl, ['learn', '--from', '2018-01-01', '--to', '2019-12-31'], { env });
        assert.deepEqual(await valid(), before);
        await run(ctl, ['learn', '--from', '2017-01-01', '--to', '2017-02-01'], { env });
        assert.deepEqual(await valid(), []);
    });
}
