// node tests/faults/faults.mjs: what was answered is kept, once, whatever breaks.
//
// Citizens file and staff move tickets through HTTP, each repeating a key until it is answered, while the servers, the engine, the
// cables between them and the disk fail one after another.  At the end every answer is held against the database.  `make faults`
// prepares what the environment names.  SEED gives the schedule, FAULTS how many, PAUSE_MS the longest; KINDS=midnight,disk takes these alone.

import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { People } from './people.mjs';
import { Place } from './place.mjs';
import { schedule } from './schedule.mjs';
import { drained, verify } from './verify.mjs';

const run = promisify(execFile);
const seed = process.env.SEED || String(Math.floor(Math.random() * 1e9));
const count = Number(process.env.FAULTS || 200);
const longest = Number(process.env.PAUSE_MS || 30_000);
const out = process.env.FAULTS_DIR;
const DRAIN = 40; // seconds in which what waited must be stored: the lock of a drainer that died lasts 20
const BAR = 5; // seconds from the database's return until everything serves

const only = process.env.KINDS?.split(',');
const replay = `make faults SEED=${seed} FAULTS=${count} PAUSE_MS=${longest}${only ? ` KINDS='${only}'` : ''}`;
const round = (x) => Math.round(x * 100) / 100;
const findings = [];
let now = 'the beginning';
const finding = (kind, text) => {
    findings.push({ kind, at: now, text });
    console.log(`    ${kind}: ${text}`);
};

// ---- the faults: each gives the moment from which everything should go again -------------------------------------------------------

const HOUR = 3600e3, CITY = 8 * HOUR, DAY = 24 * HOUR;

const faults = {
    async worker(place, people, { slots }) {
        place.killWorkers(slots);
        return performance.now();
    },
    async parent(place, people, { wait }) {
        await place.killEngine({ wait });
        return performance.now();
    },
    async 'pg kill'(place, people, { whom, ms }) {
        if (whom === 'server') {
            await place.halt('kill', 'pg');
            await sleep(ms);
            place.begin('pg');
        } else { // the server ends all its backends and recovers by itself
            const [{ pid }] = await place.sql("select pid from pg_stat_activity where application_name = 'hotlined' order by random() limit 1");
            process.kill(pid, 'SIGKILL');
        }
        return place.returned();
    },
    async 'pg stop'(place, people, { ms }) {
        await place.halt('stop', 'pg');
        await sleep(ms);
        place.begin('pg');
        return place.returned();
    },
    async 'redis kill'(place, people, { whom, ms }) {
        await place.halt('kill', whom);
        await sleep(ms);
        await place.begin(whom);
        return performance.now();
    },
    async 'both kill'(place, people, { clean, ms }) {
        await place.halt(clean ? 'stop' : 'kill', 'pg', 'redis', 'spool');
        await sleep(ms);
        place.begin('pg', 'redis', 'spool');
        return place.returned();
    },
    async freeze(place, people, { whom, ms }) {
        await place.freeze(whom, ms);
        return performance.now();
    },
    async cut(place, people, { what, how, ms }) {
        const { pg1, pg2, redis, spool } = place.cables;
        const cut = { pg: [pg1, pg2], redis: [redis], spool: [spool], all: [pg1, pg2, redis, spool] }[what];

        cut.forEach((cable) => cable.set(how));
        if (how !== 'reset')
            await sleep(ms);
        cut.forEach((cable) => cable.set('pass'));
        return performance.now();
    },
    async disk(place, people, { of, ms }) {
        const disk = place.disk(of);

        if (of === 'spool') // so that something is written there
            await place.halt('stop', 'pg');
        else
            place.down.add('pg'); // it may end, and could not begin
        try {
            await disk.fill();
            await sleep(ms);
        } finally {
            disk.free();
        }
        place.begin('pg').catch(() => place.begin('pg')); // it may have been about to end
        return place.returned();
    },
    async 'read only'(place, people, { ms }) {
        await place.sql('alter system set default_transaction_read_only = on');
        await place.sql('select pg_reload_conf()');
        await sleep(ms);
        await place.sql('alter system reset default_transaction_read_only');
        await place.sql('select pg_reload_conf()');
        return performance.now();
    },
    async promote(place, people, { clean, ms }) {
        await place.standby();
        await place.halt(clean ? 'stop' : 'kill', 'pg');
        await sleep(ms); // only the standby is there, and it takes no writes
        await place.promote();
        return place.returned();
    },
    async midnight(place, people, { ms }) {
        await place.halt('stop', 'pg');
        const time = Date.now() + people.ahead + CITY;
        people.ahead += Math.ceil(time / DAY) * DAY - time - Math.min(ms / 2, 2000);
        await sleep(ms);
        place.begin('pg');
        return place.returned();
    },
    async restart(place, people, { whom, ms }) {
        await place.halt('stop', 'pg');
        await sleep(ms / 3);
        if (whom === 'parent')
            await place.killEngine({ wait: true });
        else
            place.killWorkers(whom === 'worker' ? [0] : [0, 1]);
        await sleep(ms * 2 / 3);
        place.begin('pg');
        return place.returned();
    },
};

