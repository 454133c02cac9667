// Small things kept in the browser.  A closed or full storage is no error: the page then forgets.

export function remember(name: string, value: unknown): void {
  try {
    if (value === null || value === undefined) localStorage.removeItem('hotline.' + name)
    else localStorage.setItem('hotline.' + name, typeof value === 'string' ? value : JSON.stringify(value))
  } catch {
    // forgotten
  }
}

export function recall(name: string): string | null {
  try {
    return localStorage.getItem('hotline.' + name)
  } catch {
    return null
  }
}

export function recallJson<T>(name: string): T | null {
  const text = recall(name)
  if (!text) return null
  try {
    return JSON.parse(text) as T
  } catch {
    return null
  }
}
