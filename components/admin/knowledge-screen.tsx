'use client'
import { useRouter } from 'next/navigation'
import { type FormEvent, useEffect, useState } from 'react'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { Progress } from '#components/ui/progress.tsx'
import { toast } from '#components/ui/toaster.tsx'
import { languageName } from '#lib/shared/document-words.ts'
import {
  type EncoderChoice,
  type EncoderIndex,
  type KnowledgeSetup,
  recommendedEncoder,
} from '#lib/shared/encoders-contract.ts'
import type { ActionResult } from '#lib/shared/errors.ts'
import { formatBytes, formatCount } from '#lib/shared/format.ts'
import { chunkStrategies, rerankers } from '#lib/shared/gateway-settings.ts'
import { AdminHeader, AdminTitle } from './admin-header.tsx'
import { rerankerWords, strategyWords } from './knowledge-words.ts'
import { ChoiceField, FormFaults, TextField, TickField } from './models-field.tsx'
import { attempt, useSending } from './models-form.ts'
import type { readForm } from './models-values.ts'
import { Pair, RuleSection } from './rule-section.tsx'

type Settings = KnowledgeSetup['settings']
type Actions = {
  saveSettings: (input: { version: number; settings: Partial<Settings> }) => Promise<ActionResult<number>>
  chooseEncoder: (input: { name: string }) => Promise<ActionResult<null>>
  stopEncoder: (input: Record<string, never>) => Promise<ActionResult<null>>
  reindex: (input: Record<string, never>) => Promise<ActionResult<number>>
}

const refreshMs = 1_500

const kindWords: Record<EncoderChoice['kind'], string> = {
  'built-in': 'comes with Footnote',
  local: 'on this machine',
  hub: 'fetched once from the model hub',
  provider: 'asked over the network',
}

const languagesWords = (languages: readonly string[] | null): string =>
  languages === null
    ? 'languages not stated'
    : languages.length > 4
      ? `about ${Math.round(languages.length / 10) * 10} languages, and across them`
      : languages.map(languageName).join(', ')

const choiceWords = ({ title, kind, languages }: EncoderChoice): string =>
  `${title}: ${languagesWords(languages)}; ${kindWords[kind]}`

const BuildState = ({ index, onStop }: { index: EncoderIndex; onStop: () => void }) => {
  const { name, step, done, total } = index
  const shown = step === 'fetch' ? formatBytes : formatCount
  const words =
    step === 'fetch'
      ? total > 0
        ? `Fetching ${name}: ${shown(done)} of ${shown(total)}`
        : `Getting ${name} ready`
      : `Embedding with ${name}: ${shown(done)} of ${shown(total)} passages`
  return (
    <div
      className="flex flex-wrap items-center gap-x-4 gap-y-2 rounded-md border bg-card px-3.5 py-3"
      aria-live="polite"
    >
      <div className="min-w-0 flex-1 basis-60">
        <p className="num font-medium text-[13px]">{words}</p>
        <Progress value={done} max={total} label={words} className="mt-2 w-full" />
        <p className="mt-1.5 text-[12.5px] text-muted-foreground">
          The present encoder goes on searching until the new index is whole; then one change swaps them.
        </p>
      </div>
      <Button variant="outline" size="sm" onClick={onStop}>
        Stop
      </Button>
    </div>
  )
}

