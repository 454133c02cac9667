// The shapes of the engine's answers.  Ids are strings; times are RFC 3339.

export interface Named {
  id: string
  name: string
  short_name?: string
  name_en?: string | null
}

export interface Coded {
  code: string
  name: string
}

export interface Word {
  name: string
  zh: string
  en: string
}

export interface Choice {
  value: string | number | boolean
  zh?: string
  en?: string
}

export interface FieldProblem {
  name: string
  code: string
  detail: string
}

export interface User {
  id: string
  login: string
  name: string
  roles: string[]
  unit: Named | null
  scope: string
}

export interface Category {
  id: string
  code: string
  parent: string | null
  level: number
  name: string
  name_en?: string | null
}

export interface Division {
  code: string
  parent: string | null
  level: number
  name: string
  name_en?: string | null
}

export interface Unit {
  id: string
  code: string
  parent: string | null
  level: number
  kind: string
  name: string
  short_name: string
  name_en?: string | null
}

export interface Policy {
  code: string
  version?: number
  name: string
  name_en?: string | null
}

export interface CalendarDays {
  days: { day: string; off: boolean }[]
}

export interface Reference {
  words: Record<string, Word[]>
  categories: Category[]
  divisions: Division[]
  units: Unit[]
  policies: Policy[]
  templates: { kind: string; code: string; title: string; body: string; body_en: string | null; category: string | null }[]
  roles: { code: string; zh: string; en: string }[]
  actions: { action: string; zh: string; en: string }[]
  rights: string[]
  calendar: CalendarDays
}

export type LightName = 'green' | 'yellow' | 'red' | 'deep_red' | 'blue' | 'none'

export interface Row {
  id: string
  number: string
  title: string
  type: string
  state: string
  assignment_state: string | null
  light: LightName | null
  due_at: string | null
  due_kind: string | null
  unit: Named | null
  category: Coded | null
  channel: string
  division: (Coded & { name_en?: string | null }) | null
  urgency: string
  round: number
  version: number
  submitted_at: string | null
  flags?: string[]
}

export interface TicketPage {
  tickets: Row[]
  cursor: string | null
}

export interface Counts {
  by_state: Record<string, number>
  by_light: Record<string, number>
  by_state_light?: { state: string; light: string; n: number }[]
  waits_for_me?: number
  at?: string
}

export interface Candidate {
  item: (Coded & { id: string }) | null
  unit: Named | null
  co_units?: (Named | string)[]
  policy?: string | null
  score: number
  auto: boolean
  reason: string
  reason_en?: string
}

export interface Assignment {
  id: string
  role: string
  unit: Named
  round: number
  state: string
  dispatched_at: string
  sign_due_at: string | null
  signed_at: string | null
  deemed_signed: boolean
  unit_due_at: string | null
  replied_at: string | null
  done_at: string | null
  instruction: string | null
  forbid_return: boolean
}

export interface Clock {
  kind: string
  start_at: string
  due_at: string
  warn_at: string
  met_at: string | null
  stopped_at: string | null
  breached_at: string | null
  light: LightName | null
  provisional: boolean
  paused: boolean
}

export interface Reply {
  id?: string
  round: number
  version: number
  unit?: Named | null
  result: string
  fact_finding: string
  content: string
  measures: string | null
  legal_basis: string | null
  public_text: string | null
  public_suggestion: string | null
  told_at: string | null
  told_way: string | null
  submitted_by?: { id: string; name: string } | null
  submitted_at: string
  approved_at: string | null
  audited_at: string | null
  verdict: string | null
  reject_code: string | null
}

export interface Callback {
  round: number
  contacted_by_unit: boolean | null
  resolved: string | null
  sat_process: string | null
  sat_result: string | null
  at: string
}

export interface Attempt {
  round: number
  outcome: string
  at: string
  quiet?: boolean
}

export interface Approval {
  id: string
  kind: string
  kind_zh: string
  kind_en: string
  action: string
  asked_by: Named | null
  asked_at: string
  asks: Record<string, unknown>
  decider_role: string
  due_at: string | null
  verdict: string | null
  decided_at: string | null
}

export interface TicketEvent {
  id: string
  n: number
  at: string
  action: string
  action_zh: string
  action_en: string
  transition: string
  actor: { id: string | null; name: string | null; role: string } | null
  unit: Named | null
  from: string | null
  to: string
  notes?: Record<string, string>
  data?: Record<string, unknown>
}

