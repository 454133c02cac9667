import type {
  ActAnswer, Actions, Candidate, CitizenSaid, CitizenTicket, Closure, Counts, Division, DupHit, FieldProblem, Filed, PublicReference,
  RatingAsked, Reference, Ticket, TicketPage, User
} from './types'

// Thrown for every answer that is not 2xx, and with status 0 when no answer came.
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly fields: FieldProblem[] = [],
    readonly body: Record<string, unknown> = {},
    readonly retryAfter = 0 // seconds, as the engine says
  ) {
    super(detail || code)
  }

  // Nobody knows whether it happened: the same request may be sent again with the same key.
  get isOutcomeUnknown(): boolean {
    return this.status === 0 || this.status === 408 || this.status >= 500
  }
}

export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem(0, 'broken', error instanceof Error ? error.message : '')
}

type Query = Record<string, string | number | boolean | undefined | null>

interface Options {
  query?: Query
  body?: unknown
  key?: string
  headers?: Record<string, string>
  signal?: AbortSignal
}

const PATIENCE_MS = 20_000

export function queryText(query: Query = {}): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== null && value !== '' && value !== false)
      params.set(name, value === true ? '1' : String(value))
  const text = params.toString()
  return text ? '?' + text : ''
}

function problemOf(answer: Response, body: unknown): Problem {
  const status = answer.status
  const given = (body && typeof body === 'object' ? body : {}) as Record<string, unknown>
  return new Problem(
    status,
    typeof given.code === 'string' ? given.code : 'http_' + status,
    typeof given.detail === 'string' ? given.detail : '',
    Array.isArray(given.fields) ? (given.fields as FieldProblem[]) : [],
    given,
    Number(answer.headers.get('Retry-After')) || 0
  )
}

async function readJson(answer: Response): Promise<unknown> {
  if (answer.status === 204) return undefined
  try {
    return await answer.json()
  } catch {
    return undefined
  }
}

let whenSignedOut: () => void = () => {}

// Called for each 401 of a request that needed a session.
export function onSignedOut(tell: () => void): void {
  whenSignedOut = tell
}

async function call<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const headers: Record<string, string> = {
    Accept: 'application/json',
    'Accept-Language': document.documentElement.lang || 'zh-CN',
    ...options.headers
  }
  if (options.body !== undefined) headers['Content-Type'] = 'application/json'
  if (options.key) headers['Idempotency-Key'] = options.key

  const patience = new AbortController()
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS)
  options.signal?.addEventListener('abort', () => patience.abort())
  let answer: Response
  let body: unknown
  try {
    answer = await fetch(path + queryText(options.query), {
      method,
      headers,
      credentials: 'same-origin',
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: patience.signal
    })
    body = await readJson(answer)
  } catch {
    throw new Problem(0, options.signal?.aborted ? 'aborted' : 'no_answer', '')
  } finally {
    clearTimeout(timer)
  }
  if (answer.ok) return body as T
  if (answer.status === 401 && !path.startsWith('/v1/session')) whenSignedOut()
  throw problemOf(answer, body)
}

export interface ListQuery extends Query {
  state?: string
  light?: string
  unit?: string
  category?: string
  channel?: string
  type?: string
  division?: string
  q?: string
  search?: string // the name of a search that no address may hold; see desk/state/search
  mine?: string
  waits?: string
  ids?: string
  closed?: string
  from?: string
  to?: string
  cursor?: string
  limit?: number
}

// As the beginning of a list: all tickets, ended ones too.
export const EVER = '2000-01-01'

// That one is the citizen: the query code, or the token of a rating link.
export type Proof = { code: string } | { token: string }

const proofOf = (proof: Proof): Record<string, string> =>
  'code' in proof ? { 'X-Query-Code': proof.code } : { 'X-Rating-Token': proof.token }

export const api = {
  // session
  me: () => call<{ user: User }>('GET', '/v1/session'),
  signIn: (login: string, password: string) =>
    call<{ user: User }>('POST', '/v1/session', { body: { login, password } }),
  signOut: () => call<void>('DELETE', '/v1/session'),

  // desk
  reference: () => call<Reference>('GET', '/v1/desk/reference'),
  divisions: (code: string) => call<{ divisions: Division[] }>('GET', `/v1/desk/divisions/${code}`),
  counts: () => call<Counts>('GET', '/v1/desk/counts'),
  tickets: (query: ListQuery, signal?: AbortSignal) => call<TicketPage>('GET', '/v1/desk/tickets', { query, signal }),
  search: (body: ListQuery & { phone?: string }, signal?: AbortSignal) =>
    call<TicketPage>('POST', '/v1/desk/tickets/search', { body, signal }),
  ticket: (id: string) => call<Ticket>('GET', `/v1/desk/tickets/${id}`),
  actions: (id: string) => call<Actions>('GET', `/v1/desk/tickets/${id}/actions`),
  draft: (body: object, key: string) => call<ActAnswer>('POST', '/v1/desk/tickets', { body, key }),
  act: (id: string, body: object, key: string) =>
    call<ActAnswer>('POST', `/v1/desk/tickets/${id}/actions`, { body, key }),
  dupCheck: (id: string, body: object, key: string) =>
    call<{ dup_check: string; hits: DupHit[] }>('POST', `/v1/desk/tickets/${id}/dup-check`, { body, key }),
  reveal: (id: string, purpose: string, key: string) =>
    call<{ phone?: string; name?: string }>('POST', `/v1/desk/tickets/${id}/reveal`, { body: { purpose }, key }),
  propose: (body: object, signal?: AbortSignal) =>
    call<{ candidates: Candidate[] }>('POST', '/v1/desk/route', { body, signal }),

  // figures
  closure: (query: Query, signal?: AbortSignal) => call<Closure>('GET', '/v1/metrics/closure', { query, signal }),
  closureTickets: (query: Query, signal?: AbortSignal) =>
    call<TicketPage>('GET', '/v1/metrics/closure/tickets', { query, signal }),

  // citizens
  file: (body: object, key: string, headers?: Record<string, string>) => call<Filed>('POST', '/v1/tickets', { body, key, headers }),
  sendPhoneCode: (phone: string, key: string, headers?: Record<string, string>) =>
    call<{ phone: string; good_seconds: number; again_seconds: number }>('POST', '/v1/phone-codes', { body: { phone }, key, headers }),
  checkPhoneCode: (phone: string, code: string, key: string) =>
    call<{ proof: string; good_seconds: number }>('POST', '/v1/phone-codes/check', { body: { phone, code }, key }),
  follow: (number: string, code: string) =>
    call<CitizenTicket>('GET', `/v1/tickets/${number}`, { headers: { 'X-Query-Code': code } }),
  followFile: async (number: string, code: string, id: string): Promise<Blob> => {
    const answer = await fetch(`/v1/tickets/${number}/attachments/${id}`, { headers: { 'X-Query-Code': code } })
    if (!answer.ok) throw new Problem(answer.status, 'broken', '')
    return answer.blob()
  },
  askRating: (number: string, token: string) =>
    call<RatingAsked>('GET', `/v1/tickets/${number}/rating`, { headers: proofOf({ token }) }),
  say: (number: string, word: string, body: object, key: string, proof: Proof) =>
    call<CitizenSaid>('POST', `/v1/tickets/${number}/${word}`, { body, key, headers: proofOf(proof) }),
  publicReference: () => call<PublicReference>('GET', '/v1/public/reference'),
  publicDivisions: (code: string) => call<{ divisions: Division[] }>('GET', `/v1/public/divisions/${code}`)
}
