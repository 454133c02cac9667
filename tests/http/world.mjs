// The world outside, as the engine meets it: servers for HTTP and mail that answer as a test tells them, and remember what they got.

import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createServer as createTcp } from 'node:net';
import { once } from 'node:events';
import { after } from 'node:test';

const listen = async (server) => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    after(() => {
        server.closeAllConnections?.();
        server.close();
    });
    return server.address().port;
};

// What a stand-in may do with a request; the text of an answer may be an object.
export const say = (status, body = '', headers = {}) => (got, res) => {
    res.writeHead(status, headers);
    res.end(typeof body === 'string' ? body : JSON.stringify(body));
};
export const hang = () => {};
export const cut = (got, res) => res.socket.destroy();
export const half = (got, res) => {
    res.writeHead(200, { 'Content-Length': '100' });
    res.write('{"code":');
    setTimeout(() => res.socket?.destroy(), 50);
};
export const late = (ms, then) => (got, res) => setTimeout(() => then(got, res), ms).unref();

export class Site {
    constructor(usual) {
        this.usual = usual;
        this.got = [];
        this.next = []; // what it does with the next requests; then the usual
    }

    async open(tls) {
        const take = (req, res) => {
            const parts = [];

            req.on('data', (part) => parts.push(part));
            req.on('end', () => {
                const text = Buffer.concat(parts).toString();
                const got = { path: req.url, headers: req.headers, text, at: Date.now() };

                got.json = /json/.test(req.headers['content-type'] ?? '') ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text));
                this.got.push(got);
                (this.next.shift() ?? this.usual)(got, res);
            });
        };
        this.port ??= await listen(this.server = tls ? createHttps(tls, take) : createHttp(take));
        this.url = `${tls ? 'https' : 'http'}://127.0.0.1:${this.port}/`;
        return this;
    }
}

// A mail server.  next: what it says to the next command of that name, instead of 250.
export class Post {
    constructor() {
        this.mails = [];
        this.next = {};
    }

    async open() {
        this.port = await listen(createTcp((socket) => {
            let mail = {};
            let data = null;
            let rest = '';

            socket.on('error', () => {});
            socket.write('220 post\r\n');
            socket.on('data', (bytes) => {
                rest += bytes.toString('latin1');
                for (let end; (end = rest.indexOf('\r\n')) >= 0;) {
                    const line = rest.slice(0, end);
                    rest = rest.slice(end + 2);
                    if (data !== null && line !== '.') {
                        data.push(line);
                        continue;
                    }
                    const name = data !== null ? 'END' : line.split(/[ :]/)[0].toUpperCase();
                    const said = this.next[name]?.shift();
                    if (said === 'hang')
                        return;
                    if (name === 'MAIL')
                        mail = { from: line };
                    if (name === 'RCPT')
                        mail.to = line.replace(/^RCPT TO:<|>$/g, '');
                    if (name === 'END') {
                        if (!said)
                            this.mails.push({ ...mail, text: data.join('\n') });
                        data = null;
                    }
                    if (name === 'DATA' && !said)
                        data = [];
                    socket.write(`${said ?? (name === 'DATA' ? '354 go on' : name === 'QUIT' ? '221 bye' : '250 ok')}\r\n`);
                    if (name === 'QUIT')
                        socket.end();
                }
            });
        }));
        return this;
    }
}

// Headers of a mail and its text.
export const readMail = ({ text }) => {
    const [head, body] = [text.slice(0, text.indexOf('\n\n')), text.slice(text.indexOf('\n\n') + 2)];
    const headers = Object.fromEntries(head.split('\n').map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]));
    const subject = headers.subject.replace(/^=\?UTF-8\?B\?(.*)\?=$/, (_, code) => Buffer.from(code, 'base64').toString());

    return { ...headers, subject, body: Buffer.from(body, 'base64').toString() };
};
