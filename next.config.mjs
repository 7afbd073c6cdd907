/** @type {import('next').NextConfig} */
export default {
  poweredByHeader: false,
  reactStrictMode: true,
  typedRoutes: true,
  // `npm run check` judges types, of the tests too; to do it again doubles the wait of a first start.
  typescript: { ignoreBuildErrors: true },
  agentRules: false,
  // Native code, wasm and worker threads: loaded by Node as they are, never bundled.
  serverExternalPackages: [
    '@electric-sql/pglite',
    '@electric-sql/pglite-pgvector',
    '@huggingface/tokenizers',
    '@node-rs/argon2',
    '@openredaction/openredaction',
    '@opentelemetry/exporter-trace-otlp-http',
    '@opentelemetry/resources',
    '@opentelemetry/sdk-trace',
    'nodemailer',
    'onnxruntime-node',
    'pg-boss',
    'pino',
    'postgres',
    'undici',
  ],
  // In development it would print what an action was given, keys among it.
  logging: { serverFunctions: false },
  images: { unoptimized: true },
  headers: async () => [
    {
      source: '/:path*',
      headers: [
        { key: 'x-content-type-options', value: 'nosniff' },
        { key: 'referrer-policy', value: 'same-origin' },
        { key: 'cross-origin-opener-policy', value: 'same-origin' },
        { key: 'x-frame-options', value: 'DENY' },
        { key: 'permissions-policy', value: 'camera=(), microphone=(), geolocation=()' },
      ],
    },
  ],
}