export interface DupHit extends Row {
  why: string
  similarity: number | null
}

export interface AttachmentBase {
  id: string
  type: string
  size: number
  at: string
  from_citizen: boolean
}

export interface Ticket extends Row {
  content: string
  attachments: AttachmentBase[]
  attachments_hidden: number
  address: string | null
  lng: number | null
  lat: number | null
  contact: { phone_mask: string | null; name_mask: string | null; has_phone: boolean; may_reveal: boolean } | null
  secrecy: number
  anonymous: boolean
  reply_wanted: boolean
  publish: string
  promise_due_at: string | null
  promise_state: string | null
  policy: { code: string; version: number; name: string; name_en?: string | null } | null
  route: { candidates: Candidate[] } | null
  assignments: Assignment[]
  clocks: Clock[]
  replies: Reply[]
  callbacks: Callback[]
  attempts: Attempt[]
  approvals: Approval[]
  events: TicketEvent[]
  similar?: DupHit[]
  texts?: { n: number; title: string; content: string; at: string }[]
}

export type InputType =
  | 'text' | 'word' | 'bool' | 'int' | 'number' | 'time' | 'unit' | 'units' | 'category' | 'division'
  | 'phone' | 'person' | 'item' | 'ids' | 'policy' | 'list' | 'files'

export interface ActionInput {
  name: string
  type: InputType
  must: boolean
  min?: number | null
  max?: number | null
  choices?: Choice[] | null
  zh: string
  en: string
  default?: unknown
}

export interface Action {
  action: string
  transition: string
  zh: string
  en: string
  asks_approval: boolean
  approval?: string | null
  inputs: ActionInput[]
}

export interface Actions {
  version: number
  state: string
  actions: Action[]
}

export interface ActAnswer {
  id: string
  number: string
  state: string
  version: number
  event?: string
  query_code?: string
}

export interface RateValue {
  num: number | null
  den: number | null
  rate: number | null
}

export interface MetricRow {
  key?: string
  label?: string
  label_en?: string
  counts: Record<string, number>
  rates: Record<string, RateValue>
  handling?: { avg_hours: number | null; median_hours: number | null; median_error?: string }
}

export interface Identity {
  terms: { name: string; zh: string; en: string; n: number; side: string }[]
  left: number
  right: number
  balanced: boolean
}

export interface Formula {
  zh: string
  en: string
  numerator_zh: string
  numerator_en: string
  denominator_zh: string
  denominator_en: string
}

export interface Closure {
  name: string
  rule_version: number
  from: string
  to: string
  snapshot_at: string
  swept_to: string | null
  by: string | null
  total: MetricRow
  rows: MetricRow[]
  identity: Identity
  decompositions: Record<string, Identity>
  formulas: Record<string, Formula>
}

export interface FeedEvent {
  ticket: string
  number: string
  action: string
  state: string
  version: number
  at: string
}

export interface CitizenTicket {
  number: string
  title?: string
  type?: string
  state: string
  state_text?: string
  unit?: string | null
  promise_due_at?: string | null
  promise_state?: string | null
  submitted_at?: string | null
  timeline?: { at: string; text: string; text_en?: string; kind?: string }[]
  reply?: string | null
  answer?: string | null
  attachments?: AttachmentBase[]
  wanted?: { items: string | null; deadline: string } | null
  objection?: { at: string; verdict: string | null; opinion: string | null } | null
  merged_into?: string | null
  may?: string[]
  reveals?: { unit: string; count: number }[]
}

export interface CitizenSaid {
  number: string
  state: string
  state_text?: string
}

export interface RatingAsked {
  number: string
  state: string
  state_text: string
  submitted_at: string | null
  unit: string | null
}

// A proof of work that the engine asks for before it files.
export interface Challenge {
  algorithm: string
  challenge: string
  maxnumber: number
  salt: string
  signature: string
}

export interface Filed {
  number: string
  query_code: string
  state: string
  promise_due_at?: string | null
}

export interface PublicReference {
  types: Word[]
  divisions: Division[]
  channels?: Word[]
  phone_code?: boolean // who files shows by a code that the phone is theirs
}
