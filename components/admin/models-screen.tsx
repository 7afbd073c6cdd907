'use client'
import { ArrowDown, ArrowUp, House, KeyRound, Plus, TriangleAlert } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { type ReactNode, useState } from 'react'
import {
  AlertDialog,
  AlertDialogAction,
  AlertDialogCancel,
  AlertDialogContent,
  AlertDialogDescription,
  AlertDialogFooter,
  AlertDialogTitle,
} from '#components/ui/alert-dialog.tsx'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { EmptyState } from '#components/ui/empty-state.tsx'
import { Sheet, SheetContent } from '#components/ui/sheet.tsx'
import { toast } from '#components/ui/toaster.tsx'
import { cn } from '#lib/shared/cn.ts'
import type { ActionResult } from '#lib/shared/errors.ts'
import { formatCount } from '#lib/shared/format.ts'
import { type GatewaySettingsInput, type Tier, tiers } from '#lib/shared/gateway-settings.ts'
import type {
  EnvironmentModel,
  KnownPrice,
  ModelCondition,
  ModelInput,
  ModelRow,
  ModelSetup,
  ModelUse,
  ProviderInput,
  ProviderRow,
  ProviderTest,
  RouteRow,
  RouteSort,
  UseRange,
} from '#lib/shared/models-contract.ts'
import { AdminHeader, AdminTitle } from './admin-header.tsx'
import { ReportSection } from './figures.tsx'
import { type CheckedModel, type CheckRun, ModelChecks } from './models-checks.tsx'
import { attempt } from './models-form.ts'
import { ModelRules } from './models-rules.tsx'
import { ModelSheet, ProviderSheet, type ProviderStart } from './models-sheets.tsx'
import { LocalShare, RouteTable } from './models-use.tsx'
import { breakerWords, canaryLook, kindWords, limitWords, priceWords, tierWords } from './models-words.ts'
import { useOpener } from './use-opener.ts'

type One = { id: string }
type ByKey = { key: string }
type ModelActions = {
  saveProvider: (input: ProviderInput) => Promise<ActionResult<{ id: string; keyCleared: boolean }>>
  deleteProvider: (input: One) => Promise<ActionResult<null>>
  testProvider: (input: One) => Promise<ActionResult<ProviderTest>>
  saveModel: (input: ModelInput) => Promise<ActionResult<One>>
  deleteModel: (input: One) => Promise<ActionResult<null>>
  orderModels: (input: { tier: Tier; ids: string[] }) => Promise<ActionResult<null>>
  checkModel: (input: ByKey) => Promise<ActionResult<null>>
  acceptModel: (input: ByKey) => Promise<ActionResult<null>>
  saveSettings: (input: { version: number; settings: GatewaySettingsInput }) => Promise<ActionResult<number>>
}

const ollama: ProviderStart = {
  name: 'Ollama',
  kind: 'compatible',
  baseUrl: 'http://127.0.0.1:11434/v1',
  local: true,
}
const openai: ProviderStart = { name: 'OpenAI', kind: 'openai', baseUrl: null, local: false }

type Panel =
  | { of: 'provider'; provider: ProviderRow | null; start: ProviderStart | null }
  | { of: 'model'; model: ModelRow | null; provider: ProviderRow }
type Deletion = { of: 'provider'; provider: ProviderRow } | { of: 'model'; model: ModelRow }
type Acts = {
  open: (panel: Panel) => void
  remove: (deletion: Deletion) => void
}

const LocalBadge = () => (
  <Badge variant="outline">
    <House aria-hidden />
    local
  </Badge>
)

const PriceText = ({ price }: { price: KnownPrice }) => (
  <span className={cn('num text-[12.5px] text-muted-foreground', price.source === 'unknown' && 'text-warning')}>
    {priceWords(price)}
  </span>
)

/** What is out of the ordinary about a model: nothing where all is well. */
const ConditionBadges = ({ breaker, canary }: ModelCondition) => {
  const look = canaryLook(canary)
  return (
    <>
      {breaker && breaker.state !== 'closed' && (
        <Badge variant={breaker.state === 'open' ? 'destructive' : 'warning'}>{breakerWords(breaker)}</Badge>
      )}
      {canary && canary.state !== 'ok' && <Badge variant={look.variant}>{look.words}</Badge>}
    </>
  )
}

const rowClasses = 'flex flex-wrap items-center gap-x-3 gap-y-1 px-5 py-2 max-sm:px-4'

