import type { ComponentProps } from 'react'
import { cn } from '#lib/shared/cn.ts'

/** Wide tables scroll inside themselves, never the page. */
export const Table = ({ className, ...props }: ComponentProps<'table'>) => (
  <div className="w-full overflow-x-auto">
    <table className={cn('w-full border-collapse text-[13px]', className)} {...props} />
  </div>
)

export const TableHeader = (props: ComponentProps<'thead'>) => <thead {...props} />
export const TableBody = (props: ComponentProps<'tbody'>) => <tbody {...props} />

export const TableRow = ({ className, ...props }: ComponentProps<'tr'>) => (
  <tr className={cn('border-b aria-selected:bg-accent data-[state=selected]:bg-accent', className)} {...props} />
)

/** `numeric` columns are right-aligned with figures of one width. */
export const TableHead = ({ className, numeric, ...props }: ComponentProps<'th'> & { numeric?: boolean }) => (
  <th
    scope="col"
    className={cn(
      'whitespace-nowrap px-3 py-2 text-left font-medium text-muted-foreground text-xs',
      numeric && 'num text-right',
      className,
    )}
    {...props}
  />
)

export const TableCell = ({ className, numeric, ...props }: ComponentProps<'td'> & { numeric?: boolean }) => (
  <td className={cn('px-3 py-2 align-middle', numeric && 'num whitespace-nowrap text-right', className)} {...props} />
)
