// The command line of those who run it: migrate, accounts, units, simulation, doctor.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, cp, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { start, until } from './harness.mjs';

const hotline = await start();
const ctl = join(dirname(process.env.HOTLINED), 'hotlinectl');
const sql = new URL('../../sql', import.meta.url).pathname;
const environment = { ...process.env, HOTLINE_ADMIN_DATABASE: `host=${process.env.PGHOST} user=postgres dbname=${hotline.database}` };

// Resolves to what it said; rejects when it ends with another code than 0.
const run = async (...words) => (await promisify(execFile)(ctl, words, { env: environment })).stdout;

function withInput(text, ...words) {
    const running = promisify(execFile)(ctl, words, { env: environment });

    running.child.stdin.end(text);
    return running;
}

test('help lists every command, and each command its options', async () => {
    assert.match(await run('help'), /migrate[\s\S]*doctor[\s\S]*replay/);
    assert.match(await run('user', 'add', '--help'), /--password-stdin/);
});

test('an unknown command, option or missing argument is refused with a hint', async () => {
    await assert.rejects(run('fly'), /no such command: fly/);
    await assert.rejects(run('migrate', '--fast'), /no such option: --fast/);
    await assert.rejects(run('user', 'passwd'), /usage: hotlinectl user passwd LOGIN/);
});

test('a second migration applies no schema and keeps the accounts', async () => {
    const before = await hotline.sql('select count(*)::int as n from hotline.person');
    const said = await run('migrate', '--demo', '--sql', sql);

    assert.match(said, /schema +0 of \d+ files applied/);
    assert.match(said, /demo +0 accounts created/);
    assert.deepEqual(await hotline.sql('select count(*)::int as n from hotline.person'), before);
});

test('a schema file that changed after it was applied is refused', async () => {
    const copy = join(hotline.dir, 'sql');

    await cp(sql, copy, { recursive: true });
    await appendFile(join(copy, 'schema', '0002_ticket.sql'), '\n-- later\n');
    await assert.rejects(run('migrate', '--sql', copy), /0002_ticket\.sql was applied to this database and has changed since/);
});

test('a file that fails leaves nothing of itself, and is named with its line', async () => {
    const copy = join(hotline.dir, 'sql_broken');

    await cp(sql, copy, { recursive: true });
    await appendFile(join(copy, 'api', 'zz.sql'), 'create table hotline.half (a int);\nselect nonsense;\n');
    await assert.rejects(run('migrate', '--sql', copy), /zz\.sql:2: /);
    assert.deepEqual(await hotline.sql("select to_regclass('hotline.half') as half"), [{ half: null }]);
});

test('an account that was added signs in, and no longer once it is disabled', async () => {
    await withInput('a long enough password\n', 'user', 'add', 'zhang', '--name', '张三', '--unit', 'ST-GAJ', '--role', 'UDP,UHD', '--password-stdin');
    const zhang = await hotline.signIn('zhang', 'a long enough password');
    assert.deepEqual(zhang.user.roles, ['UDP', 'UHD']);

    await run('user', 'disable', 'zhang');
    await assert.rejects(hotline.signIn('zhang', 'a long enough password'), /401/);
});

test('a made password is printed once and works; an old one ends with its sessions', async () => {
    const added = await run('user', 'add', 'li', '--name', '李四', '--unit', 'ST-12345', '--role', 'OPR');
    const li = await hotline.signIn('li', added.match(/password: (\S+)/)[1]);
    await withInput('another long password\n', 'user', 'passwd', 'li', '--password-stdin');

    await assert.rejects(hotline.signIn('li', added.match(/password: (\S+)/)[1]), /401/);
    assert.equal((await hotline.signIn('li', 'another long password')).user.login, 'li');
    const [{ open }] = await hotline.sql("select count(*)::int as open from hotline.session where person_id = $1 and closed_at is null", [li.user.id]);
    assert.equal(open, 1);
});

test('unknown roles and units, a short password and a taken name are refused', async () => {
    const add = ['user', 'add', 'wang', '--name', '王五'];

    await assert.rejects(run(...add, '--unit', 'ST-NONE', '--role', 'OPR'), /no such unit: ST-NONE/);
    await assert.rejects(run(...add, '--unit', 'ST-12345', '--role', 'OPR,XXX'), /no such role: XXX/);
    await assert.rejects(withInput('short\n', ...add, '--unit', 'ST-12345', '--role', 'OPR', '--password-stdin'), /10 to 200/);
    await assert.rejects(run('user', 'add', 'operator1', '--name', 'x', '--unit', 'ST-12345', '--role', 'OPR'), /exists already/);
});

test('demonstration accounts are refused beside accounts of real people, unless asked twice', async () => {
    await assert.rejects(run('migrate', '--demo', '--sql', sql), /accounts of real people/);
    assert.match(await run('migrate', '--demo', '--demo', '--sql', sql), /0 accounts created/);
});