const ModelLine = ({
  name,
  at,
  badges,
  price,
  served,
}: {
  name: string
  at: string
  badges?: ReactNode
  price: KnownPrice
  /** Under which it last answered; null where that is not known. */
  served: string | null
}) => (
  <div className="min-w-0 flex-1 basis-60">
    <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
      <span dir="auto" className="min-w-0 break-all font-medium text-[13.5px]">
        {name}
      </span>
      <span dir="auto" className="text-[13px] text-muted-foreground">
        {at}
      </span>
      {badges}
    </p>
    <p className="flex flex-wrap gap-x-3 text-[12.5px] text-muted-foreground">
      <PriceText price={price} />
      {served !== null && served !== name && <span className="min-w-0 break-all">answers as {served}</span>}
    </p>
  </div>
)

const silentWords = (model: ModelRow, provider: ProviderRow): string | null => {
  if (!model.enabled) return 'off'
  if (!provider.enabled) return 'provider is off'
  if (provider.key === 'unreadable') return 'key cannot be read'
  return provider.key === 'none' && provider.kind !== 'compatible' ? 'no key' : null
}

const environmentName = ({ modelId, kind }: EnvironmentModel): { name: string; at: string } => ({
  name: modelId === 'first-model' ? 'the first model that the server has' : modelId,
  at: `at ${kind === 'compatible' ? 'a compatible server' : kindWords[kind]}`,
})

type TierProps = {
  tier: Tier
  rows: { model: ModelRow; provider: ProviderRow }[]
  environment: readonly EnvironmentModel[]
  acts: Acts
  order: (tier: Tier, ids: string[], moved: string) => void
}

const TierList = ({ tier, rows, environment, acts, order }: TierProps) => {
  const move = (at: number, by: -1 | 1) => {
    const ids = rows.map(({ model }) => model.id)
    const [moved] = ids.splice(at, 1)
    if (moved === undefined) return
    ids.splice(at + by, 0, moved)
    order(tier, ids, rows[at]?.model.modelId ?? '')
  }
  const { title, note } = tierWords[tier]
  return (
    <div className="border-t first-of-type:border-t-0">
      <h3 className="px-5 pt-3 pb-1 text-[13px] max-sm:px-4">
        <span className="font-semibold">{title}</span> <span className="text-muted-foreground">for {note}</span>
      </h3>
      {rows.length + environment.length === 0 ? (
        <p className="px-5 pb-3 text-[13px] text-muted-foreground max-sm:px-4">
          No model. The nearest tier that has one is asked.
        </p>
      ) : (
        <ol aria-label={`${title} models, in the order they are asked`} className="pb-1.5">
          {rows.map(({ model, provider }, at) => {
            const silent = silentWords(model, provider)
            return (
              <li key={model.id} className={rowClasses}>
                <ModelLine
                  name={model.modelId}
                  at={`at ${provider.name}`}
                  price={model.knownPrice}
                  served={model.canary?.servedModel ?? null}
                  badges={
                    <>
                      {provider.local && <LocalBadge />}
                      {silent && <Badge variant={silent === 'off' ? 'default' : 'warning'}>{silent}</Badge>}
                      <ConditionBadges breaker={model.breaker} canary={model.canary} />
                    </>
                  }
                />
                <div className="flex gap-0.5">
                  <Button
                    variant="ghost"
                    size="icon-sm"
                    aria-label={`Ask ${model.modelId} earlier`}
                    disabled={at === 0}
                    onClick={() => move(at, -1)}
                  >
                    <ArrowUp />
                  </Button>
                  <Button
                    variant="ghost"
                    size="icon-sm"
                    aria-label={`Ask ${model.modelId} later`}
                    disabled={at === rows.length - 1}
                    onClick={() => move(at, 1)}
                  >
                    <ArrowDown />
                  </Button>
                  <Button
                    variant="ghost"
                    size="sm"
                    aria-label={`Change ${model.modelId}`}
                    onClick={() => acts.open({ of: 'model', model, provider })}
                  >
                    Change
                  </Button>
                  <Button
                    variant="quiet"
                    size="sm"
                    aria-label={`Delete ${model.modelId}`}
                    onClick={() => acts.remove({ of: 'model', model })}
                  >
                    Delete
                  </Button>
                </div>
              </li>
            )
          })}
          {environment.map((model) => (
            <li key={model.key} className={rowClasses}>
              <ModelLine
                {...environmentName(model)}
                price={model.knownPrice}
                served={model.canary?.servedModel ?? null}
                badges={
                  <>
                    {model.local && <LocalBadge />}
                    <Badge>from the environment</Badge>
                    <ConditionBadges breaker={model.breaker} canary={model.canary} />
                  </>
                }
              />
            </li>
          ))}
        </ol>
      )}
    </div>
  )
}

