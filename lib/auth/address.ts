/** Where the request being served comes from, as the server settled it (`settleForwarding`); null where no server of ours stands in front. */
import { addressHeader } from '#lib/shared/client-address.ts'

export const clientAddress = (headers: Headers): string | null => headers.get(addressHeader)
