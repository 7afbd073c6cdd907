'use client'
import { useState } from 'react'
import type { ActionResult } from '#lib/shared/errors.ts'
import { tiers } from '#lib/shared/gateway-settings.ts'
import {
  type ModelInput,
  type ModelRow,
  type ProviderInput,
  type ProviderKind,
  type ProviderRow,
  providerKinds,
} from '#lib/shared/models-contract.ts'
import { ChoiceField, TextField, TickField } from './models-field.tsx'
import { useSending } from './models-form.ts'
import { formatDollars, Unreadable } from './models-values.ts'
import { kindWords, tierWords } from './models-words.ts'
import { SheetForm } from './sheet-form.tsx'

const kindOptions = providerKinds.map((kind) => [kind, kindWords[kind]] as const)
const tierOptions = tiers.map((tier) => [tier, tierWords[tier].title] as const)

const numberText = (value: number | null | undefined): string => (value == null ? '' : String(value))

/** What a new provider starts from. */
export type ProviderStart = Pick<ProviderRow, 'name' | 'kind' | 'baseUrl' | 'local'>

const nothing: ProviderStart = { name: '', kind: 'compatible', baseUrl: null, local: false }

const keyWords = ({ key, keyHint }: ProviderRow): string =>
  key === 'unreadable'
    ? 'The stored key cannot be read. Enter it again.'
    : key === 'stored'
      ? `A key${keyHint ? ` ending in ${keyHint}` : ''} is stored and is never shown. Leave this empty to keep it.`
      : 'It is stored sealed and never shown again.'

type ProviderSheetProps = {
  provider: ProviderRow | null
  start: ProviderStart | null
  save: (input: ProviderInput) => Promise<ActionResult<{ id: string; keyCleared: boolean }>>
  onSaved: (saved: { id: string; keyCleared: boolean }, name: string) => void
  onClose: () => void
}

/** A provider: a vendor with a key, or a server that speaks OpenAI's interface. */
export const ProviderSheet = ({ provider, start, save, onSaved, onClose }: ProviderSheetProps) => {
  const shown = provider ?? start ?? nothing
  const [kind, setKind] = useState<ProviderKind>(shown.kind)
  const compatible = kind === 'compatible'
  const form = useSending({
    read: ({ text, number, ticked }): ProviderInput => {
      const key = text('apiKey').trim()
      const apiKey = ticked('removeKey') ? { apiKey: null } : key ? { apiKey: key } : {}
      const name = text('name').trim()
      if (!name) throw new Unreadable('name', 'Type a name, to tell it from others.')
      return {
        id: provider?.id ?? null,
        name,
        kind,
        baseUrl: compatible ? text('baseUrl') : null,
        local: compatible && ticked('local'),
        enabled: ticked('enabled'),
        requestsPerMinute: number('requestsPerMinute'),
        tokensPerMinute: number('tokensPerMinute'),
        ...apiKey,
      }
    },
    send: save,
    onDone: (saved, { name }) => onSaved(saved, name),
  })
  return (
    <SheetForm
      title={provider ? `Change ${provider.name}` : 'Add a provider'}
      label="Save provider"
      form={form}
      onClose={onClose}
    >
      <ChoiceField
        name="kind"
        label="Kind"
        options={kindOptions}
        value={kind}
        onChange={(event) => setKind(providerKinds.find((one) => one === event.currentTarget.value) ?? 'compatible')}
      />
      <TextField name="name" label="Name" defaultValue={shown.name} maxLength={60} />
      {compatible && (
        <>
          <TextField
            name="baseUrl"
            label="Address"
            type="url"
            inputMode="url"
            placeholder="http://127.0.0.1:11434/v1"
            defaultValue={shown.baseUrl ?? ''}
            hint={
              provider?.key === 'stored'
                ? 'Up to the part before /chat/completions. A key that is stored is removed when the host changes.'
                : 'Up to the part before /chat/completions; it often ends in /v1.'
            }
          />
          <TickField
            name="local"
            label="Runs on our own machines"
            defaultChecked={shown.local}
            hint="Allows addresses on this machine and in private networks. What is sent there counts as staying inside, and costs nothing."
          />
        </>
      )}
      <TextField
        key={provider?.key ?? 'none'}
        name="apiKey"
        label={compatible ? 'Key, if the server wants one' : 'Key'}
        type="password"
        autoComplete="new-password"
        hint={provider ? keyWords(provider) : 'It is stored sealed and never shown again.'}
      />
      {provider && provider.key !== 'none' && <TickField name="removeKey" label="Remove the stored key" />}
      <div className="grid grid-cols-2 gap-4 max-[380px]:grid-cols-1">
        <TextField
          name="requestsPerMinute"
          label="Requests a minute"
          inputMode="numeric"
          defaultValue={numberText(provider?.requestsPerMinute)}
          hint="Empty: learned from its answers."
        />
        <TextField
          name="tokensPerMinute"
          label="Tokens a minute"
          inputMode="numeric"
          defaultValue={numberText(provider?.tokensPerMinute)}
        />
      </div>
      <TickField
        name="enabled"
        label="Ask this provider"
        defaultChecked={provider?.enabled ?? true}
        hint="Off: its models and key stay, and none is asked."
      />
    </SheetForm>
  )
}

