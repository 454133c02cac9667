// A photo as it is sent: drawn anew, so that nothing is left of where, when and with what it was taken, and no larger than is needed to see
// what it shows.
const SIDE_MAX = 2560
const QUALITY = 0.88

const isPicture = (file: File) => file.type.startsWith('image/')

async function draw(file: File): Promise<HTMLCanvasElement> {
  const picture = await createImageBitmap(file, { imageOrientation: 'from-image' })
  const scale = Math.min(1, SIDE_MAX / Math.max(picture.width, picture.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(picture.width * scale))
  canvas.height = Math.max(1, Math.round(picture.height * scale))
  canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height)
  picture.close()
  return canvas
}

// Under a name that says nothing; when it was changed stays, so that the same photo chosen again is known as the same.
const plain = (bytes: Blob, type: string, file: File) => new File([bytes], 'file', { type, lastModified: file.lastModified })

// The file to send; null when it is a picture that this browser cannot open.
export async function withoutPlace(file: File): Promise<File | null> {
  if (!isPicture(file)) return plain(file, file.type, file)
  try {
    const canvas = await draw(file)
    const type = file.type === 'image/png' ? 'image/png' : 'image/jpeg'
    const bytes = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, QUALITY))
    return bytes && plain(bytes, type, file)
  } catch {
    return null
  }
}
