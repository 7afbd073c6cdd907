/** Tries a provider and says in words what to mend. Nothing of what it answered is repeated: servers echo keys in their errors. */
import type { LanguageModelV4 } from '@ai-sdk/provider'
import { APICallError } from '@ai-sdk/provider'
import { AnswerTooLarge, RefusedAddress } from '#lib/safe-fetch.ts'
import { AppError } from '#lib/shared/errors.ts'
import type { ProviderTest } from '#lib/shared/models-contract.ts'
import { baseUrlOf, type ModelAddress, modelListRequest, readModelList } from './providers.ts'

type Trial = Omit<ModelAddress, 'modelId' | 'fetch'> & {
  fetch: typeof fetch
  /** The models that are set for it; the first that it does not list is asked for one word. */
  modelIds: readonly string[]
  build: (modelId: string) => LanguageModelV4
  timeoutMs?: number
}

const listedMax = 200
const answerBytesMax = 2_000_000

const fault = (message: string, models: string[] = []): ProviderTest => ({ ok: false, message, models })

const codeOf = (thrown: unknown): string => {
  if (!(thrown instanceof Error)) return ''
  if ('code' in thrown && typeof thrown.code === 'string') return thrown.code
  if (thrown instanceof AggregateError) return codeOf(thrown.errors[0])
  return codeOf(thrown.cause)
}

const networkWords = (code: string, { host, hostname }: URL): string => {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'ENODATA')
    return `No machine called ${hostname} was found. Check the spelling of the address.`
  if (code === 'ECONNREFUSED') return `Nothing listens at ${host}. Start the server there, or check the port.`
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH')
    return `${host} cannot be reached from here. Check the network, or the address.`
  if (/CERT|SELF_SIGNED|TLS|SSL|ALTNAME|ISSUER/.test(code))
    return `The certificate of ${hostname} is not trusted (${code}). Mend it there; use http:// only for a server that is marked as local.`
  if (code === 'ECONNRESET' || code === 'UND_ERR_SOCKET')
    return `${host} hung up. Check whether it wants https:// or http://, and the port.`
  return `${host} could not be asked. Check the address and the network.`
}

const failureWords = (thrown: unknown, url: URL, timeoutMs: number): string => {
  if (thrown instanceof AppError)
    return typeof thrown.context.reason === 'string' ? thrown.context.reason : thrown.publicMessage
  if (thrown instanceof RefusedAddress || thrown instanceof AnswerTooLarge) return thrown.message
  const code = codeOf(thrown)
  const late = thrown instanceof Error && /Timeout|Abort/.test(thrown.name)
  if (late || /TIMEDOUT|TIMEOUT/.test(code))
    return `${url.host} did not answer within ${Math.round(timeoutMs / 1_000)} seconds. Check that the server runs and can be reached from here.`
  return networkWords(code, url)
}

const statusWords = (status: number, { url, kind, hasKey }: { url: URL; kind: string; hasKey: boolean }): string => {
  if (status === 401 || status === 403)
    return hasKey
      ? 'The key was refused. Check that it is whole, has not been revoked, and may be used for this provider.'
      : `${url.host} wants a key. Enter one.`
  // Google's own way to refuse a key.
  if (status === 400 && kind === 'google')
    return 'The key was refused. Check that it is whole and may be used for the Gemini API.'
  if (status === 402) return 'The account has no credit left. Add some at the provider.'
  if (status === 404 || status === 405)
    return `There is no interface for models at ${url.origin}${url.pathname}. Most servers want an address that ends in /v1.`
  if (status === 429)
    return 'The provider refuses calls for now: its rate is used up or the account has no credit. Check the account, or wait.'
  if (status >= 500) return `The provider has trouble of its own (status ${status}). Try again later.`
  return `The provider answered with status ${status}. Check the address and the key.`
}

const textOf = async (response: Response): Promise<string> => {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > answerBytesMax) throw new AnswerTooLarge(answerBytesMax)
  }
  return text
}

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** One word of a model: whether it is there, also where the provider has no list or leaves it out. */
const tryModel = async (model: LanguageModelV4, modelId: string, trial: Trial, url: URL): Promise<string | null> => {
  const timeoutMs = trial.timeoutMs ?? 20_000
  try {
    await model.doGenerate({
      prompt: [{ role: 'user', content: [{ type: 'text', text: 'Say yes.' }] }],
      maxOutputTokens: 16,
      abortSignal: AbortSignal.timeout(timeoutMs),
    })
    return null
  } catch (thrown) {
    if (!APICallError.isInstance(thrown)) {
      const inner = thrown instanceof Error && thrown.name === 'AI_JSONParseError'
      return inner ? `${url.host} answered, but not as a language model does.` : failureWords(thrown, url, timeoutMs)
    }
    const { statusCode = 0 } = thrown
    if (statusCode === 400 || statusCode === 404 || statusCode === 422)
      return `The provider has no model ${modelId}, or this key may not use it. Check the name.`
    if (statusCode === 0) return failureWords(thrown.cause ?? thrown, url, timeoutMs)
    if (statusCode < 400) return `${url.host} answered, but not as a language model does.`
    return statusWords(statusCode, { url, kind: trial.kind, hasKey: Boolean(trial.apiKey) })
  }
}

const names = (models: readonly string[]): string => {
  const some = models.slice(0, 5).join(', ')
  return models.length > 5 ? `${some} and ${models.length - 5} more` : some
}

/** Asks the provider for its models, and for one word where a model that is set is not among them. Never throws. */
export const tryProvider = async (trial: Trial): Promise<ProviderTest> => {
  const { kind, apiKey, baseUrl, modelIds, build } = trial
  const timeoutMs = trial.timeoutMs ?? 10_000
  const request = modelListRequest({ kind, apiKey, baseUrl })
  const url = new URL(request.url)
  let listed: string[] = []
  try {
    const response = await trial.fetch(request.url, {
      headers: { accept: 'application/json', ...request.headers },
      signal: AbortSignal.timeout(timeoutMs),
    })
    const text = await textOf(response)
    const isPage = /^\s*<(?:!doctype|html)/i.test(text)
    // Some servers have models and no list of them.
    const listless = (response.status === 404 || response.status === 405) && modelIds.length > 0
    if (!response.ok && !listless) return fault(statusWords(response.status, { url, kind, hasKey: Boolean(apiKey) }))
    if (response.ok && isPage)
      return fault(
        `${url.host} answered with a web page. That is the address of a website: the one of its interface often ends in /v1.`,
      )
    const read = response.ok ? readModelList(jsonOf(text)) : []
    if (!read)
      return fault(
        `${url.host} answered, but not with a list of models. Check the path of ${baseUrlOf(kind, baseUrl)}.`,
      )
    listed = read.slice(0, listedMax)
  } catch (thrown) {
    return fault(failureWords(thrown, url, timeoutMs))
  }
  const missing = modelIds.find((id) => !listed.includes(id))
  const wrong = missing === undefined ? null : await tryModel(build(missing), missing, trial, url)
  if (wrong !== null) return fault(listed.length > 0 ? `${wrong} It offers ${names(listed)}.` : wrong, listed)
  if (modelIds.length > 0) return { ok: true, message: `It answers, and has ${names(modelIds)}.`, models: listed }
  return listed.length > 0
    ? { ok: true, message: `It answers and offers ${names(listed)}. Add a model to use it.`, models: listed }
    : fault(`${url.host} answers but has no model. Load one there first, for example with: ollama pull qwen3:8b`)
}
