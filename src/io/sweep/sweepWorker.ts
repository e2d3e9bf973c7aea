/** What a worker thread of a sweep loads: a file of its own in every build, see `simulationPool.ts`. */
export { runSweepTask } from "./runSweepTask.js";
