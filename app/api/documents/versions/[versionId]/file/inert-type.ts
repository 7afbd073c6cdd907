/** Pictures of pixels. SVG is none: it is a document that can hold scripts. */
const pictures: ReadonlyMap<string, string> = new Map([
  ['png', 'image/png'],
  ['jpg', 'image/jpeg'],
  ['jpeg', 'image/jpeg'],
  ['webp', 'image/webp'],
])

/**
 * The media type under which a stored file of this name may be sent: that of a picture of pixels, else one that nothing runs. With
 * `nosniff` beside it, a page under the name of a picture is a broken picture.
 */
export const inertTypeOf = (name: string): string =>
  pictures.get(/\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? '') ?? 'application/octet-stream'
