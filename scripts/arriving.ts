/** Temporary, while parts of the product arrive: a module that is not there yet is left out instead of ending the start. */
export const whenThere = async <Module>(load: () => Promise<Module>): Promise<Module | undefined> => {
  try {
    return await load()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) throw error
    process.stderr.write(`left out: ${error.message}\n`)
    return undefined
  }
}
