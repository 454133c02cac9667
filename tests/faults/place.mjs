// Where it all happens: two places for PostgreSQL, of which one serves, the two Redis, cables to each of them, and the engine,
// kept alive as systemd would.  With `apart` (a mount namespace of our own) every data directory lies on a tmpfs of its own.

import { execFile, execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { Cluster, Hotline, Program, until } from '../http/harness.mjs';
import { Cable } from './proxy.mjs';

const run = promisify(execFile);
const MB = 1 << 20;
const database = 'hotline';
const servers = ['pg', 'redis', 'spool'];

const signal = (pid, name) => {
    try {
        return process.kill(pid, name);
    } catch {
        return false; // it has ended
    }
};
const children = (pid) => {
    try {
        return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
    } catch {
        return [];
    }
};

async function freePort() {
    const server = createServer();

    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address();
    await new Promise((resolve) => server.close(resolve));
    return port;
}

export class Place extends Hotline {
    constructor({ apart, log }) {
        super({});
        this.apart = apart;
        this.log = log;
        // Beside the secrets, since the servers run as somebody else who must reach it.
        this.ground = mkdtempSync(join(tmpdir(), 'hotline-faults-'));
        execFileSync('chmod', ['0755', this.ground]);
        this.homes = Object.fromEntries(['pg1', 'pg2', 'kv'].map((name) => [name, this.home(name)]));
        this.serving = 'pg1';
        this.down = new Set(); // servers that nobody starts again just now
        this.cables = {
            pg1: new Cable(() => join(this.homes.pg1.run, '.s.PGSQL.5432')),
            pg2: new Cable(() => join(this.homes.pg2.run, '.s.PGSQL.5432')),
            redis: new Cable(() => join(this.homes.kv.run, 'redis.sock')),
            spool: new Cable(() => join(this.homes.kv.run, 'spool.sock')),
        };
    }

    home(name) {
        const dir = join(this.ground, name);

        mkdirSync(dir);
        if (this.apart)
            execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2g,mode=0755', 'hotline-faults', dir]);
        return new Cluster(join(dir, 'c'));
    }

    get primary() {
        return this.homes[this.serving];
    }

    get host() {
        return this.primary.run;
    }

    get idle() {
        return this.serving === 'pg1' ? 'pg2' : 'pg1';
    }

    // ---- the database, as its administrator -------------------------------------------------------------------------------

    async query(home, text, params, patience = 60_000) {
        const client = new pg.Client({ host: home.run, port: 5432, user: 'postgres', database, connectionTimeoutMillis: Math.min(patience, 5000),
            query_timeout: patience, options: '-c default_transaction_read_only=off' });

        client.on('error', () => {});
        try {
            await client.connect();
            return (await client.query(text, params)).rows;
        } finally {
            await client.end().catch(() => {});
        }
    }

    sql(text, params) {
        return this.query(this.primary, text, params);
    }

    // The moment from which the database can be written to again.
    async returned(seconds = 60) {
        await until('the database takes writes', async () => {
            const [{ standby }] = await this.query(this.primary, 'select pg_is_in_recovery() as standby', [], 1000);
            return !standby && this.query(this.primary, 'select pg_current_xact_id()', [], 1000);
        }, seconds);
        return performance.now();
    }

    // ---- the servers ------------------------------------------------------------------------------------------------------

    at(server) {
        return server === 'pg' ? this.primary : this.homes.kv;
    }

    runs(server) {
        try {
            return /^(postgres|redis-server)$/m.test(readFileSync(`/proc/${this.at(server).pid(server)}/comm`, 'utf8'));
        } catch {
            return false;
        }
    }

    // They go, and nobody brings them back until they are asked to.
    async halt(how, ...names) {
        names.forEach((name) => this.down.add(name));
        await Promise.all(names.map((name) => (how === 'stop' ? this.at(name).stop(name) : this.at(name).kill(name))));
    }

    async begin(...names) {
        await Promise.all(names.map((name) => this.at(name).start(name)));
        names.forEach((name) => this.down.delete(name));
    }

    // As systemd: what ended by itself is started again a second later.
    async keep() {
        while (!this.closed) {
            await sleep(1000);
            for (const name of servers)
                if (!this.down.has(name) && !this.runs(name))
                    await this.at(name).start(name).catch(() => {});
        }
    }

    // ---- beginning and end ------------------------------------------------------------------------------------------------

    async open() {
        await Promise.all([this.primary.start('pg'), this.homes.kv.start('redis', 'spool'), ...Object.values(this.cables).map((c) => c.open())]);
        await this.primary.migrate(database);
        // A simulation whose clock runs, and in which a request may bring another time.  Sessions outlive every midnight.
        await this.sql("insert into hotline.simulation (at) values (null); select hotline.sim_install(true)");
        await this.sql("update hotline.setting set value = '90000' where name = 'session.hours'");
        for (const [name, value] of [['max_wal_size', '96MB'], ['min_wal_size', '32MB'], ['checkpoint_timeout', '60s'], ['wal_keep_size', '64MB']])
            await this.sql(`alter system set ${name} = '${value}'`);
        await this.sql('select pg_reload_conf()');
        this.secrets();
        this.port = await freePort();
        this.url = `http://127.0.0.1:${this.port}`;
        const { pg1, pg2, redis, spool } = this.cables;
        const settings = {
            listen: '127.0.0.1', port: this.port, workers: 2, drain_seconds: 5,
            database: `host=127.0.0.1,127.0.0.1 port=${pg1.port},${pg2.port} dbname=${database} user=hotline_engine`,
            redis: `127.0.0.1:${redis.port}`, spool_redis: `127.0.0.1:${spool.port}`, spool_max: 20000,
            contact_key_file: join(this.dir, 'contact'), hash_key_file: join(this.dir, 'hash'),
            limit_submit: 0, challenge_rate: 0, limit_query: 0, limit_login: 0, limit_staff: 0,
            app_jurisdiction: 'faults', app_key_file: join(this.dir, 'app_keys'), limit_app: 0,
        };
        this.app_key = randomBytes(24).toString('hex');
        writeFileSync(join(this.dir, 'app_keys'), `faults:${createHash('sha256').update(this.app_key).digest('hex')}\n`, { mode: 0o600 });
        this.config = join(this.dir, 'hotlined.conf');
        writeFileSync(this.config, Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`).join(''), { mode: 0o600 });
        await this.startEngine();
        this.keeping = this.keep();
        await until('the engine is ready, numbers are in reserve', async () => (await this.readiness()).size === 2 &&
            Number(await this.homes.kv.redis('spool', 'LLEN', 'spool:numbers')) > 10000, 60);
    }

    async startEngine() {
        this.engine = new Program(process.env.HOTLINED, [`--config=${this.config}`], this.log);
        await until('the engine listens', async () => this.engine.end || (await this.fresh('GET', '/healthz')).status === 200, 30);
        if (this.engine.end)
            throw new Error(`the engine ended (${JSON.stringify(this.engine.end)}): ${this.log}`);
    }

    async close() {
        const end = await this.engine?.term();

        this.closed = true;
        await this.keeping;
        Object.values(this.cables).forEach((cable) => cable.close());
        for (const home of Object.values(this.homes))
            await home.ask('destroy').catch(() => {});
        if (this.apart)
            for (const name of Object.keys(this.homes))
                await run('umount', [join(this.ground, name)]);
        rmSync(this.ground, { recursive: true, force: true });
        rmSync(this.dir, { recursive: true, force: true });
        return end;
    }

    // ---- one request on a connection of its own ---------------------------------------------------------------------------

    fresh(method, path, { body, headers = {}, ms = 1500 } = {}) {
        return new Promise((resolve, reject) => {
            const asked = request(this.url + path, { method, agent: false, headers: { Connection: 'close',
                ...(body ? { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) } : {}), ...headers }, timeout: ms }, (answer) => {
                const parts = [];

                answer.on('data', (part) => parts.push(part));
                answer.on('end', () => {
                    const text = Buffer.concat(parts).toString();
                    const json = /json/.test(answer.headers['content-type'] ?? '');
                    resolve({ status: answer.statusCode, text, body: json ? JSON.parse(text) : undefined });
                });
            });
            const late = setTimeout(() => asked.destroy(new Error('no answer')), ms);

            asked.on('error', reject);
            asked.on('close', () => clearTimeout(late));
            asked.end(body);
        });
    }

    // What each worker says of itself: which one hears a connection is the kernel's choice.
    async readiness() {
        const heard = new Map();

        for (const one of await Promise.allSettled(Array.from({ length: 8 }, () => this.fresh('GET', '/readyz', { ms: 800 }))))
            if (one.value?.body)
                heard.set(one.value.body.worker, one.value.body);
        return heard;
    }

    // ---- processes --------------------------------------------------------------------------------------------------------

    // The worker of each slot, the one that came up last.
    workers() {
        return new Map([...this.engine.said().matchAll(/proc=worker(\d) ev=worker_up pid=(\d+)/g)]
            .map(([, slot, pid]) => [Number(slot), Number(pid)]));
    }

    killWorkers(slots) {
        const workers = this.workers();

        return slots.map((slot) => workers.get(slot)).filter((pid) => children(this.engine.pid).includes(pid) && signal(pid, 'SIGKILL'));
    }

    // As systemd: the unit's other processes get their signal, and after RestartSec it is started again.
    async killEngine({ wait }) {
        const others = children(this.engine.pid);

        await this.engine.kill();
        await sleep(1000);
        if (wait)
            await until('the workers have ended', () => others.every((pid) => !signal(pid, 0)), 20);
        others.forEach((pid) => signal(pid, 'SIGKILL'));
        await this.startEngine();
    }

    // All processes of one of worker, parent, pg, redis, spool, both.
    pids(whom) {
        switch (whom) {
        case 'worker': return [this.workers().get(0)];
        case 'parent': return [this.engine.pid];
        case 'pg': {
            const server = this.primary.pid('pg');
            return [server, ...children(server)];
        }
        case 'both': return servers.flatMap((one) => this.pids(one));
        default: return [this.homes.kv.pid(whom)];
        }
    }

    async freeze(whom, ms) {
        const pids = this.pids(whom);

        pids.forEach((pid) => signal(pid, 'SIGSTOP'));
        await sleep(ms);
        pids.forEach((pid) => signal(pid, 'SIGCONT'));
    }

    // ---- the disk ---------------------------------------------------------------------------------------------------------

    // Fill what holds the data of pg or spool to the last byte, and give the place back.
    disk(of) {
        const home = of === 'pg' ? this.serving : 'kv';
        const dir = join(this.ground, home), balloon = join(dir, 'balloon');

        if (!this.apart)
            throw new Error('the disk cannot be filled: no mount namespace of our own (root and unshare -m are needed)');
        return {
            async fill() {
                const [, used] = execFileSync('df', ['-B1', '--output=used', dir], { encoding: 'utf8' }).split('\n');

                execFileSync('mount', ['-o', `remount,size=${Number(used) + 8 * MB}`, dir]);
                await run('dd', ['if=/dev/zero', `of=${balloon}`, 'bs=64k'], {}).catch(() => {}); // until there is no room
                const [, left] = execFileSync('df', ['-B1', '--output=avail', dir], { encoding: 'utf8' }).split('\n');
                if (Number(left) > 0)
                    throw new Error(`the disk is not full: ${left} bytes are left`);
            },
            free() {
                rmSync(balloon, { force: true });
                execFileSync('mount', ['-o', 'remount,size=2g', dir]);
            },
        };
    }

    // ---- the standby ------------------------------------------------------------------------------------------------------

    // A synchronous standby in the idle place, so that what was answered is there too.
    async standby() {
        const { dir } = this.homes[this.idle];
        const owner = readFileSync(join(this.primary.dir, 'user'), 'utf8').trim();
        const bin = (await run(new URL('../../tools/pgbin', import.meta.url).pathname, [])).stdout.trim();
        const own = (...words) => (process.getuid() === 0 ? run('setpriv', ['--reuid', owner, '--regid', owner, '--init-groups', ...words], { cwd: '/' }) :
            run(words[0], words.slice(1)));

        await this.homes[this.idle].ask('destroy').catch(() => {});
        mkdirSync(dir, { mode: 0o700 });
        writeFileSync(join(dir, 'user'), `${owner}\n`);
        if (process.getuid() === 0)
            await run('chown', ['-R', `${owner}:`, dir]);
        await own(`${bin}/pg_basebackup`, '-h', this.primary.run, '-U', 'postgres', '-D', join(dir, 'pg'), '-R', '-X', 'stream', '-c', 'fast', '--no-sync');
        await this.homes[this.idle].start('pg');
        await this.sql("alter system set synchronous_standby_names = '*'");
        await this.sql('select pg_reload_conf()');
        await until('the standby keeps up', async () =>
            (await this.sql("select 1 from pg_stat_replication where sync_state = 'sync'")).length === 1, 30);
    }

    async promote() {
        this.serving = this.idle;
        await this.sql('select pg_promote(true, 30)');
        this.down.delete('pg');
    }
}
