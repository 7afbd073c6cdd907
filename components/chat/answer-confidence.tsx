'use client'
import { Button } from '#components/ui/button.tsx'
import { Popover, PopoverContent, PopoverTrigger } from '#components/ui/popover.tsx'
import type { MessageMetadata } from '#lib/shared/chat-contract.ts'

/** How sure an answer is, as a number that opens why it is no surer. */
export const AnswerConfidence = ({ confidence }: { confidence: NonNullable<MessageMetadata['confidence']> }) => {
  const { value, reasons } = confidence
  const words = value === null ? 'Not checked' : `${Math.round(value * 100)} % sure`
  return (
    <Popover>
      <PopoverTrigger asChild>
        <Button variant="quiet" size="sm" className="num">
          {words}
        </Button>
      </PopoverTrigger>
      <PopoverContent aria-label="How sure this answer is" className="max-w-80">
        <p className="font-medium">
          {value === null ? 'It could not be checked' : `${words} that it is right and supported`}
        </p>
        <ul className="mt-1.5 flex flex-col gap-1 text-muted-foreground">
          {reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      </PopoverContent>
    </Popover>
  )
}
