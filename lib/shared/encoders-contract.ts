/** The wire of the Knowledge page: which encoder a workspace searches with, which others there are, and how documents are read. */
import { z } from 'zod'
import { type GatewaySettings, gatewaySettingsSchema, type VectorGraph } from './gateway-settings.ts'

export type EncoderChoice = {
  /** As `embed` takes it: `all-MiniLM-L6-v2`, `multilingual-e5-small`, or a provider's id and its model. */
  name: string
  /** As people read it. */
  title: string
  kind: 'built-in' | 'local' | 'hub' | 'provider'
  /** ISO 639-1; null when nobody has said. */
  languages: readonly string[] | null
}

export type EncoderIndex = {
  id: string
  name: string
  state: 'building' | 'serving' | 'failed'
  step: 'fetch' | 'embed'
  /** Bytes while it is fetched, passages while they are embedded; the total is 0 while it is not known. */
  done: number
  total: number
  failure: string | null
  since: string
}

export type KnowledgeSetup = {
  settings: Pick<GatewaySettings, 'chunking' | 'retrieval' | 'vectorIndex' | 'graph' | 'recognition'>
  /** Of all rules of the workspace: saving names it, so that two admins do not overwrite each other. */
  version: number
  serving: EncoderChoice
  /** As the index that is searched was built, whatever the settings say now; null when there is none yet. */
  built: VectorGraph | null
  building: EncoderIndex | null
  /** The last change that did not come about, since the one that serves. */
  failed: EncoderIndex | null
  choices: EncoderChoice[]
  /** Providers that may have embedding models; a choice is the id, a slash and the model's name there. */
  providers: { id: string; title: string }[]
  /** Passages by language, most first. */
  languages: { language: string; passages: number }[]
  /** Languages of documents that the serving encoder does not know; the recommended one does. */
  unknownLanguages: string[]
  /** Documents that answer, and how many of them are cut in another way than the settings say now. */
  documents: { ready: number; outdated: number; inWork: number }
}

export const encoderChoiceSchema = z.strictObject({ name: z.string().min(1).max(200) })

export const knowledgeSettingsSchema = z.strictObject({
  version: z.int32().min(0),
  settings: gatewaySettingsSchema.pick({
    chunking: true,
    retrieval: true,
    vectorIndex: true,
    graph: true,
    recognition: true,
  }),
})

/** The encoder that is offered for documents in many languages. */
export const recommendedEncoder = 'multilingual-e5-small'
