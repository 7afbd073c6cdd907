'use client'
import { Ellipsis } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { Button } from '#components/ui/button.tsx'
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuTrigger,
} from '#components/ui/dropdown-menu.tsx'

const places = [
  ['Labels', '/review/labels'],
  ['Corrections', '/review/corrections'],
  ['Calibration', '/review/calibration'],
  ['Figures', '/review/figures'],
] as const

/** What there is beside the queue: links where there is room, a menu where there is not. */
export const ReviewPlaces = () => (
  <>
    <nav aria-label="More of review" className="flex max-lg:hidden">
      {places.map(([title, href]) => (
        <Button key={href} variant="quiet" asChild>
          <Link href={href as Route}>{title}</Link>
        </Button>
      ))}
    </nav>
    <DropdownMenu>
      <DropdownMenuTrigger asChild>
        <Button variant="ghost" size="icon" aria-label="More of review" className="lg:hidden">
          <Ellipsis />
        </Button>
      </DropdownMenuTrigger>
      <DropdownMenuContent align="end">
        {places.map(([title, href]) => (
          <DropdownMenuItem key={href} asChild>
            <Link href={href as Route}>{title}</Link>
          </DropdownMenuItem>
        ))}
      </DropdownMenuContent>
    </DropdownMenu>
  </>
)