// While the shared Redis alone is ill, no request fails for it; while the database alone is away, no complaint is refused.
const spares_all = (fault) => fault.whom === 'redis' || fault.what === 'redis';
const spares_complaints = (fault) => ['pg kill', 'pg stop', 'read only', 'promote', 'midnight'].includes(fault.kind) ||
    fault.whom === 'pg' || fault.what === 'pg' || fault.of === 'pg';

const words = ({ kind, rest, settle, ...more }) => [kind, ...Object.values(more).map((v) => (typeof v === 'number' ? `${round(v / 1000)} s` : String(v)))].join(' ');

// ---- one after another ----------------------------------------------------------------------------------------------------------------

async function break_things(place, people) {
    const recoveries = [];
    let good = 0;

    for (const [i, fault] of schedule(seed, count, longest, only).entries()) {
        const before = findings.length;
        let recovery = null, settled = null;

        now = `fault ${i + 1} (${words(fault)})`;
        // The spool may still suffer from the fault before.
        const covered = [...(await place.readiness()).values()].filter((worker) => worker.notes.length === 0).length === 2;
        people.take_counts();
        try {
            const since = await faults[fault.kind](place, people, fault);
            recovery = await people.recovery(since);
            if (recovery === null)
                finding('recovery', `not serving after 20 s: ${JSON.stringify(people.looked)}`);
            else if (recovery > BAR)
                finding('recovery', `serving only after ${round(recovery)} s`);
            if (fault.settle) { // after the others the next fault meets the drain
                await drained(place, DRAIN);
                settled = (performance.now() - since) / 1000;
            }
        } catch (error) {
            finding('failed', error.stack ?? String(error));
        }
        recoveries.push(recovery ?? 20);
        const counts = people.take_counts();
        const refused = Object.keys(counts).filter((what) => / 503/.test(what));
        if (refused.length > 0 && spares_all(fault))
            finding('refused', `without the shared Redis: ${refused}`);
        if (refused.some((what) => what.startsWith('file')) && spares_complaints(fault) && covered)
            finding('refused', `complaints while only the database was away: ${refused}`);
        const ok = findings.length === before;
        good += ok;
        console.log(`${ok ? 'ok' : 'not ok'} ${i + 1} - ${words(fault)} # serving after ${recovery === null ? '-' : round(recovery)} s${settled === null ? '' : `, drained after ${round(settled)} s`}; ${
            Object.entries(counts).sort().map(([what, n]) => `${what}: ${n}`).join(', ')}`);
        await sleep(fault.rest);
    }
    return { recoveries, good };
}

mkdirSync(out, { recursive: true });
const log = join(out, 'engine.log');
rmSync(log, { force: true });
process.env.HOTLINE_TEST_LOGS ??= out;
console.log(`# ${replay}`);

const place = new Place({ apart: process.env.FAULTS_APART === 'yes', log });
const people = new People(place, seed, finding);
let result = { recoveries: [20], good: 0 }, checked = { lost: null, doubled: null };
try {
    await place.open();
    await people.start();
    result = await break_things(place, people);
    now = 'the end';
    await people.finish(60);
    checked = await verify(place, people, finding);
} catch (error) {
    finding('failed', error.stack ?? String(error));
}
const end = await place.close().catch((error) => finding('failed', error.stack));
if (end && end.code !== 0)
    finding('failed', `the engine ended with ${JSON.stringify(end)}`);

const said = await run('grep', ['-cE', 'level=error ev=(db_failed|db_bad_status|spool_aside)|ERROR: (Address|Leak)Sanitizer|runtime error:|Assertion ', log]).then((r) => r.stdout, (r) => r.stdout);
if (Number(said) > 0)
    finding('failed', `the engine's log tells of ${said.trim()} errors: ${log}`);

const final = { lost: checked.lost, doubled: checked.doubled, recovery_s: round(Math.max(...result.recoveries)), faults: count, seed };
writeFileSync(join(out, 'latest.json'), `${JSON.stringify(final)}\n`);
const failed = count - result.good + (findings.some((f) => f.at === 'the end' || f.at === 'the beginning') ? 1 : 0);
console.log(`${failed > 0 && result.good === count ? 'not ok' : 'ok'} ${count + 1} - every answer is true # ${JSON.stringify(checked)}`);
console.log(JSON.stringify(final));
writeFileSync(join(out, 'counts'), `${count + 1 - failed} ${failed} 0\n`);
if (failed > 0) {
    console.log(`\nWhat was found:\n${findings.map((f) => `  ${f.at}: ${f.kind}: ${f.text}`).join('\n')}\n\nAgain: ${replay}`);
    process.exitCode = 1;
}
