'use client'
import {
  AlertDialog,
  AlertDialogAction,
  AlertDialogCancel,
  AlertDialogContent,
  AlertDialogDescription,
  AlertDialogFooter,
  AlertDialogTitle,
} from '#components/ui/alert-dialog.tsx'

/** Asks once more before a held passage may go to models. */
export const ReleaseDialog = ({
  open,
  onClose,
  onRelease,
}: {
  open: boolean
  onClose: () => void
  onRelease: () => void
}) => (
  <AlertDialog open={open} onOpenChange={(isOpen) => !isOpen && onClose()}>
    <AlertDialogContent>
      <AlertDialogTitle>Release this passage?</AlertDialogTitle>
      <AlertDialogDescription>
        From the next question on it may be sent to language models and quoted in answers, in every document that says
        the same, also after a new upload. This cannot be taken back here.
      </AlertDialogDescription>
      <AlertDialogFooter>
        <AlertDialogCancel />
        <AlertDialogAction onClick={onRelease}>Release passage</AlertDialogAction>
      </AlertDialogFooter>
    </AlertDialogContent>
  </AlertDialog>
)
