// Where the time goes when complaints come as fast as they can.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { filing } from './calls.mjs';
import { http, out } from './load.mjs';

// A short run with each function timed, and perf over the whole machine.
export async function profile({ open }) {
    const hotline = await open({ workers: cpus().length });

    await hotline.sql(`alter database ${hotline.database} set track_functions = 'all'`);
    await hotline.sql('select pg_stat_reset()');
    await hotline.engine.term();
    await hotline.startEngine();
    await http(hotline, [filing], { time: 3, connections: 16, more: ['--repeat'] });
    const load = http(hotline, [filing], { time: 5, more: ['--repeat'] });
    spawnSync('perf', ['record', '-q', '-e', 'cpu-clock', '-F', '499', '-a', '-g', '-o', join(out, 'perf.data'), '--', 'sleep', '4']);
    await load;
    const report = spawnSync('perf', ['report', '-i', join(out, 'perf.data'), '--no-children', '--stdio', '-g', 'none'], { maxBuffer: 1 << 26 });
    if (report.status === 0)
        writeFileSync(join(out, 'perf.txt'), report.stdout);
    await hotline.engine.term(); // the sessions hand in their statistics
    const functions = await hotline.sql(`
        select schemaname || '.' || funcname as name, calls, round((total_time * 1000 / calls)::numeric, 1) as us_total,
               round((self_time * 1000 / calls)::numeric, 1) as us_self, round(self_time::numeric) as self_ms
        from pg_stat_user_functions order by self_time desc limit 60`);
    writeFileSync(join(out, 'functions.txt'), functions.map((f) =>
        `${f.name.padEnd(36)} ${f.calls.padStart(9)} calls ${f.us_total.padStart(9)} us ${f.us_self.padStart(9)} us self ${f.self_ms.padStart(8)} ms\n`).join(''));
}
