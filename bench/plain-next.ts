/** Imported first by a benchmark of what Next.js loads: it writes `next/headers` in a way that only a bundler resolves. */
import { registerHooks } from 'node:module'
import 'next/dist/server/node-environment-baseline.js'

registerHooks({
  resolve: (specifier, context, resolveNext) =>
    resolveNext(/^next\/(headers|navigation|server)$/.test(specifier) ? `${specifier}.js` : specifier, context),
})
process.env.AUTH_SECRET ??= 'a secret of the benchmark that is long enough'
