// One worker with a city's pages open: 1,000 connections and 5,000 event streams, a tenth of which stop reading while a thousand events a
// second are published.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { load, out, round, rssMb, say, seconds, workers } from './load.mjs';

const STREAMS = 5000, STALLED = 500, WATCHING = 20, EACH = 8;
const TURN = 50; // milliseconds, as often as the engine reads

const token = (n) => `bench${String(n).padStart(38, '0')}`;

// Sessions of the centre and of all units → lines of stream_load's file.
async function sessions(hotline) {
    const centre = (await hotline.sql("select id from hotline.person where login = 'dispatcher1'"))[0].id;
    const units = (await hotline.sql("select id from hotline.person where login like 'st-%.d' order by id")).map((p) => p.id);
    const lines = [];
    const add = async (person, streams, what) => {
        await hotline.sql("insert into hotline.session (hash, person_id, opened_at, expires_at) values ($1, $2, hotline.now(), hotline.now() + interval '1 day')",
            [createHash('sha256').update(token(lines.length)).digest('hex'), person]);
        lines.push(`${token(lines.length)}\t${streams}\t${what}\n`);
    };

    for (const [many, what] of [[STALLED, 'stall'], [WATCHING, 'read']])
        for (let left = many; left > 0; left -= EACH)
            await add(centre, Math.min(EACH, left), what);
    for (let left = STREAMS - STALLED - WATCHING, i = 0; left > 0; left -= EACH, i++)
        await add(units[i % units.length], Math.min(EACH, left), 'read');
    return lines;
}

// What stream_load does and says.
class Readers {
    constructor(hotline, lines) {
        const file = join(out, 'streams.tsv');

        writeFileSync(file, lines.join(''));
        this.child = spawn('setpriv', ['--pdeathsig', 'KILL', process.env.STREAM_LOAD, String(hotline.port), file], { stdio: ['pipe', 'pipe', 'inherit'] });
        this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    }

    async ask(what) {
        this.child.stdin.write(`${what}\n`);
        const { value, done } = await this.lines.next();
        if (done)
            throw new Error(`stream_load ended at: ${what}`);
        return JSON.parse(value);
    }

    end() {
        this.child.kill();
    }
}

// Events as steps write them, without the steps: every tenth is a unit's too, of each unit in turn.
const helpers = `
    create function publish(n int) returns void language sql as $$
        insert into hotline.event
        select (jsonb_populate_record(e, jsonb_build_object('id', hotline.new_id(), 'n', 1000 + g, 'action', 'dispatch',
            'units', case when g % 10 = 0 then array[(select id from hotline.unit where level > 1 order by id offset (random() * 50)::int limit 1)] else '{}' end))).*
        from generate_series(1, $1) g, hotline.event e where e.id = (select min(id) from hotline.event) $$;
    create function mark(name text) returns void language sql as $$
        insert into hotline.event
        select (jsonb_populate_record(e, jsonb_build_object('id', hotline.new_id(), 'n', 1000, 'action', name, 'units', array(select id from hotline.unit)))).*
        from hotline.event e where e.id = (select min(id) from hotline.event) $$;`;

export async function streams({ rows, open }) {
    const hotline = await open({ workers: 1, stream_max: STREAMS + STALLED });
    const poke = connect(join(hotline.dir, 'redis.sock'));
    const rss = () => Math.max(...workers(hotline).map(rssMb));
    const samples = [];
    const time = 1000 * Math.max(seconds, 25); // write_seconds and a little

    await hotline.sql(helpers);
    await hotline.citizen.submit();
    const publish = async (call, ...values) => {
        await hotline.sql(call, values);
        poke.write('PUBLISH feed bench\r\n');
    };
    const start = rss();
    const readers = new Readers(hotline, await sessions(hotline));
    try {
        const opened = await readers.ask('open');
        const beside = load(hotline, [['GET /healthz', null]], { connections: 1000, time: time / 1000 + 12, more: ['--repeat', '--rate', '500'] });
        beside.catch(() => {}); // awaited below
        // What is kept of the past anyway, shown to nobody here.
        await hotline.sql('update hotline.ticket set secrecy = 3');
        for (let i = 0; i < 12; i++)
            await Promise.all([publish('select publish(1000)'), sleep(500)]);
        await hotline.sql('update hotline.ticket set secrecy = 0');
        const before = rss();
        say(`${opened.open} streams and 1000 connections: ${round(before, 1)} MB, ${round(start, 1)} MB without them`);
        await readers.ask('stall');
        const began = Date.now();
        let published = 0;
        while (Date.now() < began + time) {
            const due = Math.round((Date.now() - began) - published);
            await publish('select publish($1)', due);
            published += due;
            samples.push([Date.now() - began, rss()]);
            await sleep(TURN);
        }
        await readers.ask('go');
        await sleep(5000); // those that were cut have come back
        const marking = readers.ask('mark mark-1');
        await publish("select mark('mark-1')");
        const marked = await marking;
        const other = await beside;
        say(`${published} events in ${round((Date.now() - began) / 1000, 1)} s; ${JSON.stringify(marked)}; beside them ${other.per_second} requests a second, p99 ${other.p99_ms} ms`);
        if (opened.open !== STREAMS)
            throw new Error(`not all streams were opened: ${opened.open}`);
        const most = (until) => Math.max(...samples.filter(([at]) => at < until).map(([, mb]) => mb));
        rows.atMost('worker_rss_mb', round(most(Infinity), 1), 'MB', 64);
        rows.atLeast('stalled_streams', marked.heard === STREAMS ? marked.cut : 0, 'of 500', STALLED);
        // Those who stall owe something after a second; from then on it may not become more.
        rows.atMost('stalled_rss_growth_pct', round((most(Infinity) / most(3000) - 1) * 100, 1), '%', 10);
        rows.atMost('stream_doubles', marked.doubles, '', 0);
    } finally {
        readers.end();
        await hotline.sql('delete from hotline.event where n >= 1000');
        poke.destroy();
    }
}
