'use client'
import { useId } from 'react'
import { cn } from '#lib/shared/cn.ts'
import { criterionWords, scoreWords } from '#lib/shared/label-contract.ts'
import { type LabelCriterion, labelCriteria, type Rubric } from '#lib/shared/review-contract.ts'
import type { Labelling } from './labels-keys.ts'

/** The criteria with what they mean, each with its three answers. */
export const LabelScoresForm = ({
  state: { scores, at },
  rubric,
  onScore,
}: {
  state: Labelling
  rubric: Rubric
  onScore: (criterion: LabelCriterion, score: number) => void
}) => {
  const name = useId()
  return labelCriteria.map((criterion) => (
    <fieldset
      key={criterion}
      data-criterion={criterion}
      className={cn(
        'mb-2 rounded-lg border border-transparent px-3 py-2',
        criterion === at && 'border-input bg-muted/50',
      )}
    >
      <legend className="float-left w-full font-medium text-[13.5px]">{criterionWords[criterion]}</legend>
      <p id={`${name}${criterion}`} className="clear-both text-[12.5px] text-muted-foreground">
        {rubric[criterion]}
      </p>
      <div className="mt-1.5 grid grid-cols-3 gap-1.5">
        {scoreWords.map((words, score) => (
          <label
            key={words}
            className="flex h-8 cursor-pointer select-none items-center justify-center gap-1.5 rounded-[7px] border border-input text-[13px] hover:bg-muted has-checked:border-primary has-checked:bg-primary/10 has-checked:font-medium has-focus-visible:outline-2 has-focus-visible:outline-ring touch:h-11"
          >
            <input
              type="radio"
              className="sr-only"
              name={`${name}-${criterion}`}
              value={score}
              checked={scores[criterion] === score}
              aria-describedby={`${name}${criterion}`}
              onChange={() => onScore(criterion, score)}
            />
            {words}
            <kbd aria-hidden className="num text-[11px] text-muted-foreground touch:hidden">
              {score}
            </kbd>
          </label>
        ))}
      </div>
    </fieldset>
  ))
}
