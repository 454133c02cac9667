import { ref } from 'vue'
import { Problem, asProblem } from '@/shared/api'
import type { Challenge } from '@/shared/types'

// Under attack the engine asks for a proof of work before it files.  It is done beside the page, which shows how far it is, and the same
// request goes again with it.

const TIMES = 3 // then something is wrong: the network changes all the time, or another clock
const PATIENCE_MS = 5 * 60_000

export const tried = ref<number | null>(null) // percent of all numbers, while one is looked for

// Where the browser can not do it at all, whoever reads it is told to call.
const UNABLE = 'challenge_unsolved'

function solve(challenge: Challenge): Promise<number> {
  return new Promise((resolve, reject) => {
    const unable = () => reject(new Problem(403, UNABLE, ''))
    if (typeof Worker !== 'function' || !globalThis.crypto?.subtle) return unable()
    const worker = new Worker(new URL('./solver.worker.ts', import.meta.url), { type: 'module' })
    const end = (settle: () => void) => {
      clearTimeout(timer)
      worker.terminate()
      settle()
    }
    const timer = setTimeout(() => end(unable), PATIENCE_MS)
    worker.onerror = () => end(unable)
    worker.onmessage = ({ data }: MessageEvent<{ tried?: number; number?: number | null }>) => {
      if (data.tried !== undefined) tried.value = Math.round((data.tried / challenge.maxnumber) * 100)
      else end(() => (typeof data.number === 'number' ? resolve(data.number) : unable()))
    }
    tried.value = 0
    worker.postMessage(challenge)
  })
}

async function headerOf(challenge: Challenge): Promise<string> {
  try {
    const number = await solve(challenge)
    const { algorithm, challenge: hash, salt, signature } = challenge
    return btoa(JSON.stringify({ algorithm, challenge: hash, number, salt, signature }))
  } finally {
    tried.value = null
  }
}

// Send it; as often as the engine asks for a proof, find one and send it again with that.
export async function withProof<T>(send: (headers: Record<string, string>) => Promise<T>): Promise<T> {
  let headers: Record<string, string> = {}
  for (let time = 0; ; time++) {
    try {
      return await send(headers)
    } catch (error) {
      const problem = asProblem(error)
      const challenge = problem.body.challenge as Challenge | undefined
      if (problem.code !== 'challenge_needed' || !challenge || time === TIMES) throw problem
      headers = { 'X-Challenge': await headerOf(challenge) }
    }
  }
}