const Encoder = ({ setup, actions }: { setup: KnowledgeSetup; actions: Actions }) => {
  const router = useRouter()
  const { serving, built, settings, building, failed, choices, providers, languages, unknownLanguages } = setup
  const others = choices.filter(({ name }) => name !== serving.name)
  const [chosen, setChosen] = useState('')
  const [model, setModel] = useState('')
  const [pending, setPending] = useState(false)
  const [refusal, setRefusal] = useState<string | null>(null)
  const provider = providers.find(({ id }) => id === chosen)

  const choose = async (name: string) => {
    setPending(true)
    setRefusal(null)
    const done = await attempt(actions.chooseEncoder({ name }))
    setPending(false)
    if ('error' in done) setRefusal(done.error)
    else toast('The change has begun', { description: 'Search goes on with the present encoder meanwhile.' })
    router.refresh()
  }
  const stop = async () => {
    await attempt(actions.stopEncoder({}))
    router.refresh()
  }
  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    const name = provider ? `${provider.id}/${model.trim()}` : chosen
    if (!pending && chosen && (!provider || model.trim())) void choose(name)
  }
  const { m, efConstruction } = settings.vectorIndex
  const outdated = built !== null && (built.m !== m || built.efConstruction !== efConstruction)
  const recommend = unknownLanguages.length > 0 && serving.name !== recommendedEncoder && !building
  return (
    <RuleSection
      title="Encoder"
      note="Turns passages and questions into vectors, so that what means the same is found in other words too."
    >
      <p className="text-[13.5px]">
        <span className="font-medium">{serving.title}</span>{' '}
        <span className="text-muted-foreground">
          searches now: {languagesWords(serving.languages)}; {kindWords[serving.kind]}.
        </span>
      </p>
      {languages.length > 0 && (
        <p className="flex flex-wrap items-center gap-1.5 text-[12.5px] text-muted-foreground">
          Documents are in
          {languages.slice(0, 12).map(({ language, passages }) => (
            <Badge key={language} variant={unknownLanguages.includes(language) ? 'warning' : 'default'}>
              {languageName(language)} {formatCount(passages)}
            </Badge>
          ))}
        </p>
      )}
      {recommend && (
        <div role="status" className="rounded-md border border-warning/40 bg-warning/8 px-3.5 py-3 text-[13px]">
          <p>
            Documents in {unknownLanguages.slice(0, 4).map(languageName).join(', ')} are found by their words alone:{' '}
            {serving.title} knows {languagesWords(serving.languages)} only. {recommendedEncoder} knows them, and answers
            questions across languages.
          </p>
          <Button className="mt-2.5" size="sm" disabled={pending} onClick={() => choose(recommendedEncoder)}>
            Change to {recommendedEncoder}
          </Button>
        </div>
      )}
      {building && <BuildState index={building} onStop={stop} />}
      {outdated && !building && (
        <div className="flex flex-wrap items-center gap-3 text-[13px]">
          <p className="num min-w-0 flex-1 text-muted-foreground">
            Its index was built with {built.m} links and {built.efConstruction} candidates, not with {m} and{' '}
            {efConstruction}. Without a database server, questions wait while it is built: about a second for 1,000
            passages.
          </p>
          <Button variant="outline" size="sm" disabled={pending} onClick={() => choose(serving.name)}>
            Build the index again
          </Button>
        </div>
      )}
      {failed && !building && (
        <p role="status" className="text-[13px] text-destructive">
          The change to {failed.name} did not come about: {failed.failure} Search goes on as before.
        </p>
      )}
      {!building && (
        <form onSubmit={onSubmit} className="flex flex-wrap items-end gap-2.5">
          <ChoiceField
            name="encoder"
            label="Change to"
            value={chosen}
            onChange={({ target }) => setChosen(target.value)}
            options={[
              ['', 'Choose an encoder'],
              ...others.map((choice) => [choice.name, choiceWords(choice)] as const),
              ...providers.map(({ id, title }) => [id, `a model of ${title}: asked over the network`] as const),
            ]}
          />
          {provider && (
            <TextField
              name="model"
              label="Its name there"
              value={model}
              onChange={({ target }) => setModel(target.value)}
              placeholder="text-embedding-3-small"
              className="basis-56"
            />
          )}
          <Button
            type="submit"
            variant="outline"
            disabled={pending || !chosen || (provider !== undefined && !model.trim())}
          >
            Build and swap
          </Button>
        </form>
      )}
      {refusal && (
        <p role="alert" className="text-[13px] text-destructive">
          {refusal}
        </p>
      )}
    </RuleSection>
  )
}

