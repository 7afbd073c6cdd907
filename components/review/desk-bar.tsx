'use client'
import { Ellipsis } from 'lucide-react'
import type { ReactNode } from 'react'
import { Button } from '#components/ui/button.tsx'
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuTrigger,
} from '#components/ui/dropdown-menu.tsx'
import { Kbd } from '#components/ui/kbd.tsx'
import { PersonMenu, RejectMenu } from './decision-menus.tsx'
import type { DeskActions } from './desk-contract.ts'
import type { DeskAct } from './desk-keys.ts'
import type { DeskNotice, DeskState } from './use-desk.ts'

const sign = (words: string): ReactNode => (
  <Kbd aria-hidden className="border-current/30 bg-transparent text-current opacity-80 max-sm:hidden touch:hidden">
    {words}
  </Kbd>
)

type SignedButton = { act: DeskAct; label: string; sign: string }
const whileOpen: readonly SignedButton[] = [
  { act: 'edit', label: 'Edit', sign: 'E' },
  { act: 'expert', label: 'Ask an expert', sign: 'X' },
  { act: 'hand-on', label: 'Hand on', sign: 'H' },
]
const always: readonly SignedButton[] = [{ act: 'comment', label: 'Comment', sign: 'C' }]

const NoticeLines = ({ notice }: { notice: DeskNotice }) => (
  <>
    <p
      role="alert"
      className="border-b bg-warning/12 px-5 py-1.5 font-medium text-[13px] text-warning empty:hidden max-sm:px-4"
    >
      {notice && !notice.soft && notice.words}
    </p>
    <p role="status" className="border-b px-5 py-1.5 text-[13px] text-muted-foreground empty:hidden max-sm:px-4">
      {notice?.soft && notice.words}
    </p>
  </>
)

/** What can be done, at the foot of the desk: the two decisions first, then the rest, and what stands against a press. */
export const DeskBar = ({
  desk,
  hadDraft,
  viewerId,
  actions,
}: {
  desk: DeskState
  /** An edit was there when it was opened. */
  hadDraft: boolean
  viewerId: string
  actions: DeskActions
}) => {
  const { item, mine, isOpen, edited, work, acts, menu } = desk
  const buttons = [...(isOpen ? whileOpen : []), ...always]
  // A menu that closes gives the focus back first.
  const afterMenu = (run: () => unknown) => () => setTimeout(() => void run())
  return (
    <div className="shrink-0 border-t bg-background">
      <NoticeLines notice={desk.notice} />
      <div className="flex items-center gap-2 px-5 py-2.5 max-sm:px-4">
        {isOpen && (
          <>
            {edited ? (
              <Button
                variant="primary"
                aria-keyshortcuts="Control+Enter"
                aria-disabled={desk.sendingEdit}
                onClick={() => void acts['approve-edit']()}
              >
                Approve with edit {sign('Ctrl ↵')}
              </Button>
            ) : (
              <Button variant="primary" aria-keyshortcuts="A" aria-disabled={!mine} onClick={() => void acts.approve()}>
                Approve {sign('A')}
              </Button>
            )}
            <RejectMenu
              open={menu === 'reject'}
              onOpenChange={(next) => (next ? desk.openMenu('reject') : desk.closeMenu())}
              note={work.work.note}
              onNote={work.setNote}
              onReject={desk.reject}
              trigger={
                <Button variant="destructive" aria-keyshortcuts="R" aria-disabled={!mine}>
                  Reject {sign('R')}
                </Button>
              }
            />
          </>
        )}
        {(['expert', 'hand-on'] as const).map((kind) => (
          <PersonMenu
            key={kind}
            kind={kind}
            open={menu === kind}
            onOpenChange={(next) => !next && desk.closeMenu()}
            itemId={item.id}
            viewerId={viewerId}
            question={work.work.question}
            onQuestion={work.setQuestion}
            actions={actions}
            onDone={desk.moved}
          />
        ))}
        {buttons.map(({ act, label, sign: key }) => (
          <Button
            key={act}
            variant={act === 'edit' || !isOpen ? 'outline' : 'quiet'}
            aria-keyshortcuts={key}
            className={act === 'edit' || !isOpen ? undefined : 'max-lg:hidden'}
            onClick={() => void acts[act]()}
          >
            {label} {sign(key)}
          </Button>
        ))}
        <span className="flex-1" />
        {isOpen && edited && work.saved.at && !work.saved.error && (
          <span className="text-[12.5px] text-muted-foreground max-xl:hidden">
            {hadDraft ? 'Your draft is here' : 'Draft kept'}
          </span>
        )}
        <Button variant="quiet" aria-keyshortcuts="N" className="max-sm:hidden" onClick={() => void acts.next()}>
          Next {sign('N')}
        </Button>
        <DropdownMenu>
          <DropdownMenuTrigger asChild>
            <Button variant="ghost" size="icon" aria-label="More to do with this answer">
              <Ellipsis />
            </Button>
          </DropdownMenuTrigger>
          <DropdownMenuContent align="end">
            {buttons.slice(isOpen ? 1 : buttons.length).map(({ act, label }) => (
              <DropdownMenuItem key={act} className="lg:hidden" onSelect={afterMenu(acts[act])}>
                {label}
              </DropdownMenuItem>
            ))}
            {isOpen && (
              <DropdownMenuItem onSelect={afterMenu(acts['edit-whole'])}>Edit the whole answer</DropdownMenuItem>
            )}
            <DropdownMenuItem onSelect={() => void acts.next()}>Next answer</DropdownMenuItem>
            <DropdownMenuItem onSelect={afterMenu(acts.keys)}>Show the keys</DropdownMenuItem>
          </DropdownMenuContent>
        </DropdownMenu>
      </div>
      {isOpen && (
        <p className="px-5 pb-2 text-[12px] text-muted-foreground max-sm:px-4">
          A decision is sent 4 seconds after you make it. Until then it can be taken back; afterwards who asked has read
          it.
        </p>
      )}
    </div>
  )
}
