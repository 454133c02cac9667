// More complaints than the machine can take in, arriving at their own pace whatever the answers: what is accepted stays quick, what is
// not is told at once, and nothing grows.

import { cpus } from 'node:os';
import { filing } from './calls.mjs';
import { http, load, round, rssMb, say, seconds, workers } from './load.mjs';

const CONNECTIONS = 2000;

// Answers at a fixed rate of arrivals; the first two seconds, in which a queue may build up, are not counted.
const arriving = (hotline, rate, time) => load(hotline, [filing],
    { connections: CONNECTIONS, time: time + 2, more: ['--repeat', '--open', '--rate', String(Math.round(rate)), '--warm', '2'] });

const middle = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const memory = (hotline) => workers(hotline).map(rssMb).reduce((sum, mb) => sum + mb, 0);

// Three turns, each with its own idea of what the machine can take: it is shared.  Together the heavy load lasts a minute.
export async function pressure({ rows, open }) {
    const hotline = await open({ workers: cpus().length });
    const ratios = [], refusals = [];
    let before;

    for (let turn = 0; turn < 3; turn++) {
        const { per_second: pace } = await http(hotline, [filing], { time: seconds, more: ['--repeat', '--warm', '2'] });
        const light = await arriving(hotline, 0.8 * pace, seconds);
        before ??= (await arriving(hotline, 2 * pace, seconds), memory(hotline));
        const heavy = await arriving(hotline, 2 * pace, 2 * seconds);

        say(`${round(pace, 0)} a second: p99 ${light.p99_ms} ms at 0.8 of it (${JSON.stringify(light.failed)}), ${heavy.p99_ms} ms at twice (${heavy.per_second} a second taken, `
            + `${JSON.stringify(heavy.failed)} refused, p99 ${heavy.refused_p99_ms} ms, sent ${heavy.late_p99_ms} ms late)`);
        if (!(heavy.failed[503] > 0) || Object.keys(heavy.failed).some((status) => status !== '503'))
            throw new Error(`not only refusals: ${JSON.stringify(heavy.failed)}`);
        ratios.push(heavy.p99_ms / light.p99_ms);
        refusals.push(heavy.refused_p99_ms);
    }
    rows.atMost('pressure_p99_ratio', round(middle(ratios)), '', 3);
    rows.atMost('pressure_refusal_ms', round(middle(refusals), 1), 'ms', 50);
    rows.atMost('pressure_rss_growth_pct', round((memory(hotline) / before - 1) * 100, 1), '%', 10);
}
