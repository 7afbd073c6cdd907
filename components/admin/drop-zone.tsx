'use client'
import { FolderUp, Upload } from 'lucide-react'
import { type ReactNode, useRef } from 'react'
import { useDropzone } from 'react-dropzone'
import { Button } from '#components/ui/button.tsx'
import { cn } from '#lib/shared/cn.ts'

export type DropZoneProps = {
  onFiles: (files: File[]) => void
  /** Where the files go; shown at the end. */
  children: ReactNode
  className?: string
}

/** Takes files and folders by drop, by paste and by two buttons; says before what is taken. */
export const DropZone = ({ onFiles, children, className }: DropZoneProps) => {
  const folder = useRef<HTMLInputElement>(null)
  const { getRootProps, getInputProps, isDragActive, open } = useDropzone({
    onDrop: (files) => onFiles([...files]),
    noClick: true,
    noKeyboard: true,
  })
  return (
    <div
      {...getRootProps({
        className: cn(
          'flex flex-wrap items-center gap-x-4 gap-y-3 rounded-[10px] border-[1.5px] border-dashed border-input bg-accent/35 px-5 py-4 transition-colors duration-120',
          isDragActive && 'border-primary bg-accent',
          className,
        ),
        role: 'group',
        'aria-label': 'Upload documents',
      })}
    >
      <Upload aria-hidden className="size-[22px] shrink-0 stroke-[1.75] max-sm:hidden" />
      <div className="min-w-56 flex-1">
        <p className="font-semibold">{isDragActive ? 'Let go to upload' : 'Drop files or a folder here'}</p>
        <p className="text-[12.5px] text-muted-foreground">
          PDF, Word, PowerPoint, Excel, EPUB, e-mail, Markdown, HTML, text, CSV, JSON, XML, code, pictures. Up to 50 MB
          each. Once a file is uploaded you can close this page: the work goes on.
        </p>
      </div>
      {children}
      <div className="hidden">
        <input {...getInputProps({ 'aria-label': 'Files to upload' })} />
        <input
          ref={folder}
          type="file"
          multiple
          hidden
          aria-label="Folder to upload"
          {...{ webkitdirectory: '' }}
          onChange={(event) => {
            onFiles([...(event.currentTarget.files ?? [])])
            event.currentTarget.value = ''
          }}
        />
      </div>
      <div className="flex gap-2">
        <Button className="max-sm:hidden" onClick={() => folder.current?.click()}>
          <FolderUp />
          Choose folder
        </Button>
        <Button variant="primary" onClick={open}>
          <Upload />
          Choose files
        </Button>
      </div>
    </div>
  )
}
