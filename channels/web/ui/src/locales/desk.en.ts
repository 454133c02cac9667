import { uploadEn } from './upload'

export default {
  upload: uploadEn,
  product: '12345 Desk',
  again: 'Try again',
  back: 'Back',
  cancel: 'Cancel',
  more: 'Show more',
  slow: 'Loading, one moment …',
  yes: 'Yes',
  no: 'No',
  lost: 'Connection lost, last state {at}. Reconnecting …',
  signIn: {
    lead: 'Sign in with your work account.',
    again: 'Your session ended. Sign in again; what you typed is still here.',
    login: 'Account',
    password: 'Password',
    send: 'Sign in',
    waiting: 'Many people are signing in; trying again…',
    citizen: 'Page for citizens'
  },
  theme: { title: 'Colours: {now}; press for {next}', system: 'System', light: 'Light', dark: 'Dark' },
  nav: {
    overviews: 'Overviews',
    menu: 'Menu',
    search: 'Search: number, words or phone',
    new: 'New ticket',
    closure: 'Closure',
    signOut: 'Sign out',
    mine: 'My work',
    byState: 'By state',
    byLight: 'By light',
    nothing: 'Nothing open'
  },
  overview: {
    drafts: 'Drafts',
    accept: 'To accept',
    dispatch: 'To dispatch',
    sign: 'To sign',
    handle: 'In hand',
    audit: 'To audit',
    callback: 'To call back',
    decide: 'To decide',
    late: 'Overdue',
    soon: 'Due soon',
    all: 'All open',
    closed: 'Ended'
  },
  column: {
    light: 'Light', number: 'Number', title: 'Title', state: 'State', unit: 'Unit', place: 'Place', due: 'Due', channel: 'Channel', time: 'Submitted'
  },
  row: { untitled: '(no title)', left: 'left this list' },
  list: {
    empty: 'No ticket matches. Try fewer filters.',
    nothing: 'No tickets now. New ones appear here by themselves.',
    notYours: 'Your role does not see tickets.',
    words: '“{q}”',
    phone: 'phone {phone}',
    forgotten: 'The number searched for stays in the tab where it was typed and is not in the address. Type it again.'
  },
  filter: { title: 'Filters', scope: 'Scope', open: 'Open', ended: 'Ended', all: 'All', clear: 'Clear filters' },
  light: { green: 'In time', yellow: 'Due soon', red: 'Overdue', deep_red: 'Long overdue', blue: 'Paused', none: 'No clock' },
  due: {
    left: '{amount} left',
    late: '{amount} late',
    workdays: '{n} workday | {n} workdays',
    hours: '{n} h',
    hoursMinutes: '{h} h {m} min',
    minutes: '{n} min'
  },
  clocks: { title: 'Clocks', met: 'Met in time', metLate: 'Met late', stopped: 'Stopped', provisional: '(holidays not published yet)' },
  flag: {
    danger: 'danger? call back at once', supervised: 'supervised', grouped: 'one of a group', progress_owed: 'progress note owed', deemed_signed: 'deemed signed', rework: 'rework', approval_waiting: 'approval waits', spool_surprise: 'check: came in while the database was away', repeat: 'repeat', provisional: 'provisional', quiet: 'quiet hours'
  },
  place: { district: 'District', town: 'Town or street', village: 'Village or community' },
  ticket: {
    unit: 'Unit', promise: 'Promised', complaint: 'Complaint', history: 'History',
    type: 'Type', category: 'Category', place: 'Place', urgency: 'Urgency', secrecy: 'Secrecy', wishes: 'Wishes', channel: 'Channel',
    submitted: 'Submitted', person: 'Person', noText: '(no text)', noReplyWanted: 'no reply wanted',
    tellCode: 'Tell the citizen this query code:'
  },
  promise: { running: '', kept: 'kept', late: 'late', paused: 'paused', statutory: 'in statutory procedure' },
  contact: {
    anonymous: 'Anonymous', noName: 'No name given', noPhone: 'no phone given', reveal: 'Show contact', hide: 'Hide', show: 'Show',
    why: 'Say what it is for. Who looked, when and why is recorded with the ticket.',
    purposeLabel: 'Purpose', purposeMissing: 'Say what it is for.',
    purpose: { callback: 'Callback', verify: 'Check the facts', handle: 'Arrange the work' }
  },
  action: { title: 'What you can do', none: 'There is nothing for you to do here now.', done: '{action}: done', key: 'Key {n}' },
  form: {
    optional: 'optional', atLeast: '{have} of at least {n} characters', templates: 'Start from', lines: 'One a line',
    asksApproval: 'This takes effect after an approval.',
    unknown: 'No answer came, so nobody knows whether it worked. Send again: it will not be done twice.',
    stale: 'Somebody has just changed this ticket, and the page now shows it. What you typed is still here: check it and send again.',
    notNow: 'This step is not possible now; the ticket is “{state}”. The page shows the latest.',
    gone: 'Somebody else was faster: this step is not possible now. What you typed is still below.', putAway: 'Put it away',
    sendAgain: 'Send again', sendHint: 'Ctrl + Enter'
  },
  new: { title: 'New ticket', lead: 'It is kept as a draft first; on the ticket’s page you check for doubles, submit it or answer at once.', send: 'Keep as draft' },
  dup: {
    run: 'Look for doubles', again: 'Look again', none: 'No open ticket like this.', some: '{n} similar tickets; look at them first:', done: 'Checked',
    caller: 'same caller', place: 'same place', words: 'similar words', title: 'Similar open tickets'
  },
  route: { title: 'Proposals', score: 'Confidence of 100', take: 'Use', auto: 'may go by itself' },
  assignment: { title: 'Units', round: 'round {n}', dispatched: 'Dispatched', due: 'due' },
  approval: { title: 'Approvals', waits: 'waits for {role}', approved: 'approved', rejected: 'rejected', dropped: 'dropped' },
  reply: {
    all: 'Replies', title: 'Round {round}, version {version}', result: 'Result', told: 'Citizen told', submitted: 'Submitted', verdict: 'Audit',
    fact_finding: 'Facts found', content: 'Reply', measures: 'Measures', legal_basis: 'Legal basis', public_text: 'Public reply',
    verdicts: { approved: 'waiting', passed: 'passed', pass: 'passed', rejected: 'sent back', reject: 'sent back', unit_rejected: 'sent back by the unit', timeout: 'passed by time' }
  },
  callback: {
    title: 'Callback', round: 'Callback', roundOf: 'round {n}, {at}', contacted: 'Unit made contact', resolved: 'Resolved', process: 'Content with the process', result: 'Content with the result'
  },
  note: {
    instruction: 'Instruction:', opinion: 'Opinion:', comment: 'Comment:', told_text: 'Told:', alternative_channel: 'Other way:', answer_text: 'Answer:',
    fact_finding: 'Facts:', content: 'Content:', measures: 'Measures:', legal_basis: 'Basis:', public_text: 'Public reply:', fail_reason: 'Why not reached:',
    person: 'Person:', why_no_rework: 'Why no rework:', must_do: 'To be done:', rework_reason: 'Reason for rework:', no_kb_reason: 'Why no article:',
    public_suggestion: 'Publish:', title: 'Title:'
  },
  period: {
    title: 'Period', from: 'From', to: 'To', until: 'to', before: 'Month before', after: 'Month after', month: 'This month', lastMonth: 'Last month', year: 'This year'
  },
  by: { unit: 'Unit', day: 'Day', category: 'Category', channel: 'Channel', district: 'District' },
  rate: {
    closure_rate_cohort: 'Closure rate (cohort)',
    closure_rate_flow: 'Closure rate (flow)',
    closure_rate_due: 'Closure rate (due)',
    ontime_sign_rate: 'Signed in time',
    ontime_close_rate: 'Closed in time',
    direct_answer_rate: 'Answered directly',
    return_rate: 'Return rate',
    rework_rate: 'Rework rate',
    satisfaction_rate: 'Satisfaction',
    satisfaction_coverage: 'Coverage of satisfaction',
    graded_satisfaction: 'Graded satisfaction',
    resolve_rate: 'Resolved, says the citizen'
  },
  count: {
    accepted: 'Accepted',
    set_aside: 'Accepted, later voided or merged',
    carried_in: 'Carried in',
    on_hand: 'Carried in and accepted',
    refused: 'Refused',
    unaccepted: 'Left before acceptance',
    direct: 'Answered directly',
    dispatched: 'First dispatched in the period',
    closed: 'Closed in the period',
    closed_of_accepted: 'Closed by now, of those accepted',
    withdrawn: 'Withdrawn',
    voided: 'Voided',
    merged: 'Merged',
    referred: 'Referred out',
    terminated: 'Terminated',
    no_supplement: 'No supplement (counted as closed)',
    open_at_end: 'Still open at the end',
    due: 'Replies due',
    due_replied: 'Replied, of those due',
    due_ontime: 'Replied in time, of those due',
    sign_due: 'Signatures due',
    sign_ontime: 'Signed in time',
    reply_accepted: 'Replies accepted',
    reworked: 'Reworks started',
    received: 'Given to units',
    return_asked: 'Returns asked for',
    called: 'Callbacks due',
    rated: 'Rated',
    satisfied: 'At least satisfied',
    graded: 'Graded verdicts (tenths)',
    asked_resolved: 'Asked whether resolved',
    resolved: 'Resolved verdicts (tenths)',
    handled: 'Closed with a handling time',
    handled_minutes: 'Minutes of handling',
    fate_direct: 'Answered directly',
    fate_dispatched: 'Dispatched (those carried in may have been before)',
    fate_waiting: 'Waiting for dispatch',
    fate_withdrawn: 'Withdrawn before dispatch',
    fate_voided: 'Voided before dispatch',
    fate_merged: 'Merged before dispatch',
    fate_referred: 'Referred out before dispatch',
    fate_terminated: 'Terminated before dispatch',
    fate_no_supplement: 'No supplement before dispatch'
  },
  closure: {
    rest: 'the other {n}',
    decompositions: 'Accepted, decomposed in two ways',
    identity: 'What became of it',
    identity2: 'In and out',
    sum: 'Sum',
    formula: '{num} ÷ {den}',
    balanced: 'Both sides are equal.',
    unbalanced: 'The sides differ: this period must not be published.',
    others: 'Other rates', counts: 'Counts',
    average: 'Average handling time', median: 'Median handling time', bucket: '± one bucket', hours: '{n} h',
    by: 'Split', trend: 'Accepted and closed by day',
    drop: 'drop',
    empty: 'Nothing in this period. Choose another.',
    snapshot: 'As of {at}; due times checked up to {swept}; rule version {rule}. A rate without a denominator is shown as “—”.',
    without: '{n} more rows have nothing and are not shown.',
    noTickets: 'No tickets behind this figure.',
    part: { num: 'numerator', den: 'denominator', rest: 'the rest' }
  },
  keys: {
    title: 'Keyboard', help: 'This page', search: 'Search', down: 'Next row', up: 'Row before', open: 'Open', more: 'Show more', back: 'Back to the list',
    nextTicket: 'Next ticket', lastTicket: 'Ticket before', reload: 'Read again', action: 'Open an action', send: 'Send the form'
  },
  problem: {
    no_answer: 'The server cannot be reached. Check your connection and try again.',
    signed_out: 'Your session ended. Sign in again.',
    forbidden: 'Your role may not see or do this.',
    missing: 'There is no such page, or you may not see it.',
    too_many: 'Too many requests. Wait a moment and try again.',
    away: 'The service is away for the moment; nothing is lost. Try again shortly.',
    refused: 'That did not work ({code}).'
  }
}
