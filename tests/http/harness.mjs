// A real engine for one test file: its own process, its own copy of the seeded database, its own Redis.
//
//     const hotline = await start({ settings: { limit_submit: 5 } });
//     const { citizen } = hotline;
//     const operator = await hotline.as('operator1');
//
//     const t = await citizen.submit(noise);
//     assert.equal(t.status, 201);
//
// tests/run prepares what the environment names: PGHOST, HOTLINE_TEST_TEMPLATE, HOTLINED, HOTLINE_WEB, HOTLINE_TEST_LOGS.

import { execFile, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { check } from './described.mjs';

export const PASSWORD = '12345-demo'; // of every demonstration account
export const PART = 262144; // the largest part of an upload
export const key = () => randomBytes(16).toString('base64url');

// A complaint that anything may be changed in: complaint({ division: '440507' }).
export const complaint = (change = {}) => ({
    type: 'complaint',
    title: '夜间施工噪声扰民',
    content: '小区旁边的工地每天夜里十一点以后仍在打桩，老人和孩子无法入睡，请尽快处理。',
    phone: '13800138000',
    division: '440507',
    ...change,
});

const env = (name) => process.env[name] ?? fail(`${name} is not set: run this file by tests/run http ${process.argv[1] ?? ''}`);
const fail = (why) => {
    throw new Error(why);
};

// Try until it holds; `what` names it in the failure.
export async function until(what, condition, seconds = 20) {
    const end = Date.now() + seconds * 1000;
    let last;

    for (;;) {
        try {
            last = await condition();
            if (last)
                return last;
        } catch (error) {
            last = error;
        }
        if (Date.now() > end)
            fail(`not within ${seconds} s: ${what} (${last})`);
        await sleep(25);
    }
}

// ---- a process that ends with us ------------------------------------------------------------------------------------

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

export class Program {
    constructor(command, args, log, environment = {}) {
        const out = openSync(log, 'a');

        this.log = log;
        // Dies with us even when we are killed.
        this.child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], {
            stdio: ['ignore', out, out],
            env: { ...process.env, ...environment },
        });
        closeSync(out);
        running.add(this.child);
        this.ended = new Promise((resolve) => {
            this.child.once('error', (error) => resolve({ code: -1, signal: String(error) }));
            this.child.once('exit', (code, signal) => resolve({ code, signal }));
        }).then((end) => {
            running.delete(this.child);
            return (this.end = end);
        });
    }

    get pid() {
        return this.child.pid;
    }

    // The two ways to end it; both resolve to { code, signal }.
    async term(seconds = 60) {
        this.child.kill('SIGTERM');
        const end = await Promise.race([this.ended, sleep(seconds * 1000, null, { ref: false })]);
        return end ?? fail(`${basename(this.log)}: still there ${seconds} s after SIGTERM`);
    }

    kill() {
        this.child.kill('SIGKILL');
        return this.ended;
    }

    said() {
        return readFileSync(this.log, 'utf8');
    }
}

// ---- HTTP ------------------------------------------------------------------------------------------------------------

// One who speaks HTTP: a base address and the headers they always send.
class Client {
    constructor(hotline, headers = {}) {
        this.hotline = hotline;
        this.headers = headers;
    }

    // → { status, headers, text, body }; body is the parsed JSON, undefined when it is none.
    async ask(method, path, { body, headers = {}, ...rest } = {}) {
        const raw = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
        const response = await fetch(this.hotline.url + path, {
            method,
            headers: {
                ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
                ...this.headers,
                ...headers,
            },
            body: raw ? body : JSON.stringify(body),
            redirect: 'manual',
            ...rest,
        });
        const text = await response.text();
        const json = /^application\/([\w.-]+\+)?json/.test(response.headers.get('content-type') ?? '');
        const answer = { status: response.status, headers: response.headers, text, body: json && text ? JSON.parse(text) : undefined };

        check(method, path, answer);
        return answer;
    }

    get(path, options) {
        return this.ask('GET', path, options);
    }

    del(path, options) {
        return this.ask('DELETE', path, options);
    }

    // A whole file, in parts as large as they may be; → the id to name it by.
    async upload(bytes) {
        const tus = { 'Tus-Resumable': '1.0.0' };
        const begun = await this.ask('POST', '/v1/uploads', { headers: { ...tus, 'Upload-Length': String(bytes.length) } });
        const path = begun.headers.get('location') ?? fail(begun.text);

        for (let at = 0; at < bytes.length; at += PART) {
            const headers = { ...tus, 'Upload-Offset': String(at), 'Content-Type': 'application/offset+octet-stream' };
            const answer = await this.ask('PATCH', path, { headers, body: bytes.subarray(at, at + PART) });
            if (answer.status !== 204)
                fail(answer.text);
        }
        return path.split('/').pop();
    }

