/** Source code, kept as it stands: indentation and blank lines mean something. Where it may be cut is for the chunker to say. */
import { textCharsMax } from './builder.ts'
import type { ParsedDocument } from './parsed-document.ts'
import { Refusal } from './refusal.ts'
import { readText } from './text.ts'

/** Extensions of source code, and the language each stands for. */
export const codeLanguages: Readonly<Record<string, string>> = {
  py: 'python',
  js: 'javascript',
  mjs: 'javascript',
  cjs: 'javascript',
  jsx: 'javascript',
  ts: 'typescript',
  mts: 'typescript',
  cts: 'typescript',
  tsx: 'tsx',
  java: 'java',
  kt: 'kotlin',
  scala: 'scala',
  go: 'go',
  rs: 'rust',
  c: 'c',
  h: 'c',
  cc: 'cpp',
  cpp: 'cpp',
  hpp: 'cpp',
  cs: 'csharp',
  swift: 'swift',
  rb: 'ruby',
  php: 'php',
  sh: 'bash',
  bash: 'bash',
  ps1: 'powershell',
  sql: 'sql',
  r: 'r',
  lua: 'lua',
  pl: 'perl',
  css: 'css',
  scss: 'scss',
  vue: 'vue',
  svelte: 'svelte',
  yaml: 'yaml',
  yml: 'yaml',
  toml: 'toml',
  ini: 'ini',
  tf: 'terraform',
  proto: 'protobuf',
  graphql: 'graphql',
}

/** Reads source code; `name` tells its language. Throws `Refusal`: `wrong-type` (no text), `no-text`, `too-much-text`. */
export const parseCode = (bytes: Uint8Array, name: string): ParsedDocument => {
  const text = readText(bytes)
  if (text.length > textCharsMax) throw new Refusal('too-much-text', `${text.length} characters`)
  const extension = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''
  const language = Object.hasOwn(codeLanguages, extension) ? codeLanguages[extension] : undefined
  return {
    kind: 'code',
    title: null,
    text,
    blocks: [{ kind: 'code', start: text.search(/\S/), end: text.trimEnd().length }],
    pages: [],
    ...(language ? { codeLanguage: language } : {}),
  }
}