test('a unit is added under its parent and ends', async () => {
    await run('unit', 'add', 'ST-GAJ-X', '--name', '新的支队', '--parent', 'ST-GAJ', '--kind', 'section');
    assert.match(await run('unit', 'list', 'ST-GAJ', '--all'), /ST-GAJ-X/);
    assert.match(await run('unit', 'end', 'ST-GAJ-X'), /ended ST-GAJ-X/);
    await assert.rejects(run('unit', 'add', 'ST-GAJ-Y', '--name', '又一支队', '--parent', 'ST-GAJ', '--kind', 'navy'), /unit ST-GAJ-Y: .*kind/);
    await assert.rejects(run('unit', 'end', 'ST-GAJ', '--on', '2020-01-01'), /unit ST-GAJ: /);
});

test('what is changed from the command line is on the record of administration, and under its rules', async () => {
    await withInput('a third long password\n', 'user', 'add', 'zhao', '--name', '赵六', '--unit', 'ST-GAJ', '--role', 'UHD', '--password-stdin');
    await run('user', 'roles', 'zhao', 'UHD,UDP');
    await withInput('a fourth long password\n', 'user', 'passwd', 'zhao', '--password-stdin');
    await run('user', 'disable', 'zhao');
    await assert.rejects(run('user', 'roles', 'zhao', 'OPR'), /user zhao: .*centre/);
    await assert.rejects(run('user', 'roles', 'nobody', 'OPR'), /no such account: nobody/);
    const records = await hotline.sql(`select n, person_id, before->'roles' as was, after - 'id' - 'unit' as is from hotline.admin_change where kind = 'user' and key = 'zhao' order by n`);
    assert.deepEqual(records.map((r) => [r.n, r.person_id, r.was, r.is.roles, r.is.disabled, r.is.new_password ?? false]), [
        [1, null, null, ['UHD'], false, true], [2, null, ['UHD'], ['UDP', 'UHD'], false, false],
        [3, null, ['UDP', 'UHD'], ['UDP', 'UHD'], false, true], [4, null, ['UDP', 'UHD'], ['UDP', 'UHD'], true, false]]);
    const [{ n }] = await hotline.sql(`select count(*)::int as n from hotline.admin_change where kind = 'unit' and key = 'ST-GAJ-X'`);
    assert.equal(n, 2);
});

test('a database with real tickets cannot become a simulation, nor be shown another time', async () => {
    assert.equal((await hotline.citizen.submit()).status, 201);
    await assert.rejects(run('sim', 'on'), /real tickets/);
    await assert.rejects(run('sim', 'set', '2018-01-02'), /no simulation/);
    await assert.rejects(run('replay', '--texts', '/dev/null'), /no simulation/);
});

test('doctor finds this installation fit, and says what is wrong with a broken one', async () => {
    const config = join(hotline.dir, 'hotlined.conf');

    // Redis saves nothing here, and a file named by a setting is gone.
    assert.match(await run('doctor', '--config', config, '--sql', sql), /\n0 errors/);
    await hotline.sql('grant usage on schema hotline to hotline_engine');
    await hotline.sql('grant select on hotline.ticket to hotline_engine');
    await assert.rejects(run('doctor', '--config', config, '--sql', sql), (error) => {
        assert.match(error.stdout, /error +rights +the engine's role reaches into the tables/);
        return true;
    });
    await run('migrate', '--sql', sql);
    await until('the rights are as they were', async () => /ok +rights/.test(await run('doctor', '--config', config, '--sql', sql)));
});

test('doctor tells a spool that can lose what was answered, and one that is not a server of its own', async () => {
    const config = join(hotline.dir, 'spool.conf');
    const said = async (spool) => {
        await writeFile(config, `${await readFile(join(hotline.dir, 'hotlined.conf'), 'utf8')}spool_redis = ${spool}\n`);
        return run('doctor', '--config', config, '--sql', sql).catch((error) => error.stdout);
    };

    const shared = await said(join(hotline.dir, 'redis.sock'));
    assert.match(shared, /error +spool +its appendonly is "no"/);
    assert.match(shared, /error +spool +it is the same server/);
    assert.match(await said(join(hotline.dir, 'nowhere.sock')), /error +spool +.*No such file/);
});

test('doctor tells months that are missing, rows that found none, and holidays that are not loaded', async () => {
    const config = join(hotline.dir, 'hotlined.conf');
    const said = () => run('doctor', '--config', config, '--sql', sql).catch((error) => error.stdout);
    const [{ year, last }] = await hotline.sql(`delete from hotline.calendar_year where calendar_id = 1 and year = extract(year from hotline.now())
        returning year, to_char(hotline.now() + interval '3 months', 'YYYYMM') as last`);

    await hotline.sql(`drop table hotline."event_note_${last}"`);
    assert.match(await said(), new RegExp(`error +partitions +missing: event_note_${last}`));
    assert.match(await said(), /error +calendar +this year's holidays are not loaded/);
    await hotline.sql('insert into hotline.calendar_year (calendar_id, year) values (1, $1)', [year]);
    await run('migrate', '--sql', sql);
    await hotline.sql("insert into hotline.event_note values (hotline.id_at('2001-01-01'), 1, 'x', 'x')");
    assert.match(await said(), /warn +partitions +1 tables .*event_note_default/);
    await hotline.sql('delete from hotline.event_note_default');
    assert.match(await said(), /ok +calendar[^]*ok +clock +agrees .* ms/);
});
