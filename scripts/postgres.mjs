/**
 * A PostgreSQL server (15 or newer, with pgvector) for the database tests: the one that TEST_DATABASE_URL names, else a scratch
 * cluster from binaries that are here or that apt-get can bring. The cluster lives in a temporary folder and ends with the tests.
 */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root, run } from './bootstrap.mjs'

const versionMin = 15
const pgvectorVersion = '0.8.0'
const isRoot = process.getuid?.() === 0
const quietApt = { DEBIAN_FRONTEND: 'noninteractive', APT_LISTCHANGES_FRONTEND: 'none' }

const commandOutput = (command, args) => {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : ''
}

/** Folders with a server's programs, newest first; Debian does not put them on the PATH. */
const binFolders = () => {
  const debian = '/usr/lib/postgresql'
  const packaged = existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, 'bin')) : []
  return [...new Set([...packaged, commandOutput('pg_config', ['--bindir'])])]
    .filter((folder) => folder && existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')))
    .map((folder) => ({
      folder,
      version: Number(/(\d+)/.exec(commandOutput(join(folder, 'postgres'), ['--version']))?.[1] ?? 0),
    }))
    .filter(({ version }) => version >= versionMin)
    .sort((a, b) => b.version - a.version)
}

const hasVector = ({ folder, version }) =>
  [`/usr/share/postgresql/${version}`, join(folder, '../share/postgresql'), join(folder, '../share')].some((share) =>
    existsSync(join(share, 'extension/vector.control')),
  )

