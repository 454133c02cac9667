// What other runs have measured: the faults' and the replay's own reports, where they are.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { say } from './load.mjs';

function report(name) {
    const file = join(process.env.BUILD ?? 'build', name, 'latest.json');

    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
}

// The run's own row of that name, or its member.
const found = (of, name) => of?.rows?.find((r) => r.name === name)?.value ?? of?.[name];

export async function reports({ rows }) {
    const wanted = [['faults', 'lost', '', 0], ['faults', 'doubled', '', 0], ['faults', 'recovery_s', 's', 5], ['replay-2018', 'replay_2018_s', 's', 300]];

    for (const [run, name, unit, bar] of wanted) {
        const value = found(report(run), name);

        if (value === undefined) {
            say(`${name}: make ${run} was not run`);
            rows.row(name, null, unit, `<= ${bar}`, null);
        } else {
            rows.atMost(name, value, unit, bar);
        }
    }
}
