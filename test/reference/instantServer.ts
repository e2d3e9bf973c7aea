import type { RequestSpec } from "../../src/core/request/requestSpec.js";
import type { Workload } from "../../src/core/workload/workload.js";

/** What a workload did against a server with given service times. */
export interface ServedRun {
  /** In order of arrival. */
  readonly specs: RequestSpec[];
  readonly endUs: Map<string, number>;
  /** Most requests in flight at once. */
  readonly peakInFlight: number;
}

/**
 * The simplest client of a workload: unlimited servers, each request takes `serviceUs(spec)`.
 * Ends are told before arrivals of the same instant.
 * @param maxRequests stops an endless workload
 */
export function serve(workload: Workload, serviceUs: (spec: RequestSpec) => number, maxRequests = 1e6): ServedRun {
  const specs: RequestSpec[] = [];
  const endUs = new Map<string, number>();
  const inFlight: { spec: RequestSpec; endUs: number }[] = [];
  let peakInFlight = 0;
  while (specs.length < maxRequests) {
    const arrivalUs = workload.peekArrivalUs();
    const next = inFlight.reduce((min, one) => Math.min(min, one.endUs), Number.POSITIVE_INFINITY);
    if (next === Number.POSITIVE_INFINITY && arrivalUs === Number.POSITIVE_INFINITY) break;
    if (next <= arrivalUs) {
      const index = inFlight.findIndex((one) => one.endUs === next);
      const [done] = inFlight.splice(index, 1);
      endUs.set(done!.spec.id, next);
      workload.onFinished(done!.spec, next);
    } else {
      const spec = workload.take();
      specs.push(spec);
      inFlight.push({ spec, endUs: spec.arrivalUs + Math.max(1, Math.round(serviceUs(spec))) });
      peakInFlight = Math.max(peakInFlight, inFlight.length);
    }
  }
  return { specs, endUs, peakInFlight };
}
