/** What a worker thread of a sweep or a plan loads: a file of its own in every build, see `simulationPool.ts`. */
export { runPlanTask } from "../plan/runPlanTask.js";
export { runSweepTask } from "./runSweepTask.js";
