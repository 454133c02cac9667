// Which faults happen, in what order and for how long: a pure function of the seed, so that a run that failed can be run again.

// Uniform numbers in [0, 1) from a seed and a name: mulberry32 over FNV-1a.
export function dice(seed, name = '') {
    let a = 2166136261;

    for (const byte of Buffer.from(`${seed} ${name}`))
        a = Math.imul(a ^ byte, 16777619) >>> 0;
    return () => {
        a = (a + 0x6d2b79f5) >>> 0;
        let t = Math.imul(a ^ (a >>> 15), a | 1);
        t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
}

// What a random number can be asked for.
export const hand = (roll) => ({
    between: (least, most) => Math.round(least + roll() * (most - least)),
    one: (list) => list[Math.floor(roll() * list.length)],
    chance: (p) => roll() < p,
    shuffled(list) {
        const rest = [...list], out = [];

        while (rest.length > 0)
            out.push(...rest.splice(Math.floor(roll() * rest.length), 1));
        return out;
    },
});

// A pause of mostly a moment, now and then long: up to `longest`.
function pause({ between, chance }, longest) {
    if (chance(0.03))
        return between(longest / 2, longest);
    return chance(0.1) ? between(3000, Math.max(3000, longest / 3)) : between(300, 3000);
}

const frozen = ['worker', 'parent', 'pg', 'redis', 'spool', 'both'];
const cables = ['pg', 'redis', 'spool', 'all'];

// kind → how often it is drawn beside the others, and what is drawn for it.
const kinds = {
    worker: [3, ({ one }) => ({ slots: one([[0], [1], [0, 1]]) })],
    parent: [2, ({ chance }) => ({ wait: chance(0.5) })],
    'pg kill': [4, (h, most) => ({ whom: h.one(['server', 'server', 'backend']), ms: pause(h, most) })],
    'pg stop': [3, (h, most) => ({ ms: pause(h, most) })],
    'redis kill': [3, (h, most) => ({ whom: h.one(['redis', 'spool']), ms: pause(h, most) })],
    'both kill': [3, (h, most) => ({ clean: h.chance(0.3), ms: pause(h, most) })],
    freeze: [6, (h, most) => ({ whom: h.one(frozen), ms: pause(h, most) })],
    cut: [6, (h, most) => ({ what: h.one(cables), how: h.one(['reset', 'hush', 'stall', 'refuse']), ms: pause(h, most) })],
    disk: [2, (h, most) => ({ of: h.one(['pg', 'pg', 'spool']), ms: pause(h, most) })],
    'read only': [2, (h, most) => ({ ms: pause(h, most) })],
    promote: [2, (h, most) => ({ clean: h.chance(0.3), ms: Math.min(pause(h, most), 5000) })],
    midnight: [2, (h, most) => ({ ms: Math.max(2500, pause(h, most)) })],
    restart: [2, (h, most) => ({ whom: h.one(['worker', 'workers', 'parent']), ms: Math.max(1500, pause(h, most)) })],
};

// n faults: first one of each kind, the longest pause being `longest` milliseconds.  A longer schedule begins like a shorter one.
// only: the kinds to choose from; without it all.
export function schedule(seed, n, longest, only = Object.keys(kinds)) {
    const h = hand(dice(seed, 'schedule'));
    const deck = only.flatMap((kind) => Array(kinds[kind][0]).fill(kind));
    const order = h.shuffled(only);

    return Array.from({ length: n }, (_, i) => {
        const kind = order[i] ?? h.one(deck);

        return { kind, ...kinds[kind][1](h, longest), rest: h.between(100, 1000), settle: h.chance(0.5) };
    });
}