    // Every POST carries a key of its own unless the test brings one.
    post(path, body, { headers = {}, ...rest } = {}) {
        return this.ask('POST', path, { body, headers: { 'Idempotency-Key': key(), ...headers }, ...rest });
    }
}

class Citizen extends Client {
    submit(change, options) {
        return this.post('/v1/tickets', complaint(change), options);
    }

    follow({ number, query_code: code }) {
        return this.get(`/v1/tickets/${number}`, { headers: { 'X-Query-Code': code } });
    }
}

class Staff extends Client {
    // Find one ticket by its number, open or ended, whole, as this person sees it.
    async find(number) {
        for (const list of ['', '&closed=1']) {
            const row = (await this.get(`/v1/desk/tickets?q=${number}${list}`)).body.tickets?.[0];
            if (row)
                return (await this.get(`/v1/desk/tickets/${row.id}`)).body;
        }
        return undefined;
    }

    actions(id) {
        return this.get(`/v1/desk/tickets/${id}/actions`);
    }

    // One action on one ticket at its present version, unless the test says another.
    async act(id, action, inputs = {}, options) {
        const version = inputs.version ?? (await this.actions(id)).body?.version;
        return this.post(`/v1/desk/tickets/${id}/actions`, { action, version, ...inputs }, options);
    }

    leave() {
        return this.del('/v1/session');
    }
}

// ---- servers of a test's own ---------------------------------------------------------------------------------------------

const run = promisify(execFile);
const tools = fileURLToPath(new URL('../../tools/', import.meta.url));

// PostgreSQL, Redis and the spool's Redis, durable, which this test may stop and kill.  SERVER is pg, redis or spool.
export class Cluster {
    constructor(dir) {
        this.dir = dir;
        this.run = join(dir, 'run');
        process.once('exit', () => existsSync(this.dir) && execFileSync(join(tools, 'cluster'), [this.dir, 'destroy'], { stdio: 'ignore' }));
    }

    ask(...args) {
        return run(join(tools, 'cluster'), [this.dir, ...args]);
    }

    start(...servers) {
        return this.ask('start', ...servers);
    }

    stop(...servers) {
        return this.ask('stop', ...servers);
    }

    pid(server) {
        const file = server === 'pg' ? join(this.dir, 'pg', 'postmaster.pid') : join(this.run, `${server}.pid`);
        return Number(readFileSync(file, 'utf8').split('\n')[0]);
    }

    // SIGKILL: nothing is flushed, nobody is told.
    async kill(server, signal = 'SIGKILL') {
        const pid = this.pid(server);

        process.kill(pid, signal);
        if (signal === 'SIGKILL')
            await until(`${server} is dead`, () => !existsSync(`/proc/${pid}`));
    }

    async redis(server, ...args) {
        return (await run('redis-cli', ['-s', join(this.run, `${server}.sock`), ...args], { maxBuffer: 1 << 26 })).stdout.trim();
    }

    // A migrated database with demonstration data.
    async migrate(name) {
        await run('psql', ['-X', '-q', '-h', this.run, '-U', 'postgres', '-d', 'postgres', '-c', `create database ${name}`]);
        await run(env('HOTLINECTL'), ['migrate', '--demo'],
            { env: { ...process.env, HOTLINE_ADMIN_DATABASE: `host=${this.run} user=postgres dbname=${name}` }, maxBuffer: 1 << 26 });
    }
}

// ---- the engine and its surroundings --------------------------------------------------------------------------------

let databases = 0;

export class Hotline {
    constructor(options) {
        this.settings = options.settings ?? {};
        this.environment = options.environment ?? {};
        this.name = basename(process.argv[1] ?? 'test').replace(/\W+/g, '_').toLowerCase().slice(0, 30);
        this.database = `t_${this.name}_${process.pid}_${++databases}`;
        this.dir = mkdtempSync(join(tmpdir(), 'hotline-'));
        this.logs = join(env('HOTLINE_TEST_LOGS'), `${this.name}-${process.pid}-${databases}`);
        this.citizen = new Citizen(this);
        this.anybody = new Client(this);
        this.people = new Map();
        this.unchecked = false; // true: a bench's city is too large to look at ticket by ticket
    }

