import { onScopeDispose, ref } from 'vue'
import type { FeedEvent } from '@/shared/types'

type Hear = (event: FeedEvent | null) => void

const RETRY_MS = 3000
const hearers = new Set<Hear>()
const isLost = ref(false)
const lastSeen = ref(Date.now())
let source: EventSource | null = null
let retry: ReturnType<typeof setTimeout> | undefined
let seen = new Set<string>()

// null means: anything may have changed, read again.
function tell(event: FeedEvent | null): void {
  for (const hear of hearers) hear(event)
}

function take(message: MessageEvent<string>): void {
  lastSeen.value = Date.now()
  if (message.lastEventId) {
    if (seen.has(message.lastEventId)) return
    if (seen.size > 2000) seen = new Set()
    seen.add(message.lastEventId)
  }
  try {
    tell(JSON.parse(message.data) as FeedEvent)
  } catch {
    tell(null)
  }
}

function open(isAgain: boolean): void {
  clearTimeout(retry)
  source?.close()
  source = new EventSource('/v1/events')
  source.onopen = () => {
    // A stream of our own making starts without Last-Event-ID: what happened meanwhile must be read.
    if (isAgain && isLost.value) tell(null)
    isLost.value = false
    lastSeen.value = Date.now()
  }
  source.addEventListener('ticket', take as EventListener)
  source.addEventListener('reset', () => tell(null))
  source.onerror = () => {
    if (!isLost.value) lastSeen.value = Date.now()
    isLost.value = true
    // The browser itself comes back after a broken stream, but not after an answer that is no stream.
    if (source?.readyState === EventSource.CLOSED) retry = setTimeout(() => open(true), RETRY_MS)
  }
}

export function useFeed() {
  function start(): void {
    if (!source) open(false)
  }

  function stop(): void {
    clearTimeout(retry)
    source?.close()
    source = null
    isLost.value = false
  }

  // Until the component or scope that asks is gone.
  function listen(hear: Hear): void {
    hearers.add(hear)
    onScopeDispose(() => hearers.delete(hear))
  }

  return { isLost, lastSeen, start, stop, listen }
}
