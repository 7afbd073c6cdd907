import { expect, test } from 'vitest'
import { claimChanges } from './claims.ts'

const group = (
  groupId: string,
  claimRole: 'member' | 'reviewer' | 'admin' | 'owner' | null = null,
  workspaceId = 'w',
) => ({
  groupId,
  workspaceId,
  claimRole,
})
const standing = (role: 'member' | 'reviewer' | 'admin' | 'owner', more = {}) => ({
  workspaceId: 'w',
  role,
  suspended: false,
  invited: false,
  ...more,
})
const nothing = { join: [], leave: [], roles: [], addTo: [], removeFrom: [] }

test('a known group lets a stranger in, with the highest role that their groups give', () => {
  expect(claimChanges([group('a'), group('b', 'reviewer'), group('c', 'member')], [], [])).toEqual({
    ...nothing,
    join: [{ workspaceId: 'w', role: 'reviewer' }],
    addTo: ['a', 'b', 'c'],
  })
  expect(claimChanges([group('a')], [], []).join).toEqual([{ workspaceId: 'w', role: 'member' }])
})

test('a claim never makes an owner, and never unmakes one', () => {
  expect(claimChanges([group('a', 'owner')], [], []).join).toEqual([{ workspaceId: 'w', role: 'admin' }])
  expect(claimChanges([group('a', 'member')], [group('b', 'admin')], [standing('owner')]).roles).toEqual([])
  expect(claimChanges([], [group('b', 'admin')], [standing('owner')])).toEqual({ ...nothing, removeFrom: ['b'] })
})

test('a role that a claim gave goes with it; one that people gave stays', () => {
  const was = [group('a', 'admin'), group('b')]
  expect(claimChanges([group('b')], was, [standing('admin')])).toEqual({
    ...nothing,
    roles: [{ workspaceId: 'w', from: 'admin', to: 'member' }],
    removeFrom: ['a'],
  })
  expect(claimChanges([group('b')], [group('b')], [standing('admin')])).toEqual(nothing)
  expect(claimChanges([group('a', 'reviewer'), group('b')], [group('b')], [standing('member')]).roles).toEqual([
    { workspaceId: 'w', from: 'member', to: 'reviewer' },
  ])
})

test('who has no group left leaves, unless they were invited', () => {
  expect(claimChanges([], [group('a')], [standing('member')])).toEqual({ ...nothing, leave: ['w'], removeFrom: ['a'] })
  expect(claimChanges([], [group('a')], [standing('member', { invited: true })])).toEqual({
    ...nothing,
    removeFrom: ['a'],
  })
})

test('a suspension outlasts every claim', () => {
  const changes = claimChanges([group('a')], [], [standing('member', { suspended: true })])
  expect(changes).toEqual({ ...nothing, addTo: ['a'] })
  expect(claimChanges([], [group('a')], [standing('member', { suspended: true })]).leave).toEqual([])
})

test('workspaces do not touch one another', () => {
  const changes = claimChanges([group('x', 'admin', 'v')], [group('a')], [standing('member', { invited: true })])
  expect(changes).toEqual({
    join: [{ workspaceId: 'v', role: 'admin' }],
    leave: [],
    roles: [],
    addTo: ['x'],
    removeFrom: ['a'],
  })
})
