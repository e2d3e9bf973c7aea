/** Where one side of a comparison came from. */
export interface DiffSide {
  /** What the user calls it. */
  readonly name: string;
  /** Version of roofserve that made it. */
  readonly version: string;
}

/** What to know of results that different versions made: nothing, or a sentence. */
export function versionNotes(a: DiffSide, b: DiffSide): string[] {
  if (a.version === b.version) return [];
  return [`A was made by roofserve ${a.version}, B by ${b.version}: the simulator itself may differ`];
}
