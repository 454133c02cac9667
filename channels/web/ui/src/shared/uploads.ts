import { computed, onScopeDispose, reactive, shallowReactive } from 'vue'
import { DetailedError, Upload } from 'tus-js-client'
import { newKey } from './key'
import { withoutPlace } from './photo'

export const UPLOADS_MOST = 9
const FILE_MAX = 20 * 1024 * 1024
const PART = 256 * 1024 // the engine takes no larger ones
const AT_ONCE = 2
const RETRIES_MS = [0, 1000, 3000, 5000, 10_000]
const AGAIN_MS = 15_000

export type UploadState = 'preparing' | 'sending' | 'waiting' | 'done' | 'refused'

export interface Sending {
  key: number
  type: string
  preview: string // address of the picture in this browser; empty: none
  state: UploadState
  progress: number // 0 to 1
  id: string // once it is there
  why: string // name of a sentence, or a sentence of the engine's
}

// Keeps files that are on their way, so that they go on after the page was closed.
export interface Keeper {
  all(): Promise<{ name: string; file: Blob }[]>
  put(name: string, file: Blob): Promise<void>
  drop(name: string): Promise<void>
}

let keys = 0

function saidBy(error: unknown): { status: number; detail: string } {
  const answer = error instanceof DetailedError ? error.originalResponse : null
  try {
    return { status: answer?.getStatus() ?? 0, detail: (JSON.parse(answer?.getBody() ?? '') as { detail?: string }).detail ?? '' }
  } catch {
    return { status: answer?.getStatus() ?? 0, detail: '' }
  }
}

const isFinal = (status: number) => status >= 400 && status < 500 && ![408, 409, 423, 429].includes(status)

// Files on their way to the engine, a few at once; each goes on where it was when the network comes back, and after the page was closed too:
// by itself with a keeper, else when it is chosen again.
export function useUploads(keeper?: Keeper) {
  const list = reactive<Sending[]>([])
  const uploads = shallowReactive(new Map<number, Upload>())
  const timers = new Map<number, ReturnType<typeof setTimeout>>()
  const names = new Map<number, string>() // under which the keeper has them

  const find = (key: number) => list.find((one) => one.key === key)
  const isBusy = computed(() => list.some((one) => one.state !== 'done' && one.state !== 'refused'))
  const ids = computed(() => list.filter((one) => one.id).map((one) => one.id))

  function unkeep(key: number): void {
    const name = names.get(key)
    names.delete(key)
    if (name) void keeper?.drop(name)
  }

  function refuse(one: Sending, why: string): void {
    unkeep(one.key)
    one.state = 'refused'
    one.why = why
    pump()
  }

  function failed(one: Sending, error: unknown): void {
    const said = saidBy(error)
    if (isFinal(said.status)) return refuse(one, said.detail || 'failed')
    one.state = 'waiting'
    timers.set(one.key, setTimeout(() => again(one.key), AGAIN_MS))
    pump()
  }

  function pump(): void {
    let free = AT_ONCE - list.filter((one) => one.state === 'sending').length
    for (const one of list) {
      const upload = uploads.get(one.key)
      if (free > 0 && upload && one.state === 'preparing') {
        one.state = 'sending'
        upload.start()
        free--
      }
    }
  }

  function again(key: number): void {
    const one = find(key)
    clearTimeout(timers.get(key))
    if (one?.state !== 'waiting') return
    one.state = 'preparing'
    pump()
  }

  function makeUpload(one: Sending, file: File): Upload {
    return new Upload(file, {
      endpoint: new URL('/v1/uploads', location.href).href,
      chunkSize: PART,
      retryDelays: RETRIES_MS,
      headers: { 'Accept-Language': document.documentElement.lang || 'zh-CN' },
      removeFingerprintOnSuccess: true,
      onProgress: (sent, all) => (one.progress = all ? sent / all : 0),
      onError: (error) => failed(one, error),
      onSuccess: () => {
        one.id = uploads.get(one.key)?.url?.split('/').pop() ?? ''
        one.state = 'done'
        one.progress = 1
        unkeep(one.key)
        pump()
      }
    })
  }

  async function prepare(one: Sending, file: File): Promise<void> {
    const clean = await withoutPlace(file)
    if (!clean) return refuse(one, 'unreadable')
    if (clean.size > FILE_MAX) return refuse(one, 'tooLarge')
    if (!find(one.key)) return
    if (keeper) {
      const name = `${Date.now()} ${newKey()}` // in the order in which they were chosen
      names.set(one.key, name)
      void keeper.put(name, clean)
    }
    await begin(one, clean)
  }

  async function begin(one: Sending, clean: File): Promise<void> {
    if (clean.type.startsWith('image/')) one.preview = URL.createObjectURL(clean)
    const upload = makeUpload(one, clean)
    const before = await upload.findPreviousUploads().catch(() => [])
    if (!find(one.key)) return forget(one)
    if (before[0]) upload.resumeFromPreviousUpload(before[0])
    uploads.set(one.key, upload)
    pump()
  }

  function add(files: Iterable<File>): void {
    for (const file of files) {
      if (list.length >= UPLOADS_MOST) return
      list.push({ key: ++keys, type: file.type, preview: '', state: 'preparing', progress: 0, id: '', why: '' })
      void prepare(list[list.length - 1] as Sending, file)
    }
  }

  // Those that were on their way when the page was closed.
  async function addKept(): Promise<void> {
    for (const { name, file } of (await keeper?.all()) ?? []) {
      if (list.length >= UPLOADS_MOST) return
      const one = { key: ++keys, type: file.type, preview: '', state: 'preparing' as const, progress: 0, id: '', why: '' }
      list.push(one)
      names.set(one.key, name)
      void begin(list[list.length - 1] as Sending, file instanceof File ? file : new File([file], 'file', { type: file.type }))
    }
  }

  // Those that were there before the page was opened again.
  function addDone(known: { id: string; type: string }[]): void {
    for (const { id, type } of known)
      list.push({ key: ++keys, type, preview: '', state: 'done', progress: 1, id, why: '' })
  }

  function forget(one: Sending): void {
    if (one.preview) URL.revokeObjectURL(one.preview)
    clearTimeout(timers.get(one.key))
    timers.delete(one.key)
    uploads.delete(one.key)
    unkeep(one.key)
  }

  function remove(key: number): void {
    const at = list.findIndex((one) => one.key === key)
    const one = list[at]
    if (!one) return
    const upload = uploads.get(key)
    // What was sent is given up there too; if that is not heard, it expires.
    void upload?.abort(one.state !== 'done' && !!upload.url).catch(() => undefined)
    forget(one)
    list.splice(at, 1)
    pump()
  }

  function clear(): void {
    list.forEach(forget)
    list.splice(0)
  }

  const online = () => list.forEach((one) => again(one.key))
  addEventListener('online', online)
  onScopeDispose(() => {
    removeEventListener('online', online)
    for (const upload of uploads.values()) void upload.abort().catch(() => undefined)
    names.clear() // what is kept stays kept
    clear()
  })

  return { list, ids, isBusy, add, addDone, addKept, remove, clear }
}

export type Uploads = ReturnType<typeof useUploads>
