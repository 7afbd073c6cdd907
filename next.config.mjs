/** @type {import('next').NextConfig} */
export default {
  poweredByHeader: false,
  reactStrictMode: true,
  typedRoutes: true,
  agentRules: false,
  // Native code, wasm and worker threads: loaded by Node as they are, never bundled.
  serverExternalPackages: [
    '@electric-sql/pglite',
    '@electric-sql/pglite-pgvector',
    '@huggingface/tokenizers',
    '@node-rs/argon2',
    'onnxruntime-node',
    'pg-boss',
    'pino',
    'postgres',
  ],
  images: { unoptimized: true },
}
