/** How the problems of a run of sync-nicks are told: to whom a name belongs that a member does not get. */
import { unescapeLocalpart } from '../core/jid.ts';
import { localpartOf } from '../core/member-name.ts';
import type { NameProblem, NickPlan, PlannedMember, Registration } from '../core/nick-plan.ts';
import { addFailure, addProblem, type NickSummary } from '../core/nick-summary.ts';
import type { Members } from './ports/forum.ts';
import type { NickLog, NickRegistry } from './ports/nicks.ts';

/** A conflict with somebody whom we do not know: which problem, over which nickname. */
export type Squatted = { readonly problem: number; readonly nick: string };

/** Two names of the site that are one in the chat, or a name that the chat cannot carry. */
export function tellNameProblem(summary: NickSummary, { id, username }: PlannedMember, problem: NameProblem): void {
  if (problem.kind === 'unusable') {
    const reason =
      problem.what === 'nickname'
        ? 'the name holds characters that no nickname may have'
        : 'the name cannot be an account name of XMPP, so this member cannot log in';
    addFailure(summary, id, username, reason);
    return;
  }
  const same = problem.kind === 'localpart' ? 'account name' : 'nickname';
  addProblem(summary, {
    kind: 'conflict',
    id,
    username,
    reason: `has the same ${same} (${JSON.stringify(problem.name)}) as an older member`,
    other: { id: problem.other, username: '' },
  });
}

/** Says whose the nicknames are that we did not register, where the server can tell. */
export async function nameSquatters(
  work: { readonly registry: NickRegistry; readonly summary: NickSummary; readonly squatted: readonly Squatted[] },
  members: Members,
): Promise<void> {
  const { registry, summary, squatted } = work;
  const owners = squatted.length === 0 ? undefined : await registry.owners();
  if (owners === undefined) return;
  for (const { problem: at, nick } of squatted) {
    const problem = summary.problems[at];
    const jid = owners.get(nick);
    if (problem === undefined || jid === undefined) continue;
    const localpart = jid.slice(0, jid.indexOf('@'));
    const member = await members.named(unescapeLocalpart(localpart));
    const known = member !== undefined && localpartOf(member.username) === localpart;
    summary.problems[at] = {
      ...problem,
      reason: `the nickname ${JSON.stringify(nick)} is registered for ${jid}, and not by sync-nicks (squatted?)`,
      other: known ? { id: member.id, username: member.username } : null,
    };
  }
}

/** Puts names to the other parties of conflicts. */
export async function nameOthers(members: Members, summary: NickSummary): Promise<void> {
  const ids = summary.problems.flatMap(({ other }) => (other === null ? [] : [other.id]));
  if (ids.length === 0) return;
  const standing = await members.standing([...new Set(ids)]);
  summary.problems.forEach((problem, index) => {
    const member = problem.other === null ? undefined : standing.get(problem.other.id);
    if (member !== undefined)
      summary.problems[index] = { ...problem, other: { id: member.id, username: member.username } };
  });
}

/** Registered for somebody else: for a member whom we know of, or for a stranger, who is looked for at the end. */
export function tellTaken(
  work: {
    readonly plan: NickPlan;
    readonly memory: NickLog;
    readonly summary: NickSummary;
    readonly squatted: Squatted[];
  },
  { member, register }: { readonly member: PlannedMember; readonly register: Registration },
): void {
  const { plan, summary, memory, squatted } = work;
  const holder = plan.holders(register).find((id) => id !== member.id);
  const position = holder === undefined ? undefined : plan.positionOf(holder);
  const record = position === undefined ? undefined : memory.read(position);
  const known = record?.kind === 'held' && record.nick === register.nick ? holder : undefined;
  if (known === undefined) squatted.push({ problem: summary.problems.length, nick: register.nick });
  addProblem(summary, {
    kind: 'conflict',
    id: member.id,
    username: member.username,
    reason:
      known === undefined
        ? `the nickname ${JSON.stringify(register.nick)} is registered for an account that sync-nicks does not know (squatted?)`
        : `the nickname ${JSON.stringify(register.nick)} is registered for another member`,
    other: known === undefined ? null : { id: known, username: '' },
  });
}
