import { api, EVER, Problem, type ListQuery } from '@/shared/api'
import { plainNumber } from '@/shared/format'
import { text as say } from '@/shared/i18n'
import { newKey } from '@/shared/key'
import type { TicketPage } from '@/shared/types'

// Proxies log addresses and browsers keep them, so no address holds a phone number.  A search that has one goes by a name; what the
// name stands for stays in this tab, until its person signs out.
interface Hidden {
  phone?: string
  q?: string // words with a number among them
}

const PLACE = 'hotline.searches'
const KEEP = 50
const NAME_SIZE = 10
const hidden = recall()

function recall(): Map<string, Hidden> {
  try {
    return new Map(JSON.parse(sessionStorage.getItem(PLACE) ?? '[]') as [string, Hidden][])
  } catch {
    return new Map()
  }
}

function store(): void {
  try {
    if (hidden.size) sessionStorage.setItem(PLACE, JSON.stringify([...hidden]))
    else sessionStorage.removeItem(PLACE)
  } catch {
    // Kept until the page is loaded anew.
  }
}

export function forgetSearches(): void {
  hidden.clear()
  store()
}

// The same search keeps its name, and with it the rows already read.
function hide(search: Hidden): string {
  const known = [...hidden].find(([, h]) => h.phone === search.phone && h.q === search.q)
  const name = known?.[0] ?? newKey().slice(0, NAME_SIZE)
  hidden.delete(name)
  hidden.set(name, search)
  if (hidden.size > KEEP) hidden.delete(hidden.keys().next().value as string)
  store()
  return name
}

const NUMBER = /\+?\d(?:[\s\-().–—]*\d){6,}/g // seven digits and more, however they are parted
const ONLY_NUMBER = /^\+?[\d\s\-().–—]+$/
const TICKET = /^[1-9]\d{15}$/
// Mobiles, landlines with their area code, those of the city without, 400 and 800 lines.
const PHONE = /^(?:0?1[3-9]\d{9}|0\d{9,11}|[2-8]\d{6,7}|[48]00\d{7})$/
const ABROAD = /^(?:\+|00)86\d{9,12}$|^861[3-9]\d{9}$/

const mask = (digits: string) => (digits.length < 8 ? '****' : digits.slice(0, 3) + '****' + digits.slice(-4))

// What was typed as the query of a list: a ticket's number, a caller's, or words.  Ended tickets are found too.
export function queryOf(typed: string): ListQuery {
  const plain = typed.normalize('NFKC').trim()
  const digits = plainNumber(plain)
  if (!plain) return {}
  if (!ONLY_NUMBER.test(plain))
    return plain.search(NUMBER) < 0 ? { q: typed.trim(), from: EVER } : { search: hide({ q: plain }), from: EVER }
  if (PHONE.test(digits) || ABROAD.test(plain.replace(/[^\d+]/g, ''))) return { search: hide({ phone: plain }), from: EVER }
  return digits.length < 7 || TICKET.test(digits) ? { q: digits, from: EVER } : { search: hide({ q: digits }), from: EVER }
}

// What stands in the search box.
export function typedOf(query: { q?: unknown; search?: unknown }): string {
  const search = hidden.get(String(query.search ?? ''))
  return search?.phone ?? search?.q ?? String(query.q ?? '')
}

// A list's title goes into the browser's history too.
export function titleOf(name: string): string {
  const search = hidden.get(name)
  if (search?.q) return say('list.words', { q: search.q.replace(NUMBER, (n) => mask(plainNumber(n))) })
  return say('list.phone', { phone: mask(plainNumber(search?.phone ?? '')) })
}

export async function findTickets({ search: name, ...query }: ListQuery, signal?: AbortSignal): Promise<TicketPage> {
  if (!name) return api.tickets(query, signal)
  const search = hidden.get(name)
  if (!search) throw new Problem(404, 'forgotten', say('list.forgotten'))
  return api.search({ ...query, ...search }, signal)
}
