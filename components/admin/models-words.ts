/** What things on the Models screen are called. */
import type { RedactionAct, SensitiveKind, Tier } from '#lib/shared/gateway-settings.ts'
import type { KnownPrice, ProviderKind } from '#lib/shared/models-contract.ts'
import { formatDollars } from './models-values.ts'

export const kindWords: Record<ProviderKind, string> = {
  compatible: 'Compatible server (Ollama, vLLM, hosted)',
  openai: 'OpenAI',
  anthropic: 'Anthropic',
  google: 'Google Gemini',
}

export const tierWords: Record<Tier, { title: string; note: string }> = {
  fast: { title: 'Fast', note: 'easy questions, titles, rewriting' },
  standard: { title: 'Standard', note: 'most questions' },
  flagship: { title: 'Flagship', note: 'the hardest questions' },
}

export const actWords: Record<RedactionAct, string> = {
  allow: 'Leave as it is',
  mask: 'Mask',
  block: 'Keep inside',
}

export const sensitiveWords: Record<SensitiveKind, string> = {
  secret: 'Keys, tokens and passwords',
  card: 'Card numbers',
  iban: 'Bank accounts (IBAN)',
  'national-id': 'National identity numbers',
  email: 'E-mail addresses',
  phone: 'Phone numbers',
  ip: 'IP addresses',
  person: 'Names of people',
  address: 'Postal addresses',
}

/** In cents where that is exact: `$4.50`, `$0.075`. */
const dollars = (micros: number): string =>
  `$${micros % 10_000 === 0 ? (micros / 1_000_000).toFixed(2) : formatDollars(micros)}`

/** A price as it stands in a row: input and output, a million tokens each. */
export const priceWords = ({ source, input, output }: KnownPrice): string => {
  if (source === 'free') return 'free, our own machine'
  if (source === 'unknown') return 'price unknown'
  return `${dollars(input)} in, ${dollars(output)} out${source === 'table' ? ', by the price list' : ''}`
}
