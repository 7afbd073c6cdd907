import { isSourceKind, type SourceKind } from '#lib/shared/sources-contract.ts'
import type { Connector } from './connector.ts'
import { folder } from './folder.ts'
import { git } from './git.ts'
import { sitemap } from './sitemap.ts'
import { url } from './url.ts'

/** Every kind has its connector: an entry that is missing here does not compile. */
export const connectors: { readonly [Kind in SourceKind]: Connector<Kind> } = { folder, git, sitemap, url }

/** The connector of a stored kind; undefined for one that this version does not have. */
export const connectorOf = (kind: string): Connector<SourceKind> | undefined =>
  isSourceKind(kind) ? (connectors[kind] as Connector<SourceKind>) : undefined
