/** How often a cache took its rare ways, for tests that must not pass by never taking them. */
export class ExtentCounts {
  /** Extents that repeat blocks another extent has. */
  numCopies = 0;
  /** Columns cut in two. */
  numCuts = 0;
  /** Free extents that became one with their neighbour. */
  numMerges = 0;
  /** Evictions of a part of an extent. */
  numPartialEvictions = 0;
  /** Evictions of a copy of blocks that stay present. */
  numCopyEvictions = 0;
  /** Hits that go over from one sequence's blocks to another's. */
  numSeams = 0;
  /** Lookups that went on from where the last one of the sequence ended. */
  numResumedLookups = 0;
  /** Registrations of a member of the lockstep before it left, because another path reached its open end. */
  numSettlements = 0;
}
