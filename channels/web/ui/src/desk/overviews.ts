import type { ListQuery } from '@/shared/api'

// The lists a person opens first, by role.  What they may do there the engine says.
export interface Overview {
  name: string // message key overview.<name>
  key: string // letter after g
  query: ListQuery
  count?: string[] // states whose numbers it shows
  lights?: string[]
}

const draft: Overview = { name: 'drafts', key: 'd', query: { state: 'draft' }, count: ['draft'] }
const accept: Overview = { name: 'accept', key: 'a', query: { state: 'pending_accept' }, count: ['pending_accept'] }
const dispatch: Overview = { name: 'dispatch', key: 'p', query: { state: 'pending_dispatch' }, count: ['pending_dispatch'] }
const sign: Overview = { name: 'sign', key: 's', query: { state: 'pending_sign' }, count: ['pending_sign'] }
const handle: Overview = { name: 'handle', key: 'h', query: { state: 'handling' }, count: ['handling'] }
const audit: Overview = { name: 'audit', key: 'u', query: { state: 'pending_audit' }, count: ['pending_audit'] }
const callback: Overview = { name: 'callback', key: 'b', query: { state: 'pending_callback' }, count: ['pending_callback'] }
const decide: Overview = { name: 'decide', key: 'v', query: { waits: 'decision' } }
const late: Overview = { name: 'late', key: 'l', query: { light: 'red,deep_red' }, lights: ['red', 'deep_red'] }
const soon: Overview = { name: 'soon', key: 'y', query: { light: 'yellow' }, lights: ['yellow'] }

const byRole: Record<string, Overview[]> = {
  OPR: [draft, accept],
  ACC: [accept],
  LDR: [decide, accept, late],
  DSP: [dispatch, decide],
  UDP: [sign, handle, soon, late],
  UHD: [handle, sign, soon, late],
  UAP: [decide, handle, late],
  AUD: [audit],
  CBK: [callback],
  SUP: [late, soon],
  EFF: [late, soon],
  LEA: [late, soon],
  ADM: [late, soon]
}

export function overviewsOf(roles: string[]): Overview[] {
  const all = roles.flatMap((role) => byRole[role] ?? [])
  return all.filter((overview, i) => all.findIndex((o) => o.name === overview.name) === i)
}