const Cutting = ({ setup, actions }: { setup: KnowledgeSetup; actions: Actions }) => {
  const router = useRouter()
  const [pending, setPending] = useState(false)
  const { ready, outdated, inWork } = setup.documents
  const reindex = async () => {
    setPending(true)
    const done = await attempt(actions.reindex({}))
    setPending(false)
    if ('error' in done) toast.error(done.error)
    else
      toast(`${formatCount(done.value)} documents are cut anew`, {
        description: 'Each answers as before until it is done.',
      })
    router.refresh()
  }
  return (
    <div className="flex flex-wrap items-center gap-3 text-[13px]">
      <p className="num min-w-0 flex-1 text-muted-foreground" aria-live="polite">
        {inWork > 0
          ? inWork === 1
            ? 'A document is being read.'
            : `${formatCount(inWork)} documents are being read.`
          : outdated > 0
            ? `${formatCount(outdated)} of ${formatCount(ready)} documents are cut in another way than this.`
            : `All ${formatCount(ready)} documents are cut this way.`}
      </p>
      <Button type="button" variant="outline" size="sm" disabled={pending || outdated === 0} onClick={reindex}>
        Index {outdated > 0 ? formatCount(outdated) : ''} again
      </Button>
    </div>
  )
}

const readSettings = ({ text, number, required, ticked }: ReturnType<typeof readForm>): Settings => ({
  chunking: {
    strategy: chunkStrategies.find((one) => one === text('strategy')) ?? 'auto',
    targetTokens: required('targetTokens'),
  },
  retrieval: {
    rewrite: text('rewrite') === 'decompose' ? 'decompose' : 'off',
    lexical: ticked('lexical'),
    vector: ticked('vector'),
    graph: ticked('graph'),
    vectorWeight: number('vectorWeight'),
    rerank: rerankers.find((one) => one === text('rerank')) ?? 'features',
    rerankMs: required('rerankMs'),
    expand: ticked('expand'),
    perDocumentMax: required('perDocumentMax'),
    efSearch: number('efSearch'),
  },
  vectorIndex: { m: required('m'), efConstruction: required('efConstruction') },
  graph: { extract: (['off', 'patterns', 'model'] as const).find((one) => one === text('extract')) ?? 'off' },
  recognition: { on: ticked('recognition') },
})

