import { solveChallenge } from 'altcha-lib/v1'
import type { Challenge } from '@/shared/types'

// Searches piece by piece, so that the page hears how far it is: { tried } now and then, { number } at the end, null for none.
const PIECE = 2000

onmessage = async ({ data }: MessageEvent<Challenge>) => {
  for (let from = 0; from <= data.maxnumber; from += PIECE) {
    const to = Math.min(from + PIECE - 1, data.maxnumber)
    const found = await solveChallenge(data.challenge, data.salt, data.algorithm, to, from).promise
    postMessage(found ? { number: found.number } : { tried: to })
    if (found) return
  }
  postMessage({ number: null })
}
