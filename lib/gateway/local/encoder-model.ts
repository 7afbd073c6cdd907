/**
 * The sentence encoders that Footnote knows how to run. What differs between them is data here, never an `if` elsewhere; any other
 * model in the layout of transformers.js is described by its own files, and by its family where its name tells one.
 */
import { createHash } from 'node:crypto'

/** No encoder: the reason is for the log and the health page. */
export class EncoderUnavailable extends Error {
  override name = 'EncoderUnavailable'
  /** By its name: threads are shared by all copies of this file that a process has loaded, and so are their errors. */
  static override [Symbol.hasInstance](thrown: unknown): boolean {
    return thrown instanceof Error && thrown.name === 'EncoderUnavailable'
  }
}

export type EmbedPurpose = 'query' | 'passage'

/** What is read of a model, relative to its folder. */
export const encoderFiles = {
  config: 'config.json',
  tokenizer: 'tokenizer.json',
  weights: 'onnx/model_quantized.onnx',
} as const
export type EncoderFile = (typeof encoderFiles)[keyof typeof encoderFiles]
export const encoderFileList: readonly EncoderFile[] = Object.values(encoderFiles)

type Trained = {
  /** What the model was trained to see before a text. */
  prefix: Readonly<Record<EmbedPurpose, string>>
  /** What becomes of the vectors of its tokens: their mean, or the first one alone. */
  pooling: 'mean' | 'cls'
}

export type EncoderModel = Trained & {
  name: string
  /** Stored with every vector; vectors of different ids are never compared. Tells builds apart, and ways to use them. */
  id: string
  /** SHA-256 of each file. */
  files: Readonly<Record<EncoderFile, string>>
  dimensions: number
  /** Longest input in tokens, special tokens counted. */
  tokensMax: number
  /** Share of the vector leg in a search, as measured; between 0 and 1. */
  vectorWeight: number
  /** ISO 639-1; null: nobody has said. */
  languages: readonly string[] | null
}

/** One build of a model: its files to the byte. */
export type Build = Readonly<Record<EncoderFile, { bytes: number; sha256: string }>>

export type KnownEncoder = Pick<EncoderModel, 'name' | 'tokensMax' | 'vectorWeight' | 'languages'> & {
  builds: readonly Build[]
  /** Where a hub may have it, in the order of asking: hashes decide what is taken, not addresses. */
  sources: readonly HubSource[]
}
export type HubSource = { repository: string; revision: string }

export const builtInName = 'all-MiniLM-L6-v2'
export const builtInDimensions = 384
export const defaultVectorWeight = 0.56

const multilingual =
  'af am ar as az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fr fy ga gd gl gu ha he hi hr hu hy id is it ja jv ka kk km kn ko ku ky la lo lt lv mg mk ml mn mr ms my ne nl no om or pa pl ps pt ro ru sa sd si sk sl so sq sr su sv sw ta te th tl tr ug uk ur uz vi xh yi zh'

const builtInBuild: Build = {
  'config.json': { bytes: 487, sha256: '6c05fa7a655923d1a7c265e8cefe6ad7682b4d59e580fd327268f48a0d6e0040' },
  'tokenizer.json': { bytes: 466_081, sha256: '5fd1c882abbd30517dced455a2c9768945ec726b96727927e4959348d9de550b' },
  'onnx/model_quantized.onnx': {
    bytes: 23_402_329,
    sha256: '1d4f5f956c51a34d3791bbb40f2820c22161a4533cc6826e043ecc7691a56af5',
  },
}

export const knownEncoders: readonly KnownEncoder[] = [
  {
    name: builtInName,
    // The graph takes 512, but it was trained on 128 to 256: what follows costs time and adds nothing.
    tokensMax: 256,
    vectorWeight: defaultVectorWeight,
    languages: ['en'],
    builds: [builtInBuild],
    // It comes with the product.
    sources: [],
  },
  {
    name: 'multilingual-e5-small',
    tokensMax: 512,
    vectorWeight: 0.7,
    // Those of XLM-RoBERTa, which it was trained from (Conneau et al. 2020, table 6).
    languages: multilingual.split(' '),
    builds: [
      // huggingface.co/Xenova/multilingual-e5-small, int8.
      {
        'config.json': { bytes: 658, sha256: 'cb99455288675345e1a4f411438d5d0adbba5fbd3a67ea4fb03c015433b996c1' },
        'tokenizer.json': {
          bytes: 17_082_730,
          sha256: '0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39',
        },
        'onnx/model_quantized.onnx': {
          bytes: 118_308_185,
          sha256: 'f80102d3f2a1229f387d3c81909990d8945513e347b0eab049f7de3c6f98c193',
        },
      },
      // A smaller one with its table of words in four bits.
      {
        'config.json': { bytes: 512, sha256: '24d6ad5a0b065bd03efa68547a8dd3a3bc33c8ea565ba4e8140d8712d754c9c7' },
        'tokenizer.json': {
          bytes: 16_781_836,
          sha256: 'ed90a562443f6f7d01dc9eafb3d0ce53eb5a060c84ac014c926eb835e20e0efc',
        },
        'onnx/model_quantized.onnx': {
          bytes: 82_580_298,
          sha256: '527e42d63153b6e395e3f9abfc692463f55597de00e4cb126ed0b8801ab4e4eb',
        },
      },
    ],
    sources: [
      { repository: 'Xenova/multilingual-e5-small', revision: '761b726dd34fb83930e26aab4e9ac3899aa1fa78' },
      // Mirrors often keep only the newest revision, or models under their bare names.
      { repository: 'Xenova/multilingual-e5-small', revision: 'main' },
      { repository: 'multilingual-e5-small', revision: 'main' },
    ],
  },
]

