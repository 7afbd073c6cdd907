// The import law. Read top to bottom: each layer may use itself and the layers listed before it; never the ones after.
const layers = [
  ['shared', '^lib/shared/'],
  [
    'platform',
    '^lib/(env|log|faults|request-context|storage|passwords|safe-fetch|sealing|source-roots|language|archive)\\.ts$',
  ],
  ['data', '^db/'],
  ['records', '^lib/(audit|trace|otel|jobs|limits|metrics|mail|switches)\\.ts$'],
  ['rules', '^lib/auth/'],
  ['gateway', '^lib/gateway/'],
  [
    'knowledge',
    '^lib/rag/|^lib/(access|audit-log|documents|sources|knowledge|encoders|health|alerts|incidents|people|policy|invitation-list|legal-holds|retention|erasure|data-export|backup)\\.ts$',
  ],
  ['trust', '^lib/trust/'],
  ['chat', '^lib/chat/'],
  ['evals', '^lib/evals/'],
]
const outside = '^(app|components|ingestion|e2e|bench|scripts)/'
/** Proof measures the product's own way in; everything else leaves a job. */
const outsideForProof = '^(app|components|e2e|bench|scripts)/'
const tests = '\\.(test|spec)\\.tsx?$|^db/testing(-setup)?\\.ts$|/fixtures/'
// Code that only builds or demonstrates: it may reach where the product may not.
const tools = '^(bench|scripts)/|^db/demo/'

const forbid = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to })
const npm = (names) => `(^|node_modules/)(${names})(/|$)`

const downward = layers.map(([name, path], i) =>
  forbid(
    `layer-${name}`,
    { path, pathNot: [tests, tools] },
    { path: [...layers.slice(i + 1).map(([, later]) => later), name === 'evals' ? outsideForProof : outside] },
    `${name} may import only itself and the layers listed before it`,
  ),
)

const confined = [
  ['sql', 'drizzle-orm|postgres|pg|@electric-sql/[^/]+', '^(db/|drizzle\\.config)'],
  ['providers', '@ai-sdk/(?!react|provider(/|$))[^/]+', '^lib/gateway/providers\\.ts$'],
  ['telemetry', '@opentelemetry/[^/]+', '^lib/otel\\.ts$'],
  ['queue', 'pg-boss', '^lib/jobs\\.ts$'],
  ['auth', 'next-auth|@auth/[^/]+', '^lib/auth/'],
  ['second-step', 'otpauth|jose', '^lib/auth/'],
  ['mail', 'nodemailer', '^lib/mail\\.ts$'],
  ['archives', 'tar-stream', '^lib/(archive|backup)\\.ts$'],
  ['passwords', '@node-rs/argon2', '^lib/passwords\\.ts$'],
  ['encoder', 'onnxruntime-node|@huggingface/tokenizers', '^lib/gateway/local/'],
  ['splitters', '@langchain/[^/]+|langchain|@vscode/tree-sitter-wasm', '^ingestion/chunk/'],
  ['languages', 'franc-min', '^lib/language\\.ts$'],
  [
    'parsers',
    'unpdf|csv-parse|linkedom|@mozilla/readability|fflate|file-type|@e965/xlsx|postal-mime|fast-xml-parser|tesseract\\.js|@napi-rs/canvas|isomorphic-git|robots-parser',
    '^ingestion/|^lib/invitation-list\\.ts$',
  ],
  ['patterns', 're2js', '^lib/gateway/answer-rules\\.ts$'],
  ['network', 'undici|ipaddr\\.js', '^lib/safe-fetch\\.ts$'],
  ['next', 'next', '^(app|components)/|^lib/auth/|^(instrumentation|proxy)\\.ts$|^scripts/serve\\.ts$'],
  ['react', 'react|react-dom|@ai-sdk/react', '^(app|components)/'],
].map(([name, packages, home]) =>
  forbid(
    `confined-${name}`,
    // A benchmark measures the parts as they come, too.
    { pathNot: [home, tests, '^e2e/', '^db/demo/', '^bench/'] },
    { path: npm(packages) },
    `${packages} is known only to ${home}`,
  ),
)

module.exports = {
  forbidden: [
    forbid(
      'no-cycles',
      {},
      { circular: true },
      'type-only cycles count: a type that two modules need belongs in lib/shared',
    ),
    ...downward,
    forbid(
      'faces-inside-lib',
      { path: '^lib/([^/]+)/', pathNot: tests },
      { path: '^lib/[^/]+/', pathNot: ['^lib/$1/', '^lib/[^/]+/index\\.ts$', '^lib/shared/'] },
      'cross a module through its index.ts',
    ),
    forbid(
      'faces-from-outside',
      // A benchmark, a trainer, a measurement takes one part by itself.
      { pathNot: ['^lib/[^/]+/', tests, '^bench/', '^scripts/(train|eval)-'] },
      { path: '^lib/[^/]+/', pathNot: ['^lib/[^/]+/index\\.ts$', '^lib/shared/'] },
      'cross a module through its index.ts',
    ),
    forbid(
      'components-are-pure',
      { path: '^components/', pathNot: tests },
      { path: '^(app|db|ingestion|e2e)/|^lib/(?!shared/)' },
      'components get data and actions as props; types come from lib/shared',
    ),
    forbid('ui-is-a-leaf', { path: '^components/ui/' }, { path: '^components/(?!ui/)|^lib/(?!shared/cn)' }),
    forbid(
      'app-reads-reports-only',
      { path: '^app/' },
      { path: '^db/(?!reports/)' },
      'writes go through lib so that they are checked and audited',
    ),
    forbid('reports-never-write', { path: '^db/reports/', pathNot: tests }, { path: '^db/queries/' }),
    forbid(
      'nobody-imports-ingestion',
      { pathNot: ['^ingestion/', '^lib/evals/', tests, tools] },
      { path: '^ingestion/' },
      'parsers stay out of the web bundle; enqueue a job',
    ),
    forbid(
      'ingestion-knows-no-product',
      { path: '^ingestion/', pathNot: ['^ingestion/worker\\.ts$', tests] },
      { path: '^lib/(rag|chat|evals|documents|sources|knowledge)|^(app|components)/' },
    ),
    forbid('nobody-imports-app', { pathNot: ['^app/', tests] }, { path: '^app/' }),
    forbid(
      'e2e-is-a-stranger',
      { path: '^e2e/' },
      { path: '^(app|components|db|ingestion)/|^lib/(?!shared/)' },
      'drive the product from outside',
    ),
    // A world that several tests share is no test by itself.
    forbid(
      'no-test-code-in-product',
      { pathNot: [tests, '^e2e/', '^bench/', '^scripts/[a-z]+-world\\.ts$'] },
      { path: tests },
    ),
    ...confined,
    forbid(
      'resolvable',
      {},
      { couldNotResolve: true },
      'an import that resolves to nothing hides from every rule above',
    ),
    forbid(
      'no-orphans',
      {
        orphan: true,
        pathNot: [
          '^(app|e2e|bench|scripts)/',
          '\\.(config|d)\\.(m?[jt]s|cjs)$',
          '^(proxy|instrumentation)\\.ts$',
          '^db/testing(-setup)?\\.ts$',
          '^next-env',
          '\\.cjs$',
        ],
      },
      {},
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^\\.next|^coverage|^\\.data' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.d.ts', '.json'],
    },
  },
}
