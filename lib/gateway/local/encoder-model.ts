/** The sentence encoders that Footnote knows how to run. What differs between them is data here, never an `if` elsewhere. */

export type EncoderModel = {
  name: string
  /** SHA-256 of each file that is loaded, relative to the model's folder. */
  files: Readonly<Record<string, string>>
  weights: string
  tokenizer: string
  dimensions: number
  /** Longest input in tokens, special tokens counted. */
  tokensMax: number
  /** What the model was trained to see before a text. */
  prefix: { query: string; passage: string }
}

export const builtInEncoder: EncoderModel = {
  name: 'all-MiniLM-L6-v2',
  files: {
    'onnx/model_quantized.onnx': '1d4f5f956c51a34d3791bbb40f2820c22161a4533cc6826e043ecc7691a56af5',
    'tokenizer.json': '5fd1c882abbd30517dced455a2c9768945ec726b96727927e4959348d9de550b',
  },
  weights: 'onnx/model_quantized.onnx',
  tokenizer: 'tokenizer.json',
  dimensions: 384,
  // The graph takes 512, but it was trained on 128 to 256: what follows costs time and adds nothing.
  tokensMax: 256,
  prefix: { query: '', passage: '' },
}

/** Stored with every vector; vectors of different ids are never compared. */
export const encoderId = ({ name, files, weights }: EncoderModel): string =>
  `${name}@${(files[weights] ?? '').slice(0, 8)}`