const KeyBadge = ({ provider: { key, keyHint, kind } }: { provider: ProviderRow }) => {
  if (key === 'unreadable') return <Badge variant="destructive">key cannot be read</Badge>
  if (key === 'none') return kind === 'compatible' ? null : <Badge variant="warning">no key</Badge>
  return (
    <Badge variant="outline">
      <KeyRound aria-hidden />
      {keyHint ? `key …${keyHint}` : 'key stored'}
    </Badge>
  )
}

type Trial = 'running' | ProviderTest

const TrialResult = ({ trial }: { trial: Trial | undefined }) => (
  <p role="status" className="basis-full text-[13px] empty:hidden">
    {trial === 'running' && <span className="text-muted-foreground">Asking…</span>}
    {trial && trial !== 'running' && (
      <span className={trial.ok ? 'text-success' : 'text-destructive'}>
        <span className="font-medium">{trial.ok ? 'Works. ' : 'Does not work. '}</span>
        {trial.message}
      </span>
    )}
  </p>
)

type ProviderItemProps = { provider: ProviderRow; trial: Trial | undefined; test: (id: string) => void; acts: Acts }

const ProviderItem = ({ provider, trial, test, acts }: ProviderItemProps) => {
  const { id, name, kind, baseUrl, local, enabled, models } = provider
  const limits = limitWords(provider)
  return (
    <li className={cn(rowClasses, 'border-t py-3 first:border-t-0')}>
      <div className="min-w-0 flex-1 basis-72">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <span dir="auto" className="min-w-0 break-words font-medium text-[13.5px]">
            {name}
          </span>
          {!enabled && <Badge>off</Badge>}
          {local && <LocalBadge />}
          <KeyBadge provider={provider} />
        </p>
        <p className="break-all text-[12.5px] text-muted-foreground">
          {baseUrl ?? kindWords[kind]}: {models.length === 1 ? 'one model' : `${formatCount(models.length)} models`}
          {limits && `, ${limits}`}
        </p>
      </div>
      <div className="flex flex-wrap gap-1">
        <Button size="sm" aria-label={`Test ${name}`} aria-disabled={trial === 'running'} onClick={() => test(id)}>
          Test
        </Button>
        <Button
          size="sm"
          aria-label={`Add model at ${name}`}
          onClick={() => acts.open({ of: 'model', model: null, provider })}
        >
          Add model
        </Button>
        <Button
          variant="ghost"
          size="sm"
          aria-label={`Change ${name}`}
          onClick={() => acts.open({ of: 'provider', provider, start: null })}
        >
          Change
        </Button>
        <Button
          variant="quiet"
          size="sm"
          aria-label={`Delete ${name}`}
          onClick={() => acts.remove({ of: 'provider', provider })}
        >
          Delete
        </Button>
      </div>
      <TrialResult trial={trial} />
    </li>
  )
}

const deletionWords = (deletion: Deletion): { title: string; text: string; act: string } => {
  if (deletion.of === 'model')
    return {
      title: `Delete ${deletion.model.modelId}?`,
      text: 'It is no longer asked. What it cost so far stays in the reports.',
      act: 'Delete model',
    }
  const { name, models } = deletion.provider
  const with_ = models.length === 0 ? '' : models.length === 1 ? ' and its model' : ` and its ${models.length} models`
  return {
    title: `Delete ${name}${with_}?`,
    text: 'Its key is destroyed and cannot be brought back. What it cost so far stays in the reports.',
    act: 'Delete provider',
  }
}

type ModelsScreenProps = {
  setup: ModelSetup
  use: Record<UseRange, ModelUse>
  range: UseRange
  routes: { rows: readonly RouteRow[]; more: boolean }
  sort: { id: RouteSort; descending: boolean }
  actions: ModelActions
}

