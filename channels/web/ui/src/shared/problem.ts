import type { Problem } from './api'
import { text } from './i18n'

const OWN = new Set(['no_answer', 'broken', 'http_502', 'http_504'])

// A sentence for a person: the engine's own, else ours for the kind of failure.
export function problemText(problem: Problem): string {
  if (problem.detail && !OWN.has(problem.code)) return problem.detail
  if (problem.code === 'challenge_unsolved') return text('doors.unsolved')
  if (problem.status === 0) return text('problem.no_answer')
  if (problem.status === 401) return text('problem.signed_out')
  if (problem.status === 403) return text('problem.forbidden')
  if (problem.status === 404) return text('problem.missing')
  if (problem.status === 429) return text('problem.too_many')
  if (problem.status >= 500) return text('problem.away')
  return text('problem.refused', { code: problem.code })
}
