// A cable that can be cut: a port on loopback, and behind it the socket of a server.

import { connect, createServer } from 'node:net';

export class Cable {
    constructor(path) {
        this.path = path; // where it leads to just now
        this.mode = 'pass';
        this.ends = new Set();
        this.server = createServer((client) => this.join(client));
    }

    async open() {
        await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
        this.port = this.server.address().port;
    }

    join(client) {
        if (this.mode === 'refuse') {
            client.resetAndDestroy();
            return;
        }
        const server = connect(this.path());
        const end = () => [client, server].forEach((s) => s.destroy() && this.ends.delete(s));

        for (const [from, to] of [[client, server], [server, client]]) {
            this.ends.add(from);
            from.setNoDelay(true);
            from.on('error', end).on('close', end);
            from.on('data', (bytes) => {
                if (this.mode === 'hush' && from === server)
                    return; // it was said, and nobody heard it
                if (!to.write(bytes))
                    from.pause();
            });
            to.on('drain', () => this.mode === 'stall' || from.resume());
        }
        if (this.mode === 'stall')
            [client, server].forEach((s) => s.pause());
    }

    // reset: all connections end at once, new ones are good.  refuse: new ones end too.  hush: what the server says is lost.
    // stall: nothing moves, nothing ends.  pass: as it should be; what stalled goes on, who was not heard is cut off.
    set(mode) {
        const before = this.mode;

        this.mode = mode === 'reset' ? 'pass' : mode;
        if (mode === 'reset' || mode === 'refuse' || before === 'hush')
            this.ends.forEach((s) => (s.remotePort ? s.resetAndDestroy() : s.destroy()));
        else
            this.ends.forEach((s) => (mode === 'stall' ? s.pause() : s.resume()));
    }

    close() {
        this.ends.forEach((s) => s.destroy());
        this.server.close();
    }
}
