// boston-recount.mjs CSV: count Boston's requests straight from the file, by department and month, as JSON:
// {"PWDx": {"2011-07": {"accepted", "closed_of_accepted", "closed", "due", "due_ontime"}}}.
// accepted and closed_of_accepted lie in the month of opening, closed in that of closing, due in that of the target date, which
// counts when it is before now; in time is what the file itself says.  Shares nothing with what imports or counts the tickets.

import { readFileSync } from 'node:fs';

const text = readFileSync(process.argv[2], 'utf8');
const now = process.argv[3] ?? new Date(Date.now() + 8 * 3600e3).toISOString().slice(0, 19).replace('T', ' ');
const counts = {};

function add(department, date, what) {
    const months = (counts[department] ??= {});
    const month = (months[date.slice(0, 7)] ??= { accepted: 0, closed_of_accepted: 0, closed: 0, due: 0, due_ontime: 0 });

    month[what]++;
}

// One character at a time: commas outside quotes part fields, line ends outside quotes part rows.
function* rows() {
    let row = [''];
    let quoted = false;

    for (const c of text) {
        if (c === '"') {
            quoted = !quoted;
        } else if (c === ',' && !quoted) {
            row.push('');
        } else if (c === '\n' && !quoted) {
            yield row;
            row = [''];
        } else if (c !== '\r') {
            row[row.length - 1] += c;
        }
    }
    if (row.length > 1)
        yield row;
}

let column;
for (const row of rows()) {
    if (!column) {
        column = Object.fromEntries(row.map((name, i) => [name, i]));
        continue;
    }
    const department = row[column.department];
    const opened = row[column.open_dt];
    const closed = row[column.closed_dt];
    const target = row[column.target_dt];

    add(department, opened, 'accepted');
    if (closed) {
        add(department, opened, 'closed_of_accepted');
        add(department, closed, 'closed');
    }
    if (target && target < now) {
        add(department, target, 'due');
        if (closed && row[column.ontime] === 'ONTIME')
            add(department, target, 'due_ontime');
    }
}
console.log(JSON.stringify(counts));
