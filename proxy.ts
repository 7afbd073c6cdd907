/** Headers only: a nonce for scripts, a strict content policy, and the path for the sign-in redirect. Never a security boundary. */
import { type NextRequest, NextResponse } from 'next/server'

const contentSecurityPolicy = (nonce: string): string =>
  [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${process.env.NODE_ENV === 'development' ? " 'unsafe-eval'" : ''}`,
    // Inline style attributes are how the primitives place popovers.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' blob: data:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')

export const proxy = (request: NextRequest): NextResponse => {
  const nonce = btoa(crypto.randomUUID())
  const policy = contentSecurityPolicy(nonce)
  const headers = new Headers(request.headers)
  headers.set('x-nonce', nonce)
  headers.set('content-security-policy', policy)
  headers.set('x-footnote-path', request.nextUrl.pathname + request.nextUrl.search)
  const response = NextResponse.next({ request: { headers } })
  response.headers.set('content-security-policy', policy)
  response.headers.set('cache-control', 'private, no-store')
  // Only where the settings say that people come by TLS: a browser that was told so comes by nothing else for a year.
  if (process.env.AUTH_URL?.startsWith('https:')) response.headers.set('strict-transport-security', 'max-age=31536000')
  return response
}

export const config = {
  // The API sets its own headers, and a body that passes here would be cut at 10 MB.
  matcher: ['/((?!api/|_next/static|_next/image|icon|favicon).*)'],
}
