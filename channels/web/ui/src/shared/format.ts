import type { RateValue } from './types'

export function count(n: number | null | undefined): string {
  return n === null || n === undefined ? '—' : n.toLocaleString('en-US')
}

export function percent(rate: number | null | undefined): string {
  return rate === null || rate === undefined ? '—' : (rate * 100).toFixed(2) + ' %'
}

// The rate from its own two numbers, so that nothing is rounded twice; nothing out of nothing is no rate.
export function percentOf(value: RateValue | null | undefined): string {
  if (!value || value.num === null || !value.den) return '—'
  return percent(value.num / value.den)
}

// 1801020000001xx as people read it aloud.
export function grouped(number: string): string {
  return number.replace(/(.{4})(?=.)/g, '$1 ')
}

// What may be typed: spaces, dashes and full-width digits.
export function plainNumber(typed: string): string {
  return typed.normalize('NFKC').replace(/[^0-9]/g, '')
}

// Crockford's base 32: no I, L, O, U.
export function plainCode(typed: string): string {
  return typed
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[^0-9A-Z]/g, '')
    .replace(/O/g, '0')
    .replace(/[IL]/g, '1')
}
