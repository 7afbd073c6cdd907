'use client'
import { ArrowRight } from 'lucide-react'
import Link from 'next/link'
import { Fragment, type ReactNode } from 'react'
import { ShownName } from '#components/shell/shown-name.tsx'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { EmptyState } from '#components/ui/empty-state.tsx'
import {
  type AccessCollection,
  type AccessGrant,
  type AccessWay,
  type GrantLevel,
  grantLevels,
  type WhatCanRead,
  type WhoCanRead,
} from '#lib/shared/access-contract.ts'
import { roleWords } from '#lib/shared/people-contract.ts'
import { shownName } from '#lib/shared/shown-name.ts'
import { documentsWords, levelWords, peopleWords, subjectWords, wayWords } from './access-words.ts'
import { AddressSearch } from './members-parts.tsx'
import { useReportLink } from './report-link.ts'
import { Select } from './select.tsx'
import { When } from './when.tsx'

const section = 'border-b px-5 py-3.5 max-sm:px-4'

const Off = ({ reason }: { reason: string | null }) =>
  reason === null ? null : (
    <p className="mt-1 text-[13px] text-warning">
      Switched off, so nobody reads it now: <bdi>{reason}</bdi>
    </p>
  )

/** What is asked about and what stands between, one after the other. */
const Chain = ({ links }: { links: readonly { key: string; what: ReactNode }[] }) => (
  <span className="flex min-w-0 flex-wrap items-center gap-x-1.5 gap-y-0.5 text-[13px]">
    {links.map(({ key, what }, at) => (
      <Fragment key={key}>
        {at > 0 && <ArrowRight aria-label="then" className="size-3.5 shrink-0 text-muted-foreground" />}
        <span className="min-w-0">{what}</span>
      </Fragment>
    ))}
  </span>
)

const wayLinks = (way: AccessWay) => [
  { key: 'way', what: <ShownName name={wayWords(way)} /> },
  {
    key: 'grant',
    what: (
      <>
        {levelWords[way.level]}
        <span className="text-muted-foreground">
          {', since '}
          <When iso={way.since} />
        </span>
      </>
    ),
  },
]

export type CollectionActs = {
  rename: (collection: AccessCollection) => void
  give: (collection: AccessCollection) => void
  change: (collection: AccessCollection, grant: AccessGrant, level: GrantLevel) => void
  take: (collection: AccessCollection, grant: AccessGrant) => void
  remove: (collection: AccessCollection) => void
}

const GrantLine = ({
  grant,
  collection,
  acts,
}: {
  grant: AccessGrant
  collection: AccessCollection
  acts: CollectionActs
}) => {
  const { subject, name, members, level, since, by } = grant
  const whom = subject === 'workspace' ? subjectWords.workspace : name
  const shown = shownName(whom)
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1.5 py-1.5">
      <span className="min-w-0 flex-1 basis-52">
        <ShownName name={whom} className="font-medium" />
        {subject === 'group' && <span className="text-muted-foreground"> · group of {peopleWords(members ?? 0)}</span>}
        <span className="block text-[12.5px] text-muted-foreground">
          {'since '}
          <When iso={since} />
          {by && (
            <>
              {', given by '}
              <bdi>{by}</bdi>
            </>
          )}
        </span>
      </span>
      <Select
        aria-label={`What ${shown} may do in ${shownName(collection.name)}`}
        value={level}
        onChange={({ target }) => {
          const next = grantLevels.find((one) => one === target.value)
          if (next) acts.change(collection, grant, next)
        }}
      >
        {grantLevels.map((one) => (
          <option key={one} value={one}>
            {levelWords[one]}
          </option>
        ))}
      </Select>
      <Button size="sm" aria-label={`Take away from ${shown}`} onClick={() => acts.take(collection, grant)}>
        Take away
      </Button>
    </li>
  )
}

/** Each collection with whom it is open to, since when, and what can be done about it. */
export const CollectionList = ({
  collections,
  acts,
  make,
}: {
  collections: readonly AccessCollection[]
  acts: CollectionActs
  make: ReactNode
}) => {
  const linkTo = useReportLink()
  if (collections.length === 0)
    return (
      <EmptyState title="No collection yet" action={make}>
        Documents lie in collections, and a collection is read by those whom it is opened to: people, groups, or
        everybody in the workspace.
      </EmptyState>
    )
  return (
    <ul aria-label="Collections" className="mt-3 border-t">
      {collections.map((collection) => (
        <li key={collection.id} className={section}>
          <div className="flex flex-wrap items-start gap-x-3 gap-y-2">
            <div className="min-w-0 flex-1 basis-52">
              <h2 className="font-semibold text-sm">
                <ShownName name={collection.name} />
              </h2>
              <p className="text-[13px] text-muted-foreground">{documentsWords(collection.documents)}</p>
              <Off reason={collection.switchedOff} />
            </div>
            <span className="flex flex-wrap gap-1.5">
              <Button size="sm" asChild>
                <Link href={linkTo({ collection: collection.id })} prefetch={false}>
                  Who can read this
                </Link>
              </Button>
              <Button size="sm" onClick={() => acts.rename(collection)}>
                Rename
              </Button>
              <Button
                size="sm"
                aria-label={`Delete the collection ${shownName(collection.name)}`}
                onClick={() => acts.remove(collection)}
              >
                Delete
              </Button>
              <Button size="sm" variant="primary" onClick={() => acts.give(collection)}>
                Give access
              </Button>
            </span>
          </div>
          {collection.grants.length === 0 ? (
            <p className="mt-2 text-[13px] text-warning">
              Nobody reads it. That holds for owners and admins too: give access to whom it is for.
            </p>
          ) : (
            <ul aria-label={`Who ${shownName(collection.name)} is open to`} className="mt-1.5">
              {collection.grants.map((grant) => (
                <GrantLine key={grant.id} grant={grant} collection={collection} acts={acts} />
              ))}
            </ul>
          )}
        </li>
      ))}
    </ul>
  )
}