    // The host in conninfo.
    get host() {
        return this.cluster ? this.cluster.run : env('PGHOST');
    }

    async open(options) {
        if (options.cluster) {
            this.cluster = new Cluster(join(this.dir, 'cluster'));
            await run('chmod', ['0755', this.dir]); // the servers run as somebody else when we are root
            await this.cluster.start();
            await this.cluster.migrate(this.database);
            this.pool = new pg.Pool({ host: this.host, port: 5432, user: 'postgres', database: this.database, max: 4 });
            this.pool.on('error', () => {});
            if (options.sql)
                await this.sql(options.sql);
            this.secrets();
            await this.startEngine();
            return;
        }
        await this.administer(`create database ${this.database} template ${options.template ?? env('HOTLINE_TEST_TEMPLATE')}`);
        this.pool = new pg.Pool({ host: env('PGHOST'), port: 5432, user: 'postgres', database: this.database, max: 4 });
        this.pool.on('error', () => {});
        await this.startRedis();
        this.secrets();
        await this.startEngine();
    }

    // Copying a database needs it idle; another file may be copying it right now.
    async administer(statement) {
        const client = new pg.Client({ host: env('PGHOST'), port: 5432, user: 'postgres', database: 'postgres' });

        await client.connect();
        try {
            await until(statement, () => client.query(statement).then(() => true, (error) => {
                if (error.code === '55006') // object in use
                    return false;
                throw error;
            }), 60);
        } finally {
            await client.end();
        }
    }

    async startRedis() {
        const socket = join(this.dir, 'redis.sock');

        this.redis = new Program('redis-server', ['--port', '0', '--unixsocket', socket, '--save', '', '--dir', this.dir],
            `${this.logs}.redis.log`);
        await until('Redis answers', () => new Promise((resolve) => {
            const probe = connect(socket, () => resolve(probe.end()));
            probe.on('error', () => resolve(false));
        }));
    }

    secrets() {
        const hex = () => randomBytes(32).toString('hex');

        writeFileSync(join(this.dir, 'contact'), `1:${hex()}\n`, { mode: 0o600 });
        writeFileSync(join(this.dir, 'hash'), `${hex()}\n`, { mode: 0o600 });
    }

    // Also starts it again after term() or kill(), with other settings where a test gives some.
    async startEngine(settings = {}) {
        const portFile = join(this.dir, 'port');
        const pages = existsSync(join(process.env.HOTLINE_WEB ?? '', 'index.html'));
        const all = {
            listen: '127.0.0.1',
            port: 0,
            port_file: portFile,
            workers: 1,
            database: `host=${this.host} port=5432 dbname=${this.database} user=hotline_engine`,
            redis: this.cluster ? join(this.cluster.run, 'redis.sock') : join(this.dir, 'redis.sock'),
            spool_redis: this.cluster ? join(this.cluster.run, 'spool.sock') : '',
            contact_key_file: join(this.dir, 'contact'),
            hash_key_file: join(this.dir, 'hash'),
            web_root: pages ? process.env.HOTLINE_WEB : '',
            files_root: join(this.dir, 'files'),
            files_reserve_mb: 0,
            limit_upload: 0,
            // None: the suites ask faster than any citizen, and the test of a limit sets its own.
            limit_submit: 0,
            challenge_rate: 0,
            limit_query: 0,
            limit_login: 0,
            limit_staff: 0,
            ...this.settings,
            ...settings,
        };
        const file = join(this.dir, 'hotlined.conf');

        writeFileSync(file, Object.entries(all).map(([name, value]) => `${name} = ${value}\n`).join(''), { mode: 0o600 });
        rmSync(portFile, { force: true });
        this.engine = new Program(env('HOTLINED'), [`--config=${file}`], `${this.logs}.log`, this.environment);
        await until('the engine is ready', async () => {
            if (this.engine.end)
                return true;
            this.port = Number(readFileSync(portFile, 'utf8'));
            this.url = `http://127.0.0.1:${this.port}`;
            return (await fetch(`${this.url}/readyz`)).status === 200;
        }, 60).catch((error) => fail(`${error.message}; log: ${this.engine.log}`));
        if (this.engine.end)
            fail(`the engine ended (${JSON.stringify(this.engine.end)}); log: ${this.engine.log}\n${this.engine.said().slice(-2000)}`);
    }

