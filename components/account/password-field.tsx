'use client'
import { Eye, EyeOff } from 'lucide-react'
import { type ComponentProps, type ReactNode, useId, useState } from 'react'
import { Button } from '#components/ui/button.tsx'
import { Input, Label } from '#components/ui/input.tsx'

type Props = Omit<ComponentProps<'input'>, 'type' | 'id'> & {
  label: string
  hint?: ReactNode
  /** The element that says what is wrong. */
  errorId?: string | undefined
}

/** A password that can be pasted, filled in by a manager, and looked at. */
export const PasswordField = ({ label, hint, errorId, ...props }: Props) => {
  const [shown, setShown] = useState(false)
  const id = useId()
  const described = [hint ? `${id}-hint` : '', errorId ?? ''].filter(Boolean).join(' ')
  return (
    <div>
      <Label htmlFor={id}>{label}</Label>
      <div className="relative">
        <Input
          autoCapitalize="none"
          spellCheck={false}
          required
          {...props}
          id={id}
          type={shown ? 'text' : 'password'}
          className="h-10 pr-11"
          aria-invalid={errorId ? true : undefined}
          aria-describedby={described || undefined}
        />
        <Button
          variant="quiet"
          size="icon"
          className="absolute top-1/2 right-1 -translate-y-1/2"
          aria-label={shown ? 'Hide the password' : 'Show the password'}
          aria-pressed={shown}
          onClick={() => setShown(!shown)}
        >
          {shown ? <EyeOff /> : <Eye />}
        </Button>
      </div>
      {hint && (
        <p id={`${id}-hint`} className="mt-1 text-[12.5px] text-muted-foreground">
          {hint}
        </p>
      )}
    </div>
  )
}
