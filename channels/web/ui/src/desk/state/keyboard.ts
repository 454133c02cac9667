import { onActivated, onDeactivated, onMounted, onScopeDispose, ref } from 'vue'

export interface Shortcut {
  keys: string // "j", "g d", "?"
  label: string // message key
  run: () => void
}

const GO_MS = 1500
const layers: Shortcut[][] = []
const isHelpShown = ref(false)
let isGoing = false
let timer: ReturnType<typeof setTimeout> | undefined

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

function isInside(target: EventTarget | null, selector: string): boolean {
  return target instanceof Element && !!target.closest(selector)
}

function find(keys: string): Shortcut | undefined {
  for (let i = layers.length - 1; i >= 0; i--) {
    const found = layers[i].find((s) => s.keys === keys)
    if (found) return found
  }
  return undefined
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
  if (isInside(event.target, '.el-overlay, .el-popper')) return
  if (isTyping(event.target)) {
    if (event.key === 'Escape') (event.target as HTMLElement).blur()
    return
  }
  // Enter on something that can be pressed presses it.
  if (event.key === 'Enter' && isInside(event.target, 'a, button')) return
  const keys = isGoing ? 'g ' + event.key : event.key
  isGoing = !isGoing && event.key === 'g'
  clearTimeout(timer)
  if (isGoing) timer = setTimeout(() => (isGoing = false), GO_MS)
  const found = find(keys)
  if (!found) return
  event.preventDefault()
  found.run()
}

addEventListener('keydown', onKey)

// Shortcuts live as long as the component is on the page; later ones come first.
export function useShortcuts(own: Shortcut[]): void {
  const add = () => {
    if (!layers.includes(own)) layers.push(own)
  }
  const drop = () => {
    const at = layers.indexOf(own)
    if (at >= 0) layers.splice(at, 1)
  }
  onMounted(add)
  onActivated(add)
  onDeactivated(drop)
  onScopeDispose(drop)
}

export function useShortcutHelp() {
  function all(): Shortcut[] {
    const seen = new Set<string>()
    return [...layers].reverse().flat().filter((s) => !seen.has(s.keys) && seen.add(s.keys))
  }
  return { isHelpShown, all }
}
