/** What `bench-data` may be followed by. */
export const BENCH_DATA_ACTIONS: readonly string[] = ["list", "check", "import", "fit"];