/** How documents are read, cut, embedded and searched. */
export const KnowledgeScreen = ({ setup, actions }: { setup: KnowledgeSetup; actions: Actions }) => {
  const router = useRouter()
  const { settings, version, building, documents } = setup
  const moving = building !== null || documents.inWork > 0
  useEffect(() => {
    if (!moving) return
    const timer = setInterval(() => router.refresh(), refreshMs)
    return () => clearInterval(timer)
  }, [moving, router])

  const { pending, fault, refusal, onSubmit } = useSending({
    read: (fields) => ({ version, settings: readSettings(fields) }),
    send: actions.saveSettings,
    onDone: () => {
      toast('The rules were saved', {
        description: 'Searches follow them at once; documents when they are read again.',
      })
      router.refresh()
    },
  })
  const { chunking, retrieval, vectorIndex, graph, recognition } = settings
  return (
    <>
      <AdminHeader>
        <AdminTitle>Knowledge</AdminTitle>
      </AdminHeader>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <Encoder setup={setup} actions={actions} />
        <form onSubmit={onSubmit} noValidate aria-label="How documents are read and searched">
          <FormFaults value={fault}>
            <RuleSection
              title="Cutting"
              note="How documents become passages. Each type has a cutter of its own: slides, rows, code, clauses."
            >
              <Pair>
                <ChoiceField
                  name="strategy"
                  label="Passages are cut"
                  options={chunkStrategies.map((one) => [one, strategyWords[one]] as const)}
                  defaultValue={chunking.strategy}
                />
                <TextField
                  name="targetTokens"
                  label="Meant size of a passage"
                  unit="tokens"
                  inputMode="numeric"
                  defaultValue={chunking.targetTokens}
                />
              </Pair>
              <Cutting setup={setup} actions={actions} />
            </RuleSection>
            <RuleSection
              title="Pictures"
              note="Scanned pages and images are read as text after the rest of a document answers."
            >
              <TickField
                name="recognition"
                label="Recognise text in pictures"
                defaultChecked={recognition.on}
                hint="On this machine, in English and other languages of Latin script less well. A page takes a second or two."
              />
            </RuleSection>
            <RuleSection
              title="Search"
              note="The stages of a search. Try them on the Retrieval page before you change them here."
            >
              <Pair>
                <TickField name="lexical" label="By words (BM25)" defaultChecked={retrieval.lexical} />
                <TickField name="vector" label="By meaning (vectors)" defaultChecked={retrieval.vector} />
                <TextField
                  name="vectorWeight"
                  label="Share of meaning in the mix"
                  unit="from 0 to 1"
                  inputMode="decimal"
                  defaultValue={retrieval.vectorWeight ?? ''}
                  hint="Empty: as measured for the encoder."
                />
                <TextField
                  name="efSearch"
                  label="Candidates of the vector index"
                  inputMode="numeric"
                  defaultValue={retrieval.efSearch ?? ''}
                  hint="More finds more and takes longer. Empty: as measured for the size of the index."
                />
                <TextField
                  name="m"
                  label="Links of a passage in that index"
                  inputMode="numeric"
                  defaultValue={vectorIndex.m}
                  hint="4 to 64. Takes effect when the index is built again."
                />
                <TextField
                  name="efConstruction"
                  label="Candidates for each link"
                  inputMode="numeric"
                  defaultValue={vectorIndex.efConstruction}
                  hint="At least twice the links. The index is the encoder’s: where workspaces share it, the last build holds."
                />
                <ChoiceField
                  name="rerank"
                  label="The best are put in order"
                  options={rerankers.map((one) => [one, rerankerWords[one]] as const)}
                  defaultValue={retrieval.rerank}
                />
                <TextField
                  name="rerankMs"
                  label="Time for that"
                  unit="ms"
                  inputMode="numeric"
                  defaultValue={retrieval.rerankMs}
                  hint="After it the order before stands."
                />
                <ChoiceField
                  name="rewrite"
                  label="Questions of several parts"
                  options={[
                    ['off', 'are searched as one'],
                    ['decompose', 'are searched part by part as well'],
                  ]}
                  defaultValue={retrieval.rewrite}
                />
                <TextField
                  name="perDocumentMax"
                  label="Passages of one document at most"
                  inputMode="numeric"
                  defaultValue={retrieval.perDocumentMax}
                  hint="0: as many as come."
                />
              </Pair>
              <TickField
                name="expand"
                label="A passage brings its neighbours along"
                defaultChecked={retrieval.expand}
                hint="Where there is room in the prompt."
              />
            </RuleSection>
            <RuleSection
              title="Graph"
              note="Things that documents speak of and how they relate. Drawn in the background; no document waits for it."
            >
              <ChoiceField
                name="extract"
                label="Things are drawn"
                options={[
                  ['off', 'not at all'],
                  ['patterns', 'by patterns, without a model'],
                  ['model', 'by a model, which costs'],
                ]}
                defaultValue={graph.extract}
              />
              <TickField
                name="graph"
                label="Search one step along the graph as well"
                defaultChecked={retrieval.graph}
                hint="Helps with questions whose answer stands in a passage that does not name what was asked about."
              />
            </RuleSection>
          </FormFaults>
          <div className="flex flex-wrap items-center gap-3 px-5 py-4 max-sm:px-4">
            <Button type="submit" disabled={pending}>
              {pending ? 'Saving …' : 'Save'}
            </Button>
            {refusal && (
              <p role="alert" className="text-[13px] text-destructive">
                {refusal.message}
              </p>
            )}
          </div>
        </form>
      </div>
    </>
  )
}
