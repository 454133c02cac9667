// Two hundred uploads of 20 MB at once to one worker: what they may cost it in memory, also when all of them stand still in the middle of a
// part, which is when the worker holds most.

import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { PART } from '../../http/harness.mjs';
import { jpeg } from '../../http/media.mjs';
import { round, rssMb, say, workers } from './load.mjs';

const UPLOADS = 200;
const SIZE = 20 << 20;

// One connection that asks and waits; → { status, headers }
class Line {
    constructor(port) {
        this.socket = connect(port, '127.0.0.1');
        this.said = '';
        this.socket.setEncoding('latin1');
        this.socket.on('data', (text) => {
            this.said += text;
            this.hear?.();
        });
        this.socket.on('error', (error) => (this.error = error));
        this.socket.on('close', () => {
            this.error ??= new Error('closed');
            this.hear?.();
        });
    }

    send(text, body = '') {
        this.socket.write(text);
        return new Promise((resolve) => this.socket.write(body, resolve));
    }

    async answer() {
        while (!this.said.includes('\r\n\r\n')) {
            if (this.error)
                throw this.error;
            await new Promise((resolve) => (this.hear = resolve));
        }
        const head = this.said.slice(0, this.said.indexOf('\r\n\r\n'));
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
        while (this.said.length < head.length + 4 + length)
            await new Promise((resolve) => (this.hear = resolve));
        this.said = this.said.slice(head.length + 4 + length);
        return { status: Number(head.split(' ')[1]), head };
    }
}

const tus = 'HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\n';

async function begin(line) {
    await line.send(`POST /v1/uploads ${tus}Upload-Length: ${SIZE}\r\nContent-Length: 0\r\n\r\n`);
    const { status, head } = await line.answer();
    if (status !== 201)
        throw new Error(head);
    line.path = /location: (\S+)/i.exec(head)[1];
}

const head_of = (line, at, length) => `PATCH ${line.path} ${tus}Upload-Offset: ${at}\r\nContent-Length: ${length}\r\n\r\n`;

async function finish(line, bytes, from) {
    for (let at = from; at < SIZE; at += PART) {
        const part = bytes.subarray(at, at + PART);
        await line.send(head_of(line, at, part.length), part);
        let { status, head } = await line.answer();
        // Whole, and too many wait to be stored: who asks how far it is has it stored.
        while (status === 503) {
            await sleep(1000);
            await line.send(`HEAD ${line.path} ${tus}\r\n`);
            head = (await line.answer_head()).head;
            status = Number(head.split(' ')[1]) === 200 ? 204 : Number(head.split(' ')[1]);
        }
        if (status !== 204)
            throw new Error(head);
    }
}

// A HEAD's length is that of no body.
Line.prototype.answer_head = async function () {
    while (!this.said.includes('\r\n\r\n'))
        await new Promise((resolve) => (this.hear = resolve));
    const head = this.said.slice(0, this.said.indexOf('\r\n\r\n'));
    this.said = this.said.slice(head.length + 4);
    return { head };
};

export async function uploads({ rows, open }) {
    const hotline = await open({ workers: 1, web_root: '' });
    const bytes = Buffer.concat([jpeg({ scan: SIZE }).subarray(0, SIZE - 2), Buffer.from([0xff, 0xd9])]);
    const [pid] = workers(hotline);
    const before = rssMb(pid);
    let most = before;
    const watch = setInterval(() => (most = Math.max(most, rssMb(pid))), 50);
    const lines = Array.from({ length: UPLOADS }, () => new Line(hotline.port));

    await Promise.all(lines.map(begin));
    await Promise.all(lines.map((line) => line.send(head_of(line, 0, PART), bytes.subarray(0, PART - 1))));
    await sleep(3000);
    const standing = rssMb(pid);
    await Promise.all(lines.map(async (line) => {
        await line.send(bytes.subarray(PART - 1, PART));
        const { status, head } = await line.answer();
        if (status !== 204)
            throw new Error(head);
    }));
    const began = process.hrtime.bigint();
    await Promise.all(lines.map((line) => finish(line, bytes, PART)));
    const seconds = Number(process.hrtime.bigint() - began) / 1e9;
    clearInterval(watch);
    lines.forEach((line) => line.socket.destroy());
    say(`${UPLOADS} uploads of ${SIZE >> 20} MB: ${round((UPLOADS * SIZE) / 1048576 / seconds, 0)} MB a second; the worker had ${round(before, 1)} MB before, ${round(standing, 1)} MB with a part under way in each, ${round(most, 1)} MB at most`);
    rows.atMost('upload_worker_rss', round(most, 1), 'MB', 96);
}
