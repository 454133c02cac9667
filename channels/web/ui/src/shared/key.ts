// An Idempotency-Key: 130 random bits as 26 letters and digits.
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(26))
  return Array.from(bytes, (byte) => (byte % 32).toString(32)).join('')
}
