// Chance from a seed: the same numbers every time.

export class Chance {
    constructor(seed) {
        this.state = Number(seed) | 0;
    }

    next() { // mulberry32
        this.state = (this.state + 0x6d2b79f5) | 0;
        let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    }

    below(n) {
        return Math.floor(this.next() * n);
    }

    from(least, most) {
        return least + this.below(most - least + 1);
    }

    is(share) {
        return this.next() < share;
    }

    pick(list) {
        return list[this.below(list.length)];
    }

    // Some of them, each once.
    some(list, n) {
        const left = [...list], taken = [];
        while (taken.length < n && left.length > 0)
            taken.push(left.splice(this.below(left.length), 1)[0]);
        return taken;
    }

    // One of [thing, weight].
    weighed(list) {
        let left = this.next() * list.reduce((sum, [, weight]) => sum + weight, 0);
        for (const [thing, weight] of list) {
            left -= weight;
            if (left < 0)
                return thing;
        }
        return list.at(-1)?.[0];
    }
}
