/**
 * Syntax trees of source code, by tree-sitter. Grammars are WebAssembly files of the package and loaded when a language is met the
 * first time. Parsing is done in short steps, so that nobody waits for a large file, and gives up on what takes too long.
 */
import { readFile } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Language, Parser, Tree } from '@vscode/tree-sitter-wasm'

const grammars = new Map(
  Object.entries({
    bash: 'bash',
    c: 'cpp',
    cpp: 'cpp',
    csharp: 'c-sharp',
    css: 'css',
    go: 'go',
    java: 'java',
    javascript: 'javascript',
    php: 'php',
    powershell: 'powershell',
    python: 'python',
    ruby: 'ruby',
    rust: 'rust',
    tsx: 'tsx',
    typescript: 'typescript',
  }),
)

/** Other names that a language goes by. */
const aliases = new Map(
  Object.entries({
    'c#': 'csharp',
    'c++': 'cpp',
    cs: 'csharp',
    js: 'javascript',
    jsx: 'javascript',
    py: 'python',
    rb: 'ruby',
    rs: 'rust',
    sh: 'bash',
    shell: 'bash',
    ts: 'typescript',
  }),
)

const stepMs = 15
const totalMsMax = 20_000

type Runtime = typeof import('@vscode/tree-sitter-wasm')
let starting: Promise<Runtime> | null = null
const languages = new Map<string, Promise<Language>>()

const startRuntime = async (): Promise<Runtime> => {
  // The package is CommonJS: all that it has is on its default.
  const { default: runtime } = (await import('@vscode/tree-sitter-wasm')) as unknown as { default: Runtime }
  await runtime.Parser.init()
  return runtime
}

const loadLanguage = async (grammar: string): Promise<Language> => {
  starting ??= startRuntime()
  const { Language } = await starting
  const file = import.meta.resolve('@vscode/tree-sitter-wasm').replace(/[^/]+$/, `tree-sitter-${grammar}.wasm`)
  return Language.load(await readFile(fileURLToPath(file)))
}

const parseInSteps = async (parser: Parser, text: string): Promise<Tree | null> => {
  const deadlineMs = performance.now() + totalMsMax
  for (;;) {
    const stepEndMs = performance.now() + stepMs
    const tree = parser.parse((index) => text.slice(index, index + 20_000), null, {
      progressCallback: () => performance.now() > stepEndMs,
    })
    if (tree || performance.now() > deadlineMs) return tree
    await setImmediate()
  }
}

/**
 * Calls `read` with the tree of `text`; the tree is gone afterwards. Null when the language is not known or the text took too long
 * to parse. A text with errors has a tree too. Throws when the package is broken.
 */
export const withSyntaxTree = async <T>(
  language: string,
  text: string,
  read: (tree: Tree) => Promise<T>,
): Promise<T | null> => {
  const name = language.toLowerCase()
  const grammar = grammars.get(aliases.get(name) ?? name)
  if (!grammar) return null
  let loading = languages.get(grammar)
  if (!loading) {
    loading = loadLanguage(grammar)
    languages.set(grammar, loading)
    loading.catch(() => languages.delete(grammar))
  }
  const loaded = await loading
  const { Parser } = await (starting ?? startRuntime())
  const parser = new Parser()
  try {
    parser.setLanguage(loaded)
    const tree = await parseInSteps(parser, text)
    if (!tree) return null
    try {
      return await read(tree)
    } finally {
      tree.delete()
    }
  } finally {
    parser.delete()
  }
}
