import { ref } from 'vue'
import { lang, text, textOf } from './i18n'
import type { CalendarDays } from './types'

// All times are the city's.
const ZONE = 'Asia/Shanghai'
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const CITY_OFFSET = 8 * HOUR

// The engine's clock may differ from the browser's (and does in a simulation): its latest word decides.
const offset = ref(0)
const tick = ref(Date.now())
setInterval(() => (tick.value = Date.now()), 30_000)

export function hearNow(at: string | undefined | null): void {
  if (!at) return
  const now = Date.parse(at)
  if (!Number.isNaN(now)) offset.value = now - Date.now()
  tick.value = Date.now()
}

export function now(): number {
  return tick.value + offset.value
}

let workingDays: Map<string, boolean> | undefined

export function learnCalendar(calendar: CalendarDays): void {
  workingDays = new Map(calendar.days.map((d) => [d.day, !d.off]))
}

function dayOf(ms: number): string {
  return new Date(ms + CITY_OFFSET).toISOString().slice(0, 10)
}

function isWorkday(day: string): boolean {
  const known = workingDays?.get(day)
  if (known !== undefined) return known
  const weekday = new Date(day + 'T00:00:00Z').getUTCDay()
  return weekday !== 0 && weekday !== 6
}

// Workdays after the day of `from` up to and including the day of `to`; beyond a year nobody counts any more.
function workdaysBetween(from: number, to: number): number {
  const last = dayOf(to)
  let n = 0
  for (let at = from + DAY, days = 0; days < 400; at += DAY, days++) {
    const day = dayOf(at)
    if (day > last) return n
    if (isWorkday(day)) n++
  }
  return n
}

function span(ms: number): string {
  const minutes = Math.max(1, Math.floor(ms / MINUTE))
  if (minutes < 60) return text('due.minutes', { n: minutes })
  const hours = Math.floor(minutes / 60)
  const rest = minutes % 60
  return hours < 5 && rest ? text('due.hoursMinutes', { h: hours, m: rest }) : text('due.hours', { n: hours })
}

// "还剩 1 个工作日", "还剩 3 小时", "超期 2 个工作日".
export function dueWords(due: string): string {
  const at = Date.parse(due)
  const left = at - now()
  const late = left < 0
  const days = late ? workdaysBetween(at, now()) : workdaysBetween(now(), at)
  const amount = Math.abs(left) > DAY && days > 0 ? textOf('due.workdays', days) : span(Math.abs(left))
  return text(late ? 'due.late' : 'due.left', { amount })
}

const formats = new Map<string, Intl.DateTimeFormat>()

function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = lang.value + name
  let made = formats.get(key)
  if (!made) {
    made = new Intl.DateTimeFormat(lang.value === 'en' ? 'en-GB' : 'zh-CN', { timeZone: ZONE, hour12: false, ...options })
    formats.set(key, made)
  }
  return made
}

// 2026-11-23 14:03, the form staff read and type.
export function moment(at: string | null | undefined): string {
  if (!at) return '—'
  const ms = Date.parse(at)
  return new Date(ms + CITY_OFFSET).toISOString().slice(0, 16).replace('T', ' ')
}

// 11-23 14:03 in the current year, with the year otherwise.
export function shortMoment(at: string | null | undefined): string {
  const full = moment(at)
  return full.slice(0, 4) === dayOf(now()).slice(0, 4) ? full.slice(5) : full
}

export function clockTime(ms: number): string {
  return new Date(ms + CITY_OFFSET).toISOString().slice(11, 19)
}

// 2026年11月23日 星期一 / Monday 23 November 2026
export function longDay(at: string): string {
  return format('long', { year: 'numeric', month: 'long', day: 'numeric', weekday: 'long' }).format(Date.parse(at))
}

export function today(): string {
  return dayOf(now())
}

export function addDays(day: string, n: number): string {
  return new Date(Date.parse(day + 'T00:00:00Z') + n * DAY).toISOString().slice(0, 10)
}

// Between <input type="datetime-local"> and the interface.
export function fromLocalInput(value: string): string | null {
  return value ? value.slice(0, 16) + ':00+08:00' : null
}

export function toLocalInput(at: string | null | undefined): string {
  return at ? new Date(Date.parse(at) + CITY_OFFSET).toISOString().slice(0, 16) : ''
}
