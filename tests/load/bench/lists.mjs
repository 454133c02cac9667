// Lists and figures while complaints come in.

import { cpus } from 'node:os';
import { filing } from './calls.mjs';
import { http, seconds } from './load.mjs';

// Lists and figures while intake runs at half of what the machine can do.
export async function lists({ rows, open }) {
    const hotline = await open({ workers: cpus().length });
    const pace = (await http(hotline, [filing], { time: 5, more: ['--repeat'] })).per_second;

    const leader = (await hotline.as('leader1')).token;
    const year = new Date().getFullYear();
    const [unit] = await hotline.sql("select id from hotline.unit where code = 'ST-GAJ'");
    const [page] = await hotline.sql('select count(*) as n from hotline.inbox');
    const lists = ['state=pending_accept', 'light=yellow,red', `unit=${unit.id}`, `q=${encodeURIComponent('夜间施工')}`, 'state=pending_accept,pending_sign', 'state=pending_sign'];
    const writing = http(hotline, [filing], { connections: 16, time: 2 * seconds + 2, more: ['--repeat', '--rate', String(Math.max(1, Math.round(pace / 2)))] });
    writing.catch(() => {}); // awaited below
    const list = await http(hotline, lists.map((filter) => [`GET /v1/desk/tickets?${filter}`, leader]), { connections: 1, more: ['--repeat'] });
    const figures = await http(hotline, [[`GET /v1/metrics/closure?from=${year}-01-01&to=${year + 1}-01-01&by=unit`, leader]], { connections: 1, more: ['--repeat'] });

    await writing;
    rows.row(`list_p99_ms_at_${page.n}_open`, list.p99_ms, 'ms');
    rows.row(`metrics_p99_ms_at_${page.n}_open`, figures.p99_ms, 'ms');
}
