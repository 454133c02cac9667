// A city to measure: tests/load/city.sql driven from here, two connections side by side.  With KEEP it stays in the cluster under a name
// made of what it is, and the next run measures another copy of it.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { filing } from './calls.mjs';
import { http, say } from './load.mjs';

// What people complain about: some words are in many complaints, some in few.
const what = ['夜间施工噪声', '路灯不亮', '垃圾无人清运', '占道经营', '自来水发黄', '燃气漏气', '公交不到站', '违章搭建', '学位不足', '物业乱收费', '井盖破损', '狗吠扰民', '油烟直排', '停车难', '积水难退'];
const where = ['小区门口', '工地旁边', '菜市场', '学校后门', '江边步道', '老街巷口', '村道', '工业区', '医院对面', '高架桥下', '公园', '车站广场'];
const ask = ['请尽快处理。', '请有关部门核实。', '多次反映没有结果。', '希望给个答复。'];

const texts = what.flatMap((w, i) => where.map((p, j) => ({
    ...filing[2], title: `${p}${w}`, content: `${p}${w}已经有${(i * 12 + j) % 28 + 2}天，附近居民无法正常生活，${ask[(i + j) % 4]}`,
})));

// Two connections, each taking the next statement that is left.
async function together(hotline, statements) {
    const left = [...statements];

    await Promise.all([0, 1].map(async () => {
        const client = await hotline.pool.connect();

        try {
            for (let statement = left.shift(); statement; statement = left.shift())
                await client.query(statement);
        } finally {
            client.release();
        }
    }));
}

// tickets of the last months, open of them open: with a history of events, or without where nothing reads it; live: the open ones
// came in within the last hour and nothing of theirs is due yet.
async function build(hotline, { tickets, open = Math.round(tickets / 100), months = 24, history = true, live = false }) {
    const began = Date.now();
    const chunk = 50000;
    const chunks = [];

    await http(hotline, texts.map((text) => ['POST /v1/tickets', null, text]), { connections: 8, time: 60 });
    for (let from = 1; from <= tickets; from += chunk)
        chunks.push(`select bench.fill(${from}, ${Math.min(from + chunk, tickets + 1)})`);
    await hotline.sql(readFileSync(new URL('../city.sql', import.meta.url), 'utf8'));
    await hotline.sql('select bench.plan($1, $2, $3, $4, $5)', [tickets, open, months, history, live]);
    // An index of words is made sooner than it grows.
    await hotline.sql('drop index hotline.ticket_gram_grams');
    await together(hotline, chunks);
    await together(hotline, ["set maintenance_work_mem = '512MB'; create index ticket_gram_grams on hotline.ticket_gram using gin (grams) with (fastupdate = on)",
        ...[5, 0, 1, 2, 3, 4].map((kind) => `select bench.settle(${kind})`)]);
    await hotline.sql('vacuum analyze');
    await hotline.sql('checkpoint');
    say(`a city of ${tickets} tickets, ${open} open, in ${Math.round((Date.now() - began) / 1000)} s`);
}

// An engine and such a city.
export async function city(open, options) {
    const name = `city_${createHash('md5').update(JSON.stringify(options)).digest('hex').slice(0, 12)}`;
    const there = (process.env.CITIES ?? '').split(' ').includes(name);
    const hotline = await open({ workers: cpus().length }, there ? { template: `${name} strategy file_copy` } : {});

    hotline.unchecked = true; // too large to look at ticket by ticket
    if (!there)
        await build(hotline, options);
    if (process.env.KEEP && !there) {
        await hotline.engine.term();
        await hotline.administer(`create database ${name} template ${hotline.database} strategy file_copy`); // once our own connections were idle for long
        await hotline.startEngine();
    }
    return hotline;
}
