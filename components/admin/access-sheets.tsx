'use client'
import { useState } from 'react'
import {
  type AccessCollection,
  type GrantInput,
  type GrantSubject,
  grantLevels,
  grantSubjects,
  type Opening,
} from '#lib/shared/access-contract.ts'
import type { ActionResult } from '#lib/shared/errors.ts'
import type { KeepingTarget } from '#lib/shared/keeping-contract.ts'
import { shownName } from '#lib/shared/shown-name.ts'
import type { DeletionActions } from './access-deletion.tsx'
import { levelWords, peopleWords, subjectWords } from './access-words.ts'
import { ChoiceField, TextField } from './models-field.tsx'
import { useSending } from './models-form.ts'
import { Unreadable } from './models-values.ts'
import { type FindTargets, TargetFinder } from './retention-finder.tsx'
import { SheetForm } from './sheet-form.tsx'

export type AccessGroup = { id: string; name: string; members: number }

export type AccessActions = DeletionActions & {
  createCollection: (input: { name: string; openTo: Opening }) => Promise<ActionResult<{ id: string }>>
  renameCollection: (input: { collectionId: string; name: string }) => Promise<ActionResult<null>>
  giveGrant: (input: GrantInput) => Promise<ActionResult<null>>
  takeGrant: (input: { grantId: string }) => Promise<ActionResult<null>>
  findPeople: FindTargets<'person'>
}

const openingWords: readonly (readonly [Opening, string])[] = [
  ['workspace', 'Everybody in the workspace'],
  ['me', 'Only me, until I give access'],
]

const readName = (typed: string): string => {
  const name = typed.trim()
  if (!name) throw new Unreadable('name', 'Type a name, to tell it from others.')
  return name
}

/** A new collection and who may read it, or another name for one. */
export const CollectionSheet = ({
  collection,
  actions,
  onSaved,
  onClose,
}: {
  /** Null makes one. */
  collection: AccessCollection | null
  actions: AccessActions
  onSaved: (name: string) => void
  onClose: () => void
}) => {
  const form = useSending({
    read: (typed) => ({
      name: readName(typed.text('name')),
      openTo: typed.text('openTo') === 'me' ? ('me' as const) : ('workspace' as const),
    }),
    send: ({ name, openTo }): Promise<ActionResult<unknown>> =>
      collection
        ? actions.renameCollection({ collectionId: collection.id, name })
        : actions.createCollection({ name, openTo }),
    onDone: (_, { name }) => onSaved(name),
  })
  return (
    <SheetForm
      title={collection ? `Rename ${shownName(collection.name)}` : 'Make a collection'}
      label={collection ? 'Rename' : 'Make collection'}
      form={form}
      onClose={onClose}
    >
      <TextField name="name" label="Name" defaultValue={collection?.name ?? ''} maxLength={80} />
      {!collection && (
        <ChoiceField
          name="openTo"
          label="Who reads it"
          hint="You can change this at any time. What nobody is given access to, nobody reads: owners and admins neither."
          options={openingWords}
        />
      )}
    </SheetForm>
  )
}

/** Opens a collection to somebody. */
export const GrantSheet = ({
  collection,
  workspaceId,
  groups,
  actions,
  onSaved,
  onClose,
}: {
  collection: AccessCollection
  workspaceId: string
  groups: readonly AccessGroup[]
  actions: AccessActions
  onSaved: (whom: string) => void
  onClose: () => void
}) => {
  const [subject, setSubject] = useState<GrantSubject>('person')
  const [person, setPerson] = useState<KeepingTarget | null>(null)
  const form = useSending({
    read: (typed): GrantInput & { whom: string } => {
      const group = groups.find(({ id }) => id === typed.text('group'))
      const chosen = {
        workspace: { id: workspaceId, name: subjectWords.workspace },
        group: group && { id: group.id, name: group.name },
        person: person && { id: person.id, name: person.label },
      }[subject]
      if (!chosen)
        throw subject === 'group'
          ? new Unreadable('group', 'Choose a group. Groups are made on the Members page.')
          : new Unreadable('subject', 'Look for the person below and choose them.')
      const level = grantLevels.find((one) => one === typed.text('level')) ?? 'read'
      return { collectionId: collection.id, subject, subjectId: chosen.id, level, whom: chosen.name }
    },
    send: ({ whom: _, ...input }) => actions.giveGrant(input),
    onDone: (_, { whom }) => onSaved(whom),
  })
  return (
    <SheetForm
      title={`Give access to ${shownName(collection.name)}`}
      note="It counts from the next question on. Whoever has access already takes the level chosen here."
      label="Give access"
      form={form}
      onClose={onClose}
    >
      <ChoiceField
        name="subject"
        label="To"
        options={grantSubjects.toReversed().map((one) => [one, subjectWords[one]] as const)}
        value={subject}
        onChange={({ currentTarget }) =>
          setSubject(grantSubjects.find((one) => one === currentTarget.value) ?? 'person')
        }
      />
      {subject === 'person' && (
        <TargetFinder
          kind="person"
          label="Name or address"
          find={actions.findPeople}
          chosen={person}
          onChoose={setPerson}
        />
      )}
      {subject === 'group' && (
        <ChoiceField
          name="group"
          label="Group"
          options={
            groups.length === 0
              ? [['', 'There is no group yet']]
              : groups.map(({ id, name, members }) => [id, `${shownName(name)} (${peopleWords(members)})`] as const)
          }
        />
      )}
      <ChoiceField
        name="level"
        label="What they may do"
        options={grantLevels.map((one) => [one, levelWords[one]] as const)}
      />
    </SheetForm>
  )
}