export const knownEncoder = (name: string): KnownEncoder | undefined => knownEncoders.find((one) => one.name === name)

const noPrefix = { query: '', passage: '' }
const instructed = (query: string): Trained => ({ prefix: { query, passage: '' }, pooling: 'cls' })
const english = 'Represent this sentence for searching relevant passages: '

/** How families of models want to be used, as their model cards say; the first pattern that fits a name. */
const families: readonly (Trained & { pattern: RegExp })[] = [
  { pattern: /(?:^|[-_/])e5[-_]/i, prefix: { query: 'query: ', passage: 'passage: ' }, pooling: 'mean' },
  { pattern: /bge-m3/i, prefix: noPrefix, pooling: 'cls' },
  { pattern: /bge-.*zh/i, ...instructed('为这个句子生成表示以用于检索相关文章：') },
  { pattern: /bge-|mxbai-embed|arctic-embed-(?!.*v2)/i, ...instructed(english) },
  { pattern: /nomic-embed/i, prefix: { query: 'search_query: ', passage: 'search_document: ' }, pooling: 'mean' },
]
const plain: Trained = { prefix: noPrefix, pooling: 'mean' }

/** What a model of this name was trained to see, as far as its name tells. */
export const trainedFor = (name: string): Trained => {
  const { prefix, pooling } = families.find(({ pattern }) => pattern.test(name)) ?? plain
  return { prefix, pooling }
}

/** Passages are shorter, and time grows with the square. */
export const tokensMaxMost = 512

/** `footnote.json` in a model's folder: what its own files do not tell. */
export type OwnWords = {
  queryPrefix?: string | undefined
  passagePrefix?: string | undefined
  pooling?: Trained['pooling'] | undefined
  tokensMax?: number | undefined
  vectorWeight?: number | undefined
  languages?: string[] | undefined
}

type Described = {
  name: string
  files: EncoderModel['files']
  config: Pick<EncoderModel, 'dimensions' | 'tokensMax'>
  ownWords?: OwnWords | undefined
}

/** A model from its files. What was said in its folder goes before what is known of its name, and that before its family. */
export const describeEncoder = ({ name, files, config, ownWords = {} }: Described): EncoderModel => {
  const known = knownEncoder(name)
  const trained = trainedFor(name)
  const used = {
    prefix: {
      query: ownWords.queryPrefix ?? trained.prefix.query,
      passage: ownWords.passagePrefix ?? trained.prefix.passage,
    },
    pooling: ownWords.pooling ?? trained.pooling,
    tokensMax: ownWords.tokensMax ?? known?.tokensMax ?? config.tokensMax,
  }
  const weights = files[encoderFiles.weights]
  // A known build is used in one way, so its weights name it; any other is also told apart by how it is used.
  const isKnown =
    Object.keys(ownWords).length === 0 && known?.builds.some((build) => build[encoderFiles.weights].sha256 === weights)
  const version = isKnown
    ? weights
    : createHash('sha256')
        .update(JSON.stringify([files, used]))
        .digest('hex')
  return {
    ...used,
    name,
    id: `${name}@${version.slice(0, 8)}`,
    files,
    dimensions: config.dimensions,
    vectorWeight: ownWords.vectorWeight ?? known?.vectorWeight ?? defaultVectorWeight,
    languages: ownWords.languages ?? known?.languages ?? null,
  }
}

/** The hashes of a build. */
export const hashesOf = (build: Build): EncoderModel['files'] => ({
  'config.json': build['config.json'].sha256,
  'tokenizer.json': build['tokenizer.json'].sha256,
  'onnx/model_quantized.onnx': build['onnx/model_quantized.onnx'].sha256,
})

/** The encoder that comes with the product; what is known of it needs no look at its files. */
export const builtInEncoder: EncoderModel = describeEncoder({
  name: builtInName,
  files: hashesOf(builtInBuild),
  config: { dimensions: builtInDimensions, tokensMax: tokensMaxMost },
})
