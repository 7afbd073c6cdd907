/** Grants in words. */
import type { AccessWay, CollectionDeletion, GrantLevel, GrantSubject } from '#lib/shared/access-contract.ts'
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

/** What goes with a collection and what stays. */
export const deletionWords = ({ documents, answers }: Pick<CollectionDeletion, 'documents' | 'answers'>): string => {
  if (documents === 0) return 'It holds no document. Who had access to it is forgotten. This cannot be undone.'
  const cited =
    answers === 0
      ? 'No answer cites them.'
      : `${answers === 1 ? '1 answer cites' : `${formatCount(answers)} answers cite`} them: ${answers === 1 ? 'it stays, but says that they were removed and no longer shows' : 'they stay, but say that they were removed and no longer show'} their words.`
  return `${documentsWords(documents)} ${documents === 1 ? 'goes' : 'go'} with it, with every version and file, for everybody. ${cited} This cannot be undone.`
}

export const peopleWords = (count: number): string => (count === 1 ? '1 person' : `${formatCount(count)} people`)