type ModelSheetProps = {
  model: ModelRow | null
  provider: ProviderRow
  save: (input: ModelInput) => Promise<ActionResult<{ id: string }>>
  onSaved: (name: string) => void
  onClose: () => void
}

/** A model of a provider: its name there, where it stands, and what it costs. */
export const ModelSheet = ({ model, provider, save, onSaved, onClose }: ModelSheetProps) => {
  const form = useSending({
    read: ({ text, number, micros, ticked }): ModelInput => {
      const modelId = text('modelId').trim()
      if (!modelId) throw new Unreadable('modelId', 'Type the name that the provider has for it.')
      const input = micros('input')
      const output = micros('output')
      const cached = micros('cached')
      // Half a price would be counted as none.
      if (input === null && (output !== null || cached !== null))
        throw new Unreadable('input', 'Enter this price too, or leave all of them empty.')
      if (output === null && input !== null)
        throw new Unreadable('output', 'Enter this price too, or leave all of them empty.')
      return {
        id: model?.id ?? null,
        providerId: provider.id,
        modelId,
        tier: tiers.find((one) => one === text('tier')) ?? 'standard',
        position: null,
        enabled: ticked('enabled'),
        contextTokensMax: number('contextTokensMax'),
        price: input === null || output === null ? null : { input, output, cached },
      }
    },
    send: save,
    onDone: (_, { modelId }) => onSaved(modelId),
  })
  return (
    <SheetForm
      title={model ? `Change ${model.modelId}` : 'Add a model'}
      note={`At ${provider.name}`}
      label="Save model"
      form={form}
      onClose={onClose}
    >
      <TextField
        name="modelId"
        label="Name at the provider"
        defaultValue={model?.modelId ?? ''}
        placeholder={provider.kind === 'compatible' ? 'qwen3:8b' : ''}
        maxLength={200}
        hint={provider.kind === 'compatible' ? undefined : 'One with a date does not change overnight.'}
      />
      <ChoiceField
        name="tier"
        label="Tier"
        options={tierOptions}
        defaultValue={model?.tier ?? 'standard'}
        hint="Easy questions go to fast models, hard ones to flagships; the rules below say from where."
      />
      <fieldset className="flex flex-col gap-4">
        <legend className="mb-2 font-medium text-[13px]">Price, in dollars a million tokens</legend>
        <div className="grid grid-cols-3 gap-3">
          <TextField
            name="input"
            label="Input"
            inputMode="decimal"
            defaultValue={formatDollars(model?.price?.input ?? null)}
          />
          <TextField
            name="output"
            label="Output"
            inputMode="decimal"
            defaultValue={formatDollars(model?.price?.output ?? null)}
          />
          <TextField
            name="cached"
            label="Cached input"
            inputMode="decimal"
            defaultValue={formatDollars(model?.price?.cached ?? null)}
          />
        </div>
        <p className="-mt-2 text-[12.5px] text-muted-foreground">
          {provider.local
            ? 'Models on our own machines are counted as free, whatever stands here.'
            : 'Empty: the price that is known for this name. One that nobody knows is refused or counted at the dearest, by the rules below.'}
        </p>
      </fieldset>
      <TextField
        name="contextTokensMax"
        label="Context"
        unit="tokens"
        inputMode="numeric"
        defaultValue={numberText(model?.contextTokensMax)}
        hint={`The most that is sent at once. Empty: ${provider.kind === 'compatible' ? '8,000' : '32,000'}.`}
      />
      <TickField name="enabled" label="Ask this model" defaultChecked={model?.enabled ?? true} />
    </SheetForm>
  )
}
