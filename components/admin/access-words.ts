/** Grants in words. */
import type { AccessWay, GrantLevel, GrantSubject } from '#lib/shared/access-contract.ts'
import { formatCount } from '#lib/shared/format.ts'

export const levelWords: Record<GrantLevel, string> = {
  read: 'may read',
  contribute: 'may read and add',
  manage: 'may read, add, delete and give access',
}

/** Whom a grant is given to, without a name. */
export const subjectWords: Record<GrantSubject, string> = {
  workspace: 'Everybody in the workspace',
  group: 'Group',
  person: 'Person',
}

/** How somebody comes by a grant. */
export const wayWords = ({ subject, name }: Pick<AccessWay, 'subject' | 'name'>): string =>
  subject === 'person' ? 'in person' : subject === 'group' ? `as one of “${name}”` : 'as everybody in the workspace'

export const documentsWords = (count: number): string =>
  count === 1 ? '1 document' : `${formatCount(count)} documents`

export const peopleWords = (count: number): string => (count === 1 ? '1 person' : `${formatCount(count)} people`)
