/** What is asked on the retrieval bench, as its address has it, so that a link shows somebody else the same. */
import { type RetrievalSettings, retrievalSettingsSchema } from '#lib/shared/gateway-settings.ts'
import { type DocumentFilter, documentFilterSchema } from '#lib/shared/retrieval-contract.ts'

export type BenchQuestion = {
  question: string
  collectionIds: string[]
  filter: DocumentFilter
  /** What the workspace's own settings are compared with; null: nothing. */
  second: RetrievalSettings | null
}

/** Settings by their names, in the order in which a search comes to them. */
export const settingNames = Object.keys(retrievalSettingsSchema.shape) as (keyof RetrievalSettings)[]

/** Stands for a second configuration that changes nothing yet. */
const unchanged = 'same'
const automatic = 'auto'

const written = (value: RetrievalSettings[keyof RetrievalSettings]): string => {
  if (value === null) return automatic
  return typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value)
}

/** A setting's value from its text; undefined when it has no such value. */
const parseSetting = (name: keyof RetrievalSettings, text: string): unknown => {
  const readings = [text, Number(text), ...(/^(on|off)$/.test(text) ? [text === 'on'] : []), null]
  if (!text) return undefined
  return readings.find(
    (reading) =>
      (reading !== null || text === automatic) && retrievalSettingsSchema.shape[name].safeParse(reading).success,
  )
}

const writeSecond = (own: RetrievalSettings, second: RetrievalSettings | null): string | null => {
  if (!second) return null
  const changed = settingNames.filter((name) => own[name] !== second[name])
  return changed.map((name) => `${name}:${written(second[name])}`).join(',') || unchanged
}

const readSecond = (own: RetrievalSettings, text: string | null): RetrievalSettings | null => {
  if (!text) return null
  const changes = text.split(',').flatMap((part) => {
    const [name = '', value = ''] = part.split(':')
    const known = settingNames.find((one) => one === name)
    const parsed = known && parseSetting(known, value)
    return parsed === undefined ? [] : [[name, parsed]]
  })
  const second = retrievalSettingsSchema.safeParse({ ...own, ...Object.fromEntries(changes) })
  return second.success ? second.data : own
}

const listed = (text: string | null): string[] => (text ? text.split(',').filter(Boolean) : [])

/** Parts of the address that make no sense are as if they were not there. */
export const readBench = (get: (name: string) => string | null, own: RetrievalSettings): BenchQuestion => {
  const one = (name: string): string[] => [get(name) ?? ''].filter(Boolean)
  const parts: DocumentFilter = {
    tags: one('tag'),
    languages: one('language'),
    mediaTypes: one('type'),
    authors: one('author'),
    datedFrom: get('from') ?? '',
    datedTo: get('to') ?? '',
  }
  const given = Object.entries(parts).filter(
    ([name, value]) => value?.length && documentFilterSchema.safeParse({ [name]: value }).success,
  )
  return {
    question: (get('q') ?? '').slice(0, 2_000),
    collectionIds: listed(get('in')).filter((id) => /^[0-9a-f-]{36}$/.test(id)),
    filter: Object.fromEntries(given),
    second: readSecond(own, get('with')),
  }
}

/** The parts of the address that say what is asked; null takes a part out. */
export const writeBench = (
  { question, collectionIds, filter, second }: BenchQuestion,
  own: RetrievalSettings,
): Record<string, string | null> => ({
  q: question.trim() || null,
  in: collectionIds.join(',') || null,
  tag: filter.tags?.[0] ?? null,
  language: filter.languages?.[0] ?? null,
  type: filter.mediaTypes?.[0] ?? null,
  author: filter.authors?.[0] ?? null,
  from: filter.datedFrom ?? null,
  to: filter.datedTo ?? null,
  with: writeSecond(own, second),
})