/** Which models answer, in which order, at what price, how well, and by which rules. */
export const ModelsScreen = ({ setup, use, range, routes, sort, actions }: ModelsScreenProps) => {
  const router = useRouter()
  const [panel, setPanel] = useState<Panel | null>(null)
  const [deletion, setDeletion] = useState<Deletion | null>(null)
  const [trials, setTrials] = useState<Readonly<Record<string, Trial>>>({})
  const [checks, setChecks] = useState<Readonly<Record<string, CheckRun>>>({})
  const { providers, environment } = setup
  const rows = providers
    .flatMap((provider) => provider.models.map((model) => ({ model, provider })))
    .sort((a, b) => a.model.position - b.model.position)
  const opener = useOpener()
  const acts: Acts = {
    open: (next) => {
      opener.remember()
      setPanel(next)
    },
    remove: (doomed) => {
      opener.remember()
      setDeletion(doomed)
    },
  }

  const test = async (id: string) => {
    if (trials[id] === 'running') return
    setTrials((all) => ({ ...all, [id]: 'running' }))
    const done = await attempt(actions.testProvider({ id }))
    const trial = 'value' in done ? done.value : { ok: false, message: done.error, models: [] }
    setTrials((all) => ({ ...all, [id]: trial }))
  }

  const forgetTrial = (id: string) =>
    setTrials((all) => Object.fromEntries(Object.entries(all).filter(([key]) => key !== id)))

  const order = async (tier: Tier, ids: string[], moved: string) => {
    const done = await attempt(actions.orderModels({ tier, ids }))
    if ('error' in done) toast.error(`${moved} was not moved`, { description: done.error })
    router.refresh()
  }

  const remove = async (doomed: Deletion) => {
    const done = await attempt(
      doomed.of === 'model'
        ? actions.deleteModel({ id: doomed.model.id })
        : actions.deleteProvider({ id: doomed.provider.id }),
    )
    if ('error' in done) toast.error('Nothing was deleted', { description: done.error })
    router.refresh()
  }

  const runCheck = async (key: string, doing: 'checking' | 'accepting') => {
    const running = checks[key]
    if (running === 'checking' || running === 'accepting') return
    setChecks((all) => ({ ...all, [key]: doing }))
    const done = await attempt(doing === 'checking' ? actions.checkModel({ key }) : actions.acceptModel({ key }))
    setChecks(({ [key]: _, ...others }) => ('error' in done ? { ...others, [key]: { error: done.error } } : others))
    router.refresh()
  }

  const addProvider = (start: ProviderStart | null) => acts.open({ of: 'provider', provider: null, start })
  const words = deletion && deletionWords(deletion)
  const nothing = providers.length + environment.length === 0
  const hasLocal =
    rows.some(({ model, provider }) => provider.local && provider.enabled && model.enabled) ||
    environment.some(({ local }) => local)
  const checked: CheckedModel[] = [
    // What cannot be asked cannot be checked.
    ...rows
      .filter(({ model, provider }) => silentWords(model, provider) === null)
      .map(({ model, provider }) => ({
        key: model.key,
        name: model.modelId,
        at: `at ${provider.name}`,
        canary: model.canary,
      })),
    ...environment.map((model) => ({ key: model.key, ...environmentName(model), canary: model.canary })),
  ]
  return (
    <>
      <AdminHeader
        actions={
          <Button variant="primary" onClick={() => addProvider(null)}>
            <Plus />
            Add provider
          </Button>
        }
      >
        <AdminTitle>Models</AdminTitle>
        {!nothing && (
          <Badge className="max-[460px]:hidden">
            {rows.length + environment.length === 1
              ? '1 model'
              : `${formatCount(rows.length + environment.length)} models`}
          </Badge>
        )}
      </AdminHeader>
      <div className="min-h-0 flex-1 overflow-y-auto">
        {!setup.settingsReadable && (
          <p role="alert" className="flex gap-2 border-b px-5 py-2.5 text-[13px] text-destructive max-sm:px-4">
            <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
            <span>
              The stored rules cannot be read, so no model is asked. Below are the ones that come with Footnote: check
              the budgets, then save.
            </span>
          </p>
        )}
        {nothing ? (
          <section aria-label="Start">
            <EmptyState
              title="Answers are quoted, not written"
              action={
                <>
                  <Button variant="primary" onClick={() => addProvider(ollama)}>
                    Add Ollama
                  </Button>
                  <Button onClick={() => addProvider(openai)}>Add OpenAI</Button>
                </>
              }
            >
              No language model is set, and none is needed: the built-in answerer finds the sentences that answer a
              question and cites them. A model writes answers in its own words and follows longer questions. Ollama runs
              one on your own machine, so that nothing leaves it; for OpenAI, Anthropic and Google you need a key.
            </EmptyState>
          </section>
        ) : (
          <>
            <ReportSection title="Who answers" note="From the top; the next one when one fails">
              {tiers.map((tier) => (
                <TierList
                  key={tier}
                  tier={tier}
                  rows={rows.filter(({ model }) => model.tier === tier)}
                  environment={tier === 'standard' ? environment : []}
                  acts={acts}
                  order={order}
                />
              ))}
              <p className="border-t px-5 pt-3 text-[13px] text-muted-foreground max-sm:px-4">
                <span className="font-semibold text-foreground">Last</span> the built-in answerer, which quotes
                sentences: always there, free, and nothing leaves this machine.
              </p>
            </ReportSection>
            <ReportSection title="Providers" note="Keys are stored sealed and never shown">
              {providers.length > 0 ? (
                <ul aria-label="Providers">
                  {providers.map((provider) => (
                    <ProviderItem
                      key={provider.id}
                      provider={provider}
                      trial={trials[provider.id]}
                      test={test}
                      acts={acts}
                    />
                  ))}
                </ul>
              ) : (
                <p className="px-5 text-[13px] text-muted-foreground max-sm:px-4">
                  All models are from the environment and are changed there. One that is added here is asked before
                  them.
                </p>
              )}
            </ReportSection>
            {checked.length > 0 && (
              <ModelChecks
                models={checked}
                everyHours={setup.settings.canary.everyHours}
                runs={checks}
                check={(key) => void runCheck(key, 'checking')}
                accept={(key) => void runCheck(key, 'accepting')}
              />
            )}
            <LocalShare
              use={use}
              range={range}
              target={setup.settings.routing.localShareTarget}
              hasLocal={hasLocal}
              addOllama={() => addProvider(ollama)}
            />
          </>
        )}
        {(!nothing || routes.rows.length > 0) && <RouteTable {...routes} range={range} sort={sort} />}
        <section aria-labelledby="rules" className={nothing ? 'border-t' : ''}>
          <div className="px-5 pt-4 max-sm:px-4">
            <h2 id="rules" className="font-semibold text-[15px]">
              Rules
            </h2>
            <p className="text-[12.5px] text-muted-foreground">
              They hold for this workspace, from the next question on.
            </p>
          </div>
          {/* Saved rules, or another admin's, begin the form anew. */}
          <ModelRules key={setup.version} setup={setup} save={actions.saveSettings} />
        </section>
      </div>
      <Sheet open={panel !== null} onOpenChange={(open) => !open && setPanel(null)}>
        <SheetContent side="right" aria-describedby={undefined} onCloseAutoFocus={opener.giveBack}>
          {panel?.of === 'provider' && (
            <ProviderSheet
              provider={panel.provider}
              start={panel.start}
              save={actions.saveProvider}
              onClose={() => setPanel(null)}
              onSaved={({ id, keyCleared }, name) => {
                setPanel(null)
                forgetTrial(id)
                toast(
                  `${name} was saved`,
                  keyCleared
                    ? { description: 'Its host changed, so the stored key was removed. Enter the key for the new one.' }
                    : {},
                )
                router.refresh()
              }}
            />
          )}
          {panel?.of === 'model' && (
            <ModelSheet
              model={panel.model}
              provider={panel.provider}
              save={actions.saveModel}
              onClose={() => setPanel(null)}
              onSaved={(name) => {
                setPanel(null)
                forgetTrial(panel.provider.id)
                toast(`${name} was saved`)
                router.refresh()
              }}
            />
          )}
        </SheetContent>
      </Sheet>
      <AlertDialog open={deletion !== null} onOpenChange={(open) => !open && setDeletion(null)}>
        {words && (
          <AlertDialogContent onCloseAutoFocus={opener.giveBack}>
            <AlertDialogTitle>{words.title}</AlertDialogTitle>
            <AlertDialogDescription>{words.text}</AlertDialogDescription>
            <AlertDialogFooter>
              <AlertDialogCancel />
              <AlertDialogAction onClick={() => deletion && void remove(deletion)}>{words.act}</AlertDialogAction>
            </AlertDialogFooter>
          </AlertDialogContent>
        )}
      </AlertDialog>
    </>
  )
}
