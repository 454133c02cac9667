// node tools/engines.mjs VERSION LOCKFILE: print the packages of a lock file whose `engines.node` refuses VERSION.
import { readFileSync } from 'node:fs';

const numbers = (v) => v.replace(/^v/, '').split(/[-+]/)[0].split('.').map((n) => (/^\d+$/.test(n) ? Number(n) : null));
const compare = (a, b) => {
    for (let i = 0; i < 3; i++) {
        if ((a[i] ?? 0) !== (b[i] ?? 0))
            return (a[i] ?? 0) - (b[i] ?? 0);
    }
    return 0;
};

// The first version above x, 1.2, 1.2.3 when its last given number counts up.
function above(v) {
    const given = v.findIndex((n) => n === null);
    const at = (given === -1 ? v.length : given) - 1;
    return at < 0 ? [Infinity] : v.slice(0, at).concat(v[at] + 1);
}

function holds(version, comparator) {
    const [, operator, text] = comparator.match(/^(>=|<=|>|<|=|\^|~)?(.*)$/);
    const v = numbers(text === '' ? '*' : text);
    const low = compare(version, v.map((n) => n ?? 0));
    const below = (limit) => compare(version, limit) < 0;

    switch (operator) {
    case '>=': return low >= 0;
    case '<': return low < 0;
    case '>': return !below(above(v));
    case '<=': return below(above(v));
    case '^': return low >= 0 && below(v[0] > 0 ? [v[0] + 1] : [0, (v[1] ?? 0) + 1]);
    case '~': return low >= 0 && below(v[1] === undefined ? [v[0] + 1] : [v[0], v[1] + 1]);
    default: return low >= 0 && below(above(v));
    }
}

const admits = (range, version) => range
    .replace(/(\S+)\s+-\s+(\S+)/g, '>=$1 <=$2')
    .replace(/(>=|<=|>|<|=|\^|~)\s+/g, '$1')
    .split('||')
    .some((all) => all.trim().split(/\s+/).every((one) => holds(version, one)));

const [, , version, file] = process.argv;
const { packages } = JSON.parse(readFileSync(file, 'utf8'));
for (const [name, { engines }] of Object.entries(packages)) {
    if (engines?.node && !admits(engines.node, numbers(version)))
        console.log(`${file}: ${name || 'the package itself'} wants ${engines.node}`);
}