/** Who can read a collection or a document, and through what. */
export const Readers = ({ who, asked }: { who: WhoCanRead; asked: string }) => {
  const linkTo = useReportLink()
  const { collection, document, people, total, switchedOff } = who
  return (
    <section aria-labelledby="readers">
      <div className={section}>
        <Link
          href={linkTo({ collection: null, document: null, q: null })}
          prefetch={false}
          className="text-[13px] text-primary underline"
        >
          All collections
        </Link>
        <h2 id="readers" className="mt-1.5 font-semibold text-sm">
          Who can read <ShownName name={(document ?? collection).name} />
        </h2>
        {document && (
          <p className="text-[13px] text-muted-foreground">
            It lies in <ShownName name={collection.name} />, and is read by those who read that.
          </p>
        )}
        <Off reason={switchedOff} />
        <div className="mt-2.5 flex flex-wrap items-center gap-3">
          <AddressSearch label="Name or address" asked={asked} />
          <p role="status" className="text-[13px] text-muted-foreground">
            {people.length < total ? `The first ${people.length} of ${peopleWords(total)}` : peopleWords(total)}
          </p>
        </div>
      </div>
      {people.length === 0 ? (
        <EmptyState title={asked ? 'Nobody of that name reads it' : 'Nobody can read it'}>
          {asked
            ? 'Look for another name, or clear the search to see everybody who does.'
            : 'No grant opens it to anybody. Give access to the people, groups or the workspace that it is for.'}
        </EmptyState>
      ) : (
        <ul aria-label="Readers">
          {people.map((person) => (
            <li key={person.id} className={section}>
              <div className="flex flex-wrap items-baseline gap-x-2.5">
                <Link
                  href={linkTo({ collection: null, document: null, q: null, tab: 'people', person: person.id })}
                  prefetch={false}
                >
                  <ShownName name={person.name} className="font-medium underline" />
                </Link>
                <bdi className="text-[12.5px] text-muted-foreground [overflow-wrap:anywhere]">{person.email}</bdi>
                <Badge variant="outline">{roleWords[person.role]}</Badge>
                {person.level !== 'read' && <Badge variant="accent">{levelWords[person.level]}</Badge>}
              </div>
              <ul aria-label={`How ${shownName(person.name)} reads it`} className="mt-1">
                {person.ways.map((way) => (
                  <li key={way.grantId} className="py-0.5">
                    <Chain
                      links={[
                        ...wayLinks(way),
                        { key: 'collection', what: <ShownName name={collection.name} /> },
                        ...(document ? [{ key: 'document', what: <ShownName name={document.name} /> }] : []),
                      ]}
                    />
                  </li>
                ))}
              </ul>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

const stoppedWords = {
  suspended: 'Suspended, so they read nothing now. What follows counts again once they are restored.',
  'switched-off': 'Switched off by an incident switch, so they read nothing now.',
} as const

/** What one person can read, and through what. */
export const PersonReads = ({ what }: { what: WhatCanRead }) => {
  const linkTo = useReportLink()
  const { person, stopped, collections } = what
  const documents = collections.reduce((sum, one) => sum + one.documents, 0)
  return (
    <section aria-labelledby="reads">
      <div className={section}>
        <h2 id="reads" className="font-semibold text-sm">
          What <ShownName name={person.name} /> can read
        </h2>
        <p className="text-[13px] text-muted-foreground">
          <bdi>{person.email}</bdi> · {roleWords[person.role]} · {documentsWords(documents)}
        </p>
        {stopped && <p className="mt-1 text-[13px] text-warning">{stoppedWords[stopped]}</p>}
      </div>
      {collections.length === 0 ? (
        <EmptyState title="Nothing">
          No grant opens a collection to them, to a group that they are in, or to everybody in the workspace.
        </EmptyState>
      ) : (
        <ul aria-label="What they read">
          {collections.map((collection) => (
            <li key={collection.id} className={section}>
              <div className="flex flex-wrap items-baseline gap-x-2.5">
                <Link href={linkTo({ tab: null, person: null, collection: collection.id })} prefetch={false}>
                  <ShownName name={collection.name} className="font-medium underline" />
                </Link>
                <span className="text-[13px] text-muted-foreground">{documentsWords(collection.documents)}</span>
                {collection.level !== 'read' && <Badge variant="accent">{levelWords[collection.level]}</Badge>}
              </div>
              <Off reason={collection.switchedOff} />
              <ul aria-label={`How they read ${shownName(collection.name)}`} className="mt-1">
                {collection.ways.map((way) => (
                  <li key={way.grantId} className="py-0.5">
                    <Chain links={wayLinks(way)} />
                  </li>
                ))}
              </ul>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
