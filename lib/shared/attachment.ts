/** Files that are sent to be kept, whatever is in them and however they are called. */

/** RFC 8187: what `encodeURIComponent` leaves and a header's value may not have. */
const encoded = (name: string): string =>
  encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  )

/**
 * The headers of a download: saved and never shown, under its own name, taken for nothing but what its type says, and without rights
 * in our origin should a browser open it all the same.
 */
export const attachmentHeaders = (name: string): Record<string, string> => ({
  'content-disposition': `attachment; filename*=UTF-8''${encoded(name)}`,
  'content-security-policy': "sandbox; default-src 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
})