    // Pids of the workers now alive, and of the engine's connections to PostgreSQL.
    workers() {
        const children = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
        const said = this.engine.said();

        return children(this.engine.pid).filter((pid) => said.includes(`ev=worker_up pid=${pid}\n`));
    }

    async backends() {
        return (await this.sql("select pid from pg_stat_activity where application_name = 'hotlined'")).map((row) => row.pid);
    }

    // Somebody signed in, once for the file.
    as(login, password = PASSWORD) {
        if (!this.people.has(login))
            this.people.set(login, this.signIn(login, password));
        return this.people.get(login);
    }

    async signIn(login, password = PASSWORD) {
        let answer;

        // A busy engine (one helper compares all passwords) says when to come again, as it does to any client.
        for (let tries = 0; tries < 10; tries++) {
            answer = await this.anybody.post('/v1/session', { login, password });
            if (answer.status !== 503)
                break;
            await sleep(1000 * Number(answer.headers.get('retry-after') ?? 1));
        }
        if (answer.status !== 200 && answer.status !== 201)
            fail(`${login} cannot sign in: ${answer.status} ${answer.text}`);
        const staff = new Staff(this, { Authorization: `Bearer ${answer.body.token}` });
        staff.user = answer.body.user;
        staff.token = answer.body.token;
        return staff;
    }

    // A citizen with an address of their own, behind a trusted proxy (set trusted_proxies to 127.0.0.1).
    from(address) {
        return new Citizen(this, { 'X-Forwarded-For': address });
    }

    // As the superuser, past everything the engine may: what is really there.
    async sql(query, params) {
        return (await this.pool.query(query, params)).rows;
    }

    // Bytes as they are: send each part, wait until the other side closes or is silent for `quiet` ms.
    // → { text, closed }
    raw(parts, { quiet = 1500, pause = 20 } = {}) {
        return new Promise((resolve) => {
            const socket = connect(this.port, '127.0.0.1');
            const got = [];
            const done = (closed) => {
                clearTimeout(timer);
                socket.destroy();
                resolve({ text: Buffer.concat(got).toString('latin1'), closed });
            };
            const timer = setTimeout(() => done(false), quiet);

            socket.on('data', (bytes) => {
                got.push(bytes);
                timer.refresh();
            });
            socket.on('error', () => {}); // a reset is a close
            socket.on('close', () => done(true));
            socket.on('connect', async () => {
                for (const part of [parts].flat()) {
                    if (socket.destroyed)
                        return;
                    socket.write(part);
                    timer.refresh();
                    await sleep(pause);
                }
            });
        });
    }

    // Whatever a test did, what must be true of every ticket is true.
    async breaches() {
        const rows = await this.sql('select * from hotline.check_invariants() limit 5').catch((error) => [error]);
        return rows.map((row) => `invariant: ${row.message ?? JSON.stringify(row)}`);
    }

    // The engine ends by itself when told, with nothing for a sanitizer to say.
    async stop() {
        const problems = [];

        if (this.engine && !this.engine.end) {
            const end = await this.engine.term().catch((error) => {
                problems.push(error.message);
                return this.engine.kill();
            });
            if (end.code !== 0)
                problems.push(`the engine ended with ${JSON.stringify(end)}`);
        }
        const said = this.engine?.said() ?? '';
        const bug = said.match(/^.*(ERROR: (Address|Leak)Sanitizer|runtime error:|Assertion .* failed).*$/m);
        if (bug)
            problems.push(bug[0]);
        if (!this.unchecked)
            problems.push(...await this.breaches());
        await this.redis?.kill();
        await this.pool?.end();
        if (this.cluster)
            await this.cluster.ask('destroy').catch((error) => problems.push(error.message));
        else
            await this.administer(`drop database if exists ${this.database} with (force)`);
        rmSync(this.dir, { recursive: true, force: true });
        if (problems.length > 0)
            fail(`${problems.join('; ')}; log: ${this.engine.log}`);
    }
}

// options: settings (of hotlined.conf), environment, template; cluster: true for servers of its own with a spool, sql run there
// before the engine starts.  Stopped after the file's last test.
export async function start(options = {}) {
    const hotline = new Hotline(options);
    let open = false;

    after(() => open && hotline.stop());
    process.once('exit', (code) => {
        if (code !== 0 && hotline.engine)
            process.stderr.write(`log of the engine: ${hotline.engine.log}\n`);
    });
    try {
        await hotline.open(options);
    } catch (error) {
        await hotline.stop().catch(() => {}); // the first reason counts
        throw error;
    }
    open = true;
    return hotline;
}
