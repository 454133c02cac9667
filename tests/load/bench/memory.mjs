// What a worker takes.

import { cpus } from 'node:os';
import { http, rssMb, round, workers } from './load.mjs';

export async function memory({ rows, open }) {
    const hotline = await open({ workers: cpus().length });

    await http(hotline, [['GET /healthz', null]], { connections: 1000, time: 3, more: ['--repeat'] });
    rows.atMost('worker_rss_mb_1000_connections', round(Math.max(...workers(hotline).map(rssMb)), 1), 'MB', 64);
}
