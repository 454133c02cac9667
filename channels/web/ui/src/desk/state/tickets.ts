import { onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'
import { api, asProblem, queryText, type ListQuery, type Problem } from '@/shared/api'
import type { Row, TicketPage } from '@/shared/types'
import { useFeed } from './feed'

export interface LiveRow {
  row: Row
  glow: number // grows with each change that is shown
  isLeft: boolean // no longer belongs here; struck through until the list is left
}

type Fetch = (query: ListQuery, signal?: AbortSignal) => Promise<TicketPage>

const GATHER_MS = 250
const AGAIN_MS = 60_000
const MANY = 60
const KEEP = 30
const PAGE = 25

interface Kept {
  rows: LiveRow[]
  cursor: string | null
}

const kept = new Map<string, Kept>()

function keep(key: string, list: Kept): void {
  kept.delete(key)
  kept.set(key, list)
  if (kept.size > KEEP) kept.delete(kept.keys().next().value as string)
}

const fresh = (row: Row): LiveRow => ({ row, glow: 0, isLeft: false })
const dueOf = (row: Row) => (row.due_at ? Date.parse(row.due_at) : Infinity)
const byDue = (a: Row, b: Row) => dueOf(a) - dueOf(b) || Number(BigInt(a.id) - BigInt(b.id))
const byNewest = (a: Row, b: Row) => Number(BigInt(b.id) - BigInt(a.id))

// A list that opens from what was there, reads the rest, and follows the feed.
export function useTickets(query: Ref<ListQuery>, fetch: Fetch = api.tickets, isLive = true) {
  const rows = shallowRef<LiveRow[]>([])
  const cursor = ref<string | null>(null)
  const isLoading = ref(false)
  const isLoadingMore = ref(false)
  const problem = shallowRef<Problem | null>(null)
  let running: AbortController | null = null
  let key = ''

  function remember(): void {
    keep(key, { rows: rows.value.filter((r) => !r.isLeft), cursor: cursor.value })
  }

  async function load(): Promise<void> {
    running?.abort()
    const mine = (running = new AbortController())
    isLoading.value = true
    try {
      const page = await fetch({ ...query.value, limit: PAGE }, mine.signal)
      if (running !== mine) return
      rows.value = page.tickets.map(fresh)
      cursor.value = page.cursor
      problem.value = null
      remember()
    } catch (error) {
      if (running === mine && !mine.signal.aborted) problem.value = asProblem(error)
    } finally {
      if (running === mine) isLoading.value = false
    }
  }

  async function more(): Promise<void> {
    if (!cursor.value || isLoadingMore.value) return
    const asked = key
    isLoadingMore.value = true
    try {
      const page = await fetch({ ...query.value, limit: PAGE, cursor: cursor.value })
      if (asked !== key) return
      // A live list may have grown in the meantime; behind a figure one ticket may stand twice.
      const there = new Set(isLive ? rows.value.map((r) => r.row.id) : [])
      rows.value = [...rows.value, ...page.tickets.filter((t) => !there.has(t.id)).map(fresh)]
      cursor.value = page.cursor
      problem.value = null
      remember()
    } catch (error) {
      problem.value = asProblem(error)
    } finally {
      isLoadingMore.value = false
    }
  }

  // Open work comes first due first, everything else newest first; what belongs behind the last row waits for "more".
  function insert(list: LiveRow[], row: Row): void {
    const order = query.value.closed || query.value.from ? byNewest : byDue
    const at = list.findIndex((r) => !r.isLeft && order(r.row, row) > 0)
    if (at >= 0) list.splice(at, 0, { row, glow: 1, isLeft: false })
    else if (!cursor.value) list.push({ row, glow: 1, isLeft: false })
  }

  function merge(asked: Set<string>, answered: Row[]): void {
    const now = new Map(answered.map((row) => [row.id, row]))
    const list = rows.value.map((live) => {
      if (!asked.has(live.row.id)) return live
      const row = now.get(live.row.id)
      if (!row) return live.isLeft ? live : { ...live, isLeft: true }
      now.delete(row.id)
      const isChanged = live.isLeft || row.version !== live.row.version || row.light !== live.row.light
      return { row, glow: live.glow + (isChanged ? 1 : 0), isLeft: false }
    })
    for (const row of now.values()) insert(list, row)
    rows.value = list
    remember()
  }

  async function check(ids: string[]): Promise<void> {
    const asked = key
    try {
      const page = await fetch({ ...query.value, ids: ids.join(','), limit: 100 })
      if (asked !== key) return
      merge(new Set(ids), page.tickets)
    } catch {
      // The next event or the next minute tries again.
    }
  }

  if (isLive) {
    let gathered = new Set<string>()
    let timer: ReturnType<typeof setTimeout> | undefined

    const flush = () => {
      timer = undefined
      const ids = [...gathered]
      gathered = new Set()
      if (ids.length > MANY) void load()
      else if (ids.length) void check(ids)
    }

    useFeed().listen((event) => {
      if (!event) return void load()
      gathered.add(event.ticket)
      timer ??= setTimeout(flush, GATHER_MS)
    })

    // Lights change with time alone.
    const again = setInterval(() => {
      if (!document.hidden && rows.value.length)
        void check(rows.value.filter((r) => !r.isLeft).slice(0, 100).map((r) => r.row.id))
    }, AGAIN_MS)
    onScopeDispose(() => {
      clearInterval(again)
      clearTimeout(timer)
      running?.abort()
    })
  }

  watch(
    query,
    (next) => {
      const name = queryText(next)
      if (name === key && rows.value.length) return
      key = name
      const before = kept.get(key)
      rows.value = before?.rows ?? []
      cursor.value = before?.cursor ?? null
      problem.value = null
      void load()
    },
    { immediate: true }
  )

  return { rows, cursor, isLoading, isLoadingMore, problem, load, more }
}
