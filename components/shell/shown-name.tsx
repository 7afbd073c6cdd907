import { cn } from '#lib/shared/cn.ts'
import { mayDeceive, shownName } from '#lib/shared/shown-name.ts'

/** A name that somebody chose: it turns no direction around it, hides nothing, and says when it is written to look like another. */
export const ShownName = ({ name, className }: { name: string; className?: string }) => (
  <>
    <bdi className={cn('[overflow-wrap:anywhere]', className)}>{shownName(name)}</bdi>
    {mayDeceive(name) && (
      <span
        className="ml-1.5 whitespace-nowrap rounded-sm bg-warning/12 px-1 text-warning text-xs"
        title="Letters of different alphabets stand in one word: it may be made to look like another."
      >
        mixed letters
      </span>
    )}
  </>
)