const must = async (command, args, options) => {
  const { code, output } = await run(command, args, options)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output.slice(-2_000)}`)
  return output
}

const apt = (...args) => must('apt-get', ['-q', ...args], { env: quietApt, timeoutMs: 300_000 })

/** Fetches pgvector's source as Debian 13 ships it, through apt's own signature check and without touching the system's sources. */
const fetchSource = async (folder) => {
  const mirror =
    /https?:\/\/\S+\/debian(?=\s|\/|$)/.exec(aptSources().replace(/#.*/g, ''))?.[0] ?? 'http://deb.debian.org/debian'
  const sources = join(folder, 'sources.list')
  mkdirSync(join(folder, 'lists/partial'), { recursive: true })
  writeFileSync(sources, `deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror} trixie main\n`)
  const own = [
    '-o',
    `Dir::Etc::SourceList=${sources}`,
    '-o',
    'Dir::Etc::SourceParts=-',
    '-o',
    `Dir::State::Lists=${folder}/lists`,
  ]
  // apt drops its rights for a download; the folder has to be open to that account.
  for (const path of [folder, join(folder, 'lists'), join(folder, 'lists/partial')]) chmodSync(path, 0o777)
  await apt('update', ...own)
  const script = `cd '${folder}' && apt-get -q "$@" --download-only source pgvector=${pgvectorVersion}-1`
  await must('sh', ['-c', script, 'sh', ...own], { env: quietApt, timeoutMs: 120_000 })
  const archive = readdirSync(folder).find((name) => /^pgvector_.*\.orig\.tar\.\w+$/.test(name))
  if (!archive) throw new Error('apt-get brought no source of pgvector')
  const target = join(folder, 'pgvector')
  mkdirSync(target)
  await must('tar', ['-xf', join(folder, archive), '-C', target, '--strip-components=1'])
  return target
}

const aptSources = () => {
  const parts = '/etc/apt/sources.list.d'
  const files = [
    '/etc/apt/sources.list',
    ...(existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : []),
  ]
  return files
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n')
}

/** Installs what is missing from Debian's packages: the server, and pgvector as a package or built from its source. */
const installServer = async (progress) => {
  progress('installing PostgreSQL with pgvector')
  await apt('update')
  // Otherwise the package makes and starts a cluster that nobody asked for.
  const clusterConfig = '/etc/postgresql-common/createcluster.conf'
  if (!existsSync(clusterConfig)) {
    mkdirSync('/etc/postgresql-common', { recursive: true })
    writeFileSync(clusterConfig, 'create_main_cluster = false\n')
  }
  const known = commandOutput('apt-cache', ['pkgnames', 'postgresql-']).split('\n')
  const newest = (pattern) =>
    known
      .flatMap((name) => pattern.exec(name)?.[1] ?? [])
      .map(Number)
      .filter((version) => version >= versionMin)
      .sort((a, b) => b - a)[0]
  const packaged = newest(/^postgresql-(\d+)-pgvector$/)
  if (packaged) {
    await apt('install', '-y', '--no-install-recommends', `postgresql-${packaged}`, `postgresql-${packaged}-pgvector`)
    return
  }
  const version = binFolders()[0]?.version ?? newest(/^postgresql-(\d+)$/)
  if (!version) throw new Error(`no package of PostgreSQL ${versionMin} or newer`)
  const packages = [`postgresql-${version}`, `postgresql-server-dev-${version}`, 'gcc', 'make', 'libc6-dev']
  await apt('install', '-y', '--no-install-recommends', ...packages)
  const folder = mkdtempSync(join(tmpdir(), 'footnote-pgvector-'))
  try {
    progress(`building pgvector ${pgvectorVersion}`)
    const source = await fetchSource(folder)
    const make = ['-C', source, `PG_CONFIG=/usr/lib/postgresql/${version}/bin/pg_config`, 'with_llvm=no', 'OPTFLAGS=']
    await must('make', ['-j2', ...make], { timeoutMs: 300_000 })
    await must('make', ['install', ...make])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const freePort = () =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })

/** A cluster on a free port of the loopback address, without the durability that tests do not need. */
const startCluster = async ({ folder }) => {
  const home = mkdtempSync(join(tmpdir(), 'footnote-postgres-'))
  const data = join(home, 'data')
  // PostgreSQL refuses to run as root.
  const as = (program, ...args) =>
    isRoot ? ['runuser', ['-u', 'postgres', '--', join(folder, program), ...args]] : [join(folder, program), args]
  if (isRoot) await must('chown', ['postgres', home])
  const port = await freePort()
  const settings = [
    `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${home}`,
    '-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200 -c shared_buffers=256MB',
  ].join(' ')
  let open = true
  const stop = () => {
    if (!open) return
    open = false
    const [command, args] = as('pg_ctl', '-D', data, '-m', 'immediate', '-w', 'stop')
    spawnSync(command, args, { cwd: home })
    rmSync(home, { recursive: true, force: true })
  }
  try {
    await must(
      ...as('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'),
    )
    await must(...as('pg_ctl', '-D', data, '-w', '-t', '60', '-l', join(home, 'log'), '-o', settings, 'start'))
  } catch (error) {
    stop()
    throw error
  }
  process.once('exit', stop)
  return { url: `postgres://postgres@127.0.0.1:${port}/postgres`, stop }
}

/**
 * `{ url, detail, stop }` of a server for the tests, or `{ missing }` with the reason in words. Installs only as root and with
 * apt-get at hand: on a machine that runs the tests for somebody, not on a person's own.
 */
export const findPostgres = async (progress = () => undefined) => {
  const given = process.env.TEST_DATABASE_URL
  if (given) return { url: given, detail: 'the server of TEST_DATABASE_URL', stop: () => undefined }
  try {
    let server = binFolders().find(hasVector)
    if (!server && isRoot && existsSync('/usr/bin/apt-get')) {
      await installServer(progress)
      server = binFolders().find(hasVector)
    }
    if (!server)
      return {
        missing: `no PostgreSQL ${versionMin} or newer with pgvector is installed, and it cannot be installed without root`,
      }
    return { ...(await startCluster(server)), detail: `a scratch cluster of PostgreSQL ${server.version}` }
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) }
  }
}

if (process.argv[1] === join(root, 'scripts/postgres.mjs')) {
  const found = await findPostgres((text) => process.stderr.write(`${text}\n`))
  process.stdout.write(`${JSON.stringify(found)}\n`)
  found.stop?.()
}
