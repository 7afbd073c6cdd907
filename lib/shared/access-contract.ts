/** Who may read what: grants on collections, as screens and queries speak of them. */
import { z } from 'zod'
import type { Role } from './viewer.ts'

export const grantSubjects = ['workspace', 'group', 'person'] as const
export type GrantSubject = (typeof grantSubjects)[number]

/** Each holds what stands before it: `contribute` adds and replaces documents, `manage` grants and deletes. */
export const grantLevels = ['read', 'contribute', 'manage'] as const
export type GrantLevel = (typeof grantLevels)[number]

export const grantSchema = z.strictObject({
  collectionId: z.uuid(),
  subject: z.enum(grantSubjects),
  /** A person, a group, or the workspace itself. */
  subjectId: z.uuid(),
  level: z.enum(grantLevels),
})

export type GrantInput = z.output<typeof grantSchema>

export const collectionNameSchema = z.string().max(400)

/** Who a new collection is open to before anybody grants anything. */
export const openings = ['workspace', 'me'] as const
export type Opening = (typeof openings)[number]

export type AccessGrant = {
  id: string
  subject: GrantSubject
  subjectId: string
  /** Of the person or the group; of the workspace its own. */
  name: string
  /** Of a group: how many are in it. */
  members: number | null
  level: GrantLevel
  /** ISO 8601. */
  since: string
  /** Who gave it; null when it came with the installation or that person is gone. */
  by: string | null
}

/** A collection as who governs it sees it: its name and counts, whether or not they read it. */
export type AccessCollection = {
  id: string
  name: string
  documents: number
  grants: AccessGrant[]
  /** Why an incident switch has turned it off; null when it is on. */
  switchedOff: string | null
}

/** What goes with a collection. */
export type CollectionDeletion = {
  documents: number
  /** Answers that cite one of them. */
  answers: number
  /** Why it cannot be deleted now, in words; null when it can. */
  refusal: string | null
}

/** One way on which somebody reads a collection: the grant, and who of it they are. */
export type AccessWay = Pick<AccessGrant, 'subject' | 'name' | 'level' | 'since'> & { grantId: string }

export type AccessPerson = { id: string; name: string; email: string; role: Role }

export type PersonAccess = AccessPerson & {
  /** The most that any of the ways gives. */
  level: GrantLevel
  ways: AccessWay[]
}

export type WhoCanRead = {
  collection: { id: string; name: string }
  /** Null when a collection was asked about. */
  document: { id: string; name: string } | null
  /** Why an incident switch lets nobody read it now; `people` are those who read it again when it is lifted. */
  switchedOff: string | null
  people: PersonAccess[]
  /** Of all of them; `people` are the first by name. */
  total: number
}

export type WhatCanRead = {
  person: AccessPerson
  /** Why the person reads nothing now, whatever the grants say. */
  stopped: 'suspended' | 'switched-off' | null
  collections: {
    id: string
    name: string
    level: GrantLevel
    ways: AccessWay[]
    /** That the person reads now: none of a collection that is switched off. */
    documents: number
    switchedOff: string | null
  }[]
}
